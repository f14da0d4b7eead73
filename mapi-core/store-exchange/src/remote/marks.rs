//! Values of messages as the server has them now. Source: MS-OXCMSG 2.2.3.1, MS-OXCPRPT 2.2.2.

use mapi_types::{OwnedValue, PropTag};
use mapi_wire::{
    Id,
    rop::{self, Response, open_mode},
};

use super::{Remote, write::PAGE_OF_LOGON};
use crate::{
    fault::{Fault, Result, code},
    session::{Answers, Batch, Repeat, unexpected},
    values::from_row,
};

/// Messages asked about in one request: each takes a slot and has two answers.
const AT_ONCE: usize = 50;

impl Remote {
    /// These properties of messages, in the order of the tags; `None` for a message that is gone. One request for dozens.
    pub(crate) async fn values(
        &self,
        folder_id: Id,
        messages: &[Id],
        tags: &[PropTag],
    ) -> Result<Vec<Option<Vec<Option<OwnedValue>>>>> {
        let mut all = Vec::with_capacity(messages.len());
        for page in messages.chunks(AT_ONCE) {
            let (asked, wanted) = (page.to_vec(), tags.to_vec());
            let session = &self.sessions.front;
            let mut answers = session
                .run(&self.store, Repeat::Safe, move |logon| {
                    let mut batch = Batch::new(logon);
                    for message in &asked {
                        ask(&mut batch, (folder_id, *message), &wanted);
                    }
                    batch
                })
                .await?;
            for _ in page {
                all.push(answered(&mut answers, tags)?);
            }
        }
        Ok(all)
    }
}

fn ask(batch: &mut Batch, (folder_id, message_id): (Id, Id), tags: &[PropTag]) {
    let logon_id = batch.logon_id;
    let message = batch.slot();
    batch.push(rop::OpenMessage {
        logon_id,
        input: Batch::LOGON,
        output: message,
        code_page_id: PAGE_OF_LOGON,
        folder_id,
        open_mode_flags: open_mode::READ_ONLY,
        message_id,
    });
    batch.push(rop::GetPropertiesSpecific {
        logon_id,
        input: message,
        property_size_limit: 0,
        want_unicode: 1,
        property_tags: tags.to_vec(),
    });
    batch.release(message);
}

/// The answers about one message.
fn answered(answers: &mut Answers, tags: &[PropTag]) -> Result<Option<Vec<Option<OwnedValue>>>> {
    let opened = answers.take_any().ok_or_else(unexpected)?;
    let props = answers.take_any().ok_or_else(unexpected)?;
    match (opened, props) {
        (Response::OpenMessage(_), Response::GetPropertiesSpecific(props)) => {
            let value = |(at, tag): (usize, &PropTag)| {
                let value = props.row.value(at)?;
                Some(from_row(*tag, value)?.1)
            };
            Ok(Some(tags.iter().enumerate().map(value).collect()))
        }
        (Response::Failed(failed), _) => match failed.code {
            code::NOT_FOUND | code::OBJECT_DELETED => Ok(None),
            code => Err(Fault::operation(failed.rop_id, code)),
        },
        (_, Response::Failed(failed)) => Err(Fault::operation(failed.rop_id, failed.code)),
        _ => Err(unexpected()),
    }
}

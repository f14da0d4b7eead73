//! Writing marks and properties of messages. Source: MS-OXCMSG 2.2.3, MS-OXCPRPT 2.2.5.

use mapi_types::PropTag;
use mapi_wire::{
    Id, PropValue, TaggedValue,
    rop::{self, Request, Response, open_mode, read_flags, save_flags},
};

use super::Remote;
use crate::{
    fault::{Fault, Result, code},
    session::{Answers, Batch, Repeat, expect_rop, unexpected},
};

/// The most ids in one ROP.
const IDS_AT_ONCE: usize = 3000;

/// The most messages opened in one batch: each takes a slot.
const OPENED_AT_ONCE: usize = 60;

/// The code page of a message's 8-bit strings: that of the logon.
pub(super) const PAGE_OF_LOGON: u16 = 0x0fff;

const CHANGE_KEY: PropTag = PropTag(0x65e2_0102);

/// The change keys of a message before and after it was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ChangeKeys {
    pub(crate) before: Option<Box<[u8]>>,
    pub(crate) after: Option<Box<[u8]>>,
}

/// What is to be written on one message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PropsChange {
    pub(crate) message: Id,
    pub(crate) set: Vec<TaggedValue>,
    pub(crate) delete: Vec<PropTag>,
}

impl Remote {
    /// Marks messages as read or unread; no receipt is sent. One request for thousands of messages.
    pub(crate) async fn set_read(&self, folder: Id, messages: &[Id], read: bool) -> Result<()> {
        let flags = match read {
            true => read_flags::SUPPRESS_RECEIPT,
            false => read_flags::CLEAR_READ_FLAG | read_flags::SUPPRESS_RECEIPT,
        };
        for page in messages.chunks(IDS_AT_ONCE) {
            let page = page.to_vec();
            let mut answers = self
                .in_folder(folder, Repeat::Safe, move |batch, input| {
                    batch.push(rop::SetReadFlags {
                        logon_id: batch.logon_id,
                        input,
                        want_asynchronous: false,
                        read_flags: flags,
                        message_ids: page.clone(),
                    });
                })
                .await?;
            answers.succeed()?;
        }
        Ok(())
    }

    /// Writes properties of messages. Returns the change keys of each; `None` for one that is gone.
    ///
    /// One request for about fifty messages. Errors: those of the first message that is refused for another reason.
    pub(crate) async fn set_props(
        &self,
        folder: Id,
        changes: Vec<PropsChange>,
    ) -> Result<Vec<Option<ChangeKeys>>> {
        let mut keys = Vec::with_capacity(changes.len());
        for page in changes.chunks(OPENED_AT_ONCE) {
            let page = page.to_vec();
            let count = page.len();
            // Writing the same values again is no other change.
            let mut answers = self
                .in_folder(folder, Repeat::Safe, move |batch, _| {
                    for change in &page {
                        write(batch, folder, change);
                    }
                })
                .await?;
            for _ in 0..count {
                keys.push(written(&mut answers)?);
            }
        }
        Ok(keys)
    }

    /// Deletes messages; the server may keep them for recovery. Whether all of them went.
    pub(crate) async fn delete(&self, folder: Id, messages: &[Id]) -> Result<bool> {
        let mut all = true;
        for page in messages.chunks(IDS_AT_ONCE) {
            let page = page.to_vec();
            let mut answers = self
                .in_folder(folder, Repeat::Safe, move |batch, input| {
                    batch.push(rop::DeleteMessages {
                        logon_id: batch.logon_id,
                        input,
                        want_asynchronous: false,
                        notify_non_read: false,
                        message_ids: page.clone(),
                    });
                })
                .await?;
            match answers.take() {
                Ok(Response::DeleteMessages(done)) => all &= !done.partial_completion,
                Ok(_) => return Err(unexpected()),
                Err(Fault::Operation { code, .. }) if code == code::NOT_FOUND => all = false,
                Err(fault) => return Err(fault),
            }
        }
        Ok(all)
    }

    /// Runs a batch in an open folder, whose slot `fill` gets; its answer has been taken.
    pub(super) async fn in_folder(
        &self,
        folder: Id,
        repeat: Repeat,
        fill: impl Fn(&mut Batch, u8) + Send + Sync + 'static,
    ) -> Result<Answers> {
        let session = &self.sessions.front;
        let mut answers = session
            .run(&self.store, repeat, move |logon| {
                let mut batch = Batch::new(logon);
                let input = batch.open_folder(folder);
                fill(&mut batch, input);
                batch.release(input);
                batch
            })
            .await?;
        expect_rop!(answers, OpenFolder)?;
        Ok(answers)
    }
}

fn write(batch: &mut Batch, folder_id: Id, change: &PropsChange) {
    let logon_id = batch.logon_id;
    let message = batch.slot();
    batch.push(rop::OpenMessage {
        logon_id,
        input: Batch::LOGON,
        output: message,
        code_page_id: PAGE_OF_LOGON,
        folder_id,
        open_mode_flags: open_mode::READ_WRITE,
        message_id: change.message,
    });
    batch.push(change_key_of(logon_id, message));
    // Both are always there, so that every message has the same answers.
    batch.push(rop::SetProperties {
        logon_id,
        input: message,
        property_values: change.set.clone(),
    });
    batch.push(rop::DeleteProperties {
        logon_id,
        input: message,
        property_tags: change.delete.clone(),
    });
    batch.push(rop::SaveChangesMessage {
        logon_id,
        response: message,
        input: message,
        save_flags: save_flags::KEEP_OPEN_READ_ONLY | save_flags::FORCE_SAVE,
    });
    batch.push(change_key_of(logon_id, message));
    batch.release(message);
}

/// Asks for the change key of an open message.
pub(super) fn change_key_of(logon_id: u8, input: u8) -> Request {
    rop::GetPropertiesSpecific {
        logon_id,
        input,
        property_size_limit: 0,
        want_unicode: 1,
        property_tags: vec![CHANGE_KEY],
    }
    .into()
}

/// The change key that [`change_key_of`] asked for.
pub(super) fn change_key(row: &mapi_wire::row::PropertyRow) -> Option<Box<[u8]>> {
    match row.value(0) {
        Some(PropValue::Binary(key)) => Some(key.clone()),
        _ => None,
    }
}

/// The answers about one message that was written.
fn written(answers: &mut Answers) -> Result<Option<ChangeKeys>> {
    const ROPS: usize = 6;
    let all: Vec<_> = (0..ROPS).map_while(|_| answers.take_any()).collect();
    match all.first() {
        Some(Response::Failed(failed)) if is_gone(failed.code) => return Ok(None),
        _ => {}
    }
    for response in &all {
        if let Response::Failed(failed) = response {
            return Err(Fault::operation(failed.rop_id, failed.code));
        }
    }
    let key = |response: Option<&Response>| match response {
        Some(Response::GetPropertiesSpecific(response)) => change_key(&response.row),
        _ => None,
    };
    match all.len() {
        ROPS => Ok(Some(ChangeKeys {
            before: key(all.get(1)),
            after: key(all.last()),
        })),
        _ => Err(unexpected()),
    }
}

const fn is_gone(code: u32) -> bool {
    matches!(code, code::NOT_FOUND | code::OBJECT_DELETED)
}

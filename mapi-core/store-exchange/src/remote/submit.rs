//! Having the server send a message that lies in the Outbox. Source: MS-OXOMSG 3.2.4, MS-OXCROPS 2.2.7.1.

use mapi_types::{PropTag, tags};
use mapi_wire::{
    Id, PropValue,
    rop::{self, Response, SubmitMessage, open_mode},
};

use super::{Remote, write::PAGE_OF_LOGON};
use crate::{
    fault::{Fault, Result, code},
    session::{Batch, Repeat, expect_rop, unexpected},
};

/// PidTagMessageFlags says that the server is sending the message. Source: MS-OXCMSG 2.2.1.6.
const SUBMITTED: i32 = 0x04;

/// How a message stands that the server was told to send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standing {
    /// It lies in the Outbox.
    Waiting,
    /// The server is sending it.
    Going,
    /// It has left the Outbox.
    Gone,
}

impl Remote {
    /// Has the server send a saved message. It is never asked twice: see [`Self::standing`] when the answer is lost.
    ///
    /// One request. Errors: `ACCESS_DENIED` (not as whom the message says), `NO_RECIPIENTS`, those of size and quota.
    pub(crate) async fn submit(&self, folder: Id, message: Id) -> Result<()> {
        let session = &self.sessions.front;
        let mut answers = session
            .run(&self.store, Repeat::Never, move |logon| {
                let mut batch = Batch::new(logon);
                let input = open(&mut batch, (folder, message), open_mode::READ_WRITE);
                batch.push(SubmitMessage {
                    logon_id: logon.logon_id,
                    input,
                    submit_flags: 0,
                });
                batch.release(input);
                batch
            })
            .await?;
        expect_rop!(answers, OpenMessage)?;
        match answers.take() {
            // With warnings it is on its way all the same: what failed is what comes after.
            Err(Fault::Operation { code, .. }) if code == code::WARN_WITH_ERRORS => Ok(()),
            Ok(Response::SubmitMessage(_)) => Ok(()),
            Ok(_) => Err(unexpected()),
            Err(fault) => Err(fault),
        }
    }

    /// How a message stands that lay in the Outbox. One request.
    pub(crate) async fn standing(&self, folder: Id, message: Id) -> Result<Standing> {
        const FLAGS: PropTag = tags::MESSAGE_FLAGS.tag();
        let session = &self.sessions.front;
        let mut answers = session
            .run(&self.store, Repeat::Safe, move |logon| {
                let mut batch = Batch::new(logon);
                let input = open(&mut batch, (folder, message), open_mode::BEST_ACCESS);
                batch.push(rop::GetPropertiesSpecific {
                    logon_id: logon.logon_id,
                    input,
                    property_size_limit: 0,
                    want_unicode: 1,
                    property_tags: vec![FLAGS],
                });
                batch.release(input);
                batch
            })
            .await?;
        match answers.take() {
            Ok(Response::OpenMessage(_)) => {}
            Ok(_) => return Err(unexpected()),
            Err(fault) if matches!(fault.code(), Some(code::NOT_FOUND | code::OBJECT_DELETED)) => {
                return Ok(Standing::Gone);
            }
            Err(fault) => return Err(fault),
        }
        let row = expect_rop!(answers, GetPropertiesSpecific)?.row;
        Ok(match row.value(0) {
            Some(PropValue::I32(flags)) if flags & SUBMITTED != 0 => Standing::Going,
            _ => Standing::Waiting,
        })
    }
}

fn open(batch: &mut Batch, (folder_id, message_id): (Id, Id), open_mode_flags: u8) -> u8 {
    let output = batch.slot();
    batch.push(rop::OpenMessage {
        logon_id: batch.logon_id,
        input: Batch::LOGON,
        output,
        code_page_id: PAGE_OF_LOGON,
        folder_id,
        open_mode_flags,
        message_id,
    });
    output
}

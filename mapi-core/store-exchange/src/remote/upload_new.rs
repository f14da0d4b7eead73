//! Uploading messages under ids that the server chooses: for who may add messages and nothing else.
//!
//! Source: MS-OXCMSG 2.2.3.2, MS-OXCFXICS 2.2.3.1.2.

use mapi_wire::{
    Id,
    fast_transfer::Encoder,
    rop::{self, Response},
};

use super::{
    Remote, Upload,
    upload::{COPY_TO, PIECE_OCTETS, closing, put},
    write::{PAGE_OF_LOGON, change_key},
};
use crate::{
    fault::Result,
    session::{Answers, Batch, LoggedOn, Repeat, expect_rop},
};

/// Slots of a batch that uploads.
const MESSAGE: u8 = 1;
const TRANSFER: u8 = 2;

impl Remote {
    /// Uploads a message under a new id. Returns it, and the change key it has, if the server tells.
    ///
    /// One request, unless it is large. It is not repeated: when its answer is lost, there may be a message of which
    /// nobody knows. Errors: `ACCESS_DENIED`.
    pub(crate) async fn upload_to_new(
        &self,
        folder: Id,
        upload: &Upload,
    ) -> Result<(Id, Option<Box<[u8]>>)> {
        let mut encoder = Encoder::new();
        encoder.message(&upload.message);
        let first = encoder.take(PIECE_OCTETS);
        let whole = encoder.is_empty();
        let (associated, read) = (upload.associated, upload.read);
        let session = &self.sessions.front;
        let mut answers = session
            .run(&self.store, Repeat::Never, move |logon| {
                let mut batch = opening(logon, (folder, associated), &first);
                if whole {
                    closing(&mut batch, (MESSAGE, TRANSFER), read);
                }
                batch
            })
            .await?;
        expect_rop!(answers, CreateMessage)?;
        expect_rop!(answers, FastTransferDestinationConfigure)?;
        expect_rop!(answers, FastTransferDestinationPutBuffer)?;
        if whole {
            return saved(answers);
        }
        let rest = std::iter::from_fn(|| (!encoder.is_empty()).then(|| encoder.take(PIECE_OCTETS)));
        let answers = self
            .upload_rest(&answers, (MESSAGE, TRANSFER), rest, read)
            .await?;
        saved(answers)
    }
}

fn opening(logon: &LoggedOn, (folder_id, associated_flag): (Id, bool), first: &[u8]) -> Batch {
    let logon_id = logon.logon_id;
    let mut batch = Batch::new(logon);
    let message = batch.slot();
    debug_assert_eq!(message, MESSAGE);
    batch.push(rop::CreateMessage {
        logon_id,
        input: Batch::LOGON,
        output: message,
        code_page_id: PAGE_OF_LOGON,
        folder_id,
        associated_flag,
    });
    let transfer = batch.slot();
    debug_assert_eq!(transfer, TRANSFER);
    batch.push(rop::FastTransferDestinationConfigure {
        logon_id,
        input: message,
        output: transfer,
        source_operation: COPY_TO,
        copy_flags: 0,
    });
    batch.push(put(logon_id, transfer, first));
    batch
}

fn saved(mut answers: Answers) -> Result<(Id, Option<Box<[u8]>>)> {
    let id = expect_rop!(answers, SaveChangesMessage)?.message_id;
    let key = match answers.take_any() {
        Some(Response::GetPropertiesSpecific(response)) => change_key(&response.row),
        _ => None,
    };
    Ok((id, key))
}

//! Whole messages, many with one request. Source: MS-OXCFXICS 2.2.3.1.1.3 (CopyMessages).

use mapi_types::PropTag;
use mapi_wire::{
    Id,
    fast_transfer::{self, Event, Property},
    rop::{self, send_options},
};

use super::{
    Download, Remote,
    download::{MESSAGES_LIMITS, SOURCE},
};
use crate::{
    fault::Result,
    session::{Session, unexpected},
};

/// The most messages in one request.
pub(crate) const MESSAGES_MAX: usize = 50;

/// CopyFlags: bodies as they are kept, else all of them in RTF. Source: MS-OXCFXICS 2.2.3.1.1.3.1.
const BEST_BODY: u8 = 0x10;

const MID: PropTag = PropTag(0x674a_0014);
const CHANGE_KEY: PropTag = PropTag(0x65e2_0102);

/// A message with what it is called.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// Its place in what was asked for.
    pub(crate) place: usize,
    pub(crate) change_key: Option<Box<[u8]>>,
    pub(crate) message: fast_transfer::Message,
}

impl Remote {
    /// Fetches messages of a folder, in any order; those that are gone are left out.
    ///
    /// At most [`MESSAGES_MAX`]. One request, unless they are large.
    pub(crate) async fn messages(
        &self,
        session: &Session,
        folder: Id,
        messages: &[Id],
    ) -> Result<Vec<Fetched>> {
        let ids = messages.to_vec();
        let mut download = Download::start(
            self,
            session,
            (None, MESSAGES_LIMITS),
            move |logon, batch| {
                let input = batch.open_folder(folder);
                let output = batch.slot();
                debug_assert_eq!(output, SOURCE);
                batch.push(rop::FastTransferSourceCopyMessages {
                    logon_id: logon.logon_id,
                    input,
                    output,
                    message_ids: ids.clone(),
                    copy_flags: BEST_BODY,
                    send_options: send_options::UNICODE | send_options::FORCE_UNICODE,
                });
            },
        )
        .await?;
        let mut listed = Vec::new();
        while let Some(event) = download.next().await? {
            if let Event::Message(message) = event {
                if listed.len() >= messages.len() {
                    return Err(unexpected());
                }
                listed.push(message.message);
            }
        }
        Ok(placed(messages, listed))
    }
}

/// Finds out which message is which: by its id; where servers leave that out, by the order, if none is missing.
fn placed(asked: &[Id], listed: Vec<fast_transfer::Message>) -> Vec<Fetched> {
    let complete = listed.len() == asked.len();
    let place_of = |order: usize, message: &fast_transfer::Message| match message
        .get(MID)
        .and_then(Property::as_id)
    {
        Some(id) => asked.iter().position(|asked| *asked == id),
        None => complete.then_some(order),
    };
    let listed = listed.into_iter().enumerate();
    listed
        .filter_map(|(order, message)| {
            Some(Fetched {
                place: place_of(order, &message)?,
                change_key: message
                    .get(CHANGE_KEY)
                    .and_then(Property::as_octets)
                    .map(Into::into),
                message,
            })
        })
        .collect()
}

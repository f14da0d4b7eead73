//! Bodies that the server converts: of messages whose own body no converter here reads. Source: MS-OXBBODY 3.2.4.

use mapi_types::PropTag;
use mapi_wire::{
    Id,
    fast_transfer::Property,
    rop::{self, ByteCount, open_mode},
};

use super::{Remote, write::PAGE_OF_LOGON};
use crate::{
    fault::{Fault, Result},
    session::{Batch, Repeat, Session, expect_rop},
};

const HTML: PropTag = PropTag(0x1013_0102);
const PLAIN: PropTag = PropTag(0x1000_001f);

/// The most octets of a body; a longer one is cut.
const OCTETS_MAX: usize = 16 << 20;

/// How much is asked for with one ROP.
const PIECE: ByteCount = ByteCount::UpTo(0x7000);

/// Slots of the batch that opens a body.
const MESSAGE: u8 = 1;
const STREAM: u8 = 2;

impl Remote {
    /// The body of a message as the server says it in HTML, or else in text; `None` when it says neither.
    ///
    /// A few requests. Errors: those that do not concern this message.
    pub(crate) async fn converted_body(
        &self,
        session: &Session,
        folder: Id,
        message: Id,
    ) -> Result<Option<Property>> {
        for tag in [HTML, PLAIN] {
            match self.read_body(session, (folder, message), tag).await {
                Ok(octets) if tag == HTML => return Ok(Some(Property::binary(tag.0, &octets))),
                Ok(octets) => return Ok(Some(Property::string(tag.0, &text(&octets)))),
                Err(Fault::Operation { .. }) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(None)
    }

    /// Whether a message is in a folder, and this user may read it.
    pub(crate) async fn is_there(
        &self,
        session: &Session,
        folder_id: Id,
        message_id: Id,
    ) -> Result<bool> {
        let mut answers = session
            .run(&self.store, Repeat::Safe, move |logon| {
                let mut batch = Batch::new(logon);
                let message = open(&mut batch, folder_id, message_id);
                batch.release(message);
                batch
            })
            .await?;
        match expect_rop!(answers, OpenMessage) {
            Ok(_) => Ok(true),
            Err(fault) if fault.kind() == mapi_store::ErrorKind::NotFound => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    async fn read_body(
        &self,
        session: &Session,
        (folder_id, message_id): (Id, Id),
        property_tag: PropTag,
    ) -> Result<Vec<u8>> {
        let mut answers = session
            .run(&self.store, Repeat::Safe, move |logon| {
                let mut batch = Batch::new(logon);
                let input = open(&mut batch, folder_id, message_id);
                debug_assert_eq!(input, MESSAGE);
                let output = batch.slot();
                debug_assert_eq!(output, STREAM);
                batch.push(rop::OpenStream {
                    logon_id: logon.logon_id,
                    input,
                    output,
                    property_tag,
                    open_mode_flags: rop::OpenStream::READ_ONLY,
                });
                batch.push(rop::ReadStream {
                    logon_id: logon.logon_id,
                    input: output,
                    byte_count: PIECE,
                });
                batch
            })
            .await?;
        expect_rop!(answers, OpenMessage)?;
        expect_rop!(answers, OpenStream)?;
        let mut octets = Vec::new();
        let mut piece = expect_rop!(answers, ReadStream)?.data;
        let generation = answers.generation;
        let handles = vec![answers.handle(STREAM)?, answers.handle(MESSAGE)?];
        let stream = answers.handle(STREAM)?;
        while !piece.is_empty() && octets.len() < OCTETS_MAX {
            octets.extend_from_slice(&piece);
            let mut answers = session
                .go_on(&self.store, generation, move |logon| {
                    let mut batch = Batch::new(logon);
                    let input = batch.known(stream);
                    batch.push(rop::ReadStream {
                        logon_id: logon.logon_id,
                        input,
                        byte_count: PIECE,
                    });
                    batch
                })
                .await?;
            piece = expect_rop!(answers, ReadStream)?.data;
        }
        session.release_later(&self.store, generation, handles);
        Ok(octets)
    }
}

fn open(batch: &mut Batch, folder_id: Id, message_id: Id) -> u8 {
    let output = batch.slot();
    batch.push(rop::OpenMessage {
        logon_id: batch.logon_id,
        input: Batch::LOGON,
        output,
        code_page_id: PAGE_OF_LOGON,
        folder_id,
        open_mode_flags: open_mode::BEST_ACCESS,
        message_id,
    });
    output
}

/// UTF-16, with or without its terminator.
fn text(octets: &[u8]) -> String {
    let pairs = octets.chunks_exact(2);
    let units = pairs.filter_map(|pair| Some(u16::from_le_bytes(pair.try_into().ok()?)));
    let units: Vec<_> = units.take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_with_its_terminator_or_its_octets() {
        assert_eq!(text(b"a\0\xfc\0\0\0b\0"), "aü");
        assert_eq!(text(b"a\0b"), "a");
        assert_eq!(text(b""), "");
    }
}

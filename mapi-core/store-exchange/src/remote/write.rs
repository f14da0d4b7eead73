//! Writing marks and properties of messages. Source: MS-OXCMSG 2.2.3, MS-OXCPRPT 2.2.5.

use mapi_types::PropTag;
use mapi_wire::{
    Id, PropValue, TaggedValue,
    fast_transfer::{Encoder, Message, Property},
    rop::{self, Request, Response, open_mode, read_flags, save_flags},
};

use super::{Remote, STARTS_MAX, upload::put};
use crate::{
    fault::{Fault, Result, code},
    session::{Answers, Batch, Repeat, expect_rop, unexpected},
};

/// The most ids in one ROP: of more, a slow server would say nothing for longer than is waited for it.
const IDS_AT_ONCE: usize = 500;

/// The most messages opened in one batch: each takes a slot.
const OPENED_AT_ONCE: usize = 60;

/// The most octets of values in one batch, beside what every message takes.
const VALUES_AT_ONCE: usize = 20 << 10;

/// The code page of a message's 8-bit strings: that of the logon.
pub(super) const PAGE_OF_LOGON: u16 = 0x0fff;

/// PidTagChangeKey.
pub(super) const CHANGE_KEY: PropTag = PropTag(0x65e2_0102);

/// The change keys of a message before and after it was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ChangeKeys {
    pub(crate) before: Option<Box<[u8]>>,
    pub(crate) after: Option<Box<[u8]>>,
}

/// What is to be written on one message.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PropsChange {
    pub(crate) message: Id,
    pub(crate) set: Vec<TaggedValue>,
    pub(crate) delete: Vec<PropTag>,
    /// What is too large for a batch together with others.
    pub(crate) large: Vec<Property>,
    /// About how many octets the values of `set` take.
    pub(crate) octets: usize,
}

impl Remote {
    /// Marks messages as read or unread; no receipt is sent. One request for hundreds of messages.
    pub(crate) async fn set_read(&self, folder: Id, messages: &[Id], read: bool) -> Result<()> {
        let flags = read_flags_of(read);
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
    /// One request for about fifty messages, and several for one with large values. Errors: those of the first message
    /// that is refused for another reason.
    pub(crate) async fn set_props(
        &self,
        folder: Id,
        changes: Vec<PropsChange>,
    ) -> Result<Vec<Option<ChangeKeys>>> {
        let mut keys = Vec::with_capacity(changes.len());
        for page in pages(&changes) {
            if let [change] = page
                && !change.large.is_empty()
            {
                keys.push(self.set_large(folder, change).await?);
                continue;
            }
            let page = page.to_vec();
            let count = page.len();
            // Writing the same values again is no other change.
            let mut answers = self
                .in_folder(folder, Repeat::Safe, move |batch, _| {
                    for change in &page {
                        let message = open(batch, folder, change.message);
                        batch.push(change_key_of(batch.logon_id, message));
                        write(batch, message, change);
                        save(batch, message);
                    }
                })
                .await?;
            for _ in 0..count {
                keys.push(written(&mut answers)?);
            }
        }
        Ok(keys)
    }

    /// Writes properties of one message, some of them large: as a stream, which takes names and values of every kind.
    ///
    /// Nothing of it is done until the end, so it begins anew when the context is lost. Source: MS-OXCFXICS 2.2.3.1.2.
    async fn set_large(&self, folder: Id, change: &PropsChange) -> Result<Option<ChangeKeys>> {
        let mut starts = 1;
        loop {
            match self.try_set_large(folder, change).await {
                Err(fault) if fault.lost_context() && starts < STARTS_MAX => starts += 1,
                done => return done,
            }
        }
    }

    async fn try_set_large(&self, folder: Id, change: &PropsChange) -> Result<Option<ChangeKeys>> {
        let mut encoder = Encoder::new();
        encoder.message(&Message {
            props: change.large.clone(),
            ..Message::default()
        });
        let session = &self.sessions.front;
        let opened = change.clone();
        let mut answers = session
            .run(&self.store, Repeat::Safe, move |logon| {
                let mut batch = Batch::new(logon);
                let message = open(&mut batch, folder, opened.message);
                debug_assert_eq!(message, MESSAGE);
                batch.push(change_key_of(logon.logon_id, message));
                write(&mut batch, message, &opened);
                let transfer = batch.slot();
                debug_assert_eq!(transfer, TRANSFER);
                batch.push(rop::FastTransferDestinationConfigure {
                    logon_id: logon.logon_id,
                    input: message,
                    output: transfer,
                    source_operation: COPY_PROPERTIES,
                    copy_flags: 0,
                });
                batch
            })
            .await?;
        match expect_rop!(answers, OpenMessage) {
            Ok(_) => {}
            Err(Fault::Operation { code, .. }) if is_gone(code) => return Ok(None),
            Err(fault) => return Err(fault),
        }
        let before = change_key(&expect_rop!(answers, GetPropertiesSpecific)?.row);
        refuse_problems(&answers.take()?)?;
        refuse_problems(&answers.take()?)?;
        expect_rop!(answers, FastTransferDestinationConfigure)?;
        let generation = answers.generation;
        let (message, transfer) = (answers.handle(MESSAGE)?, answers.handle(TRANSFER)?);
        while !encoder.is_empty() {
            let piece = encoder.take(PIECE_OCTETS);
            let mut answers = session
                .go_on(&self.store, generation, move |logon| {
                    let mut batch = Batch::new(logon);
                    let transfer = batch.known(transfer);
                    batch.push(put(logon.logon_id, transfer, &piece));
                    batch
                })
                .await?;
            expect_rop!(answers, FastTransferDestinationPutBuffer)?;
        }
        let mut answers = session
            .go_on(&self.store, generation, move |logon| {
                let mut batch = Batch::new(logon);
                let message = batch.known(message);
                let transfer = batch.known(transfer);
                batch.release(transfer);
                save(&mut batch, message);
                batch
            })
            .await?;
        expect_rop!(answers, SaveChangesMessage)?;
        let after = change_key(&expect_rop!(answers, GetPropertiesSpecific)?.row);
        Ok(Some(ChangeKeys { before, after }))
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

/// The slots of a batch that writes large values.
const MESSAGE: u8 = 1;
const TRANSFER: u8 = 2;

/// SourceOperation: some properties of a message.
const COPY_PROPERTIES: u8 = 2;

/// Octets of a stream in one batch.
const PIECE_OCTETS: usize = 28 << 10;

/// Groups of changes that fit a batch. One with large values stands alone.
fn pages(changes: &[PropsChange]) -> Vec<&[PropsChange]> {
    let mut pages = Vec::new();
    let mut rest = changes;
    while !rest.is_empty() {
        let mut octets = 0;
        let fits = rest.iter().take(OPENED_AT_ONCE).take_while(|change| {
            octets += change.octets;
            octets <= VALUES_AT_ONCE && change.large.is_empty()
        });
        let (page, more) = rest.split_at(fits.count().max(1));
        pages.push(page);
        rest = more;
    }
    pages
}

/// Opens a message for writing. Returns its slot.
fn open(batch: &mut Batch, folder_id: Id, message_id: Id) -> u8 {
    let output = batch.slot();
    batch.push(rop::OpenMessage {
        logon_id: batch.logon_id,
        input: Batch::LOGON,
        output,
        code_page_id: PAGE_OF_LOGON,
        folder_id,
        open_mode_flags: open_mode::READ_WRITE,
        message_id,
    });
    output
}

/// Both are always there, so that every message has the same answers.
fn write(batch: &mut Batch, message: u8, change: &PropsChange) {
    let logon_id = batch.logon_id;
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
}

fn save(batch: &mut Batch, message: u8) {
    let logon_id = batch.logon_id;
    batch.push(rop::SaveChangesMessage {
        logon_id,
        response: message,
        input: message,
        save_flags: save_flags::KEEP_OPEN_READ_ONLY | save_flags::FORCE_SAVE,
    });
    batch.push(change_key_of(logon_id, message));
    batch.release(message);
}

/// ReadFlags for this mark; no receipt is sent.
pub(super) const fn read_flags_of(read: bool) -> u8 {
    match read {
        true => read_flags::SUPPRESS_RECEIPT,
        false => read_flags::CLEAR_READ_FLAG | read_flags::SUPPRESS_RECEIPT,
    }
}

/// Marks an open message as read or unread; no receipt is sent.
pub(super) fn mark_read(batch: &mut Batch, message: u8, read: bool) {
    batch.push(rop::SetMessageReadFlag {
        logon_id: batch.logon_id,
        response: message,
        input: message,
        read_flags: read_flags_of(read),
        // Source: MS-OXCROPS 2.2.6.11.1.
        client_data: batch.is_public.then_some([0; 24]),
    });
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
        refuse_problems(response)?;
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

/// A failure, or properties that the server did not write. Source: MS-OXCPRPT 2.2.5.2.
fn refuse_problems(response: &Response) -> Result<()> {
    let (rop_id, problems) = match response {
        Response::Failed(failed) => return Err(Fault::operation(failed.rop_id, failed.code)),
        Response::SetProperties(done) => (rop::SetProperties::ROP_ID, &done.property_problems),
        Response::DeleteProperties(done) => {
            (rop::DeleteProperties::ROP_ID, &done.property_problems)
        }
        _ => return Ok(()),
    };
    // What was not there cannot be deleted, and need not.
    let problem = problems
        .iter()
        .find(|problem| problem.code != code::NOT_FOUND);
    match problem {
        Some(problem) => Err(Fault::operation(rop_id, problem.code)),
        None => Ok(()),
    }
}

const fn is_gone(code: u32) -> bool {
    matches!(code, code::NOT_FOUND | code::OBJECT_DELETED)
}

//! Moving messages within a mailbox, to ids chosen in advance; what moving and copying have in common.
//!
//! Source: MS-OXCFXICS 2.2.3.2.4.4.

use mapi_types::tags::message_flags;
use mapi_wire::{
    Gid, Id,
    ics::{PredecessorChangeList, Xid},
    rop::{self, Response, open_mode},
};

use super::{
    Remote,
    upload::Chosen,
    write::{PAGE_OF_LOGON, change_key, change_key_of},
};
use crate::{
    fault::{Fault, Result, code},
    session::{Answers, Batch, Repeat, expect_rop, unexpected},
};

/// Messages in one batch: each takes two slots.
pub(crate) const AT_ONCE: usize = 50;

/// From which folder to which.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) from: Gid,
    pub(crate) from_id: Id,
    pub(crate) to_id: Id,
}

/// One message to be moved or copied.
#[derive(Clone, Debug)]
pub(crate) struct Transferring {
    pub(crate) source: Gid,
    pub(crate) source_id: Id,
    /// The change key that is known of it.
    pub(crate) change_key: Xid,
    /// What it will be called.
    pub(crate) target: Chosen,
    pub(crate) target_id: Id,
    /// PidTagMessageFlags, as they are known.
    pub(crate) flags: i32,
}

impl Transferring {
    pub(super) const fn is_associated(&self) -> bool {
        self.flags & message_flags::ASSOCIATED != 0
    }

    pub(super) const fn is_read(&self) -> bool {
        self.flags & message_flags::READ != 0
    }
}

/// What a message that was moved or copied has now.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) gid: Gid,
    /// Its change key; `None` when it may be another version than the one that was known.
    pub(crate) change_key: Option<Box<[u8]>>,
}

/// What became of a message that was to be moved or copied.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// It is there.
    Arrived(Arrived),
    /// It is gone, or what an earlier attempt made of it is.
    Gone,
    /// It has not been done, as far as anybody knows.
    Open,
}

/// What became of messages.
#[derive(Debug, Default)]
pub(crate) struct Transfers {
    /// One for each, in the order in which they were given.
    pub(crate) fates: Vec<Fate>,
    /// Why some are open.
    pub(crate) failed: Option<Fault>,
}

impl Transfers {
    /// Takes in what became of a page of messages.
    pub(super) fn take_in(&mut self, count: usize, page: Result<Vec<Result<Fate>>>) {
        match page {
            Ok(page) => {
                for fate in page {
                    let fate = fate.unwrap_or_else(|fault| {
                        self.failed.get_or_insert(fault);
                        Fate::Open
                    });
                    self.fates.push(fate);
                }
            }
            Err(fault) => {
                self.failed.get_or_insert(fault);
                self.leave(count);
            }
        }
    }

    /// So many messages more are left alone.
    pub(super) fn leave(&mut self, count: usize) {
        let count = self.fates.len() + count;
        self.fates.resize(count, Fate::Open);
    }
}

impl Remote {
    /// Moves messages from one folder to another. About fifty of them a request.
    ///
    /// A request whose answer was lost is repeated: what it had moved is found under the id that was chosen.
    pub(crate) async fn move_messages(&self, way: Way, messages: Vec<Transferring>) -> Transfers {
        let mut done = Transfers::default();
        for page in messages.chunks(AT_ONCE) {
            match done.failed {
                Some(_) => done.leave(page.len()),
                None => done.take_in(page.len(), self.move_page(way, page).await),
            }
        }
        done
    }

    async fn move_page(&self, way: Way, page: &[Transferring]) -> Result<Vec<Result<Fate>>> {
        let asked = page.to_vec();
        let mut answers = self
            .in_folder(way.to_id, Repeat::Safe, move |batch, folder| {
                let collector = open_collector(batch, folder);
                for one in &asked {
                    move_one(batch, way, collector, one);
                }
                batch.release(collector);
            })
            .await?;
        expect_rop!(answers, SynchronizationOpenCollector)?;
        // Those after one that failed may have been done.
        Ok(page.iter().map(|one| moved(&mut answers, one)).collect())
    }
}

pub(super) const fn is_gone(code: u32) -> bool {
    matches!(
        code,
        code::NOT_FOUND | code::OBJECT_DELETED | code::SYNC_OBJECT_DELETED
    )
}

pub(super) fn open_collector(batch: &mut Batch, folder: u8) -> u8 {
    let output = batch.slot();
    batch.push(rop::SynchronizationOpenCollector {
        logon_id: batch.logon_id,
        input: folder,
        output,
        is_contents_collector: true,
    });
    output
}

/// Opens a message, asks for its change key. Returns its slot.
pub(super) fn open(batch: &mut Batch, folder_id: Id, message_id: Id) -> u8 {
    let output = batch.slot();
    batch.push(rop::OpenMessage {
        logon_id: batch.logon_id,
        input: Batch::LOGON,
        output,
        code_page_id: PAGE_OF_LOGON,
        folder_id,
        // Only for reading, gromox 3.10 refuses a message that the user may not write.
        open_mode_flags: open_mode::BEST_ACCESS,
        message_id,
    });
    batch.push(change_key_of(batch.logon_id, output));
    output
}

/// Moves a message, with a look at its change key before and after: servers may give it another one.
fn move_one(batch: &mut Batch, way: Way, collector: u8, one: &Transferring) {
    let source = open(batch, way.from_id, one.source_id);
    batch.release(source);
    let known = one.change_key.to_bytes();
    let mut predecessors = PredecessorChangeList::new();
    predecessors.insert(one.change_key);
    batch.push(rop::SynchronizationImportMessageMove {
        logon_id: batch.logon_id,
        input: collector,
        source_folder_id: way.from.to_bytes().into(),
        source_message_id: one.source.to_bytes().into(),
        predecessor_change_list: predecessors.to_bytes().into(),
        destination_message_id: one.target.gid.to_bytes().into(),
        change_number: known.into(),
    });
    let target = open(batch, way.to_id, one.target_id);
    batch.release(target);
}

/// The answers about one message that was moved.
fn moved(answers: &mut Answers, one: &Transferring) -> Result<Fate> {
    let key = |response| match response {
        Some(Response::GetPropertiesSpecific(response)) => change_key(&response.row),
        _ => None,
    };
    answers.take_any();
    let before = key(answers.take_any());
    let done = answers.take();
    let found = answers.take();
    let after = key(answers.take_any());
    let known = one.change_key.to_bytes();
    let same = before.is_some_and(|before| *before == *known);
    let key = after.filter(|_| same);
    let arrived = |change_key| {
        Ok(Fate::Arrived(Arrived {
            gid: one.target.gid,
            change_key,
        }))
    };
    match done {
        Ok(Response::SynchronizationImportMessageMove(_)) => arrived(key),
        Ok(_) => Err(unexpected()),
        Err(Fault::Operation { code, .. }) if code == code::SYNC_CLIENT_CHANGE_NEWER => {
            arrived(key)
        }
        // It has been moved there before.
        Err(Fault::Operation { code, .. }) if is_gone(code) && found.is_ok() => arrived(None),
        Err(Fault::Operation { code, .. }) if is_gone(code) => Ok(Fate::Gone),
        Err(fault) => Err(fault),
    }
}

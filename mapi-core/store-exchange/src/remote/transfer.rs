//! Moving and copying messages within a mailbox, to ids chosen in advance. Source: MS-OXCFXICS 2.2.3.2.4.4, MS-OXCPRPT 2.2.10.

use mapi_types::FileTime;
use mapi_wire::{
    Gid, Id,
    ics::{PredecessorChangeList, Xid},
    rop::{self, Response, open_mode, save_flags},
};

use super::{
    Remote,
    upload::{Chosen, identity, import_flag},
    write::{PAGE_OF_LOGON, change_key, change_key_of, mark_read},
};
use crate::{
    fault::{Fault, Result, code},
    session::{Answers, Batch, Repeat, expect_rop, unexpected},
};

/// Messages in one batch: each takes two slots.
const AT_ONCE: usize = 50;

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
    pub(crate) associated: bool,
    pub(crate) read: bool,
}

/// What a message that was moved or copied has now.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) gid: Gid,
    /// What the server calls it, if it says so.
    id: Option<Id>,
    /// Its change key; `None` when it may be another version than the one that was known.
    pub(crate) change_key: Option<Box<[u8]>>,
}

/// What became of messages, in the order in which they were given, until one failed.
#[derive(Debug, Default)]
pub(crate) struct Transfers {
    /// `None` for one that is gone.
    pub(crate) arrived: Vec<Option<Arrived>>,
    /// Why the others were left alone.
    pub(crate) failed: Option<Fault>,
}

impl Remote {
    /// Moves messages from one folder to another. About fifty of them a request.
    ///
    /// A request whose answer was lost is repeated: what it had moved is found under the id that was chosen.
    pub(crate) async fn move_messages(&self, way: Way, messages: Vec<Transferring>) -> Transfers {
        let fill = move |batch: &mut Batch, folder, page: &[Transferring]| {
            let collector = open_collector(batch, folder);
            for one in page {
                move_one(batch, way, collector, one);
            }
            batch.release(collector);
        };
        self.transfer(way.to_id, messages, fill, moved).await
    }

    /// Copies messages from one folder to another. About fifty of them a request.
    pub(crate) async fn copy_messages(
        &self,
        way: Way,
        messages: Vec<Transferring>,
        now: FileTime,
    ) -> Transfers {
        let fill = move |batch: &mut Batch, folder, page: &[Transferring]| {
            let collector = open_collector(batch, folder);
            for one in page {
                copy_one(batch, way.from_id, collector, (one, now));
            }
            batch.release(collector);
        };
        let targets: Vec<_> = messages.iter().map(|one| one.target_id).collect();
        let done = self.transfer(way.to_id, messages, fill, copied).await;
        // A batch goes on after a ROP that failed: what has no source is saved all the same, with nothing in it.
        let empty = targets.iter().zip(&done.arrived);
        let empty = empty.filter(|(_, arrived)| arrived.is_none());
        let empty: Vec<_> = empty.map(|(target, _)| *target).collect();
        if !empty.is_empty()
            && let Err(fault) = self.delete(way.to_id, &empty).await
        {
            tracing::warn!(%fault, "copies of messages that are gone may be left");
        }
        done
    }

    /// Copies messages to ids that the server chooses, one a request: where somebody may add messages, but not write to
    /// them after that, gromox 3.10 refuses to copy to an id that was chosen.
    pub(crate) async fn copy_to_new(&self, way: Way, messages: Vec<Transferring>) -> Transfers {
        let mut done = Transfers::default();
        for one in messages {
            match self.copy_one_to_new(way, &one).await {
                Ok(arrived) => done.arrived.push(arrived),
                Err(fault) => {
                    done.failed = Some(fault);
                    break;
                }
            }
        }
        done
    }

    async fn copy_one_to_new(&self, way: Way, one: &Transferring) -> Result<Option<Arrived>> {
        let asked = one.clone();
        let session = &self.sessions.front;
        // Else a message with nothing in it would be saved.
        if !self.is_there(session, way.from_id, one.source_id).await? {
            return Ok(None);
        }
        let mut answers = session
            .run(&self.store, Repeat::Never, move |logon| {
                let mut batch = Batch::new(logon);
                let source = open(&mut batch, way.from_id, asked.source_id);
                let target = batch.slot();
                batch.push(rop::CreateMessage {
                    logon_id: logon.logon_id,
                    input: Batch::LOGON,
                    output: target,
                    code_page_id: PAGE_OF_LOGON,
                    folder_id: way.to_id,
                    associated_flag: asked.associated,
                });
                fill(&mut batch, (source, target), asked.read);
                batch
            })
            .await?;
        let Some(copied) = copied(&mut answers, one)? else {
            return Ok(None);
        };
        // Without it, nobody knows what the copy is called.
        let id = copied.id.ok_or_else(unexpected)?;
        Ok(Some(Arrived {
            gid: self.gid(id).await?,
            ..copied
        }))
    }

    async fn transfer(
        &self,
        to: Id,
        messages: Vec<Transferring>,
        fill: impl Fn(&mut Batch, u8, &[Transferring]) + Clone + Send + Sync + 'static,
        read: impl Fn(&mut Answers, &Transferring) -> Result<Option<Arrived>>,
    ) -> Transfers {
        let mut done = Transfers::default();
        for page in messages.chunks(AT_ONCE) {
            let (asked, fill) = (page.to_vec(), fill.clone());
            let answers = self
                .in_folder(to, Repeat::Safe, move |batch, folder| {
                    fill(batch, folder, &asked);
                })
                .await;
            let answers = answers.and_then(|mut answers| {
                expect_rop!(answers, SynchronizationOpenCollector)?;
                Ok(answers)
            });
            let mut answers = match answers {
                Ok(answers) => answers,
                Err(fault) => {
                    done.failed = Some(fault);
                    return done;
                }
            };
            for one in page {
                match read(&mut answers, one) {
                    Ok(arrived) => done.arrived.push(arrived),
                    // Those after it in the batch may have been done: the folders will show.
                    Err(fault) => {
                        done.failed.get_or_insert(fault);
                        done.arrived.push(None);
                    }
                }
            }
            if done.failed.is_some() {
                return done;
            }
        }
        done
    }
}

const fn is_gone(code: u32) -> bool {
    matches!(
        code,
        code::NOT_FOUND | code::OBJECT_DELETED | code::SYNC_OBJECT_DELETED
    )
}

fn open_collector(batch: &mut Batch, folder: u8) -> u8 {
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
fn open(batch: &mut Batch, folder_id: Id, message_id: Id) -> u8 {
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
fn moved(answers: &mut Answers, one: &Transferring) -> Result<Option<Arrived>> {
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
        Ok(Some(Arrived {
            gid: one.target.gid,
            id: None,
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
        Err(Fault::Operation { code, .. }) if is_gone(code) => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn copy_one(batch: &mut Batch, from: Id, collector: u8, (one, now): (&Transferring, FileTime)) {
    let logon_id = batch.logon_id;
    let source = open(batch, from, one.source_id);
    let target = batch.slot();
    batch.push(rop::SynchronizationImportMessageChange {
        logon_id,
        input: collector,
        output: target,
        import_flag: import_flag(one.associated),
        property_values: identity(&one.target, now, &PredecessorChangeList::new()),
    });
    fill(batch, (source, target), one.read);
}

/// Copies what is in a message into a new one, and saves that.
fn fill(batch: &mut Batch, (source, target): (u8, u8), read: bool) {
    let logon_id = batch.logon_id;
    batch.push(rop::CopyTo {
        logon_id,
        source,
        destination: target,
        want_asynchronous: false,
        want_sub_objects: true,
        copy_flags: 0,
        excluded_tags: Vec::new(),
    });
    batch.push(rop::SaveChangesMessage {
        logon_id,
        response: target,
        input: target,
        save_flags: save_flags::KEEP_OPEN_READ_ONLY | save_flags::FORCE_SAVE,
    });
    batch.push(change_key_of(logon_id, target));
    mark_read(batch, target, read);
    batch.release(target);
    batch.release(source);
}

/// The answers about one copy.
fn copied(answers: &mut Answers, one: &Transferring) -> Result<Option<Arrived>> {
    const ROPS: usize = 7;
    let all: Vec<_> = (0..ROPS).map_while(|_| answers.take_any()).collect();
    if all.len() < ROPS {
        return Err(unexpected());
    }
    if let Some(Response::Failed(failed)) = all.first() {
        return match is_gone(failed.code) {
            true => Ok(None),
            false => Err(Fault::operation(failed.rop_id, failed.code)),
        };
    }
    let id = match all.get(4) {
        Some(Response::SaveChangesMessage(saved)) => Some(saved.message_id),
        _ => None,
    };
    let arrived = |change_key| {
        Ok(Some(Arrived {
            gid: one.target.gid,
            id,
            change_key,
        }))
    };
    // Whether it is read is no reason to say that there is no copy.
    for response in all.iter().take(ROPS - 1) {
        match response {
            Response::Failed(failed) if failed.code == code::SYNC_IGNORE => return arrived(None),
            Response::Failed(failed) => {
                return Err(Fault::operation(failed.rop_id, failed.code));
            }
            _ => {}
        }
    }
    let key = |response: Option<&Response>| match response {
        Some(Response::GetPropertiesSpecific(response)) => change_key(&response.row),
        _ => None,
    };
    let known = one.change_key.to_bytes();
    let same = key(all.get(1)).is_some_and(|source| *source == *known);
    arrived(key(all.get(5)).filter(|_| same))
}

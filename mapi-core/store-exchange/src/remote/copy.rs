//! Copying messages within a mailbox. Source: MS-OXCPRPT 2.2.10, MS-OXCFXICS 2.2.3.2.4.2.
//!
//! A batch goes on after a ROP that failed, so a copy is saved by a second request, once the first has said that
//! everything is in it: nothing is ever saved in part, and what is found under an id that was chosen is whole.

use std::time::Duration;

use mapi_types::{
    FileTime,
    tags::{self, message_flags},
};
use mapi_wire::{
    PropValue, TaggedValue,
    ics::PredecessorChangeList,
    rop::{self, NO_HANDLE, Response, save_flags},
};

use super::{
    Remote, STARTS_MAX,
    transfer::{
        AT_ONCE, Arrived, Fate, Transferring, Transfers, Way, is_gone, open, open_collector,
    },
    upload::{identity, import_flag},
    write::{PAGE_OF_LOGON, change_key, change_key_of, mark_read},
};
use crate::{
    fault::{Fault, Result, code},
    session::{Answers, Batch, Repeat, expect_rop, unexpected},
};

/// Slots of the batch that fills copies: after these, two for each message.
const FOLDER: u8 = 1;
const COLLECTOR: u8 = 2;

/// The bits of PidTagMessageFlags that a copy gets from its source. Copying leaves them out, and no client can set them
/// once a message is saved: without them, what came by mail would be a draft. Source: MS-OXCMSG 2.2.1.6.
const FLAGS_OF_COPIES: i32 = message_flags::READ | message_flags::UNSENT | message_flags::RESEND;

/// What copies are called.
#[derive(Clone, Copy, Debug)]
enum Called {
    /// As was chosen, at this time.
    Chosen(FileTime),
    /// As the server chooses.
    New,
}

/// What the first request says of a copy.
enum Filled {
    /// All is in it. Whether what was copied is what was known of it.
    Ready { same: bool },
    /// There is nothing to save.
    Over(Fate),
}

/// A copy that is to be saved.
#[derive(Clone, Copy)]
struct Ready {
    handle: u32,
    read: bool,
}

impl Remote {
    /// Copies messages from one folder to another, to ids that were chosen. Two requests for about fifty of them.
    ///
    /// What breaks off is begun anew: a copy that is there is found.
    pub(crate) async fn copy_messages(
        &self,
        way: Way,
        messages: Vec<Transferring>,
        now: FileTime,
    ) -> Transfers {
        let mut done = Transfers::default();
        for page in messages.chunks(AT_ONCE) {
            if done.failed.is_some() {
                done.leave(page.len());
                continue;
            }
            let mut starts = 1;
            let copied = loop {
                let copied = self.copy_page(way, page, Called::Chosen(now)).await;
                match pause_of(&copied) {
                    Some(pause) if starts < STARTS_MAX => tokio::time::sleep(pause).await,
                    _ => break copied,
                }
                starts += 1;
            };
            done.take_in(page.len(), copied);
        }
        done
    }

    /// Copies messages to ids that the server chooses, one at a time: where somebody may add messages, but not write to
    /// them after that, gromox 3.10 refuses to copy to an id that was chosen.
    ///
    /// When the last answer is lost, nobody knows whether there is a copy.
    pub(crate) async fn copy_to_new(&self, way: Way, messages: Vec<Transferring>) -> Transfers {
        let mut done = Transfers::default();
        for one in messages.chunks(1) {
            match done.failed {
                Some(_) => done.leave(1),
                None => done.take_in(1, self.copy_page(way, one, Called::New).await),
            }
        }
        done
    }

    async fn copy_page(
        &self,
        way: Way,
        page: &[Transferring],
        called: Called,
    ) -> Result<Vec<Result<Fate>>> {
        let mut answers = self.fill_copies(way, page, called).await?;
        let (mut all, mut ready) = (Vec::with_capacity(page.len()), Vec::new());
        let mut done_with = Vec::new();
        for (place, one) in page.iter().enumerate() {
            let handle = answers.handle(slot_of_copy(place))?;
            let filled = filled(&mut answers, one);
            match &filled {
                Ok(Filled::Ready { .. }) => ready.push(Ready {
                    handle,
                    read: one.is_read(),
                }),
                _ => done_with.push(handle),
            }
            all.push(filled);
        }
        done_with.extend([answers.handle(COLLECTOR)?, answers.handle(FOLDER)?]);
        done_with.retain(|handle| *handle != NO_HANDLE);
        let session = &self.sessions.front;
        session.release_later(&self.store, answers.generation, done_with);
        let mut saved = match ready.is_empty() {
            true => None,
            false => Some(self.save_copies(answers.generation, ready).await?),
        };
        let mut fates = Vec::with_capacity(page.len());
        for (one, filled) in page.iter().zip(all) {
            fates.push(match (filled, &mut saved) {
                (Ok(Filled::Over(fate)), _) => Ok(fate),
                (Ok(Filled::Ready { same }), Some(saved)) => {
                    self.saved_copy(saved, one, (called, same)).await
                }
                (Ok(Filled::Ready { .. }), None) => Err(unexpected()),
                (Err(fault), _) => Err(fault),
            });
        }
        Ok(fates)
    }

    /// Has copies filled, and none saved. The answers about the folder and the collector have been taken.
    async fn fill_copies(
        &self,
        way: Way,
        page: &[Transferring],
        called: Called,
    ) -> Result<Answers> {
        let asked = page.to_vec();
        let session = &self.sessions.front;
        let mut answers = session
            .run(&self.store, Repeat::Safe, move |logon| {
                let mut batch = Batch::new(logon);
                let (folder, collector) = match called {
                    Called::Chosen(_) => {
                        let folder = batch.open_folder(way.to_id);
                        (folder, open_collector(&mut batch, folder))
                    }
                    // Whoever may only add messages may not open all of it.
                    Called::New => (batch.slot(), batch.slot()),
                };
                debug_assert_eq!((folder, collector), (FOLDER, COLLECTOR));
                for one in &asked {
                    fill(&mut batch, way, one, called);
                }
                batch
            })
            .await?;
        if let Called::Chosen(_) = called {
            expect_rop!(answers, OpenFolder)?;
            expect_rop!(answers, SynchronizationOpenCollector)?;
        }
        Ok(answers)
    }

    async fn save_copies(&self, generation: u64, ready: Vec<Ready>) -> Result<Answers> {
        let session = &self.sessions.front;
        let handles = ready.iter().map(|one| one.handle).collect();
        let saved = session.go_on(&self.store, generation, move |logon| {
            let mut batch = Batch::new(logon);
            for one in &ready {
                let copy = batch.known(one.handle);
                save(&mut batch, copy, one.read);
            }
            batch
        });
        let saved = saved.await;
        if saved.is_err() {
            session.release_later(&self.store, generation, handles);
        }
        saved
    }

    /// The answers about one copy that was to be saved. Whether it is read is no reason to say that there is none.
    async fn saved_copy(
        &self,
        answers: &mut Answers,
        one: &Transferring,
        (called, same): (Called, bool),
    ) -> Result<Fate> {
        let saved = expect_rop!(answers, SaveChangesMessage);
        let key = match answers.take_any() {
            Some(Response::GetPropertiesSpecific(response)) => change_key(&response.row),
            _ => None,
        };
        answers.take_any();
        let saved = saved?;
        let gid = match called {
            Called::Chosen(_) => one.target.gid,
            Called::New => self.gid(saved.message_id).await?,
        };
        Ok(Fate::Arrived(Arrived {
            gid,
            change_key: key.filter(|_| same),
        }))
    }
}

/// How long to pause before a page is begun anew; `None`: it is not.
fn pause_of(copied: &Result<Vec<Result<Fate>>>) -> Option<Duration> {
    let fault = match copied {
        Ok(page) => page.iter().find_map(|one| one.as_ref().err())?,
        Err(fault) => fault,
    };
    fault.begins_anew()
}

/// The slot of a copy: behind that of its source.
const fn slot_of_copy(place: usize) -> u8 {
    COLLECTOR + 2 + 2 * place as u8
}

/// Opens a message and what will be its copy, and copies what is in it.
fn fill(batch: &mut Batch, way: Way, one: &Transferring, called: Called) {
    let logon_id = batch.logon_id;
    let source = open(batch, way.from_id, one.source_id);
    let output = batch.slot();
    match called {
        Called::Chosen(now) => batch.push(rop::SynchronizationImportMessageChange {
            logon_id,
            input: COLLECTOR,
            output,
            import_flag: import_flag(one.is_associated()),
            property_values: identity(&one.target, now, &PredecessorChangeList::new()),
        }),
        Called::New => batch.push(rop::CreateMessage {
            logon_id,
            input: Batch::LOGON,
            output,
            code_page_id: PAGE_OF_LOGON,
            folder_id: way.to_id,
            associated_flag: one.is_associated(),
        }),
    }
    batch.push(rop::SetProperties {
        logon_id,
        input: output,
        property_values: vec![TaggedValue {
            tag: tags::MESSAGE_FLAGS.tag(),
            value: PropValue::I32(one.flags & FLAGS_OF_COPIES),
        }],
    });
    batch.push(rop::CopyTo {
        logon_id,
        source,
        destination: output,
        want_asynchronous: false,
        want_sub_objects: true,
        copy_flags: 0,
        excluded_tags: Vec::new(),
    });
    batch.release(source);
}

/// The answers about one copy that was to be filled.
fn filled(answers: &mut Answers, one: &Transferring) -> Result<Filled> {
    let source = answers.take();
    let key = match answers.take_any() {
        Some(Response::GetPropertiesSpecific(response)) => change_key(&response.row),
        _ => None,
    };
    let made = answers.take();
    // What a server makes of that is looked at when somebody reads the copy.
    answers.take_any();
    let copied = answers.take();
    let arrived = Arrived {
        gid: one.target.gid,
        change_key: None,
    };
    let gone = |fault: &Fault| fault.code().is_some_and(is_gone);
    match (source, made, copied) {
        // An earlier attempt brought it there; in the second case somebody has changed it since.
        (
            _,
            Err(Fault::Operation {
                code: code::SYNC_IGNORE | code::SYNC_CONFLICT,
                ..
            }),
            _,
        ) => Ok(Filled::Over(Fate::Arrived(arrived))),
        // The same, and it was deleted.
        (_, Err(Fault::Operation { code, .. }), _) if code == code::SYNC_OBJECT_DELETED => {
            Ok(Filled::Over(Fate::Gone))
        }
        (Err(fault), ..) if gone(&fault) => Ok(Filled::Over(Fate::Gone)),
        (Err(fault), ..) | (_, Err(fault), _) | (_, _, Err(fault)) => Err(fault),
        (Ok(_), Ok(_), Ok(Response::CopyTo(_))) => {
            let known = one.change_key.to_bytes();
            let same = key.is_some_and(|key| *key == *known);
            Ok(Filled::Ready { same })
        }
        _ => Err(unexpected()),
    }
}

fn save(batch: &mut Batch, copy: u8, read: bool) {
    let logon_id = batch.logon_id;
    batch.push(rop::SaveChangesMessage {
        logon_id,
        response: copy,
        input: copy,
        save_flags: save_flags::KEEP_OPEN_READ_ONLY | save_flags::FORCE_SAVE,
    });
    batch.push(change_key_of(logon_id, copy));
    mark_read(batch, copy, read);
    batch.release(copy);
}

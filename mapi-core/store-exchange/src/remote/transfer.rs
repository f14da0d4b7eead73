//! Moving and copying messages within a mailbox, to ids chosen in advance. Source: MS-OXCFXICS 2.2.3.2.4.4, MS-OXCPRPT 2.2.10.

use mapi_types::FileTime;
use mapi_wire::{
    Gid, Id,
    rop::{self, Response, open_mode, save_flags},
};

use super::{
    Remote,
    upload::{Chosen, identity},
    write::{PAGE_OF_LOGON, change_key, change_key_of},
};
use crate::{
    fault::{Fault, Result, code},
    session::{Answers, Batch, Repeat, expect_rop, unexpected},
};

/// Messages in one batch: each copy takes two slots.
const AT_ONCE: usize = 50;

/// One message to be moved or copied.
#[derive(Clone, Debug)]
pub(crate) struct Transferring {
    pub(crate) source: Gid,
    pub(crate) source_id: Id,
    /// What it will be called.
    pub(crate) target: Chosen,
}

/// What a message that was moved or copied has now.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) gid: Gid,
    pub(crate) change_key: Box<[u8]>,
}

impl Remote {
    /// Moves messages from one folder to another; `None` for one that is gone.
    ///
    /// A batch that was carried out and whose answer is lost must not be repeated: the caller looks at both folders.
    pub(crate) async fn move_messages(
        &self,
        (from, to): (Gid, Id),
        messages: Vec<Transferring>,
    ) -> Result<Vec<Option<Arrived>>> {
        let mut moved = Vec::with_capacity(messages.len());
        for page in messages.chunks(AT_ONCE) {
            let page = page.to_vec();
            let asked = page.clone();
            let mut answers = self
                .in_folder(to, Repeat::Never, move |batch, folder| {
                    move_all(batch, folder, from, &asked);
                })
                .await?;
            expect_rop!(answers, SynchronizationOpenCollector)?;
            for one in page {
                moved.push(match answers.take() {
                    Ok(Response::SynchronizationImportMessageMove(_)) => Some(Arrived {
                        gid: one.target.gid,
                        change_key: one.target.change_key.to_bytes().into(),
                    }),
                    Ok(_) => return Err(unexpected()),
                    Err(Fault::Operation { code, .. }) if is_gone(code) => None,
                    Err(fault) => return Err(fault),
                });
            }
        }
        Ok(moved)
    }

    /// Copies messages from one folder to another; `None` for one that is gone. About 25 of them a request.
    pub(crate) async fn copy_messages(
        &self,
        (from, to): (Id, Id),
        messages: Vec<Transferring>,
        now: FileTime,
    ) -> Result<Vec<Option<Arrived>>> {
        let mut copied = Vec::with_capacity(messages.len());
        for page in messages.chunks(AT_ONCE) {
            let page = page.to_vec();
            let asked = page.clone();
            let mut answers = self
                .in_folder(to, Repeat::Safe, move |batch, folder| {
                    copy_all(batch, (from, folder), &asked, now);
                })
                .await?;
            expect_rop!(answers, SynchronizationOpenCollector)?;
            for one in page {
                copied.push(arrived(&mut answers, &one)?);
            }
        }
        Ok(copied)
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

fn move_all(batch: &mut Batch, folder: u8, from: Gid, messages: &[Transferring]) {
    let collector = open_collector(batch, folder);
    for one in messages {
        batch.push(rop::SynchronizationImportMessageMove {
            logon_id: batch.logon_id,
            input: collector,
            source_folder_id: from.to_bytes().into(),
            source_message_id: one.source.to_bytes().into(),
            predecessor_change_list: one.target.predecessors().into(),
            destination_message_id: one.target.gid.to_bytes().into(),
            change_number: one.target.change_key.to_bytes().into(),
        });
    }
    batch.release(collector);
}

fn copy_all(batch: &mut Batch, (from, folder): (Id, u8), messages: &[Transferring], now: FileTime) {
    let logon_id = batch.logon_id;
    let collector = open_collector(batch, folder);
    for one in messages {
        let source = batch.slot();
        batch.push(rop::OpenMessage {
            logon_id,
            input: Batch::LOGON,
            output: source,
            code_page_id: PAGE_OF_LOGON,
            folder_id: from,
            open_mode_flags: open_mode::READ_ONLY,
            message_id: one.source_id,
        });
        let target = batch.slot();
        batch.push(rop::SynchronizationImportMessageChange {
            logon_id,
            input: collector,
            output: target,
            import_flag: 0,
            property_values: identity(&one.target, now),
        });
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
        batch.release(target);
        batch.release(source);
    }
    batch.release(collector);
}

/// The answers about one copy.
fn arrived(answers: &mut Answers, one: &Transferring) -> Result<Option<Arrived>> {
    const ROPS: usize = 5;
    let all: Vec<_> = (0..ROPS).map_while(|_| answers.take_any()).collect();
    if let Some(Response::Failed(failed)) = all.first() {
        return match is_gone(failed.code) {
            true => Ok(None),
            false => Err(Fault::operation(failed.rop_id, failed.code)),
        };
    }
    for response in &all {
        if let Response::Failed(failed) = response {
            return Err(Fault::operation(failed.rop_id, failed.code));
        }
    }
    let known = match all.last() {
        Some(Response::GetPropertiesSpecific(response)) => change_key(&response.row),
        _ => None,
    };
    Ok(Some(Arrived {
        gid: one.target.gid,
        change_key: known.unwrap_or_else(|| one.target.change_key.to_bytes().into()),
    }))
}

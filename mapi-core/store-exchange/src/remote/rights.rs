//! What the user of a session may do, in the server's own words. Source: MS-OXCFOLD 2.2.2.2.1, MS-OXCPERM 2.2.7.

use mapi_store::Rights;
use mapi_types::PropTag;
use mapi_wire::{
    Id, PropValue,
    rop::{self, Response, open_mode},
};

use super::{Remote, write::PAGE_OF_LOGON};
use crate::{
    fault::{Fault, Result, code},
    session::{Answers, Batch, Repeat, unexpected},
};

/// The most folders in one request: each takes a slot.
pub(crate) const FOLDERS_MAX: usize = 200;

/// Messages in one request: each takes a slot.
const MESSAGES_AT_ONCE: usize = 60;

/// PidTagAccess: what this user may do with the object.
const ACCESS: PropTag = PropTag(0x0ff4_0003);

/// PidTagRights: what this user may do in the folder.
const RIGHTS: PropTag = PropTag(0x6639_0003);

impl Remote {
    /// What this user may do in these folders, one answer each; nothing in a folder that is gone or out of sight.
    ///
    /// One request for [`FOLDERS_MAX`] folders. A folder is opened for itself, so that one is found that lies in
    /// another which the user does not see.
    pub(crate) async fn rights(&self, folders: &[Id]) -> Result<Vec<Rights>> {
        let mut all = Vec::with_capacity(folders.len());
        for page in folders.chunks(FOLDERS_MAX) {
            let asked = page.to_vec();
            let session = &self.sessions.front;
            let mut answers = session
                .run(&self.store, Repeat::Safe, move |logon| {
                    let mut batch = Batch::new(logon);
                    for folder in &asked {
                        ask(&mut batch, *folder);
                    }
                    batch
                })
                .await?;
            for _ in page {
                all.push(answered(&mut answers)?);
            }
        }
        Ok(all)
    }

    /// What this user may do with messages of a folder: PidTagAccess of each; `None` for one that is gone.
    ///
    /// One request for dozens of messages. Source: MS-OXCPRPT 2.2.1.1.
    pub(crate) async fn access(&self, folder_id: Id, messages: &[Id]) -> Result<Vec<Option<u32>>> {
        let mut all = Vec::with_capacity(messages.len());
        for page in messages.chunks(MESSAGES_AT_ONCE) {
            let asked = page.to_vec();
            let session = &self.sessions.front;
            let mut answers = session
                .run(&self.store, Repeat::Safe, move |logon| {
                    let mut batch = Batch::new(logon);
                    for message in &asked {
                        ask_access(&mut batch, folder_id, *message);
                    }
                    batch
                })
                .await?;
            for _ in page {
                all.push(access(&mut answers)?);
            }
        }
        Ok(all)
    }
}

fn ask_access(batch: &mut Batch, folder_id: Id, message_id: Id) {
    let logon_id = batch.logon_id;
    let message = batch.slot();
    batch.push(rop::OpenMessage {
        logon_id,
        input: Batch::LOGON,
        output: message,
        code_page_id: PAGE_OF_LOGON,
        folder_id,
        open_mode_flags: open_mode::BEST_ACCESS,
        message_id,
    });
    batch.push(rop::GetPropertiesSpecific {
        logon_id,
        input: message,
        property_size_limit: 0,
        want_unicode: 1,
        property_tags: vec![ACCESS],
    });
    batch.release(message);
}

/// The answers about one message.
fn access(answers: &mut Answers) -> Result<Option<u32>> {
    let opened = answers.take_any().ok_or_else(unexpected)?;
    let props = answers.take_any().ok_or_else(unexpected)?;
    match (opened, props) {
        (Response::OpenMessage(_), Response::GetPropertiesSpecific(props)) => {
            Ok(Some(match props.row.value(0) {
                Some(PropValue::I32(bits)) => bits.cast_unsigned(),
                _ => 0,
            }))
        }
        (Response::Failed(failed), _) => match failed.code {
            code::NOT_FOUND | code::OBJECT_DELETED => Ok(None),
            code::ACCESS_DENIED => Ok(Some(0)),
            code => Err(Fault::operation(failed.rop_id, code)),
        },
        (_, Response::Failed(failed)) => Err(Fault::operation(failed.rop_id, failed.code)),
        _ => Err(unexpected()),
    }
}

fn ask(batch: &mut Batch, folder: Id) {
    let input = batch.open_folder(folder);
    batch.push(rop::GetPropertiesSpecific {
        logon_id: batch.logon_id,
        input,
        property_size_limit: 0,
        want_unicode: 1,
        property_tags: vec![RIGHTS],
    });
    batch.release(input);
}

/// The answers about one folder.
fn answered(answers: &mut Answers) -> Result<Rights> {
    let opened = answers.take_any().ok_or_else(unexpected)?;
    let props = answers.take_any().ok_or_else(unexpected)?;
    match (opened, props) {
        (Response::OpenFolder(_), Response::GetPropertiesSpecific(props)) => {
            Ok(match props.row.value(0) {
                Some(PropValue::I32(bits)) => effective(bits.cast_unsigned()),
                // What is not said is not granted.
                _ => Rights::NONE,
            })
        }
        (Response::Failed(failed), _) if is_hidden(failed.code) => Ok(Rights::NONE),
        (Response::Failed(failed), _) | (Response::OpenFolder(_), Response::Failed(failed)) => {
            Err(Fault::operation(failed.rop_id, failed.code))
        }
        _ => Err(unexpected()),
    }
}

const fn is_hidden(code: u32) -> bool {
    matches!(
        code,
        code::NOT_FOUND | code::OBJECT_DELETED | code::ACCESS_DENIED
    )
}

/// A server's bits as rights: without those about free/busy times; a folder that is read or owned is also seen.
pub(crate) const fn effective(bits: u32) -> Rights {
    const SEEN_BY: u32 = Rights::READ_ANY.0 | Rights::OWNER.0;
    let known = bits & Rights::ALL.0;
    match known & SEEN_BY {
        0 => Rights(known),
        _ => Rights(known | Rights::VISIBLE.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_a_server_are_rights_of_the_seam() {
        let check = |bits, expected: Rights| assert_eq!(effective(bits), expected, "{bits:#x}");
        check(0, Rights::NONE);
        check(0x401, Rights::REVIEWER);
        check(0x47b, Rights::EDITOR);
        check(0x7fb, Rights::ALL);
        check(0xffff_ffff, Rights::ALL);
        // Free/busy times alone show no folder.
        check(0x1800, Rights::NONE);
        check(0xc00, Rights::VISIBLE);
        // Readers and owners see the folder.
        check(0x1, Rights::REVIEWER);
        check(0x100, Rights::OWNER | Rights::VISIBLE);
        check(0x2, Rights::CREATE);
    }
}

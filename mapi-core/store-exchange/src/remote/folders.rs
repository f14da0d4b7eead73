//! What the server says of folders beside the tree: which one is for what. Source: MS-OXOSFLD 2.2.

use mapi_store::Role;
use mapi_types::PropTag;
use mapi_wire::{
    Gid, Id, PropValue,
    entry_id::EntryId,
    rop::{self, LogonResponse, Response},
};

use super::Remote;
use crate::{
    fault::{Fault, Result},
    session::{Batch, LoggedOn, Repeat, expect_rop},
};

/// Which folder is for what.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpecialFolders {
    pub(crate) roles: Vec<(Role, Gid)>,
    /// Those in which programs keep their own affairs: what failed to synchronize, settings, feeds.
    pub(crate) hidden: Vec<Gid>,
}

/// Folders named by the logon: their places there. Source: MS-OXCSTOR 2.2.1.1.3.
const BY_LOGON: [(Role, usize); 4] = [
    (Role::Inbox, LogonResponse::INBOX),
    (Role::Outbox, LogonResponse::OUTBOX),
    (Role::SentItems, LogonResponse::SENT_ITEMS),
    (Role::DeletedItems, LogonResponse::DELETED_ITEMS),
];

/// Folders named by entry ids on the Inbox. Source: MS-OXOSFLD 2.2.3.
const BY_ENTRY_ID: [(Role, PropTag); 6] = [
    (Role::Calendar, PropTag(0x36d0_0102)),
    (Role::Contacts, PropTag(0x36d1_0102)),
    (Role::Journal, PropTag(0x36d2_0102)),
    (Role::Notes, PropTag(0x36d3_0102)),
    (Role::Tasks, PropTag(0x36d4_0102)),
    (Role::Drafts, PropTag(0x36d7_0102)),
];

/// PidTagAdditionalRenEntryIds. Source: MS-OXOSFLD 2.2.4.
const ADDITIONAL: PropTag = PropTag(0x36d8_1102);

/// What its values are: conflicts, the folder around these three, local failures, server failures, junk.
const ADDITIONAL_HIDDEN: usize = 4;

/// PidTagAdditionalRenEntryIdsEx. Source: MS-OXOSFLD 2.2.5.
const ADDITIONAL_EX: PropTag = PropTag(0x36d9_0102);

/// PersistIDs in it: feeds, actions on conversations, actions of several kinds. Source: MS-OXOSFLD 2.2.6.
const HIDDEN_IDS: [u16; 3] = [0x8001, 0x8006, 0x8007];

/// The entry id of the folder for mail put away, on the store or on the Inbox. No document has it; Outlook sets it when
/// somebody archives for the first time.
const ARCHIVE: PropTag = PropTag(0x35ff_0102);

impl Remote {
    /// Logs on, and says what the server said then.
    pub(crate) async fn logon(&self) -> Result<LoggedOn> {
        let answers = self
            .sessions
            .front
            .run(&self.store, Repeat::Safe, Batch::new)
            .await?;
        let logon = answers.logon;
        self.learn_replica(logon.replid, logon.replguid).await;
        Ok(logon)
    }

    /// Which folders are special. One request.
    pub(crate) async fn special_folders(&self) -> Result<SpecialFolders> {
        let logon = self.logon().await?;
        if logon.is_public {
            return Ok(SpecialFolders::default());
        }
        let place = |place: usize| logon.folders.get(place).copied();
        let mut special = SpecialFolders::default();
        for (role, at) in BY_LOGON {
            if let Some(id) = place(at) {
                special.roles.push((role, self.gid(id).await?));
            }
        }
        let inbox = place(LogonResponse::INBOX).unwrap_or_default();
        let mut columns: Vec<_> = BY_ENTRY_ID.iter().map(|(_, tag)| *tag).collect();
        columns.extend([ADDITIONAL, ADDITIONAL_EX, ARCHIVE]);
        let root = place(LogonResponse::ROOT).unwrap_or_default();
        // The root has most of them, too, for those who may not read the Inbox; who may not read that either does not
        // learn of the rest. Source: MS-OXOSFLD 2.2.3.
        for folder in [inbox, root] {
            match self.folder_and_store(folder, columns.clone()).await {
                Ok((values, archive)) => {
                    add_named(&values, archive.as_ref(), &mut special);
                    break;
                }
                Err(Fault::Operation { .. }) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(special)
    }

    /// Properties of a folder, in the order of `tags`, and what the store says of the folder for mail put away. One
    /// request.
    async fn folder_and_store(
        &self,
        folder: Id,
        tags: Vec<PropTag>,
    ) -> Result<(Vec<Option<PropValue>>, Option<PropValue>)> {
        let count = tags.len();
        let mut answers = self
            .sessions
            .front
            .run(&self.store, Repeat::Safe, move |logon| {
                let mut batch = Batch::new(logon);
                let input = batch.open_folder(folder);
                for (input, tags) in [(input, tags.clone()), (Batch::LOGON, vec![ARCHIVE])] {
                    batch.push(rop::GetPropertiesSpecific {
                        logon_id: logon.logon_id,
                        input,
                        property_size_limit: 0,
                        want_unicode: 1,
                        property_tags: tags,
                    });
                }
                batch.release(input);
                batch
            })
            .await?;
        expect_rop!(answers, OpenFolder)?;
        let row = expect_rop!(answers, GetPropertiesSpecific)?.row;
        let values = (0..count).map(|place| row.value(place).cloned()).collect();
        let archive = match answers.take_any() {
            Some(Response::GetPropertiesSpecific(response)) => response.row.value(0).cloned(),
            _ => None,
        };
        Ok((values, archive))
    }
}

/// Adds what is said by entry ids: `values` of the Inbox, and what the store says of the archive.
fn add_named(
    values: &[Option<PropValue>],
    archive: Option<&PropValue>,
    special: &mut SpecialFolders,
) {
    let one = |value: Option<&PropValue>| match value {
        Some(PropValue::Binary(octets)) => folder(octets),
        _ => None,
    };
    let value = |at: usize| values.get(at).and_then(Option::as_ref);
    for (at, (role, _)) in BY_ENTRY_ID.iter().enumerate() {
        special.roles.extend(one(value(at)).map(|gid| (*role, gid)));
    }
    let [additional, more, own_archive] = [0, 1, 2].map(|at| value(BY_ENTRY_ID.len() + at));
    if let Some(PropValue::Binaries(list)) = additional {
        let (hidden, junk) = list.split_at(ADDITIONAL_HIDDEN.min(list.len()));
        let junk = junk.first().and_then(|octets| folder(octets));
        special.roles.extend(junk.map(|gid| (Role::Junk, gid)));
        special
            .hidden
            .extend(hidden.iter().filter_map(|octets| folder(octets)));
    }
    if let Some(PropValue::Binary(blocks)) = more {
        special.hidden.extend(hidden(blocks));
    }
    let archive = one(archive).or_else(|| one(own_archive));
    let taken = |gid: &Gid| special.roles.iter().any(|(_, other)| other == gid);
    if let Some(gid) = archive.filter(|gid| !taken(gid)) {
        special.roles.push((Role::Archive, gid));
    }
}

fn folder(entry_id: &[u8]) -> Option<Gid> {
    match EntryId::from_bytes(entry_id) {
        Ok(EntryId::Folder(id)) => Some(id.folder),
        _ => None,
    }
}

/// The folders of PidTagAdditionalRenEntryIdsEx that programs keep for themselves. What cannot be read ends it.
/// Source: MS-OXOSFLD 2.2.5 (PersistData, PersistElement).
fn hidden(mut blocks: &[u8]) -> Vec<Gid> {
    /// ElementID of an entry id.
    const ENTRY_ID: u16 = 1;
    let mut found = Vec::new();
    while let Some((persist_id, elements, rest)) = block(blocks) {
        blocks = rest;
        if !HIDDEN_IDS.contains(&persist_id) {
            continue;
        }
        let mut elements = elements;
        while let Some((element_id, data, rest)) = block(elements) {
            elements = rest;
            if element_id == ENTRY_ID {
                found.extend(folder(data));
            }
        }
    }
    found
}

/// An id, its data, and what follows.
fn block(octets: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (id, rest) = octets.split_first_chunk::<2>()?;
    let (len, rest) = rest.split_first_chunk::<2>()?;
    let (data, rest) = rest.split_at_checked(u16::from_le_bytes(*len).into())?;
    Some((u16::from_le_bytes(*id), data, rest))
}

#[cfg(test)]
mod tests {
    use mapi_wire::{Globcnt, Guid};

    use super::*;

    fn gid(counter: u64) -> Gid {
        Gid {
            replguid: Guid([7; 16]),
            globcnt: Globcnt::from_u64(counter),
        }
    }

    /// Source: MS-OXCDATA 2.2.4.1.
    fn entry_id(counter: u64) -> Vec<u8> {
        let mut octets = vec![0; 4];
        octets.extend([9; 16]);
        octets.extend([1, 0]);
        octets.extend([7; 16]);
        octets.extend(gid(counter).globcnt.0);
        octets.extend([0, 0]);
        octets
    }

    fn blocks(all: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let each = all.iter().flat_map(|(id, data)| {
            let head = [*id, data.len() as u16].map(u16::to_le_bytes);
            [&head.concat()[..], data].concat()
        });
        each.collect()
    }

    #[test]
    fn folders_of_programs_are_hidden_and_the_archive_has_its_role() {
        let binary = |octets: Vec<u8>| Some(PropValue::Binary(octets.into()));
        let mut values = vec![None; BY_ENTRY_ID.len()];
        values[0] = binary(entry_id(1));
        let additional = (10..15).map(|counter| entry_id(counter).into());
        values.push(Some(PropValue::Binaries(additional.collect())));
        let feeds = (0x8001, blocks(&[(1, entry_id(20)), (0, vec![])]));
        let contacts = (0x8008, blocks(&[(1, entry_id(21))]));
        values.push(binary(blocks(&[contacts, feeds])));
        values.push(binary(entry_id(30)));
        let mut special = SpecialFolders::default();
        add_named(&values, None, &mut special);
        let expected = [
            (Role::Calendar, gid(1)),
            (Role::Junk, gid(14)),
            (Role::Archive, gid(30)),
        ];
        assert_eq!(special.roles, expected);
        assert_eq!(special.hidden, [10, 11, 12, 13, 20].map(gid));
    }

    #[test]
    fn a_role_is_not_taken_away_by_an_archive_and_broken_blocks_end_the_list() {
        let mut special = SpecialFolders {
            roles: vec![(Role::Inbox, gid(1))],
            ..SpecialFolders::default()
        };
        let inbox = PropValue::Binary(entry_id(1).into());
        add_named(&[], Some(&inbox), &mut special);
        assert_eq!(special.roles, [(Role::Inbox, gid(1))]);
        let whole = blocks(&[(0x8001, blocks(&[(1, entry_id(20))]))]);
        for end in 0..whole.len() {
            assert_eq!(hidden(&whole[..end]), []);
        }
        assert_eq!(hidden(&whole), [gid(20)]);
    }
}

//! Properties of a folder: those that are kept, and those computed from what is in it.

use mapi_types::PropTag;
use mapi_wire::{PropValue, value::types};

use super::{
    folder::{Folder, FolderKind},
    ids::own_id,
    mailbox::{Mailbox, MailboxKind},
    permission::Rights,
    props::{as_type, with_type},
    special::place,
    tags,
};

/// The properties of every folder that are computed. A client cannot set them.
pub const COMPUTED: [PropTag; 29] = [
    tags::MESSAGE_SIZE,
    tags::PARENT_ENTRY_ID,
    tags::ACCESS,
    tags::INSTANCE_KEY,
    tags::MAPPING_SIGNATURE,
    tags::RECORD_KEY,
    tags::STORE_RECORD_KEY,
    tags::STORE_ENTRY_ID,
    tags::OBJECT_TYPE,
    tags::ENTRY_ID,
    tags::FOLDER_TYPE,
    tags::CONTENT_COUNT,
    tags::CONTENT_UNREAD_COUNT,
    tags::SUBFOLDERS,
    tags::ASSOCIATED_CONTENT_COUNT,
    tags::SOURCE_KEY,
    tags::PARENT_SOURCE_KEY,
    tags::CHANGE_KEY,
    tags::PREDECESSOR_CHANGE_LIST,
    tags::FOLDER_CHILD_COUNT,
    tags::RIGHTS,
    tags::HIERARCHY_CHANGE_NUMBER,
    tags::LOCAL_COMMIT_TIME_MAX,
    tags::DELETED_COUNT_TOTAL,
    tags::FOLDER_ID,
    tags::PARENT_FOLDER_ID,
    tags::INTERNET_ARTICLE_NUMBER_NEXT,
    tags::CHANGE_NUMBER,
    tags::DELETED_MESSAGE_COUNT,
];

/// PidTagObjectType of a folder.
const MAPI_FOLDER: i32 = 3;

/// Bits of PidTagAccess. Source: MS-OXCPRPT 2.2.1.1.
mod access {
    pub(super) const MODIFY: i32 = 0x1;
    pub(super) const READ: i32 = 0x2;
    pub(super) const DELETE: i32 = 0x4;
    pub(super) const CREATE_HIERARCHY: i32 = 0x8;
    pub(super) const CREATE_CONTENTS: i32 = 0x10;
    pub(super) const CREATE_ASSOCIATED: i32 = 0x20;
}

/// Whether a property of a folder is computed.
pub fn is_computed(tag: PropTag) -> bool {
    COMPUTED.iter().any(|known| known.id() == tag.id())
}

impl Mailbox {
    /// A property of a folder as a user sees it, in the type that is asked for.
    pub fn folder_prop(&self, folder: &Folder, user: &str, tag: PropTag) -> Option<PropValue> {
        if let Some(value) = self.computed_folder_prop(folder, user, tag) {
            return as_type(&value, tag.0 as u16);
        }
        let special = self.special_entry_id(folder, tag);
        special.or_else(|| folder.props.read(tag))
    }

    /// The tags of all properties of a folder.
    pub fn folder_tags(&self, folder: &Folder) -> Vec<PropTag> {
        let kept = folder.props.iter().map(|(tag, _)| tag);
        let special = SPECIAL
            .into_iter()
            .filter(|tag| self.special_entry_id(folder, *tag).is_some());
        let mut tags: Vec<_> = kept.chain(COMPUTED).chain(special).collect();
        tags.sort();
        tags.dedup();
        tags
    }

    fn computed_folder_prop(&self, folder: &Folder, user: &str, tag: PropTag) -> Option<PropValue> {
        let fid = folder.fid;
        let parent = folder.parent.unwrap_or(fid);
        let binary = |octets: &[u8]| Some(PropValue::Binary(octets.into()));
        let number =
            |number: usize| Some(PropValue::I32(i32::try_from(number).unwrap_or(i32::MAX)));
        let id = |counter: u64| Some(PropValue::I64(own_id(counter).to_u64() as i64));
        match with_type(tag, type_of_computed(tag)) {
            tags::MESSAGE_SIZE => match tag.0 as u16 {
                types::I64 => Some(PropValue::I64(folder.size() as i64)),
                _ => number(folder.size()),
            },
            tags::ACCESS => Some(PropValue::I32(access_of(self.rights(user, fid)))),
            tags::RIGHTS => Some(PropValue::I32(self.rights(user, fid).0 as i32)),
            tags::INSTANCE_KEY => binary(&own_id(fid.0).to_u64().to_le_bytes()),
            tags::MAPPING_SIGNATURE | tags::STORE_RECORD_KEY => binary(&self.guid.0),
            tags::RECORD_KEY | tags::ENTRY_ID => binary(&self.folder_entry_id(fid)),
            tags::PARENT_ENTRY_ID => binary(&self.folder_entry_id(parent)),
            tags::STORE_ENTRY_ID => binary(&self.store_entry_id()),
            tags::OBJECT_TYPE => Some(PropValue::I32(MAPI_FOLDER)),
            tags::FOLDER_TYPE => Some(PropValue::I32(folder.kind as i32)),
            tags::CONTENT_COUNT => match folder.kind {
                FolderKind::Search => number(self.found_by(folder).len()),
                _ => number(folder.normal().len()),
            },
            tags::CONTENT_UNREAD_COUNT => match folder.kind {
                FolderKind::Search => {
                    number(self.found_by(folder).iter().filter(|m| !m.read).count())
                }
                _ => number(folder.unread() as usize),
            },
            tags::SUBFOLDERS => Some(PropValue::Bool(self.children(fid).next().is_some())),
            tags::FOLDER_CHILD_COUNT => number(self.children(fid).count()),
            tags::ASSOCIATED_CONTENT_COUNT => number(folder.associated().len()),
            tags::SOURCE_KEY => binary(&self.gid(fid.0).to_bytes()),
            tags::PARENT_SOURCE_KEY => binary(&self.gid(parent.0).to_bytes()),
            tags::CHANGE_KEY => binary(&folder.change_key.to_bytes()),
            tags::PREDECESSOR_CHANGE_LIST => binary(&folder.predecessors.to_bytes()),
            tags::HIERARCHY_CHANGE_NUMBER => number(folder.hierarchy_changes as usize),
            tags::LOCAL_COMMIT_TIME_MAX => Some(PropValue::Time(folder.committed)),
            tags::DELETED_COUNT_TOTAL => number(folder.deleted_total as usize),
            tags::DELETED_MESSAGE_COUNT => number(folder.soft_deleted().len()),
            tags::FOLDER_ID => id(fid.0),
            tags::PARENT_FOLDER_ID => id(parent.0),
            tags::INTERNET_ARTICLE_NUMBER_NEXT => number(folder.next_article() as usize),
            tags::CHANGE_NUMBER => id(folder.cn.0),
            _ => None,
        }
    }

    /// The entry ids of folders that the Inbox and the root carry. Source: MS-OXOSFLD 2.2.3, 2.2.4.
    fn special_entry_id(&self, folder: &Folder, tag: PropTag) -> Option<PropValue> {
        let special = &self.special;
        let carries = folder.fid == special.inbox() || folder.fid == special.root();
        if self.kind == MailboxKind::Public || !carries {
            return None;
        }
        let one = |fid| Some(PropValue::Binary(self.folder_entry_id(fid)));
        match tag {
            tags::IPM_APPOINTMENT_ENTRY_ID => one(special.calendar),
            tags::IPM_CONTACT_ENTRY_ID => one(special.contacts),
            tags::IPM_JOURNAL_ENTRY_ID => one(special.journal),
            tags::IPM_NOTE_ENTRY_ID => one(special.notes),
            tags::IPM_TASK_ENTRY_ID => one(special.tasks),
            tags::REMINDERS_ENTRY_ID => one(special.reminders),
            tags::IPM_DRAFTS_ENTRY_ID => one(special.drafts),
            tags::ADDITIONAL_REN_ENTRY_IDS => {
                let all = special.additional.map(|fid| self.folder_entry_id(fid));
                Some(PropValue::Binaries(all.into()))
            }
            tags::FREE_BUSY_ENTRY_IDS => {
                let free_busy = self.folder_entry_id(special.free_busy);
                let none = || Box::<[u8]>::default();
                Some(PropValue::Binaries(
                    [none(), none(), none(), free_busy].into(),
                ))
            }
            _ => None,
        }
    }

    /// A property of the store, in the type that is asked for. Source: MS-OXCSTOR 2.2.2.1.
    pub fn store_prop(&self, tag: PropTag) -> Option<PropValue> {
        let folder = |slot: usize| {
            let fid = self.special.logon.get(slot)?;
            Some(PropValue::Binary(self.folder_entry_id(*fid)))
        };
        let kib = |octets: Option<u64>| {
            let kib = octets.map(|octets| i32::try_from(octets / 1024).unwrap_or(i32::MAX));
            kib.map(PropValue::I32)
        };
        let value = match tag {
            tags::IPM_SUBTREE_ENTRY_ID => folder(place::IPM_SUBTREE)?,
            tags::IPM_OUTBOX_ENTRY_ID => folder(place::OUTBOX)?,
            tags::IPM_WASTEBASKET_ENTRY_ID => folder(place::DELETED)?,
            tags::IPM_SENT_MAIL_ENTRY_ID => folder(place::SENT)?,
            tags::VIEWS_ENTRY_ID => folder(place::VIEWS)?,
            tags::COMMON_VIEWS_ENTRY_ID => folder(place::COMMON_VIEWS)?,
            tags::FINDER_ENTRY_ID => folder(place::FINDER)?,
            tags::MESSAGE_SIZE_EXTENDED => PropValue::I64(self.size() as i64),
            tags::MESSAGE_SIZE => PropValue::I32(i32::try_from(self.size()).unwrap_or(i32::MAX)),
            tags::STORAGE_QUOTA_LIMIT
            | tags::PROHIBIT_SEND_QUOTA
            | tags::PROHIBIT_RECEIVE_QUOTA => kib(self.quota.storage)?,
            tags::MAX_SUBMIT_MESSAGE_SIZE => kib(self.quota.submission)?,
            tags::STORE_ENTRY_ID | tags::ENTRY_ID => PropValue::Binary(self.store_entry_id()),
            tags::RECORD_KEY | tags::STORE_RECORD_KEY | tags::MAPPING_SIGNATURE => {
                PropValue::Binary(self.guid.0.into())
            }
            tags::OBJECT_TYPE => PropValue::I32(1),
            tags::DISPLAY_NAME | tags::MAILBOX_OWNER_NAME => {
                PropValue::String(self.display_name.as_str().into())
            }
            tags::MAILBOX_OWNER_ENTRY_ID | tags::USER_ENTRY_ID => {
                PropValue::Binary(super::entry_id::address_book(&self.legacy_dn, 0))
            }
            tags::SERIALIZED_REPLID_GUID_MAP => PropValue::Binary(self.replica_map()),
            tags::LOCALE_ID | tags::SORT_LOCALE_ID => PropValue::I32(0x409),
            tags::CODE_PAGE_ID => PropValue::I32(1252),
            tags::OUT_OF_OFFICE_STATE => {
                PropValue::Bool(self.props.is_true(tags::OUT_OF_OFFICE_STATE))
            }
            tag => return self.props.read(tag),
        };
        Some(value)
    }

    /// The tags of all properties of the store.
    pub fn store_tags(&self) -> Vec<PropTag> {
        let kept = self.props.iter().map(|(tag, _)| tag);
        let mut tags: Vec<_> = kept.chain(STORE).collect();
        tags.retain(|tag| self.store_prop(*tag).is_some());
        tags.sort();
        tags.dedup();
        tags
    }

    fn replica_map(&self) -> Box<[u8]> {
        [&super::ids::OWN_REPLID.to_le_bytes()[..], &self.replica.0]
            .concat()
            .into()
    }
}

/// Properties of a store that are computed.
const STORE: [PropTag; 21] = [
    tags::IPM_SUBTREE_ENTRY_ID,
    tags::IPM_OUTBOX_ENTRY_ID,
    tags::IPM_WASTEBASKET_ENTRY_ID,
    tags::IPM_SENT_MAIL_ENTRY_ID,
    tags::VIEWS_ENTRY_ID,
    tags::COMMON_VIEWS_ENTRY_ID,
    tags::FINDER_ENTRY_ID,
    tags::MESSAGE_SIZE_EXTENDED,
    tags::PROHIBIT_SEND_QUOTA,
    tags::MAX_SUBMIT_MESSAGE_SIZE,
    tags::ENTRY_ID,
    tags::RECORD_KEY,
    tags::OBJECT_TYPE,
    tags::DISPLAY_NAME,
    tags::MAILBOX_OWNER_NAME,
    tags::MAILBOX_OWNER_ENTRY_ID,
    tags::USER_ENTRY_ID,
    tags::SERIALIZED_REPLID_GUID_MAP,
    tags::LOCALE_ID,
    tags::SORT_LOCALE_ID,
    tags::OUT_OF_OFFICE_STATE,
];

/// The entry ids that the Inbox and the root carry.
const SPECIAL: [PropTag; 9] = [
    tags::IPM_APPOINTMENT_ENTRY_ID,
    tags::IPM_CONTACT_ENTRY_ID,
    tags::IPM_JOURNAL_ENTRY_ID,
    tags::IPM_NOTE_ENTRY_ID,
    tags::IPM_TASK_ENTRY_ID,
    tags::REMINDERS_ENTRY_ID,
    tags::IPM_DRAFTS_ENTRY_ID,
    tags::ADDITIONAL_REN_ENTRY_IDS,
    tags::FREE_BUSY_ENTRY_IDS,
];

/// Properties of a store that a client may set. Source: MS-OXCSTOR 2.2.2.1.2.
pub const STORE_SETTABLE: [PropTag; 2] = [tags::OUT_OF_OFFICE_STATE, tags::COMMENT];

const fn access_of(rights: Rights) -> i32 {
    let mut bits = 0;
    if rights.has(Rights::OWNER) {
        bits |= access::MODIFY | access::DELETE | access::CREATE_ASSOCIATED;
    }
    if rights.has(Rights::READ_ANY) {
        bits |= access::READ;
    }
    if rights.has(Rights::CREATE_SUBFOLDER) {
        bits |= access::CREATE_HIERARCHY;
    }
    if rights.has(Rights::CREATE) {
        bits |= access::CREATE_CONTENTS;
    }
    bits
}

/// The type under which a computed property is listed, whatever type was asked for.
fn type_of_computed(tag: PropTag) -> u16 {
    let known = COMPUTED.iter().find(|known| known.id() == tag.id());
    known.map_or(tag.0 as u16, |known| known.0 as u16)
}

//! What objects a synchronization speaks of. Source: MS-OXCFXICS 2.2.4.3.5 (folderChange), 2.2.4.3.11 to 2.2.4.3.14
//! (messageChange and its header), 2.2.1.2.

use mapi_types::PropTag;

use super::change_id::{ChangeKey, PredecessorChangeList, Xid};
use crate::{
    code_page::CodePage,
    cursor::{DecodeError, Result},
    fast_transfer::{Property, find, find_id},
    ids::Id,
};

/// The properties of a header.
mod tags {
    pub(super) const SOURCE_KEY: u32 = 0x65e0_0102;
    pub(super) const PARENT_SOURCE_KEY: u32 = 0x65e1_0102;
    pub(super) const CHANGE_KEY: u32 = 0x65e2_0102;
    pub(super) const PREDECESSOR_CHANGE_LIST: u32 = 0x65e3_0102;
    pub(super) const LAST_MODIFICATION_TIME: u32 = 0x3008_0040;
    pub(super) const ASSOCIATED: u32 = 0x67aa_000b;
    pub(super) const MID: u32 = 0x674a_0014;
    pub(super) const MESSAGE_SIZE: u32 = 0x0e08_0003;
    pub(super) const CHANGE_NUMBER: u32 = 0x67a4_0014;
    pub(super) const DISPLAY_NAME: u32 = 0x3001_001f;
    pub(super) const FOLDER_ID: u32 = 0x6748_0014;
    pub(super) const PARENT_FOLDER_ID: u32 = 0x6749_0014;
}

/// Which version of which object a change is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// PidTagSourceKey: of a server's own objects the 22 octets of a [`crate::Gid`].
    pub source_key: Box<[u8]>,
    /// PidTagLastModificationTime, in 100 ns since 1601.
    pub last_modified: u64,
    /// PidTagChangeKey: the last change.
    pub change_key: ChangeKey,
    /// PidTagPredecessorChangeList: the changes this version includes.
    pub predecessors: PredecessorChangeList,
}

impl Identity {
    /// From the properties of a header, or of a folder. Errors: what is missing, or where in a value it is broken.
    pub fn from_properties(props: &[Property]) -> Result<Self> {
        let octets = |tag, expected| {
            let property = find(props, PropTag(tag)).and_then(Property::as_octets);
            property.ok_or(DecodeError { at: 0, expected })
        };
        let change_key = octets(tags::CHANGE_KEY, "a change key")?;
        Ok(Self {
            source_key: octets(tags::SOURCE_KEY, "a source key")?.into(),
            last_modified: find(props, PropTag(tags::LAST_MODIFICATION_TIME))
                .and_then(Property::as_i64)
                .unwrap_or_default()
                .cast_unsigned(),
            change_key: Xid::from_bytes(change_key).ok_or(DecodeError {
                at: 0,
                expected: "a change key of 17 to 24 octets",
            })?,
            predecessors: PredecessorChangeList::from_bytes(octets(
                tags::PREDECESSOR_CHANGE_LIST,
                "a predecessor change list",
            )?)?,
        })
    }

    fn to_properties(&self) -> [Property; 4] {
        let time = self.last_modified.cast_signed();
        [
            Property::binary(tags::SOURCE_KEY, &self.source_key),
            Property::i64(tags::LAST_MODIFICATION_TIME, time),
            Property::binary(tags::CHANGE_KEY, &self.change_key.to_bytes()),
            Property::binary(tags::PREDECESSOR_CHANGE_LIST, &self.predecessors.to_bytes()),
        ]
    }
}

/// The header of a message change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MessageHeader {
    /// Which version of which message.
    pub identity: Identity,
    /// PidTagAssociated: whether it is a message for programs (FAI).
    pub associated: bool,
    /// PidTagMid, if the client asked for it (Eid).
    pub mid: Option<Id>,
    /// PidTagMessageSize, if the client asked for it.
    pub size: Option<u32>,
    /// PidTagChangeNumber, if the client asked for it.
    pub change_number: Option<Id>,
}

impl MessageHeader {
    /// From the properties of [`crate::fast_transfer::MessageChange::header`].
    pub fn from_properties(props: &[Property]) -> Result<Self> {
        let get = |tag| find(props, PropTag(tag));
        Ok(Self {
            identity: Identity::from_properties(props)?,
            associated: get(tags::ASSOCIATED)
                .and_then(Property::as_bool)
                .unwrap_or_default(),
            mid: get(tags::MID).and_then(Property::as_id),
            size: get(tags::MESSAGE_SIZE)
                .and_then(Property::as_i32)
                .map(i32::cast_unsigned),
            change_number: get(tags::CHANGE_NUMBER).and_then(Property::as_id),
        })
    }

    /// The properties, in the order of the document.
    pub fn to_properties(&self) -> Vec<Property> {
        let id = |tag, id: Id| Property::i64(tag, id.to_u64().cast_signed());
        let size = |size: u32| Property::i32(tags::MESSAGE_SIZE, size.cast_signed());
        let mut props = self.identity.to_properties().to_vec();
        props.push(Property::bool(tags::ASSOCIATED, self.associated));
        props.extend(self.mid.map(|mid| id(tags::MID, mid)));
        props.extend(self.size.map(size));
        props.extend(self.change_number.map(|cn| id(tags::CHANGE_NUMBER, cn)));
        props
    }
}

/// What every folder change has. The folder's other properties stand beside it in any order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FolderHeader {
    /// PidTagParentSourceKey; empty for the folder that the synchronization began with.
    pub parent_source_key: Box<[u8]>,
    /// Which version of which folder.
    pub identity: Identity,
    /// PidTagDisplayName.
    pub display_name: String,
    /// PidTagFolderId, if the client asked for it (Eid).
    pub folder_id: Option<Id>,
    /// PidTagParentFolderId, if the client asked for it.
    pub parent_folder_id: Option<Id>,
}

impl FolderHeader {
    /// From the properties of [`crate::fast_transfer::Event::FolderChange`]. `page` is the code page of the logon.
    pub fn from_properties(props: &[Property], page: CodePage) -> Result<Self> {
        let get = |tag| find(props, PropTag(tag));
        let parent = get(tags::PARENT_SOURCE_KEY).and_then(Property::as_octets);
        let name = find_id(props, PropTag(tags::DISPLAY_NAME).id());
        Ok(Self {
            parent_source_key: parent.unwrap_or_default().into(),
            identity: Identity::from_properties(props)?,
            display_name: name.and_then(|name| name.to_text(page)).unwrap_or_default(),
            folder_id: get(tags::FOLDER_ID).and_then(Property::as_id),
            parent_folder_id: get(tags::PARENT_FOLDER_ID).and_then(Property::as_id),
        })
    }

    /// The properties, in the order of the document; a folder's others follow them.
    pub fn to_properties(&self) -> Vec<Property> {
        let id = |tag, id: Id| Property::i64(tag, id.to_u64().cast_signed());
        let mut props = vec![Property::binary(
            tags::PARENT_SOURCE_KEY,
            &self.parent_source_key,
        )];
        props.extend(self.identity.to_properties());
        props.push(Property::string(tags::DISPLAY_NAME, &self.display_name));
        props.extend(self.folder_id.map(|fid| id(tags::FOLDER_ID, fid)));
        let parent = self.parent_folder_id;
        props.extend(parent.map(|fid| id(tags::PARENT_FOLDER_ID, fid)));
        props
    }
}

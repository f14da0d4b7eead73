//! What a FastTransfer stream says, one object at a time. Source: MS-OXCFXICS 2.2.4.2, 2.2.4.3.

use mapi_types::PropTag;

use super::{
    message::{Attachment, Message},
    property::Property,
};

/// One piece of a stream, whatever produced it. Property lists are as they came; [`crate::ics`] reads their meaning.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// How much a contents synchronization will bring (progressTotal).
    Progress(Vec<Property>),
    /// A new or changed message (messageChangeFull).
    Change(Box<MessageChange>),
    /// A message of which some properties changed (messageChangePartial).
    PartialChange(Box<PartialChange>),
    /// A new or changed folder (folderChange): header and all other properties.
    FolderChange(Vec<Property>),
    /// What is gone (deletions).
    Deletions(Vec<Property>),
    /// What was read or unread (readStateChanges).
    ReadStates(Vec<Property>),
    /// The state a client has after this stream (state).
    State(Vec<Property>),
    /// The synchronization is complete; nothing follows.
    SyncEnd,
    /// A message of a list.
    Message(Box<ListedMessage>),
    /// Something of what follows is missing; the error code (warningInfo).
    Warning(i32),
    /// A folder begins, with its properties; then come its messages and its folders.
    FolderBegin(FolderLevel, Vec<Property>),
    /// The contents of this folder are on another server (NewFXFolder).
    FolderElsewhere(Box<[u8]>),
    /// The receiver deletes what it has of this kind in the folder, then takes what follows.
    FolderReplaces(PropTag),
    /// The innermost folder ends.
    FolderEnd(FolderLevel),
    /// The content of a message that was copied alone (messageContent).
    Content(Box<Message>),
    /// The content of an attachment that was copied alone (attachmentContent).
    AttachmentContent(Box<Attachment>),
    /// Something could not be sent (errorInfo); the stream goes on after it.
    Failure(Vec<Property>),
}

/// A new or changed message of a contents synchronization.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageChange {
    /// How large it is, if the client asked for progress (progressPerMessage).
    pub progress: Option<Vec<Property>>,
    /// What it is (messageChangeHeader).
    pub header: Vec<Property>,
    /// The message.
    pub message: Message,
}

/// A message of which some groups of properties changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartialChange {
    /// How large it is, if the client asked for progress (progressPerMessage).
    pub progress: Option<Vec<Property>>,
    /// How properties are grouped, when it was not said before (groupInfo).
    pub group_info: Option<Vec<Property>>,
    /// Which grouping is used.
    pub group_id: Option<i32>,
    /// What it is (messageChangeHeader).
    pub header: Vec<Property>,
    /// The groups that changed.
    pub groups: Vec<PropertyGroup>,
    /// Recipients and attachments; its own properties are in `groups`.
    pub children: Message,
}

/// The properties of a group; those not in it are to be deleted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PropertyGroup {
    /// Its place in the grouping; −1: all properties of no other group.
    pub index: i32,
    /// The properties it has now.
    pub props: Vec<Property>,
}

/// A message of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListedMessage {
    /// Whether it is one for programs (FAI).
    pub associated: bool,
    /// The message.
    pub message: Message,
}

/// What kind of folder begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FolderLevel {
    /// The folder that was copied (topFolder).
    Top,
    /// A folder in the folder around it (subFolder).
    Sub,
    /// The content of the folder that was copied, without the folder itself (folderContent).
    Content,
}

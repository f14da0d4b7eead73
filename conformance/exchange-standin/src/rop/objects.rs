//! What the handles of a session context stand for.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use mapi_types::PropTag;
use mapi_wire::{
    fast_transfer::{Encoder, Event, Parser},
    ics::{Scope, State},
    restriction::Restriction,
    rop::Sort,
};

use crate::{
    config::Limits,
    model::{
        contents::Shown,
        error::{Code, Result},
        folder_changes::Version,
        ids::{Cn, Fid, Mid},
        message::{Attachment, Content, Message},
    },
};

/// A handle's value.
pub(crate) type Handle = u32;

/// An open object.
pub(crate) struct Entry {
    /// The logon it belongs to.
    pub(crate) logon: u8,
    /// The mailbox it is in, by its key.
    pub(crate) mailbox: Arc<str>,
    /// The object it was opened from.
    pub(crate) parent: Option<Handle>,
    /// What it is.
    pub(crate) object: Object,
}

/// What a handle stands for.
pub(crate) enum Object {
    /// A store.
    Logon,
    /// A folder.
    Folder(Fid),
    /// A message.
    Message(Box<OpenMessage>),
    /// An attachment.
    Attachment(Box<OpenAttachment>),
    /// A table.
    Table(Box<Table>),
    /// A stream.
    Stream(Box<Stream>),
    /// A download of objects or of changes.
    Source(Box<Source>),
    /// A download of changes that has not begun: it takes the client's state.
    Sync(Box<Sync>),
    /// An upload of objects.
    Destination(Box<Destination>),
    /// An upload of changes.
    Collector(Box<Collector>),
    /// Registered notifications.
    Subscription(Subscription),
}

/// An open message.
pub(crate) struct OpenMessage {
    /// Where it is.
    pub(crate) place: Place,
    /// Whether it may be changed.
    pub(crate) writable: bool,
    /// What is in it, with the changes of this handle.
    pub(crate) content: Arc<Content>,
    /// The change it had when it was opened or saved last; none before the first save.
    pub(crate) base: Option<Cn>,
    /// Whether it was sent; nothing can be done with it any more.
    pub(crate) submitted: bool,
}

/// Where an open message is.
pub(crate) enum Place {
    /// In a folder.
    Folder {
        /// The folder.
        fid: Fid,
        /// The message; none before the first save.
        mid: Option<Mid>,
        /// Whether it is one for programs.
        associated: bool,
        /// What it is to become, when a client uploads it.
        import: Option<Import>,
    },
    /// In an attachment, whose handle is the parent.
    Attachment,
}

/// A message that a client uploads.
pub(crate) struct Import {
    /// Its id.
    pub(crate) mid: Mid,
    /// Its version.
    pub(crate) version: Version,
    /// Whether it loses against what is here.
    pub(crate) loses: bool,
}

/// An open attachment.
pub(crate) struct OpenAttachment {
    /// What is in it, with the changes of this handle.
    pub(crate) attachment: Attachment,
    /// Whether it may be changed.
    pub(crate) writable: bool,
}

/// A table.
pub(crate) struct Table {
    /// What it shows.
    pub(crate) kind: TableKind,
    /// Its columns; none before they are set.
    pub(crate) columns: Option<Vec<PropTag>>,
    /// Its order.
    pub(crate) sort: Sort,
    /// Which rows it has.
    pub(crate) restriction: Option<Restriction>,
    /// Where it stands.
    pub(crate) position: usize,
    /// Places to come back to.
    pub(crate) bookmarks: HashMap<u32, usize>,
    /// The rows, and the generation of what they were made from.
    pub(crate) rows: Option<(u64, Vec<Row>)>,
    /// Whether notifications about it are wanted.
    pub(crate) notifies: bool,
}

/// What a table shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TableKind {
    /// The folders in a folder.
    Hierarchy {
        /// The folder.
        fid: Fid,
        /// Whether also those below them.
        deep: bool,
    },
    /// The messages of a folder.
    Contents {
        /// The folder.
        fid: Fid,
        /// Which of them.
        shown: Shown,
    },
    /// The attachments of a message: the parent.
    Attachments,
    /// Who may do what in a folder.
    Permissions(Fid),
    /// The rules of a folder.
    Rules(Fid),
}

/// A row of a table.
#[derive(Clone)]
pub(crate) enum Row {
    /// A folder with its depth.
    Folder(Fid, u32),
    /// A message.
    Message(Arc<Message>),
    /// An attachment's number.
    Attachment(u32),
    /// A member's id.
    Member(i64),
    /// A rule's id.
    Rule(i64),
}

/// A stream over a property of the parent.
pub(crate) struct Stream {
    /// The property.
    pub(crate) tag: PropTag,
    /// Its octets.
    pub(crate) data: Vec<u8>,
    /// Where it stands.
    pub(crate) position: usize,
    /// Whether it may be written.
    pub(crate) writable: bool,
    /// Whether something was written since it was committed.
    pub(crate) dirty: bool,
}

/// A download.
pub(crate) struct Source {
    /// What has been encoded.
    pub(crate) encoder: Encoder,
    /// What is still to be encoded.
    pub(crate) pieces: VecDeque<Piece>,
    /// How messages look.
    pub(crate) style: Style,
    /// How many pieces there were.
    pub(crate) total: usize,
    /// In a synchronization: the client's state before, and after all of it.
    pub(crate) states: Option<SyncStates>,
}

/// The states of a client around a synchronization.
pub(crate) struct SyncStates {
    /// Before it.
    pub(crate) before: State,
    /// After all of it.
    pub(crate) after: State,
    /// Which sets count.
    pub(crate) scope: Scope,
}

/// A part of a download.
pub(crate) enum Piece {
    /// As it is.
    Event(Box<Event>),
    /// A message of a synchronization.
    Change(Arc<Message>),
    /// A message of a list.
    Listed(Arc<Message>),
}

/// How the messages of a download look.
#[derive(Clone, Debug, Default)]
pub(crate) struct Style {
    /// The properties that are named.
    pub(crate) tags: Vec<PropTag>,
    /// Whether only those come; else all but those.
    pub(crate) only: bool,
    /// Whether hidden messages have all properties.
    pub(crate) all_of_hidden: bool,
    /// Whether the body comes as it is kept; else as RTF.
    pub(crate) best_body: bool,
    /// Whether ids come with a change (Eid).
    pub(crate) with_id: bool,
    /// Whether sizes come with a change.
    pub(crate) with_size: bool,
    /// Whether change numbers come with a change.
    pub(crate) with_change: bool,
    /// Whether entry ids come with copied messages.
    pub(crate) with_entry_id: bool,
    /// Whether progress comes with a change.
    pub(crate) with_progress: bool,
    /// Whether strings are UTF-16.
    pub(crate) unicode: bool,
}

/// A synchronization that takes the client's state.
pub(crate) struct Sync {
    /// The folder.
    pub(crate) fid: Fid,
    /// What is synchronized.
    pub(crate) scope: SyncScope,
    /// How messages look.
    pub(crate) style: Style,
    /// The client's state.
    pub(crate) upload: StateUpload,
}

/// What is synchronized.
#[derive(Clone, Debug)]
pub(crate) enum SyncScope {
    /// The folders below the folder.
    Hierarchy {
        /// Whether deletions are left out.
        no_deletions: bool,
    },
    /// The messages in the folder.
    Contents {
        /// SynchronizationFlags.
        flags: u16,
        /// Which messages.
        restriction: Option<Restriction>,
        /// The newest first.
        newest_first: bool,
    },
}

/// A client's state on its way here.
#[derive(Default)]
pub(crate) struct StateUpload {
    /// What is complete.
    pub(crate) state: State,
    /// What is being uploaded: the property, its size, and what has come.
    pub(crate) open: Option<(PropTag, usize, Vec<u8>)>,
    /// Whether something has been uploaded or downloaded that must come after the state.
    pub(crate) closed: bool,
}

/// An upload of objects into the parent.
pub(crate) struct Destination {
    /// What has come.
    pub(crate) parser: Parser,
    /// Folders that are open, the innermost last, in the upload of a folder.
    pub(crate) folders: Vec<Fid>,
    /// Why nothing more is taken.
    pub(crate) broken: Option<Code>,
}

/// An upload of changes.
pub(crate) struct Collector {
    /// The folder.
    pub(crate) fid: Fid,
    /// Whether messages are uploaded; else folders.
    pub(crate) contents: bool,
    /// The client's state, with what it uploaded.
    pub(crate) upload: StateUpload,
}

/// Registered notifications.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subscription {
    /// NotificationTypes.
    pub(crate) types: u16,
    /// Which folder; none is the whole store.
    pub(crate) folder: Option<Fid>,
    /// Which message.
    pub(crate) message: Option<Mid>,
}

/// The open objects of a session context. A number is given out once.
#[derive(Default)]
pub(crate) struct Objects {
    entries: BTreeMap<Handle, Entry>,
    last: Handle,
}

impl Objects {
    /// Opens an object; too many of a kind are refused.
    pub(crate) fn open(&mut self, entry: Entry, limits: &Limits) -> Result<Handle> {
        let (kind, max) = entry.object.limit(limits);
        let open = self
            .entries
            .values()
            .filter(|other| other.object.limit(limits).0 == kind);
        if open.count() >= max {
            return Err(Code::MAX_OBJECTS_EXCEEDED);
        }
        self.last += 1;
        self.entries.insert(self.last, entry);
        Ok(self.last)
    }

    /// An object.
    pub(crate) fn get(&self, handle: Handle) -> Result<&Entry> {
        self.entries.get(&handle).ok_or(Code::NULL_OBJECT)
    }

    /// An object, to be changed.
    pub(crate) fn get_mut(&mut self, handle: Handle) -> Result<&mut Entry> {
        self.entries.get_mut(&handle).ok_or(Code::NULL_OBJECT)
    }

    /// Closes an object with all that was opened from it and cannot live without it. Returns how many those were.
    pub(crate) fn close(&mut self, handle: Handle) -> usize {
        let Some(entry) = self.entries.remove(&handle) else {
            return 0;
        };
        if let Object::Logon = entry.object {
            let before = self.entries.len();
            self.entries.retain(|_, other| other.logon != entry.logon);
            return before - self.entries.len();
        }
        let dependent = |other: &Entry| other.parent == Some(handle) && other.object.needs_parent();
        let children: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, other)| dependent(other))
            .map(|(child, _)| *child)
            .collect();
        children
            .into_iter()
            .map(|child| 1 + self.close(child))
            .sum()
    }

    /// The open objects.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Handle, &Entry)> {
        self.entries.iter().map(|(handle, entry)| (*handle, entry))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

impl Object {
    /// Which limit it counts for, and how high that is. Source: Event 9646 of the Exchange store.
    const fn limit(&self, limits: &Limits) -> (u8, usize) {
        match self {
            Self::Logon => (0, 256),
            Self::Folder(_) => (1, limits.folders),
            Self::Message(_) => (2, limits.messages),
            Self::Attachment(_) => (3, limits.attachments),
            Self::Table(_) => (4, limits.tables),
            Self::Subscription(_) => (5, limits.subscriptions),
            Self::Stream(_)
            | Self::Source(_)
            | Self::Sync(_)
            | Self::Destination(_)
            | Self::Collector(_) => (6, limits.streams),
        }
    }

    /// Whether it means nothing without what it was opened from.
    const fn needs_parent(&self) -> bool {
        match self {
            Self::Stream(_) | Self::Attachment(_) | Self::Destination(_) => true,
            Self::Message(message) => matches!(message.place, Place::Attachment),
            Self::Table(table) => matches!(table.kind, TableKind::Attachments),
            _ => false,
        }
    }
}

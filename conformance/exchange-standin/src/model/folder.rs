//! A folder with its messages.

use std::{collections::BTreeMap, sync::Arc};

use mapi_wire::PropValue;

use super::{
    change::{Predecessors, Xid},
    ids::{Cn, Fid, Mid},
    message::Message,
    permission::Permissions,
    props::Props,
    rule::Rules,
    search::SearchCriteria,
    tags,
};

/// Messages of a folder, by id.
pub type Messages = BTreeMap<Mid, Arc<Message>>;

/// What a folder is for (PidTagFolderType). Source: MS-OXCFOLD 2.2.2.2.2.5.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FolderKind {
    /// The root of a mailbox.
    Root = 0,
    /// A folder with messages.
    Generic = 1,
    /// A search folder: it shows messages of other folders.
    Search = 2,
}

/// A folder.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Its id.
    pub fid: Fid,
    /// The folder it is in; the root is in none.
    pub parent: Option<Fid>,
    /// What it is for.
    pub kind: FolderKind,
    /// The number of its last change; what happens to its messages does not count.
    pub cn: Cn,
    /// The identifier of its last change.
    pub change_key: Xid,
    /// The versions it came after.
    pub predecessors: Predecessors,
    /// The properties that are kept.
    pub props: Props,
    /// Who may do what.
    pub permissions: Permissions,
    /// What happens to mail that arrives.
    pub rules: Rules,
    /// What a search folder shows.
    pub search: Option<SearchCriteria>,
    /// How often its tables have changed.
    pub generation: u64,
    /// When something in it changed last (PidTagLocalCommitTimeMax).
    pub committed: u64,
    /// How many messages have ever been deleted from it (PidTagDeletedCountTotal).
    pub deleted_total: u32,
    /// How often a folder below it changed (PidTagHierarchyChangeNumber).
    pub hierarchy_changes: u32,
    normal: Messages,
    associated: Messages,
    soft_deleted: Messages,
    unread: u32,
    size: usize,
    next_article: u32,
}

/// What a folder begins with.
pub struct NewFolder {
    /// Its id.
    pub fid: Fid,
    /// The folder it is in.
    pub parent: Option<Fid>,
    /// What it is for.
    pub kind: FolderKind,
    /// Its first change.
    pub cn: Cn,
    /// The identifier of that.
    pub change_key: Xid,
}

impl Folder {
    /// An empty one.
    pub fn new(new: NewFolder, permissions: Permissions) -> Self {
        Self {
            fid: new.fid,
            parent: new.parent,
            kind: new.kind,
            cn: new.cn,
            predecessors: Predecessors::of(&new.change_key),
            change_key: new.change_key,
            props: Props::default(),
            permissions,
            rules: Rules::default(),
            search: None,
            generation: 0,
            committed: 0,
            deleted_total: 0,
            hierarchy_changes: 0,
            normal: Messages::new(),
            associated: Messages::new(),
            soft_deleted: Messages::new(),
            unread: 0,
            size: 0,
            next_article: 1,
        }
    }

    /// PidTagDisplayName.
    pub fn name(&self) -> String {
        self.props.text(tags::DISPLAY_NAME).unwrap_or_default()
    }

    /// The messages for people.
    pub const fn normal(&self) -> &Messages {
        &self.normal
    }

    /// The messages for programs (FAI).
    pub const fn associated(&self) -> &Messages {
        &self.associated
    }

    /// Messages that were deleted and can still be had back.
    pub const fn soft_deleted(&self) -> &Messages {
        &self.soft_deleted
    }

    /// How many messages for people have not been read.
    pub const fn unread(&self) -> u32 {
        self.unread
    }

    /// The number that the next message gets (PidTagInternetArticleNumberNext).
    pub const fn next_article(&self) -> u32 {
        self.next_article
    }

    /// A number for a new message, or for new content of one.
    pub const fn take_article(&mut self) -> u32 {
        let article = self.next_article;
        self.next_article += 1;
        article
    }

    /// A message of either kind.
    pub fn message(&self, mid: Mid) -> Option<&Arc<Message>> {
        self.normal.get(&mid).or_else(|| self.associated.get(&mid))
    }

    /// Adds or replaces a message.
    pub fn put(&mut self, message: Arc<Message>) {
        self.take(message.mid);
        self.generation += 1;
        self.size += message.size;
        if message.associated {
            self.associated.insert(message.mid, message);
        } else {
            self.unread += u32::from(!message.read);
            self.normal.insert(message.mid, message);
        }
    }

    /// Takes a message out.
    pub fn take(&mut self, mid: Mid) -> Option<Arc<Message>> {
        let message = match self.normal.remove(&mid) {
            Some(message) => {
                self.unread -= u32::from(!message.read);
                message
            }
            None => self.associated.remove(&mid)?,
        };
        self.size -= message.size;
        self.generation += 1;
        Some(message)
    }

    /// Changes a message in place; `None` when it is not there. The folder's counts follow.
    pub fn change<T>(&mut self, mid: Mid, change: impl FnOnce(&mut Message) -> T) -> Option<T> {
        let unread = |message: &Message| u32::from(!message.read && !message.associated);
        let slot = match self.normal.get_mut(&mid) {
            Some(slot) => slot,
            None => self.associated.get_mut(&mid)?,
        };
        let message = Arc::make_mut(slot);
        self.unread -= unread(message);
        self.size -= message.size;
        let result = change(message);
        self.size += message.size;
        self.unread += unread(message);
        self.generation += 1;
        Some(result)
    }

    /// Puts a message where deleted ones are kept.
    pub fn keep_deleted(&mut self, message: Arc<Message>) {
        self.soft_deleted.insert(message.mid, message);
    }

    /// Forgets a message that was deleted; whether it was there.
    pub fn purge(&mut self, mid: Mid) -> bool {
        self.soft_deleted.remove(&mid).is_some()
    }

    /// All messages of both kinds, those for people first.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Message>> {
        self.normal.values().chain(self.associated.values())
    }

    /// About the octets of all messages.
    pub const fn size(&self) -> usize {
        self.size
    }

    /// PidTagContainerClass.
    pub fn container_class(&self) -> Option<String> {
        self.props.text(tags::CONTAINER_CLASS)
    }

    /// Sets its name and class.
    pub fn describe(&mut self, name: &str, class: &str) {
        self.props.set_text(tags::DISPLAY_NAME, name);
        if !class.is_empty() {
            self.props
                .set(tags::CONTAINER_CLASS, PropValue::String(class.into()));
        }
    }
}

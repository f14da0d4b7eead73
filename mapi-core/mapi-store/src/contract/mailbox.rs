//! A provisioned mailbox with its owner's store: what most cases begin with.

use std::{fmt::Debug, sync::Arc};

use bytes::Bytes;
use mapi_types::{
    BitChange, Change, Content, ContentHash, Draft, FolderId, ItemKey, ItemNumber, MailboxId,
    Message, MessageTree, OwnedValue, PropBag, PropTag, RowSet, Version, tags,
};

use crate::{
    Backend, Changes, Delta, Error, ErrorKind, Expected, FolderInfo, Items, NewFolder, Principal,
    Query, Role, Saved, Store, Table,
};

/// The owner of the mailbox.
pub(super) const ALICE: &str = "alice@example.test";
/// Somebody else.
pub(super) const BOB: &str = "bob@example.test";

/// Alice's mailbox.
pub(super) struct Mailbox {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) store: Arc<dyn Store>,
    pub(super) inbox: FolderId,
}

impl Mailbox {
    /// Provisions the mailbox and opens it.
    pub(super) async fn new(backend: Arc<dyn Backend>) -> Self {
        backend.provision(&mailbox()).await.expect("provision");
        let store = logon(&*backend, ALICE).await.expect("logon");
        let inbox = special(&*store, Role::Inbox).await.id;
        Self {
            backend,
            store,
            inbox,
        }
    }

    /// Makes a folder at the top.
    pub(super) async fn make_folder(&self, name: &str) -> FolderId {
        self.store
            .create_folder(&mail_folder(None, name))
            .await
            .expect("create folder")
            .id
    }

    /// Saves a message in the inbox.
    pub(super) async fn save(&self, subject: &str) -> Saved {
        self.save_draft(self.inbox, draft(subject)).await
    }

    /// Saves `count` messages in the inbox, each by a call of its own.
    pub(super) async fn save_many(&self, count: usize) -> Vec<Saved> {
        let mut saved = Vec::new();
        for i in 0..count {
            saved.push(self.save(&format!("message {i}")).await);
        }
        saved
    }

    /// Saves one draft.
    pub(super) async fn save_draft(&self, folder: FolderId, draft: Draft) -> Saved {
        let saved = self.store.save(folder, &[draft]).await.expect("save");
        let [saved] = saved.try_into().expect("one answer a draft");
        saved
    }

    /// Changes flag bits of an item of the inbox.
    pub(super) async fn flag(&self, item: ItemNumber, tag: PropTag, set: i32, clear: i32) {
        let updated = self
            .store
            .update(self.inbox, &[any(item)], &bits(tag, set, clear))
            .await;
        updated.expect("update");
    }

    /// The inbox's counts.
    pub(super) async fn info(&self) -> FolderInfo {
        self.store.folder(self.inbox).await.expect("folder")
    }

    /// The numbers in a table, in its order.
    pub(super) async fn numbers(&self, table: Table) -> Vec<ItemNumber> {
        numbers(&query(&*self.store, table, &[tags::INTERNET_ARTICLE_NUMBER.tag()]).await)
    }

    /// The numbers of the inbox.
    pub(super) async fn inbox_numbers(&self) -> Vec<ItemNumber> {
        self.numbers(Table::Contents(self.inbox)).await
    }

    /// The inbox's changes.
    pub(super) async fn delta(&self, since: Version) -> Delta {
        delta(&*self.store, self.inbox, since).await
    }
}

/// Alice's mailbox's id.
pub(super) fn mailbox() -> MailboxId {
    MailboxId(ALICE.into())
}

/// Opens Alice's mailbox for a user.
pub(super) async fn logon(backend: &dyn Backend, user: &str) -> Result<Arc<dyn Store>, Error> {
    backend
        .logon(&Principal { user: user.into() }, &mailbox())
        .await
}

/// A special folder.
pub(super) async fn special(store: &dyn Store, role: Role) -> FolderInfo {
    let tree = store.hierarchy(Version(0)).await.expect("hierarchy");
    tree.changed
        .into_iter()
        .find(|folder| folder.role == Some(role))
        .expect("the special folder")
}

/// A mail folder to be made.
pub(super) fn mail_folder(parent: Option<FolderId>, name: &str) -> NewFolder {
    NewFolder {
        parent,
        name: name.into(),
        class: "IPF.Note".into(),
    }
}

/// All of a folder's changes, which must not span pages.
pub(super) async fn delta(store: &dyn Store, folder: FolderId, since: Version) -> Delta {
    let columns = [
        tags::INTERNET_ARTICLE_NUMBER.tag(),
        tags::ITEM_VERSION.tag(),
        tags::MESSAGE_FLAGS.tag(),
    ];
    match store
        .changes(folder, since, &columns, 10_000)
        .await
        .expect("changes")
    {
        Changes::Delta(delta) => {
            assert!(!delta.more, "a page of 10000 rows holds all");
            delta
        }
        Changes::Expired => panic!("the log forgot {since:?}"),
    }
}

/// All rows of a table.
pub(super) async fn query(store: &dyn Store, table: Table, columns: &[PropTag]) -> RowSet {
    let items = Items::Range(1..=u32::MAX);
    let query = Query {
        table,
        columns,
        items,
        filter: None,
        sort: &[],
        limit: u32::MAX,
    };
    store.query(&query).await.expect("query")
}

/// The numbers of rows.
pub(super) fn numbers(rows: &RowSet) -> Vec<ItemNumber> {
    rows.rows()
        .map(|row| row.get(&tags::INTERNET_ARTICLE_NUMBER).expect("a number"))
        .map(|number| ItemNumber(number as u32))
        .collect()
}

/// A mail with this subject, in properties and in its original bytes.
pub(super) fn draft(subject: &str) -> Draft {
    draft_of("IPM.Note", subject)
}

/// An item of a class.
pub(super) fn draft_of(class: &str, subject: &str) -> Draft {
    let props = [
        (tags::MESSAGE_CLASS.tag(), OwnedValue::Str(class.into())),
        (tags::SUBJECT.tag(), OwnedValue::Str(subject.into())),
    ];
    let message = Message {
        tree: MessageTree {
            props: props.into_iter().collect(),
            ..MessageTree::default()
        },
        original: Some(content(format!("Subject: {subject}\r\n\r\ntext\r\n"))),
        ..Message::default()
    };
    Draft {
        key: None,
        message: Arc::new(message),
        props: PropBag::default(),
        prefix: Bytes::new(),
    }
}

/// The draft with a key.
pub(super) fn keyed(key: &str, draft: Draft) -> Draft {
    Draft {
        key: Some(item_key(key)),
        ..draft
    }
}

/// The draft with properties of its own.
pub(super) fn with(draft: Draft, props: &[(PropTag, OwnedValue)]) -> Draft {
    Draft {
        props: props.iter().cloned().collect(),
        ..draft
    }
}

/// The draft with flags.
pub(super) fn flagged(draft: Draft, flags: i32) -> Draft {
    with(
        draft,
        &[(tags::MESSAGE_FLAGS.tag(), OwnedValue::I32(flags))],
    )
}

/// A key.
pub(super) fn item_key(key: &str) -> ItemKey {
    ItemKey(key.as_bytes().into())
}

/// Bytes as a content.
pub(super) fn content(bytes: impl Into<Bytes>) -> Content {
    let bytes = bytes.into();
    let hash = ContentHash(*blake3::hash(&bytes).as_bytes());
    let len = bytes.len() as u64;
    Content::new(Arc::new(bytes), len, hash)
}

/// An item whatever its version.
pub(super) fn any(item: ItemNumber) -> Expected {
    Expected {
        item,
        version: None,
    }
}

/// A change of bits.
pub(super) fn bits(tag: PropTag, set: i32, clear: i32) -> Change {
    Change {
        bits: vec![BitChange { tag, set, clear }],
        ..Change::default()
    }
}

/// A change that sets one property.
pub(super) fn set(tag: PropTag, value: OwnedValue) -> Change {
    Change {
        set: vec![(tag, value)],
        ..Change::default()
    }
}

/// A text value.
pub(super) fn text(text: &str) -> OwnedValue {
    OwnedValue::Str(text.into())
}

/// Asserts that a request fails in this way.
#[track_caller]
pub(super) fn fails<T: Debug>(result: Result<T, Error>, kind: ErrorKind) {
    match result {
        Ok(answer) => panic!("expected {kind:?}, but got {answer:?}"),
        Err(error) => assert_eq!(error.kind, kind, "{error}"),
    }
}

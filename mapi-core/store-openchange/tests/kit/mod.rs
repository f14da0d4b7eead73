//! A data folder under test, and the few things every test does with it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part"
)]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use mapi_store::{
    Backend, ByteRange, FolderInfo, Items, Principal, Query, Role, Saved, Store, Table,
};
use mapi_types::{
    Content, ContentHash, Derived, Draft, FolderId, ItemNumber, MailboxId, Message, MessageTree,
    OwnedValue, PropBag, Version, tags,
};
use store_openchange::{Fault, FaultKind, OpenChange, Options};
use tempfile::TempDir;

/// Everything into segments, and small ones, so that a test sees several.
pub fn small_segments() -> Options {
    Options {
        inline_bytes_max: 0,
        segment_bytes_max: 20_000,
        ..Options::default()
    }
}

/// A data folder; the backend may be closed and opened again.
pub struct Folder {
    pub dir: TempDir,
    pub options: Options,
}

impl Folder {
    pub fn new(options: Options) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            options,
        }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn open(&self) -> OpenChange {
        OpenChange::open(self.path(), self.options.clone()).unwrap()
    }

    pub fn segment(&self, id: u32) -> PathBuf {
        self.path().join(format!("segments/{id:08}.seg"))
    }

    pub fn segments(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path().join("segments")).unwrap();
        let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        found.retain(|path| path.extension().is_some_and(|extension| extension == "seg"));
        found.sort();
        found
    }

    /// The mailbox's database, while no backend is open.
    pub fn sql(&self, statement: &str) {
        let conn =
            rusqlite::Connection::open(self.path().join("mailboxes/alice@example.test.sqlite"))
                .unwrap();
        conn.execute_batch(statement).unwrap();
    }

    /// The kinds of faults a check finds.
    pub async fn faults(&self) -> Vec<FaultKind> {
        let faults: Vec<Fault> = self.open().check().await.unwrap();
        faults.into_iter().map(|fault| fault.kind).collect()
    }
}

pub fn alice() -> MailboxId {
    MailboxId("alice@example.test".into())
}

pub async fn provisioned(backend: &OpenChange) -> Arc<dyn Store> {
    backend.provision(&alice()).await.unwrap();
    logon(backend).await
}

pub async fn logon(backend: &OpenChange) -> Arc<dyn Store> {
    backend
        .logon(&Principal { user: alice().0 }, &alice())
        .await
        .unwrap()
}

pub async fn folder(store: &dyn Store, role: Role) -> FolderInfo {
    let tree = store.hierarchy(Version(0)).await.unwrap();
    tree.changed
        .into_iter()
        .find(|folder| folder.role == Some(role))
        .unwrap()
}

pub async fn inbox(store: &dyn Store) -> FolderId {
    folder(store, Role::Inbox).await.id
}

/// A message of this text; its bytes are text and padding of about `octets`.
pub fn draft(text: &str, octets: usize) -> Draft {
    let mut body = text.as_bytes().to_vec();
    body.resize(octets.max(body.len()), b'.');
    let hash = ContentHash(*blake3::hash(&body).as_bytes());
    let len = body.len() as u64;
    let props: PropBag = [
        (tags::SUBJECT.tag(), OwnedValue::Str(text.into())),
        (
            tags::MESSAGE_CLASS.tag(),
            OwnedValue::Str("IPM.Note".into()),
        ),
    ]
    .into_iter()
    .collect();
    let derived = Derived {
        renderer: 1,
        envelope: Bytes::from_static(b"envelope"),
        structure: Bytes::from_static(b"structure"),
        header: Bytes::from_static(b"header"),
    };
    let message = Message {
        tree: MessageTree {
            props,
            ..MessageTree::default()
        },
        original: Some(Content::new(Arc::new(Bytes::from(body)), len, hash)),
        derived,
    };
    let prefix = Bytes::from_static(b"Return-Path: <>\r\n");
    Draft {
        key: None,
        message: Arc::new(message),
        props: PropBag::default(),
        prefix,
    }
}

pub async fn save(store: &dyn Store, folder: FolderId, text: &str, octets: usize) -> Saved {
    store
        .save(folder, &[draft(text, octets)])
        .await
        .unwrap()
        .remove(0)
}

/// The first octets of an item's original.
pub async fn text(store: &dyn Store, folder: FolderId, item: ItemNumber, len: usize) -> String {
    let piece = ByteRange {
        item,
        tag: tags::ORIGINAL.tag(),
        offset: 0,
        len: len as u32,
    };
    let read = store
        .read_bytes(folder, &[piece])
        .await
        .unwrap()
        .remove(0)
        .unwrap();
    String::from_utf8(read.to_vec()).unwrap()
}

/// Number and subject of every item.
pub async fn subjects(store: &dyn Store, folder: FolderId) -> Vec<(u32, String)> {
    let columns = [tags::INTERNET_ARTICLE_NUMBER.tag(), tags::SUBJECT.tag()];
    let query = Query {
        table: Table::Contents(folder),
        columns: &columns,
        items: Items::Range(1..=u32::MAX),
        filter: None,
        sort: &[],
        limit: u32::MAX,
    };
    let rows = store.query(&query).await.unwrap();
    rows.rows()
        .map(|row| {
            let number = row.get(&tags::INTERNET_ARTICLE_NUMBER).unwrap() as u32;
            (number, row.get(&tags::SUBJECT).unwrap().to_owned())
        })
        .collect()
}

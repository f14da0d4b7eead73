//! A remote mailbox as its client tells of it, and what is seen of its mirror.

use std::sync::Arc;

use bytes::Bytes;
use mapi_store::{Items, Query, Role, Store, Table};
use mapi_types::{
    Content, ContentHash, Derived, FileTime, FolderId, ItemNumber, Message, MessageTree,
    OwnedValue, PropBag, PropTag, Version, tags,
};
use store_openchange::{
    ChangeKey, FirstPass, HierarchyBatch, ItemBatch, Mirror, OpenChange, RemoteFolder, RemoteId,
    RemoteItem, Rendered,
};

use crate::kit::{Folder, alice};

pub(crate) const IDENTITY: &[u8] = b"mailbox guid";

pub(crate) async fn mirror(backend: &OpenChange) -> Mirror {
    backend.mirror(&alice(), IDENTITY).await.unwrap()
}

pub(crate) fn id(text: &str) -> RemoteId {
    RemoteId(text.as_bytes().into())
}

pub(crate) fn key(text: &str) -> ChangeKey {
    ChangeKey(text.as_bytes().into())
}

pub(crate) fn remote_folder(text: &str, parent: Option<&str>) -> RemoteFolder {
    RemoteFolder {
        id: id(text),
        parent: parent.map(id),
        name: text.into(),
        class: "IPF.Note".into(),
        role: None,
        hidden: false,
        props: PropBag::default(),
        permissions: None,
    }
}

pub(crate) fn tree(changed: Vec<RemoteFolder>) -> HierarchyBatch {
    HierarchyBatch {
        changed,
        ..HierarchyBatch::default()
    }
}

/// Makes a folder, of which nothing has been synchronized.
pub(crate) async fn one_folder(mirror: &Mirror) -> FolderId {
    let tree = tree(vec![remote_folder("f", None)]);
    mirror.apply_hierarchy(tree).await.unwrap()[&id("f")]
}

/// A mirror with the folder `Inbox`, whose first pass is complete, and the folder `Other`.
pub(crate) async fn furnished(data: &Folder) -> (OpenChange, Mirror, FolderId, FolderId) {
    let backend = data.open();
    let mirror = mirror(&backend).await;
    let mut inbox = remote_folder("Inbox", None);
    inbox.role = Some(Role::Inbox);
    let ids = mirror
        .apply_hierarchy(tree(vec![inbox, remote_folder("Other", None)]))
        .await
        .unwrap();
    let (inbox, other) = (ids[&id("Inbox")], ids[&id("Other")]);
    for folder in [inbox, other] {
        mirror.apply_items(folder, complete(vec![])).await.unwrap();
    }
    (backend, mirror, inbox, other)
}

pub(crate) fn props(subject: &str, flags: i32) -> PropBag {
    [
        (tags::SUBJECT.tag(), OwnedValue::Str(subject.into())),
        (
            tags::MESSAGE_CLASS.tag(),
            OwnedValue::Str("IPM.Note".into()),
        ),
        (tags::MESSAGE_FLAGS.tag(), OwnedValue::I32(flags)),
        (tags::MESSAGE_SIZE.tag(), OwnedValue::I64(100)),
        (
            tags::MESSAGE_DELIVERY_TIME.tag(),
            OwnedValue::Time(FileTime(1_000)),
        ),
    ]
    .into_iter()
    .collect()
}

pub(crate) fn item(text: &str, change_key: &str) -> RemoteItem {
    RemoteItem {
        id: id(text),
        change_key: key(change_key),
        props: props(text, 0),
        number_hint: None,
    }
}

pub(crate) fn with(mut item: RemoteItem, tag: PropTag, value: OwnedValue) -> RemoteItem {
    item.props = item.props.with(&[(tag, value)], &[]);
    item
}

pub(crate) fn items(changed: Vec<RemoteItem>) -> ItemBatch {
    ItemBatch {
        changed,
        ..ItemBatch::default()
    }
}

pub(crate) fn running(changed: Vec<RemoteItem>) -> ItemBatch {
    ItemBatch {
        first_pass: Some(FirstPass::Running),
        ..items(changed)
    }
}

pub(crate) fn complete(changed: Vec<RemoteItem>) -> ItemBatch {
    ItemBatch {
        first_pass: Some(FirstPass::Complete),
        ..items(changed)
    }
}

pub(crate) fn message(text: &str) -> Arc<Message> {
    message_with(text, PropBag::default())
}

/// A rendered message: text, and properties beside its id.
pub(crate) fn message_with(text: &str, more: PropBag) -> Arc<Message> {
    let body = text.as_bytes().to_vec();
    let hash = ContentHash(*blake3::hash(&body).as_bytes());
    let len = body.len() as u64;
    let own = (
        tags::INTERNET_MESSAGE_ID.tag(),
        OwnedValue::Str("<m>".into()),
    );
    Arc::new(Message {
        tree: MessageTree {
            props: more.with(&[own], &[]),
            ..MessageTree::default()
        },
        original: Some(Content::new(Arc::new(Bytes::from(body)), len, hash)),
        derived: Derived {
            renderer: 1,
            envelope: Bytes::from_static(b"envelope"),
            structure: Bytes::from_static(b"structure"),
            header: Bytes::from_static(b"header"),
        },
    })
}

pub(crate) fn rendered(number: u32, change_key: &str, text: &str) -> Rendered {
    Rendered {
        number: ItemNumber(number),
        index_key: key(change_key),
        change_key: key(change_key),
        message: message(text),
        kept: false,
    }
}

/// The whole original of an item, if it is here.
pub(crate) async fn original(store: &dyn Store, folder: FolderId, item: u32) -> Option<String> {
    let piece = mapi_store::ByteRange {
        item: ItemNumber(item),
        tag: tags::ORIGINAL.tag(),
        offset: 0,
        len: mapi_store::READ_BYTES_MAX,
    };
    let read = store.read_bytes(folder, &[piece]).await.unwrap().remove(0);
    read.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

/// What a client sees of an item in listings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) number: u32,
    pub(crate) version: u64,
    pub(crate) subject: Option<String>,
    pub(crate) flags: i32,
    pub(crate) size: Option<i64>,
    pub(crate) key: Vec<u8>,
}

pub(crate) async fn seen(store: &dyn Store, folder: FolderId) -> Vec<Seen> {
    let columns = [
        tags::INTERNET_ARTICLE_NUMBER.tag(),
        tags::ITEM_VERSION.tag(),
        tags::SUBJECT.tag(),
        tags::MESSAGE_FLAGS.tag(),
        tags::ITEM_SIZE.tag(),
        tags::SOURCE_KEY.tag(),
    ];
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
        .map(|row| Seen {
            number: row.get(&tags::INTERNET_ARTICLE_NUMBER).unwrap() as u32,
            version: row.get(&tags::ITEM_VERSION).unwrap() as u64,
            subject: row.get(&tags::SUBJECT).map(str::to_owned),
            flags: row.get(&tags::MESSAGE_FLAGS).unwrap_or(0),
            size: row.get(&tags::ITEM_SIZE),
            key: row.get(&tags::SOURCE_KEY).unwrap().to_vec(),
        })
        .collect()
}

/// Number and subject of every item.
pub(crate) async fn subjects(mirror: &Mirror, folder: FolderId) -> Vec<(u32, String)> {
    let seen = seen(&*mirror.store(), folder).await;
    seen.into_iter()
        .map(|item| (item.number, item.subject.unwrap_or_default()))
        .collect()
}

pub(crate) async fn version(mirror: &Mirror, folder: FolderId) -> Version {
    mirror.store().folder(folder).await.unwrap().version
}

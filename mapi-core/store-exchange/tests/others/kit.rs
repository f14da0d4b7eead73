//! What these tests do again and again.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mapi_store::{Backend, Error, FolderInfo, Items, NewFolder, Query, Role, Store, Table};
use mapi_types::{
    BitChange, Change, Draft, FolderId, ItemKey, ItemNumber, MailboxId, Message, MessageTree,
    OwnedValue, PropBag, RowSet, Version, tags, tags::message_flags,
};
use store_exchange::Exchange;
use tempfile::TempDir;

use crate::server;

/// Longer than it takes until every folder is looked at again.
const PATIENCE: Duration = Duration::from_secs(130);

/// A gateway with mirrors of its own.
pub(crate) struct Gateway {
    pub(crate) exchange: Arc<Exchange>,
    _dir: TempDir,
}

impl Gateway {
    pub(crate) fn start() -> Self {
        let (exchange, dir) = server::gateway();
        Self {
            exchange,
            _dir: dir,
        }
    }

    pub(crate) async fn try_open(
        &self,
        user: &str,
        mailbox: &str,
    ) -> Result<Arc<dyn Store>, Error> {
        let principal = server::sign_in(&self.exchange, user).await.unwrap();
        let mailbox = MailboxId(mailbox.to_owned());
        self.exchange.logon(&principal, &mailbox).await
    }

    pub(crate) async fn open(&self, user: &str, mailbox: &str) -> Arc<dyn Store> {
        self.try_open(user, mailbox).await.unwrap()
    }
}

pub(crate) async fn make_folder(
    store: &dyn Store,
    parent: Option<FolderId>,
    name: &str,
) -> FolderInfo {
    let new = NewFolder {
        parent,
        name: name.to_owned(),
        class: "IPF.Note".to_owned(),
    };
    store.create_folder(&new).await.unwrap()
}

pub(crate) async fn folder(store: &dyn Store, name: &str) -> Option<FolderInfo> {
    let tree = store.hierarchy(Version(0)).await.ok()?.changed;
    tree.into_iter().find(|folder| folder.name == name)
}

pub(crate) async fn special(store: &dyn Store, role: Role) -> FolderInfo {
    let tree = store.hierarchy(Version(0)).await.unwrap().changed;
    let mut tree = tree.into_iter();
    tree.find(|folder| folder.role == Some(role)).unwrap()
}

async fn rows(store: &dyn Store, folder: FolderId) -> Result<RowSet, Error> {
    let columns = [tags::INTERNET_ARTICLE_NUMBER.tag(), tags::SUBJECT.tag()];
    let query = Query {
        table: Table::Contents(folder),
        columns: &columns,
        items: Items::Range(1..=u32::MAX),
        filter: None,
        sort: &[],
        limit: u32::MAX,
    };
    store.query(&query).await
}

pub(crate) async fn try_subjects(
    store: &dyn Store,
    folder: FolderId,
) -> Result<Vec<String>, Error> {
    let rows = rows(store, folder).await?;
    let subject = |row: mapi_types::Row<'_>| row.get(&tags::SUBJECT).map(str::to_owned);
    Ok(rows.rows().filter_map(subject).collect())
}

pub(crate) async fn subjects(store: &dyn Store, folder: FolderId) -> Vec<String> {
    try_subjects(store, folder).await.unwrap()
}

pub(crate) async fn numbers(store: &dyn Store, folder: FolderId) -> Vec<ItemNumber> {
    let rows = rows(store, folder).await.unwrap();
    let number = |row: mapi_types::Row<'_>| row.get(&tags::INTERNET_ARTICLE_NUMBER);
    let numbers = rows.rows().filter_map(number);
    numbers
        .map(|number| ItemNumber(number.cast_unsigned()))
        .collect()
}

/// Waits until something holds, looking again after every notice.
pub(crate) async fn until(store: &dyn Store, holds: impl AsyncFn() -> bool) {
    let mut notices = store.notices();
    let wait = async {
        while !holds().await {
            // A lag is a notice, too.
            let _ = tokio::time::timeout(Duration::from_secs(20), notices.recv()).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
}

fn text(value: &str) -> OwnedValue {
    OwnedValue::Str(value.into())
}

pub(crate) fn draft(subject: &str) -> Draft {
    let props = [
        (tags::MESSAGE_CLASS.tag(), text("IPM.Note")),
        (tags::SUBJECT.tag(), text(subject)),
        (tags::BODY.tag(), text("text")),
    ];
    let tree = MessageTree {
        props: props.into_iter().collect(),
        ..MessageTree::default()
    };
    Draft {
        key: None,
        message: Arc::new(Message {
            tree,
            ..Message::default()
        }),
        props: [(tags::MESSAGE_FLAGS.tag(), OwnedValue::I32(0))]
            .into_iter()
            .collect(),
        prefix: Bytes::new(),
    }
}

/// A message to be sent.
pub(crate) fn letter(from: &str, to: &str, subject: &str) -> Draft {
    let sender = [
        (tags::SENT_REPRESENTING_ADDRESS_TYPE.tag(), text("SMTP")),
        (tags::SENT_REPRESENTING_EMAIL_ADDRESS.tag(), text(from)),
        (tags::SENT_REPRESENTING_SMTP_ADDRESS.tag(), text(from)),
        (tags::SENT_REPRESENTING_NAME.tag(), text(from)),
    ];
    let recipient = [
        (tags::RECIPIENT_TYPE.tag(), OwnedValue::I32(1)),
        (tags::DISPLAY_NAME.tag(), text(to)),
        (tags::ADDRESS_TYPE.tag(), text("SMTP")),
        (tags::EMAIL_ADDRESS.tag(), text(to)),
        (tags::SMTP_ADDRESS.tag(), text(to)),
    ];
    let mut draft = draft(subject);
    let tree = MessageTree {
        props: draft.message.tree.props.with(&sender, &[]),
        recipients: vec![PropBag::from_iter(recipient)],
        attachments: Vec::new(),
    };
    draft.key = Some(ItemKey(subject.as_bytes().into()));
    draft.message = Arc::new(Message {
        tree,
        ..Message::default()
    });
    draft
}

pub(crate) fn read() -> Change {
    Change {
        bits: vec![BitChange {
            tag: tags::MESSAGE_FLAGS.tag(),
            set: message_flags::READ,
            clear: 0,
        }],
        ..Change::default()
    }
}

pub(crate) fn mark() -> Change {
    Change {
        set: vec![(tags::FLAG_STATUS.tag(), OwnedValue::I32(2))],
        ..Change::default()
    }
}

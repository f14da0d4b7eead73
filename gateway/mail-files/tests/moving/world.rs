//! Mailboxes and folders of files to test with.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use account::{
    Account, Accounts, FileTime, Flags, FolderId, ItemNumber, MailboxId, NewItem, Options, Piece,
    Principal, Role,
};
use directory::Directory;
use mail_files::{Export, Format, Import, Progress, Report, Result, Tally};
use mapi_store::{Backend, MemBackend};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};

pub(crate) const ALICE: &str = "alice@example.test";
pub(crate) const BOB: &str = "bob@example.test";

/// A message outside of every mailbox: octets, flags, keywords, date.
pub(crate) type Message = (Vec<u8>, Flags, Vec<Box<str>>, i64);

pub(crate) struct World {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) files: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let backend: Arc<dyn Backend> = Arc::new(MemBackend::new());
        for user in [ALICE, BOB] {
            backend.provision(&MailboxId(user.into())).await.unwrap();
        }
        let directory = Arc::new(Directory::in_memory().unwrap());
        let accounts = Accounts::new(backend, directory, Options::default());
        let files = tempfile::tempdir().unwrap();
        Self { accounts, files }
    }

    pub(crate) fn place(&self) -> PathBuf {
        self.files.path().join("files")
    }

    pub(crate) async fn open(&self, user: &str) -> Account {
        let principal = Principal { user: user.into() };
        let mailbox = MailboxId(user.into());
        self.accounts.open(&principal, &mailbox).await.unwrap()
    }

    pub(crate) async fn append(&self, account: &Account, folder: FolderId, message: &Message) {
        let (octets, flags, keywords, received) = message.clone();
        let mut spool = self.accounts.spool();
        spool.write(&octets).await.unwrap();
        let item = NewItem {
            message: spool.finish().await.unwrap(),
            flags,
            keywords,
            received: FileTime::from_unix(received),
            once: None,
        };
        account.append(folder, vec![item]).await.unwrap();
    }

    pub(crate) async fn export(
        &self,
        user: &str,
        change: impl FnOnce(&mut Export),
    ) -> Result<Tally> {
        let mut options = Export {
            to: self.place(),
            format: Format::Maildir,
            folder: None,
            delete: false,
        };
        change(&mut options);
        let (report, _keep) = report();
        mail_files::export(&self.open(user).await, &options, &report).await
    }

    pub(crate) async fn import(
        &self,
        user: &str,
        change: impl FnOnce(&mut Import),
    ) -> Result<Tally> {
        let mut options = Import {
            from: self.place(),
            format: None,
            into: None,
            delete: false,
            journal: None,
        };
        change(&mut options);
        let (report, _keep) = report();
        let account = self.open(user).await;
        mail_files::import((&self.accounts, &account), &options, &report).await
    }
}

type Listeners = (watch::Receiver<Progress>, mpsc::Receiver<String>);

fn report() -> (Report, Listeners) {
    let (progress, shown) = watch::channel(Progress::default());
    let (remarks, said) = mpsc::channel(1000);
    (Report { progress, remarks }, (shown, said))
}

pub(crate) async fn inbox(account: &Account) -> FolderId {
    let tree = account.folders().await.unwrap();
    tree.role(Role::Inbox).unwrap().id
}

/// The messages of a folder.
pub(crate) async fn messages(account: &Account, folder: FolderId) -> Vec<Message> {
    let index = account.index(folder).await.unwrap();
    let mut messages = Vec::new();
    for item in index.iter() {
        let octets = octets(account, folder, item.number).await;
        let keywords = index.keywords().set(item.keywords).map(Box::from);
        let mut keywords: Vec<Box<str>> = keywords.collect();
        keywords.sort_unstable();
        messages.push((octets, item.flags, keywords, item.received));
    }
    messages
}

async fn octets(account: &Account, folder: FolderId, item: ItemNumber) -> Vec<u8> {
    let piece = Piece {
        item,
        range: 0..4 << 20,
    };
    let read = account.read(folder, &[piece]).await.unwrap();
    read[0].as_ref().unwrap().to_vec()
}

/// Messages by the path of their folder, for folders that have any.
pub(crate) async fn mailbox(account: &Account) -> BTreeMap<Vec<String>, Vec<Message>> {
    let tree = account.folders().await.unwrap();
    let mut all = BTreeMap::new();
    for folder in tree.iter() {
        let path = tree
            .path(folder.id)
            .into_iter()
            .map(str::to_owned)
            .collect();
        let messages = messages(account, folder.id).await;
        if !messages.is_empty() {
            all.insert(path, messages);
        }
    }
    all
}

/// The files of a folder that are messages.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.is_file());
    files.sort_unstable();
    files
}

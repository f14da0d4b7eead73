//! Mailboxes to test with.

use std::sync::Arc;

use account::{
    Account, Accounts, Expected, FileTime, FlagChange, Flags, FolderId, ItemNumber, MailboxId,
    NewItem, Options, Principal, Role, Spooled,
};
use directory::Directory;
use mapi_store::{Backend, MemBackend};

pub(crate) const ALICE: &str = "alice@example.test";
pub(crate) const BOB: &str = "bob@example.test";

pub(crate) const MESSAGE: &str = "From: Bob <bob@example.test>\r\nTo: alice@example.test\r\n\
    Subject: Lunch\r\n\r\nAt noon?\r\n";

/// Alice's and Bob's mailboxes.
pub(crate) struct World {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) accounts: Arc<Accounts>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Arc::new(MemBackend::new()), Options::default()).await
    }

    pub(crate) async fn with(backend: Arc<dyn Backend>, options: Options) -> Self {
        for user in [ALICE, BOB] {
            backend.provision(&MailboxId(user.into())).await.unwrap();
        }
        let accounts = accounts(&backend, options);
        Self { backend, accounts }
    }

    /// A user's own mailbox.
    pub(crate) async fn open(&self, user: &str) -> Account {
        self.open_as(user, user).await
    }

    pub(crate) async fn open_as(&self, user: &str, mailbox: &str) -> Account {
        self.accounts
            .open(&principal(user), &MailboxId(mailbox.into()))
            .await
            .unwrap()
    }

    pub(crate) async fn spooled(&self, message: impl AsRef<[u8]>) -> Spooled {
        let mut spool = self.accounts.spool();
        spool.write(message.as_ref()).await.unwrap();
        spool.finish().await.unwrap()
    }

    pub(crate) async fn append(
        &self,
        account: &Account,
        folder: FolderId,
        text: &str,
    ) -> ItemNumber {
        let item = self.item(text, Flags::NONE, &[]).await;
        account.append(folder, vec![item]).await.unwrap()[0].number
    }

    pub(crate) async fn append_with(
        &self,
        account: &Account,
        folder: FolderId,
        flags: Flags,
        keywords: &[&str],
    ) -> ItemNumber {
        let item = self.item(MESSAGE, flags, keywords).await;
        account.append(folder, vec![item]).await.unwrap()[0].number
    }

    async fn item(&self, text: &str, flags: Flags, keywords: &[&str]) -> NewItem {
        NewItem {
            message: self.spooled(text).await,
            flags,
            keywords: keywords.iter().map(|name| (*name).into()).collect(),
            received: FileTime::from_unix(1_700_000_000),
            once: None,
        }
    }
}

pub(crate) fn accounts(backend: &Arc<dyn Backend>, options: Options) -> Arc<Accounts> {
    let directory = Arc::new(Directory::in_memory().unwrap());
    Accounts::new(Arc::clone(backend), directory, options)
}

pub(crate) fn principal(user: &str) -> Principal {
    Principal { user: user.into() }
}

pub(crate) async fn inbox(account: &Account) -> FolderId {
    special(account, Role::Inbox).await
}

pub(crate) async fn special(account: &Account, role: Role) -> FolderId {
    account.folders().await.unwrap().role(role).unwrap().id
}

pub(crate) fn any(numbers: &[ItemNumber]) -> Vec<Expected> {
    numbers
        .iter()
        .map(|item| Expected {
            item: *item,
            version: None,
        })
        .collect()
}

pub(crate) fn add(flags: Flags) -> FlagChange {
    change(flags, Flags::NONE)
}

pub(crate) fn change(add: Flags, remove: Flags) -> FlagChange {
    FlagChange::Delta {
        add,
        remove,
        add_keywords: Vec::new(),
        remove_keywords: Vec::new(),
    }
}

pub(crate) async fn numbers(account: &Account, folder: FolderId) -> Vec<u32> {
    account
        .index(folder)
        .await
        .unwrap()
        .iter()
        .map(|item| item.number.0)
        .collect()
}

//! A server of our own, and the backend on it.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use exchange_standin::{Config, Server, model::message_changes::Deletion};
use mapi_store::{
    Backend, Error, ErrorKind, FolderInfo, Items, Principal, Query, Result, Role, Store, Table,
    Task, contract::Fixture,
};
use mapi_types::{FolderId, ItemNumber, MailboxId, RowSet, Version, tags};
use store_exchange::{
    Exchange, Options, Outage,
    auth::{Credentials, Password, Policy, Scheme, Secret},
    discover,
    http::{self, Client},
};
use store_openchange::OpenChange;
use tempfile::TempDir;

pub(crate) const ALICE: &str = "alice@example.test";
pub(crate) const BOB: &str = "bob@example.test";

/// How a backend is set up.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) discover: discover::Options,
    pub(crate) http: http::Options,
    pub(crate) options: Options,
}

impl Setup {
    /// One that finds mailboxes by Autodiscover.
    pub(crate) fn on(server: &Server) -> Self {
        Self {
            discover: discover::Options {
                autodiscover: Some(server.autodiscover_url().parse().unwrap()),
                ..discover::Options::default()
            },
            http: http::Options::default(),
            options: Options {
                domain: "example.test".to_owned(),
                render_ahead: false,
                ..Options::default()
            },
        }
    }

    pub(crate) fn backend(&self, mirrors: &Arc<OpenChange>) -> Arc<Exchange> {
        let client = Client::new(self.http.clone()).unwrap();
        let discover = self.discover.clone();
        Exchange::new(Arc::clone(mirrors), client, discover, self.options.clone())
    }
}

/// A server with alice, bob and carol, and a backend on it.
pub(crate) struct Standin {
    pub(crate) server: Server,
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) setup: Setup,
    mirrors: Arc<OpenChange>,
    provisioned: Mutex<HashSet<String>>,
    /// The mirrors' data folder; it goes with the subject.
    pub(crate) dir: TempDir,
}

impl Standin {
    pub(crate) fn start() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        Self::of(config, Outage::Refuse)
    }

    pub(crate) fn with_outage(outage: Outage) -> Self {
        Self::of(Config::default(), outage)
    }

    fn of(config: Config, outage: Outage) -> Self {
        let server = Server::start(config).unwrap();
        let mut setup = Setup::on(&server);
        setup.options.outage = outage;
        let dir = tempfile::tempdir().unwrap();
        Self::set_up(server, setup, dir)
    }

    /// With a backend of one's own choice, and its data in a folder of one's own choice.
    pub(crate) fn set_up(server: Server, setup: Setup, dir: TempDir) -> Self {
        let mirrors = OpenChange::open(dir.path(), store_openchange::Options::default()).unwrap();
        let mirrors = Arc::new(mirrors);
        Self {
            server,
            exchange: setup.backend(&mirrors),
            setup,
            mirrors,
            provisioned: Mutex::default(),
            dir,
        }
    }

    /// The gateway starts again: nothing is left but what lies on the disk.
    pub(crate) fn restart(&mut self) {
        self.exchange = self.setup.backend(&self.mirrors);
    }

    /// What no client may do and this one did. A batch releases what it opens, also where the server opened nothing;
    /// and what moves keeps its change key, whoever made that.
    pub(crate) fn violations(&self) -> Vec<String> {
        const FAIR: [&str; 2] = [
            "RopRelease of a handle that stands for nothing",
            "an uploaded change whose identifier only a server can have made",
        ];
        let mut all = self.server.violations();
        all.retain(|one| !FAIR.iter().any(|fair| one.ends_with(fair)));
        all
    }

    /// The mirrors' data folder.
    pub(crate) fn mirrors(&self) -> &Arc<OpenChange> {
        &self.mirrors
    }

    pub(crate) async fn sign_in(&self, user: &str) -> Result<Principal> {
        let (credentials, policy) = (credentials(user), policy());
        self.exchange.sign_in(user, credentials, policy).await
    }

    /// Alice's mailbox, and her Inbox.
    pub(crate) async fn alice(&self) -> (Arc<dyn Store>, FolderInfo) {
        let principal = self.sign_in(ALICE).await.unwrap();
        let mailbox = MailboxId(ALICE.to_owned());
        let store = self.exchange.logon(&principal, &mailbox).await.unwrap();
        let tree = store.hierarchy(Version(0)).await.unwrap();
        let inbox = tree
            .changed
            .into_iter()
            .find(|folder| folder.role == Some(Role::Inbox));
        let inbox = store.folder(inbox.unwrap().id).await.unwrap();
        (store, inbox)
    }

    pub(crate) fn into_fixture(self) -> Fixture {
        Fixture::new(Arc::new(self))
    }

    async fn provisioned(&self, mailbox: &MailboxId) -> Result<()> {
        self.sign_in(&mailbox.0).await?;
        match self.provisioned.lock().unwrap().insert(mailbox.0.clone()) {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Exists, "there is such a mailbox")),
        }
    }

    async fn open(&self, principal: &Principal, mailbox: &MailboxId) -> Result<Arc<dyn Store>> {
        if !self.provisioned.lock().unwrap().contains(&mailbox.0) {
            return Err(Error::new(ErrorKind::NotFound, "no such mailbox"));
        }
        if !principal.user.is_empty() {
            self.sign_in(&principal.user).await?;
        }
        self.exchange.logon(principal, mailbox).await
    }
}

/// What a user of the server signs in with.
pub(crate) fn credentials(user: &str) -> Credentials {
    let local = user.split('@').next().unwrap();
    Credentials::Password(Password {
        user: user.to_owned(),
        domain: None,
        secret: Secret::from(format!("secret-{local}")),
    })
}

pub(crate) fn policy() -> Policy {
    Policy {
        schemes: vec![Scheme::Basic],
    }
}

impl Backend for Standin {
    fn logon<'a>(
        &'a self,
        principal: &'a Principal,
        mailbox: &'a MailboxId,
    ) -> Task<'a, Arc<dyn Store>> {
        Box::pin(self.open(principal, mailbox))
    }

    fn provision<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        Box::pin(self.provisioned(mailbox))
    }

    fn remove<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        Box::pin(async move {
            match self.provisioned.lock().unwrap().remove(&mailbox.0) {
                true => {}
                false => return Err(Error::new(ErrorKind::NotFound, "no such mailbox")),
            }
            self.exchange.remove(mailbox).await?;
            // A mailbox goes from the server, too, before one of its name can be made again.
            let mailbox = self.server.mailbox(&mailbox.0);
            for message in mailbox.messages(mailbox.inbox().unwrap()).unwrap() {
                mailbox.delete(message.mid, Deletion::Hard).unwrap();
            }
            Ok(())
        })
    }
}

/// Number, flags and subject of everything in a folder.
pub(crate) async fn listing(store: &dyn Store, folder: &FolderInfo) -> RowSet {
    try_listing(store, folder.id).await.unwrap()
}

/// The same, where that may fail.
pub(crate) async fn try_listing(store: &dyn Store, folder: FolderId) -> Result<RowSet> {
    let columns = [
        tags::INTERNET_ARTICLE_NUMBER.tag(),
        tags::MESSAGE_FLAGS.tag(),
        tags::SUBJECT.tag(),
        tags::FLAG_STATUS.tag(),
    ];
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

/// Their numbers.
pub(crate) fn numbers(rows: &RowSet) -> Vec<ItemNumber> {
    let number = |row: mapi_types::Row<'_>| row.get(&tags::INTERNET_ARTICLE_NUMBER);
    rows.rows()
        .filter_map(number)
        .map(|number| ItemNumber(number.cast_unsigned()))
        .collect()
}

//! A backend on a server of the environment, with mailboxes nobody else has.

use std::{
    collections::HashMap,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use mapi_store::{Backend, Error, ErrorKind, Principal, Result, Store, Task, contract::Fixture};
use mapi_types::MailboxId;
use store_exchange::{
    Exchange, Options,
    auth::{Credentials, Password, Policy, Scheme, Secret},
    discover,
    http::{self, Client, TlsOptions},
};
use store_openchange::OpenChange;

/// A backend whose mailboxes are made on the server when the suite provisions them.
pub(crate) async fn fresh() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let mirrors = OpenChange::open(dir.path(), store_openchange::Options::default()).unwrap();
    let options = http::Options {
        tls: TlsOptions {
            pinned: pin(),
            ..TlsOptions::default()
        },
        ..http::Options::default()
    };
    let discover = discover::Options {
        autodiscover: Some(variable("EXCHANGE_AUTODISCOVER").parse().unwrap()),
        ..discover::Options::default()
    };
    let options = (Client::new(options).unwrap(), discover);
    let exchange = Exchange::new(
        Arc::new(mirrors),
        options.0,
        options.1,
        Options {
            domain: "example.test".to_owned(),
            ..Options::default()
        },
    );
    let server = Server {
        exchange,
        names: Mutex::default(),
    };
    Fixture::with_guard(Arc::new(server), dir)
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

fn pin() -> Option<[u8; 32]> {
    let hex = std::env::var("EXCHANGE_PIN").ok()?;
    let octets: Vec<u8> = (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap())
        .collect();
    Some(octets.try_into().unwrap())
}

/// The backend under test, which knows users of the suite by names of their own on the server.
struct Server {
    exchange: Arc<Exchange>,
    names: Mutex<HashMap<String, String>>,
}

const PASSWORD: &str = "contract-1";

static SERIAL: AtomicU32 = AtomicU32::new(0);

impl Server {
    fn name(&self, user: &str) -> Option<String> {
        self.names.lock().unwrap().get(user).cloned()
    }

    async fn make(&self, user: &str) -> Result<()> {
        if self.name(user).is_some() {
            return Err(Error::new(ErrorKind::Exists, "there is such a mailbox"));
        }
        let local = user.split('@').next().unwrap();
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let local = format!("{local}-{}-{serial}", std::process::id());
        let made = Command::new(variable("EXCHANGE_ADD_USER"))
            .args([&local, PASSWORD])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let address = format!("{local}@example.test");
        let credentials = Credentials::Password(Password {
            user: address.clone(),
            domain: None,
            secret: Secret::from(PASSWORD),
        });
        let policy = Policy {
            schemes: vec![Scheme::Basic],
        };
        self.exchange.sign_in(&address, credentials, policy).await?;
        self.names.lock().unwrap().insert(user.to_owned(), address);
        Ok(())
    }

    async fn open(&self, principal: &Principal, mailbox: &MailboxId) -> Result<Arc<dyn Store>> {
        let missing = || Error::new(ErrorKind::NotFound, "no such mailbox");
        let mailbox = self.name(&mailbox.0).ok_or_else(missing)?;
        if self.name(&principal.user).is_none() && !principal.user.is_empty() {
            self.make(&principal.user).await?;
        }
        let user = self.name(&principal.user).unwrap_or_default();
        self.exchange
            .logon(&Principal { user }, &MailboxId(mailbox))
            .await
    }
}

impl Backend for Server {
    fn logon<'a>(
        &'a self,
        principal: &'a Principal,
        mailbox: &'a MailboxId,
    ) -> Task<'a, Arc<dyn Store>> {
        Box::pin(self.open(principal, mailbox))
    }

    fn provision<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        Box::pin(self.make(&mailbox.0))
    }

    fn remove<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        Box::pin(async move {
            let name = self.names.lock().unwrap().remove(&mailbox.0);
            let name = name.ok_or_else(|| Error::new(ErrorKind::NotFound, "no such mailbox"))?;
            self.exchange.remove(&MailboxId(name)).await
        })
    }
}

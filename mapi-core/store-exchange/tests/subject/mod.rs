//! A backend on a server of the environment, with mailboxes nobody else has.

mod named;
mod server;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use mapi_store::{
    Backend, Error, ErrorKind, Principal, Result, Role, Store, Task, contract::Fixture,
};
use mapi_types::{MailboxId, Version};
use store_exchange::Exchange;

use self::{
    named::Named,
    server::{account, gateway, sign_in},
};

/// A backend whose mailboxes are made on the server when the suite provisions them.
pub(crate) async fn fresh() -> Fixture {
    let (exchange, dir) = gateway();
    let server = Arc::new(Server {
        exchange,
        names: Mutex::default(),
        cleared: Mutex::default(),
    });
    Fixture::with_guard(Arc::new(Subject(server)), dir)
}

/// The backend under test.
struct Subject(Arc<Server>);

/// The server with the users of the suite, who have names of their own there.
struct Server {
    exchange: Arc<Exchange>,
    names: Mutex<HashMap<String, String>>,
    /// Mailboxes in which nobody else has a right any more that the server gives everybody in a new one.
    cleared: Mutex<HashSet<MailboxId>>,
}

impl Server {
    fn name(&self, user: &str) -> Option<String> {
        self.names.lock().unwrap().get(user).cloned()
    }

    /// The user of the suite behind a name on the server.
    fn user_of(&self, name: &str) -> Option<String> {
        let names = self.names.lock().unwrap();
        let mut names = names.iter();
        names
            .find(|(_, known)| *known == name)
            .map(|(user, _)| user.clone())
    }

    /// The name of a user on the server, who is made if the suite has only talked of them.
    async fn known(&self, user: &str) -> Result<String> {
        if self.name(user).is_none() {
            self.make(user).await?;
        }
        Ok(self.name(user).unwrap())
    }

    async fn make(&self, user: &str) -> Result<()> {
        if self.name(user).is_some() {
            return Err(Error::new(ErrorKind::Exists, "there is such a mailbox"));
        }
        let address = account(user.split('@').next().unwrap());
        sign_in(&self.exchange, &address).await?;
        self.names.lock().unwrap().insert(user.to_owned(), address);
        Ok(())
    }

    async fn open(&self, principal: &Principal, mailbox: &MailboxId) -> Result<Arc<dyn Store>> {
        let missing = || Error::new(ErrorKind::NotFound, "no such mailbox");
        let mailbox = MailboxId(self.name(&mailbox.0).ok_or_else(missing)?);
        let user = match principal.user.is_empty() {
            true => String::new(),
            false => self.known(&principal.user).await?,
        };
        if user != mailbox.0 {
            self.clear(&mailbox).await?;
        }
        self.exchange.logon(&Principal { user }, &mailbox).await
    }

    /// The suite's mailboxes begin without permissions; servers let everybody see some folders of a new one.
    async fn clear(&self, mailbox: &MailboxId) -> Result<()> {
        if !self.cleared.lock().unwrap().insert(mailbox.clone()) {
            return Ok(());
        }
        let user = mailbox.0.clone();
        let store = self.exchange.logon(&Principal { user }, mailbox).await?;
        for folder in store.hierarchy(Version(0)).await?.changed {
            if folder.role == Some(Role::Calendar) {
                store.set_permissions(folder.id, &[]).await?;
            }
        }
        Ok(())
    }
}

impl Backend for Subject {
    fn logon<'a>(
        &'a self,
        principal: &'a Principal,
        mailbox: &'a MailboxId,
    ) -> Task<'a, Arc<dyn Store>> {
        Box::pin(async move {
            let server = Arc::clone(&self.0);
            let inner = server.open(principal, mailbox).await?;
            Ok(Arc::new(Named { inner, server }) as Arc<dyn Store>)
        })
    }

    fn provision<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        Box::pin(self.0.make(&mailbox.0))
    }

    fn remove<'a>(&'a self, mailbox: &'a MailboxId) -> Task<'a, ()> {
        Box::pin(async move {
            let name = self.0.names.lock().unwrap().remove(&mailbox.0);
            let name = name.ok_or_else(|| Error::new(ErrorKind::NotFound, "no such mailbox"))?;
            self.0.exchange.remove(&MailboxId(name)).await
        })
    }
}

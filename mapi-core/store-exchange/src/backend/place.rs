//! Where a user's mailbox is, and with which credentials of the user that is asked.

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use mapi_wire::Guid;

use super::lock;
use crate::{
    Options,
    auth::oauth::Brought,
    discover::Locator,
    fault::Result,
    session::{Locate, Located},
};

/// Where a user's mailbox is, asked for with the credentials that were given last. Sessions outlive these.
pub(super) struct Place {
    current: Mutex<Current>,
    /// An administrator gave the credentials: what the user signs in with does not take their place.
    pub(super) configured: bool,
}

struct Current {
    locator: Arc<Locator>,
    /// How many credentials there have been before these.
    number: u64,
    /// The server has refused these.
    refused: bool,
    /// The mailbox that they opened when they were given.
    mailbox: Option<Guid>,
    /// The tokens, if they are such that the user's programs brought.
    brought: Option<Arc<Brought>>,
}

impl Place {
    /// Nobody is asked yet.
    pub(super) fn new(locator: Locator, configured: bool) -> Arc<Self> {
        Self::with_tokens(locator, configured, None)
    }

    /// The same with tokens that one of the user's programs brought, which the locator's credentials are.
    pub(super) fn with_tokens(
        locator: Locator,
        configured: bool,
        brought: Option<Arc<Brought>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            current: Mutex::new(Current {
                locator: Arc::new(locator),
                number: 0,
                refused: false,
                mailbox: None,
                brought,
            }),
            configured,
        })
    }

    /// Takes note of the mailbox that the credentials have opened.
    pub(super) fn opened(&self, mailbox: Guid) {
        lock(&self.current).mailbox = Some(mailbox);
    }

    /// Whether both have opened mailboxes, and not the same.
    pub(super) fn is_of_another_mailbox(&self, other: &Self) -> bool {
        let (own, other) = (lock(&self.current).mailbox, lock(&other.current).mailbox);
        own.zip(other).is_some_and(|(own, other)| own != other)
    }

    pub(super) fn is_refused(&self) -> bool {
        lock(&self.current).refused
    }

    /// Whether the credentials are the user's own and as good as when they were given.
    pub(super) fn is_trusted(&self) -> bool {
        !self.configured && !self.is_refused()
    }

    pub(super) fn locator(&self) -> Arc<Locator> {
        Arc::clone(&lock(&self.current).locator)
    }

    /// Whether the credentials are a program's own, which say nothing of what the user may.
    pub(super) fn is_programs(&self) -> bool {
        self.locator().credentials().are_programs()
    }

    /// Takes the credentials of another for what comes. Tokens stay for when those of the other have ended; and a
    /// person's good credentials stay before those of a program, which would let that person into every mailbox.
    pub(super) fn become_like(&self, other: &Self) {
        if other.is_programs() && !self.is_programs() && !self.is_refused() {
            return;
        }
        let (locator, mailbox, brought) = {
            let other = lock(&other.current);
            let brought = other.brought.clone();
            (Arc::clone(&other.locator), other.mailbox, brought)
        };
        let mut current = lock(&self.current);
        if let (Some(new), Some(old)) = (&brought, &current.brought) {
            new.join(old);
        }
        *current = Current {
            locator,
            number: current.number + 1,
            refused: false,
            mailbox: mailbox.or(current.mailbox),
            brought,
        };
    }

    /// The primary address of the mailbox, if it is of the domain of the one given or another that the server speaks
    /// for: of no other does it say whose it is.
    pub(super) async fn primary_address(&self, given: String, options: &Options) -> String {
        let found = self.locator().find(false).await;
        let primary = found.ok().and_then(|found| found.smtp_address.clone());
        let domain = |address: &str| address.rsplit_once('@').map(|(_, of)| of.to_owned());
        match primary.map(|primary| primary.to_lowercase()) {
            Some(primary) if domain(&primary) == domain(&given) => primary,
            Some(primary) if domain(&primary).is_some_and(|of| options.speaks_for(&of)) => primary,
            _ => given,
        }
    }
}

impl Locate for Place {
    fn locate(&self, anew: bool) -> BoxFuture<'_, Result<Located>> {
        let locator = self.locator();
        Box::pin(async move { locator.locate(anew).await })
    }

    fn credentials(&self) -> u64 {
        lock(&self.current).number
    }

    fn refused(&self, credentials: u64) -> bool {
        let mut current = lock(&self.current);
        if current.number == credentials {
            current.refused = true;
        }
        !current.refused
    }
}

//! Addresses of a domain on Exchange: whose they are, by who has signed in and by the address book.

use std::time::Duration;

use account::{Error, ErrorKind, MailboxId};
use directory::Address;
use store_exchange::{
    Exchange,
    address_book::{Entry, EntryKind},
};
use tokio::time::timeout;

/// How long looking up an address may take: a mail server waits for it.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an answer of the address book is remembered: mail for unknown addresses comes in swarms.
const OWNERS_KEPT: Duration = Duration::from_secs(60);
/// The most addresses that are remembered.
const OWNERS_MAX: u64 = 10_000;

/// What the address book said a moment ago.
pub(super) struct Addresses {
    owners: moka::sync::Cache<String, Option<Owner>>,
}

/// Who has an address.
#[derive(Clone, Debug)]
enum Owner {
    /// A mailbox, by its primary address.
    Mailbox(MailboxId),
    /// A list, a contact, a public folder.
    Other,
}

impl Owner {
    fn of(entry: &Entry) -> Self {
        match (entry.kind, &entry.smtp_address) {
            (EntryKind::Mailbox | EntryKind::Room | EntryKind::Equipment, Some(address)) => {
                Self::Mailbox(mailbox(address))
            }
            _ => Self::Other,
        }
    }
}

impl Addresses {
    /// Nobody has been asked.
    pub(super) fn new() -> Self {
        let owners = moka::sync::Cache::builder()
            .max_capacity(OWNERS_MAX)
            .time_to_live(OWNERS_KEPT)
            .build();
        Self { owners }
    }

    /// The mailbox that mail for an address goes to.
    ///
    /// Errors: `NotFound` (nobody there has this address), `Denied` (it is no mailbox's), `Unavailable` (nobody can tell
    /// now, or nobody has the key to the mailbox).
    pub(super) async fn resolve(
        &self,
        exchange: &Exchange,
        address: &Address,
    ) -> account::Result<Vec<MailboxId>> {
        let known = |address: &Address| {
            let mailbox = MailboxId(address.to_string());
            exchange.can_open(&mailbox).then_some(mailbox)
        };
        let plain = address.without_detail();
        if let Some(mailbox) = known(address).or_else(|| plain.as_ref().and_then(known)) {
            return Ok(vec![mailbox]);
        }
        let mut found = self.look_up(exchange, address).await?;
        if let (None, Some(plain)) = (&found, &plain) {
            found = self.look_up(exchange, plain).await?;
        }
        let mailbox = match found {
            None => return Err(Error::new(ErrorKind::NotFound, "nobody has this address")),
            Some(Owner::Other) => {
                return Err(Error::new(
                    ErrorKind::Denied,
                    "the address is not that of a mailbox",
                ));
            }
            Some(Owner::Mailbox(mailbox)) => mailbox,
        };
        match exchange.can_open(&mailbox) {
            true => Ok(vec![mailbox]),
            false => Err(Error::new(
                ErrorKind::Unavailable,
                "the mailbox's owner has not signed in since the gateway started",
            )),
        }
    }

    /// The mailbox that has an address, by the address book. It is that of the address itself where the book does not
    /// name another one, says nothing, or cannot be asked.
    pub(super) async fn owner(&self, exchange: &Exchange, address: &Address) -> MailboxId {
        let asked = MailboxId(address.to_string());
        if exchange.can_open(&asked) {
            return asked;
        }
        match self.look_up(exchange, address).await {
            Ok(Some(Owner::Mailbox(owner))) => owner,
            _ => asked,
        }
    }

    /// Who has an address, by the address book.
    async fn look_up(
        &self,
        exchange: &Exchange,
        address: &Address,
    ) -> account::Result<Option<Owner>> {
        let text = address.to_string();
        if let Some(known) = self.owners.get(&text) {
            return Ok(known);
        }
        let asked = timeout(LOOK_UP_TIMEOUT, exchange.find_address(&text)).await;
        let late = || Error::new(ErrorKind::Unavailable, "the address book did not answer");
        let entry = asked.unwrap_or_else(|_| Err(late())).map_err(|error| {
            // Whoever may not ask does not know that nobody is there.
            Error::with_source(
                ErrorKind::Unavailable,
                "the address book says nothing",
                error,
            )
        })?;
        let owner = entry.map(|entry| Owner::of(&entry));
        self.owners.insert(text, owner.clone());
        Ok(owner)
    }
}

/// The mailbox of an address, as every part of the gateway writes it.
pub(super) fn mailbox(address: &str) -> MailboxId {
    match Address::parse(address) {
        Ok(address) => MailboxId(address.to_string()),
        Err(_) => MailboxId(address.to_lowercase()),
    }
}

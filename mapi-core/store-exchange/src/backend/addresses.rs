//! Addresses: who has one.

use mapi_store::{Error, ErrorKind, Result};

use super::{Exchange, User, lock, opening::missing};
use crate::{
    address_book::{Details, Entry, EntryKind},
    discover::{Reason, Subject},
    fault::Fault,
    http::Url,
};

impl Exchange {
    /// Who has an address, by the address book, and where that cannot be read (over RPC, and where there is none) by
    /// Autodiscover, which knows mailboxes alone. Configured accounts are asked first, then whoever has signed in.
    ///
    /// One request. Errors: `Unavailable` (nobody can ask, too), `Unsupported` (neither can be asked here), `Throttled`.
    pub async fn find_address(&self, address: &str) -> Result<Option<Entry>> {
        let user = self.asker().ok_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                "nobody has signed in who could ask the address book",
            )
        })?;
        match user.book.with_address(address).await {
            Err(Fault::Denied(why)) => {
                tracing::debug!(why, "Autodiscover is asked who has an address");
                find_mailbox(&user, address).await
            }
            answer => Ok(answer?),
        }
    }

    /// Where a mailbox of this organisation is, as the last search for one found it. Nobody is asked unless that is old.
    pub async fn server_url(&self) -> Option<Url> {
        let asker = self.asker()?;
        let found = asker.place.locator().find(false).await.ok()?;
        Some(found.url.clone())
    }

    /// Somebody whose credentials are good.
    fn asker(&self) -> Option<User> {
        let users = lock(&self.users);
        let good = |user: &&User| !user.place.is_refused();
        let configured = users
            .values()
            .filter(good)
            .find(|user| user.place.configured);
        configured.or_else(|| users.values().find(good)).cloned()
    }
}

/// The mailbox with an address.
async fn find_mailbox(user: &User, address: &str) -> Result<Option<Entry>> {
    let subject = Subject::Address(address.to_owned());
    let failure = match user.place.locator().find_other(&subject, false).await {
        Ok(found) => {
            let smtp_address = found.smtp_address.clone();
            let name = found.display_name.clone();
            return Ok(Some(Entry {
                display_name: name.unwrap_or_else(|| address.to_owned()),
                smtp_address: Some(smtp_address.unwrap_or_else(|| address.to_owned())),
                dn: found.legacy_dn.clone(),
                kind: EntryKind::Mailbox,
                details: Details::default(),
            }));
        }
        Err(failure) => failure,
    };
    match failure.reason {
        Reason::Unknown(_) => Ok(None),
        Reason::NotAsked => Err(Error::with_source(
            ErrorKind::Unsupported,
            "neither the address book nor Autodiscover can be asked who has an address",
            failure,
        )),
        _ => Err(missing(failure)),
    }
}

//! Addresses: who has one.

use mapi_store::{Error, ErrorKind, Result};

use super::{Exchange, User, lock};
use crate::{address_book::Entry, http::Url};

impl Exchange {
    /// Who has an address, by the address book. Configured accounts are asked first, then whoever has signed in.
    ///
    /// One request. Errors: `Unavailable` (nobody can ask, too), `Denied` (there is no address book), `Throttled`.
    pub async fn find_address(&self, address: &str) -> Result<Option<Entry>> {
        let user = self.asker().ok_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                "nobody has signed in who could ask the address book",
            )
        })?;
        Ok(user.book.with_address(address).await?)
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

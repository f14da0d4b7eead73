//! Letting users in: by whatever they bring, checked by the server, and never by a session that is there already.

use std::sync::Arc;

use mapi_store::{Principal, Result};
use mapi_types::MailboxId;

use super::{
    Exchange, Place, User,
    entrance::{Brings, Entered},
    lock,
};
use crate::{
    auth::{Credentials, Policy, Secret},
    discover::Found,
};

impl Exchange {
    /// Lets a user in: finds the mailbox and connects with these credentials, which are kept in memory alone.
    ///
    /// The principal has the mailbox's primary address, where that is of a domain of this server: an alias leads to the
    /// same mailbox, the same sessions and the same mirror. Whoever has signed in before goes on with these credentials
    /// from the next session context on. Errors: `Unauthenticated`, `Denied` (not as the owner, too), `Unavailable`,
    /// `Throttled`.
    pub async fn sign_in(
        &self,
        address: &str,
        credentials: Credentials,
        policy: Policy,
    ) -> Result<Principal> {
        self.let_in(address, Brings::credentials(credentials, policy))
            .await
    }

    /// The same with a token that somebody brought: it must open the mailbox of this address, and where it says whose it
    /// is, that must be the mailbox's owner. It is used until it ends, or until the next one comes. A program's token
    /// opens every mailbox.
    pub async fn sign_in_with_token(&self, address: &str, token: Secret) -> Result<Principal> {
        self.let_in(address, Brings::token(token)?).await
    }

    async fn let_in(&self, address: &str, brings: Brings) -> Result<Principal> {
        let Entered {
            name,
            place,
            sessions,
        } = self.entrance.enter(address, brings).await?;
        let mut users = lock(&self.users);
        match users.get(&name) {
            Some(user) if user.place.configured => {}
            Some(user) if !user.place.is_of_another_mailbox(&place) => {
                user.place.become_like(&place);
            }
            known => {
                if known.is_some() {
                    tracing::warn!(user = name, "the server has another mailbox of this name");
                    // Whoever has the old one open has seen the last of it.
                    lock(&self.mailboxes).remove(&MailboxId(name.clone()));
                }
                users.insert(name.clone(), User::new(sessions, place));
            }
        }
        Ok(Principal { user: name })
    }

    /// Asks the server whether it takes these credentials of somebody who has signed in before. Two requests; none when
    /// the server has refused what the user signed in with since, or nobody has: then the answer is `false`.
    ///
    /// Errors: `Unauthenticated`, `Denied`, `Unavailable`, `Throttled`.
    pub async fn confirm(
        &self,
        user: &str,
        credentials: Credentials,
        policy: Policy,
    ) -> Result<bool> {
        let known = lock(&self.users).get(user).cloned();
        let Some(known) = known.filter(|known| known.place.is_trusted()) else {
            return Ok(false);
        };
        let found: Arc<Found> = match known.place.locator().find(false).await {
            Ok(found) => found,
            Err(_) => return Ok(false),
        };
        let brings = Brings::credentials(credentials, policy);
        let place = self.entrance.confirm(user, brings, found).await?;
        Ok(!known.place.is_of_another_mailbox(&place))
    }

    /// Whether a user has signed in, and the server has not refused the credentials since.
    pub fn is_signed_in(&self, address: &str) -> bool {
        let users = lock(&self.users);
        users
            .get(address)
            .is_some_and(|user| user.place.is_trusted())
    }

    /// Whether there are credentials for a mailbox that the server has not refused.
    pub fn can_open(&self, mailbox: &MailboxId) -> bool {
        let users = lock(&self.users);
        let user = users.get(&mailbox.0);
        user.is_some_and(|user| !user.place.is_refused())
    }

    /// Gives credentials for a mailbox that must work although nobody signs in, or other ones than before. Nothing is
    /// asked of the server yet.
    pub fn add_account(&self, address: &str, credentials: Credentials, policy: Policy) {
        let name = address.to_lowercase();
        let place = Place::new(self.entrance.locator(&name, credentials, policy), true);
        let mut users = lock(&self.users);
        match users.get(&name) {
            Some(user) if user.place.configured => user.place.become_like(&place),
            _ => {
                users.insert(name, User::new(self.entrance.sessions(&place), place));
            }
        }
    }
}

//! Letting users in: by whatever they bring, checked by the server, and never by a session that is there already.
//!
//! Every check begins a session of its own, with what was brought and nothing else. A session of before says only that
//! its own credentials were good once: over NTLM and Kerberos it goes on whatever becomes of the password.

use std::sync::Arc;

use mapi_store::{Error, ErrorKind, Principal, Result};
use mapi_types::MailboxId;

use super::{Exchange, Place, User, lock, remote};
use crate::{
    auth::{
        Credentials, Policy, Scheme, Secret,
        oauth::{Brought, Claims},
    },
    discover::{self, Found, Locator, Subject},
    remote::Sessions,
    session::{Locate, Session, Times},
};

/// What somebody brings.
struct Brings {
    credentials: Credentials,
    policy: Policy,
    /// Whom a token names: in the end it must be the one whose mailbox it opens.
    named: Vec<String>,
}

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
        let brings = Brings {
            credentials,
            policy,
            named: Vec::new(),
        };
        self.let_in(address, brings).await
    }

    /// The same with a token that somebody brought: it must open the mailbox of this address, and where it says whose it
    /// is, that must be the mailbox's owner. It is used until it ends, or until the next one comes.
    pub async fn sign_in_with_token(&self, address: &str, token: Secret) -> Result<Principal> {
        let claims = Claims::of(&token);
        let brought = Brought::new(token, claims.lifetime());
        if brought.is_over() {
            return Err(Error::new(
                ErrorKind::Unauthenticated,
                "the token has ended",
            ));
        }
        let brings = Brings {
            credentials: Credentials::Bearer(Arc::new(brought)),
            policy: Policy {
                schemes: vec![Scheme::Bearer],
            },
            named: claims.names,
        };
        self.let_in(address, brings).await
    }

    async fn let_in(&self, address: &str, brings: Brings) -> Result<Principal> {
        let given = address.to_lowercase();
        let named = brings.named;
        let place = Place::new(
            self.locator(&given, brings.credentials, brings.policy),
            false,
        );
        let session = self.open_own(&place).await?;
        check_names(&place, &named).await?;
        let name = place.primary_address(given, &self.options).await;
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
                let sessions = Sessions {
                    front: session,
                    back: self.session(&place),
                };
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
        let locator = self.locator(user, credentials, policy).knowing(found);
        let place = Place::new(locator, false);
        self.open_own(&place).await?;
        Ok(!known.place.is_of_another_mailbox(&place))
    }

    /// Begins a session and opens the user's own mailbox. Errors: those of the server; `Denied` when it opens, but not
    /// as the owner's.
    async fn open_own(&self, place: &Arc<Place>) -> Result<Session> {
        let session = self.session(place);
        let sessions = Sessions {
            front: session.clone(),
            back: session.clone(),
        };
        let logon = remote(&sessions, place).await?.logon().await?;
        if !logon.owner {
            return Err(Error::new(
                ErrorKind::Denied,
                "the mailbox is not the user's own",
            ));
        }
        place.opened(logon.mailbox_guid);
        Ok(session)
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
        let place = Place::new(self.locator(&name, credentials, policy), true);
        let mut users = lock(&self.users);
        match users.get(&name) {
            Some(user) if user.place.configured => user.place.become_like(&place),
            _ => {
                let sessions = Sessions {
                    front: self.session(&place),
                    back: self.session(&place),
                };
                users.insert(name, User::new(sessions, place));
            }
        }
    }

    fn locator(&self, name: &str, credentials: Credentials, policy: Policy) -> Locator {
        let user = discover::User {
            address: name.to_owned(),
            credentials,
            policy,
        };
        Locator::new(self.client.clone(), user, self.discover.clone())
    }

    pub(super) fn session<L: Locate + 'static>(&self, place: &Arc<L>) -> Session {
        let times = Times {
            busy_max: self.options.busy_max,
            unused_max: self.options.unused_max,
        };
        Session::start(Arc::clone(place) as Arc<dyn Locate>, times)
    }
}

/// Whether a token that names somebody names the owner of the mailbox it opened: full access to somebody else's mailbox
/// does not make anybody its owner.
///
/// The server has taken the token by now, so what it says is the issuer's word. Errors: `Unauthenticated`, and those of
/// the server when it must be asked who that is.
async fn check_names(place: &Place, named: &[String]) -> Result<()> {
    if named.is_empty() {
        return Ok(());
    }
    let locator = place.locator();
    let own = locator.find(false).await.map_err(super::opening::missing)?;
    for name in named {
        let subject = Subject::Address(name.clone());
        match locator.find_other(&subject, false).await {
            Ok(found) if found.legacy_dn.eq_ignore_ascii_case(&own.legacy_dn) => return Ok(()),
            Ok(_) => {}
            Err(failure) => tracing::debug!(%failure, "whom a token names was not found"),
        }
    }
    Err(Error::new(
        ErrorKind::Unauthenticated,
        "the token is somebody else's",
    ))
}

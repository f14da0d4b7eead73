//! Coming in: a session of its own for every check, with what was brought and nothing else.
//!
//! A session of before says only that its own credentials were good once: over NTLM and Kerberos it goes on whatever
//! becomes of the password.

use std::sync::Arc;

use mapi_store::{Error, ErrorKind, Principal, Result};

use super::{
    Place,
    ownership::{self, Whose},
    remote,
};
use crate::{
    Options,
    auth::{
        Credentials, Policy, Scheme, Secret,
        oauth::{Brought, Claims, TokenSource},
    },
    discover::{self, Found, Locator},
    http::Client,
    remote::Sessions,
    session::{Locate, Session, Times},
};

/// Where users come in to the mailboxes of one organisation: the server says whose they are.
#[derive(Clone)]
pub struct Entrance {
    pub(super) client: Client,
    pub(super) discover: discover::Options,
    pub(super) options: Options,
}

/// What somebody brings.
pub(super) struct Brings {
    credentials: Credentials,
    policy: Policy,
    whose: Whose,
    /// The token, if it is one.
    brought: Option<Arc<Brought>>,
}

/// Somebody who has come in.
pub(super) struct Entered {
    /// The mailbox's primary address, or the one given.
    pub(super) name: String,
    pub(super) place: Arc<Place>,
    pub(super) sessions: Sessions,
}

impl Brings {
    /// Credentials that do not say whose they are.
    pub(super) const fn credentials(credentials: Credentials, policy: Policy) -> Self {
        Self {
            credentials,
            policy,
            whose: Whose::Unsaid,
            brought: None,
        }
    }

    /// A token. Errors: `Unauthenticated` when it has ended by its own word.
    pub(super) fn token(token: Secret) -> Result<Self> {
        let claims = Claims::of(&token);
        let brought = Brought::new(token, claims.lifetime(), claims.is_programs);
        if brought.is_over() {
            return Err(Error::new(
                ErrorKind::Unauthenticated,
                "the token has ended",
            ));
        }
        let brought = Arc::new(brought);
        Ok(Self {
            credentials: Credentials::Bearer(Arc::clone(&brought) as Arc<dyn TokenSource>),
            brought: Some(brought),
            policy: Policy {
                schemes: vec![Scheme::Bearer],
            },
            whose: match claims.names {
                _ if claims.is_programs => Whose::Program,
                names if names.is_empty() => Whose::Unsaid,
                names => Whose::Named(names),
            },
        })
    }
}

impl Entrance {
    /// Nobody is asked yet.
    pub const fn new(client: Client, discover: discover::Options, options: Options) -> Self {
        Self {
            client,
            discover,
            options,
        }
    }

    /// Who owns the mailbox of this address, by a token that its owner consented to. Nothing of it is kept.
    ///
    /// Errors: those of [`super::Exchange::sign_in_with_token`]; a program's own token is nobody's consent.
    pub async fn owner_by_consent(&self, address: &str, token: Secret) -> Result<Principal> {
        let mut brings = Brings::token(token)?;
        if matches!(brings.whose, Whose::Program) {
            brings.whose = Whose::Unsaid;
        }
        let entered = self.enter(address, brings).await?;
        Ok(Principal { user: entered.name })
    }

    /// Finds the mailbox of an address, opens it as its owner, and makes sure that its owner is who asks.
    ///
    /// Errors: `Unauthenticated`, `Denied` (somebody else's, too), `Unavailable`, `Throttled`.
    pub(super) async fn enter(&self, address: &str, brings: Brings) -> Result<Entered> {
        let given = address.to_lowercase();
        let locator = self.locator(&given, brings.credentials, brings.policy);
        let place = Place::with_tokens(locator, false, brings.brought);
        let sessions = self.open_own(&place, &brings.whose).await?;
        let name = place.primary_address(given, &self.options).await;
        Ok(Entered {
            name,
            place,
            sessions,
        })
    }

    /// Asks the server whether it still takes credentials that came in before, for the mailbox that they opened.
    pub(super) async fn confirm(
        &self,
        user: &str,
        brings: Brings,
        found: Arc<Found>,
    ) -> Result<Arc<Place>> {
        let locator = self.locator(user, brings.credentials, brings.policy);
        let place = Place::new(locator.knowing(found), false);
        // Whose they are was asked when they came first.
        self.open_own(&place, &Whose::Program).await?;
        Ok(place)
    }

    /// Begins a session and opens the user's own mailbox. Errors: those of the server, and of [`ownership::check`].
    async fn open_own(&self, place: &Arc<Place>, whose: &Whose) -> Result<Sessions> {
        let sessions = self.sessions(place);
        // Where nobody says where it is, there is nothing to try.
        place.locate(false).await?;
        let logon = remote(&sessions).logon().await?;
        // Boxed, for it is rare and deep.
        Box::pin(ownership::check(place, &logon, whose)).await?;
        place.opened(logon.mailbox_guid);
        Ok(sessions)
    }

    pub(super) fn locator(&self, name: &str, credentials: Credentials, policy: Policy) -> Locator {
        let user = discover::User {
            address: name.to_owned(),
            credentials,
            policy,
        };
        Locator::new(self.client.clone(), user, self.discover.clone())
    }

    pub(super) fn sessions<L: Locate + 'static>(&self, place: &Arc<L>) -> Sessions {
        let times = Times {
            busy_max: self.options.busy_max,
            unused_max: self.options.unused_max,
        };
        Sessions::new(|hearing| {
            Session::start(Arc::clone(place) as Arc<dyn Locate>, times, hearing)
        })
    }
}

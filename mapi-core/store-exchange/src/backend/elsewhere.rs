//! Sessions of a user with servers that do not have the user's own mailbox.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use futures_util::future::BoxFuture;

use super::{Place, lock};
use crate::{
    discover::Subject,
    fault,
    http::Url,
    remote::Sessions,
    session::{Locate, Located},
};

/// The most servers a user has sessions with beside the own one.
const SERVERS_MAX: usize = 32;

/// Sessions by the URL they began with.
#[derive(Default)]
pub(super) struct Elsewhere(Mutex<HashMap<Url, Sessions>>);

impl Elsewhere {
    /// The sessions with a server, made where there are none.
    pub(super) fn sessions(&self, url: &Url, make: impl FnOnce() -> Sessions) -> Sessions {
        let mut all = lock(&self.0);
        if let Some(sessions) = all.get(url) {
            return sessions.clone();
        }
        if all.len() >= SERVERS_MAX {
            // Whoever uses one of them has it.
            all.clear();
        }
        all.entry(url.clone()).or_insert_with(make).clone()
    }
}

/// Where the mailbox of another is, for a user's session.
pub(super) struct OtherPlace {
    pub(super) own: Arc<Place>,
    pub(super) subject: Subject,
}

impl Locate for OtherPlace {
    fn locate(&self, anew: bool) -> BoxFuture<'_, fault::Result<Located>> {
        Box::pin(async move {
            let locator = self.own.locator();
            let own = locator.find(false).await?;
            let other = locator.find_other(&self.subject, anew).await?;
            Ok(Located {
                server: locator.server(other.transport, other.url.clone()),
                user_dn: own.legacy_dn.as_str().into(),
            })
        })
    }

    fn credentials(&self) -> u64 {
        self.own.credentials()
    }

    fn refused(&self, credentials: u64) -> bool {
        self.own.refused(credentials)
    }
}

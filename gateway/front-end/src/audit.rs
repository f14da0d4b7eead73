//! One line in the log for each login that ended: who, from where, by what, and why not. No secret is in it.

use std::{fmt, net::IpAddr};

use account::{Accounts, Principal, Service};

use crate::Peer;

/// A name of nobody here is not written down: it may be a password in the wrong place.
const NOBODY: &str = "(unknown)";
/// No name was said.
const NO_NAME: &str = "";

/// What the log says of a login, however it ends.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) service: Service,
    pub(crate) addr: Option<IpAddr>,
    mechanism: &'static str,
    connection: u64,
    user: String,
}

/// Writes down that a client's certificate was not good: the connection is over before anybody logged in.
pub(crate) fn certificate_refused(addr: Option<IpAddr>, reason: impl fmt::Display) {
    tracing::info!(target: "audit", ?addr, %reason, "client certificate refused");
}

impl Record {
    /// A login that nobody has a name in yet.
    pub(crate) fn new(service: Service, mechanism: &'static str, peer: &Peer) -> Self {
        Self {
            service,
            mechanism,
            addr: peer.addr,
            connection: peer.id,
            user: NO_NAME.to_owned(),
        }
    }

    /// The same of somebody who says to be this.
    pub(crate) fn of(&self, accounts: &Accounts, user: &str) -> Self {
        let user = match user {
            "" => NO_NAME.to_owned(),
            user => accounts.log_name(user).unwrap_or_else(|| NOBODY.to_owned()),
        };
        Self {
            user,
            ..self.clone()
        }
    }

    pub(crate) fn accepted(&self, principal: &Principal) {
        let Self {
            service,
            mechanism,
            addr,
            connection,
            ..
        } = self;
        let user = &principal.user;
        tracing::info!(target: "audit", connection, %service, mechanism, user, ?addr, "logged in");
    }

    pub(crate) fn refused(&self, reason: impl fmt::Display) {
        let Self {
            service,
            mechanism,
            addr,
            connection,
            user,
        } = self;
        tracing::info!(target: "audit", connection, %service, mechanism, user, ?addr, %reason, "login refused");
    }
}

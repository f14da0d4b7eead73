//! Users of an LDAP server: who is this, and is that their password? Source: RFC 4511, RFC 4513, RFC 4515.
//!
//! A user is found by a search as the gateway's own entry (or as nobody), and a password is checked by binding as the
//! entry that was found. Passwords are kept nowhere.
//! Invariants: names are escaped before they come into a filter; an empty password never reaches the server, for a bind
//! without one succeeds and proves nothing (RFC 4513 5.1.2); and a server that cannot be asked is an error of its own,
//! never a wrong password.

mod connection;
mod directory;
mod entry;
mod filter;
mod options;
mod pool;

pub use directory::{LdapDirectory, Refused, User};
pub use options::{Naming, Options, Secret, Server};

use std::{error, fmt};

/// Why the server could not be asked, or its answer not be used. Says nothing about any user; no secret is in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error(String);

impl Error {
    fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LDAP: {}", self.0)
    }
}

impl error::Error for Error {}

//! What an administrator says of an LDAP server.

use std::{fmt, sync::Arc, time::Duration};

use rustls::ClientConfig;
use zeroize::Zeroizing;

/// A password that is not printed, and overwritten in memory when it is dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over a password.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A server, and how its users are found.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server.
    pub server: Server,
    /// Below which entry users are.
    pub base: String,
    /// A filter that users' entries pass, such as `(objectClass=inetOrgPerson)`.
    pub filter: String,
    /// By what names users go.
    pub naming: Naming,
    /// How long an address that mail came for is remembered, known or not.
    pub cache_for: Duration,
    /// The most addresses that are remembered.
    pub cache_entries_max: u64,
}

/// A server, and how it is reached.
#[derive(Clone, Debug)]
pub struct Server {
    /// `ldap://HOST:PORT` or `ldaps://HOST:PORT`.
    pub url: String,
    /// Whether a connection to `ldap://` goes on over TLS at once, or not at all.
    pub starttls: bool,
    /// Whom to trust.
    pub tls: Arc<ClientConfig>,
    /// As what entry users are searched; empty: as nobody.
    pub bind_dn: String,
    /// That entry's password.
    pub bind_password: Secret,
    /// How long connecting, and each request, may take.
    pub timeout: Duration,
    /// Connections at once, those for searches and those for passwords each.
    pub connections_max: usize,
}

/// The attributes of an entry that hold names.
#[derive(Clone, Debug)]
pub struct Naming {
    /// The user's address, which names the mailbox.
    pub address: String,
    /// Further addresses.
    pub aliases: Vec<String>,
    /// Names without a domain that users log in with.
    pub logins: Vec<String>,
}

impl Naming {
    /// All of them.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.address)
            .chain(&self.aliases)
            .chain(&self.logins)
            .map(String::as_str)
    }
}

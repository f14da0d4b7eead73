//! A mail server that takes what goes out, and how to speak with it.

mod authenticate;
mod connection;
mod greeting;
mod pool;
mod transaction;

use std::{fmt, sync::Arc, time::Duration};

use rustls::ClientConfig;
use zeroize::Zeroizing;

pub(crate) use self::{
    pool::Pool,
    transaction::{Lost, Mail},
};

/// A mail server that takes what goes out: a smarthost, or the receiving end of another system.
#[derive(Clone)]
pub struct Hop {
    /// Its name in [`crate::Route::Hop`].
    pub name: Arc<str>,
    /// Its protocol.
    pub protocol: Protocol,
    /// Its host: a name, or an address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// When the connection is encrypted.
    pub tls: HopTls,
    /// How its certificate is checked.
    pub tls_config: Arc<ClientConfig>,
    /// As whom to sign in.
    pub authentication: Authentication,
    /// Connections at once.
    pub connections_max: usize,
    /// Messages over one connection.
    pub messages_per_connection_max: u32,
    /// How long a connection is kept that nobody uses.
    pub idle_timeout: Duration,
    /// How long a connection and its encryption may take.
    pub connect_timeout: Duration,
    /// How long a reply may take (RFC 5321 4.5.3.2: five minutes).
    pub command_timeout: Duration,
    /// How long the reply to a whole message may take (RFC 5321 4.5.3.2.6: ten minutes).
    pub message_timeout: Duration,
}

impl Hop {
    /// A hop with the timeouts of RFC 5321, that wants STARTTLS and no name.
    pub fn new(name: &str, (host, port): (&str, u16), tls_config: Arc<ClientConfig>) -> Self {
        Self {
            name: name.into(),
            protocol: Protocol::Smtp,
            host: host.to_owned(),
            port,
            tls: HopTls::StartTls,
            tls_config,
            authentication: Authentication::None,
            connections_max: 10,
            messages_per_connection_max: 100,
            idle_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(30),
            command_timeout: Duration::from_secs(300),
            message_timeout: Duration::from_secs(600),
        }
    }
}

impl fmt::Debug for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hop")
            .field("name", &self.name)
            .field("protocol", &self.protocol)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// What a hop speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// RFC 5321.
    Smtp,
    /// RFC 2033.
    Lmtp,
}

/// When the connection to a hop is encrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HopTls {
    /// Never: for loopback and networks of one's own.
    Never,
    /// When the hop offers STARTTLS. Its certificate is checked; somebody in between can hide the offer.
    IfOffered,
    /// By STARTTLS, or not at all.
    StartTls,
    /// From the first octet on (port 465, RFC 8314 3.3).
    Implicit,
}

/// As whom to sign in at a hop.
#[derive(Clone, Debug)]
pub enum Authentication {
    /// As nobody.
    None,
    /// As the gateway.
    Gateway(Credentials),
    /// As who submitted the message.
    Submitter,
}

/// With what to sign in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Credentials {
    /// The name.
    pub user: String,
    /// What proves it.
    pub secret: Secret,
}

/// What proves a name.
#[derive(Clone, Eq, PartialEq)]
pub enum Secret {
    /// A password, for PLAIN and LOGIN.
    Password(Zeroizing<String>),
    /// An OAuth 2.0 access token, for XOAUTH2 and OAUTHBEARER.
    Token(Zeroizing<String>),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password",
            Self::Token(_) => "Token",
        })
    }
}

//! What all sessions share.

use std::{
    future::Future,
    io,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
};

use account::Accounts;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};
use tokio_rustls::TlsAcceptor;
use tracing::Instrument;

use crate::{Config, connection::Connection, recent::RecentRegister, session::Session};

/// An IMAP service over a set of mailboxes.
pub struct Server {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) config: Config,
    pub(crate) throttle: Arc<dyn Throttle>,
    pub(crate) recent: RecentRegister,
    pub(crate) random: Option<RandomSource>,
    tls: Option<Arc<RwLock<TlsAcceptor>>>,
}

/// The other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its address; `None` on a Unix socket.
    pub addr: Option<IpAddr>,
    /// Whether TLS is active already.
    pub tls: TlsState,
    /// Whether it is on this machine, so that passwords may come without TLS.
    pub loopback: bool,
    /// This connection's id in the log.
    pub id: u64,
}

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TlsState {
    /// Not encrypted.
    None,
    /// Encrypted.
    Active,
}

/// Slows guessing of passwords. Shared by all front ends, so that attempts on one count on all.
pub trait Throttle: Send + Sync {
    /// Waits until somebody from there may try to log in as that user. The attempt counts from then on.
    fn attempt<'a>(&'a self, addr: Option<IpAddr>, user: &'a str) -> Turn<'a>;
}

/// The wait for an attempt.
pub type Turn<'a> = Pin<Box<dyn Future<Output = Box<dyn Attempt>> + Send + 'a>>;

/// A login that is being checked. Dropping it counts it as refused.
pub trait Attempt: Send + Sync {
    /// Takes note of what came of it.
    fn end(self: Box<Self>, outcome: LoginOutcome);
}

/// How a login ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LoginOutcome {
    /// The user proved who they are.
    Accepted,
    /// They did not.
    Refused,
    /// Nobody could tell: what knows the users is away.
    Undecided,
}

/// A throttle that never slows anybody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unthrottled;

impl Throttle for Unthrottled {
    fn attempt<'a>(&'a self, _: Option<IpAddr>, _: &'a str) -> Turn<'a> {
        Box::pin(async { Box::new(Self) as Box<dyn Attempt> })
    }
}

impl Attempt for Unthrottled {
    fn end(self: Box<Self>, _: LoginOutcome) {}
}

/// Counts a connection for as long as it is there, however it ends.
struct OpenConnection(metrics::Gauge);

impl OpenConnection {
    fn new() -> Self {
        let open = metrics::gauge!("imap_connections");
        open.increment(1.0);
        Self(open)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Fresh random octets from a cryptographic source; `None` when the system has none to give.
pub type RandomSource = fn() -> Option<[u8; 18]>;

impl Server {
    /// A service over `accounts`. With `tls`, STARTTLS is offered; the acceptor may be replaced at any time (a renewed
    /// certificate counts from the next handshake on).
    pub fn new(
        accounts: Arc<Accounts>,
        config: Config,
        throttle: Arc<dyn Throttle>,
        tls: Option<Arc<RwLock<TlsAcceptor>>>,
    ) -> Self {
        let recent = RecentRegister::new(config.recent_folders_max);
        Self {
            accounts,
            config,
            throttle,
            recent,
            random: None,
            tls,
        }
    }

    /// Offers SCRAM-SHA-256 too, whose exchanges need random octets. Clients then never send their passwords.
    #[must_use]
    pub fn with_scram(mut self, random: RandomSource) -> Self {
        self.random = Some(random);
        self
    }

    /// Runs one connection to its end. When `shutdown` turns true, the session says BYE before its next command; a
    /// command that is being carried out is still answered.
    ///
    /// Errors: those of the stream, `TimedOut` when the client stops reading; the connection is over then.
    pub async fn serve(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + Sync + 'static,
        peer: Peer,
        shutdown: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let span = tracing::info_span!("imap", id = peer.id);
        let connection = Connection::new(
            stream,
            self.config.write_timeout,
            self.config.write_buffer_bytes,
        );
        let _open = OpenConnection::new();
        Session::new(self, peer, connection, shutdown)
            .run()
            .instrument(span)
            .await
    }

    /// What STARTTLS uses now.
    pub(crate) fn acceptor(&self) -> Option<TlsAcceptor> {
        let acceptor = self
            .tls
            .as_ref()?
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Some(acceptor.clone())
    }
}

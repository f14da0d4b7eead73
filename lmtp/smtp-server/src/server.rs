//! What all sessions share.

use std::{
    io,
    net::IpAddr,
    sync::{Arc, RwLock},
};

use account::Accounts;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

use crate::{Config, connection::Connection, session::Session};

/// An LMTP service over a set of mailboxes.
pub struct Server {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) config: Config,
    tls: Option<Arc<RwLock<TlsAcceptor>>>,
}

/// The other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its address; `None` on a Unix socket.
    pub addr: Option<IpAddr>,
    /// Whether TLS is active already.
    pub tls: Tls,
    /// This connection's id in the log.
    pub id: u64,
}

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tls {
    /// Not encrypted.
    Inactive,
    /// Encrypted.
    Active,
}

impl Server {
    /// A service delivering to `accounts`. With `tls`, STARTTLS is offered; the acceptor may be replaced at any time
    /// (a renewed certificate counts from the next handshake on).
    pub fn new(
        accounts: Arc<Accounts>,
        config: Config,
        tls: Option<Arc<RwLock<TlsAcceptor>>>,
    ) -> Self {
        Self {
            accounts,
            config,
            tls,
        }
    }

    /// Runs one connection to its end. When `shutdown` turns true, the session ends before its next command: a
    /// message whose reply is due is still answered.
    ///
    /// Errors: those of the stream; the connection is over then, and nothing unacknowledged was delivered unless its
    /// delivery had already begun.
    pub async fn serve(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: Peer,
        shutdown: watch::Receiver<bool>,
    ) -> io::Result<()> {
        Session::new(self, peer)
            .run(Connection::new(stream), shutdown)
            .await
    }

    pub(crate) fn acceptor(&self) -> Option<TlsAcceptor> {
        let acceptor = self
            .tls
            .as_ref()?
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Some(acceptor.clone())
    }
}

//! What all sessions share.

use std::{
    io,
    sync::{Arc, RwLock},
};

use account::Accounts;
use front_end::{Logins, Peer, StartTls, Stream, Tls};
use pipeline::Pipeline;
use tokio::sync::watch;

use crate::{Config, connection::Connection, session::Session};

/// A service over a set of mailboxes.
pub struct Server {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) config: Config,
    pub(crate) profile: Profile,
    pub(crate) tls: StartTls,
    pub(crate) pipeline: Arc<Pipeline>,
}

/// What a service does with mail.
pub(crate) enum Profile {
    /// It goes into mailboxes here (LMTP).
    Delivery,
    /// It goes out, for who has logged in (submission).
    Submission(Arc<Logins>),
}

impl Server {
    /// A service that delivers to `accounts`. With `tls`, STARTTLS is offered; the acceptor may be replaced at any time
    /// (a renewed certificate counts from the next handshake on).
    pub fn new(accounts: Arc<Accounts>, config: Config, tls: Option<Arc<RwLock<Tls>>>) -> Self {
        Self {
            accounts,
            config,
            profile: Profile::Delivery,
            tls: StartTls::new(tls),
            pipeline: Arc::default(),
        }
    }

    /// A service that sends for whom `logins` let in. TLS as with [`Self::new`].
    pub fn submission(logins: Arc<Logins>, config: Config, tls: Option<Arc<RwLock<Tls>>>) -> Self {
        Self {
            accounts: Arc::clone(logins.accounts()),
            config,
            profile: Profile::Submission(logins),
            tls: StartTls::new(tls),
            pipeline: Arc::default(),
        }
    }

    /// Lets every message pass these stages before it is taken.
    #[must_use]
    pub fn through(self, pipeline: Arc<Pipeline>) -> Self {
        Self { pipeline, ..self }
    }

    /// Runs one connection to its end. When `shutdown` turns true, the session ends before its next command: a
    /// message whose reply is due is still answered.
    ///
    /// Errors: those of the stream; the connection is over then, and nothing unacknowledged was delivered unless its
    /// delivery had already begun.
    pub async fn serve(
        &self,
        stream: impl Stream + 'static,
        peer: Peer,
        shutdown: watch::Receiver<bool>,
    ) -> io::Result<()> {
        Session::new(self, peer)
            .run(Connection::new(stream), shutdown)
            .await
    }
}

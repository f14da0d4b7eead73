//! What all sessions share.

use std::{
    io,
    sync::{Arc, RwLock},
};

use front_end::{Connection, Logins, OpenConnection, Peer, StartTls, Tls};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};
use tracing::Instrument;

use crate::{Config, ending::Endings, session::Session};

/// A POP3 service over a set of mailboxes.
pub struct Server {
    pub(crate) logins: Arc<Logins>,
    pub(crate) config: Config,
    pub(crate) endings: Endings,
    pub(crate) tls: StartTls,
}

impl Server {
    /// A service over the mailboxes that `logins` let into. With `tls`, STLS is offered; the acceptor may be replaced
    /// at any time (a renewed certificate counts from the next handshake on).
    pub fn new(logins: Arc<Logins>, config: Config, tls: Option<Arc<RwLock<Tls>>>) -> Self {
        let endings = Endings::new(config.known_folders_max);
        Self {
            logins,
            config,
            endings,
            tls: StartTls::new(tls),
        }
    }

    /// Runs one connection to its end. When `shutdown` turns true, the session ends before its next command, and
    /// nothing is deleted; a command that is being carried out is still answered.
    ///
    /// Errors: those of the stream, `TimedOut` when the client stops reading; the connection is over then.
    pub async fn serve(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + Sync + 'static,
        peer: Peer,
        shutdown: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let span = tracing::info_span!("pop3", id = peer.id);
        let connection = Connection::new(
            stream,
            self.config.write_timeout,
            self.config.write_buffer_bytes,
        );
        let _open = OpenConnection::count("pop3_connections");
        Session::new(self, peer, connection, shutdown)
            .run()
            .instrument(span)
            .await
    }
}

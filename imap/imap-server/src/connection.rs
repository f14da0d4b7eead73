//! A connection with its framer: frames in, responses out.

use std::{io, net::IpAddr, time::Duration};

use bytes::Bytes;
use front_end::{Channel, Stream, Tls, Wait};
use imap_wire::{Event, Framer, Limits, Writer};
use tokio::{sync::watch, time::Instant};

/// One client's connection.
pub(crate) struct Connection {
    octets: front_end::Connection,
    /// Cuts the input into frames.
    pub(crate) framer: Framer,
}

impl Connection {
    /// A connection at its start.
    pub(crate) fn new(
        stream: impl Stream + 'static,
        write_timeout: Duration,
        flush_bytes: usize,
    ) -> Self {
        Self {
            octets: front_end::Connection::new(stream, write_timeout, flush_bytes),
            framer: Framer::new(Limits::default()),
        }
    }

    /// Sets when the client's time is over, whatever it does: see [`front_end::Connection::set_deadline`].
    pub(crate) const fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.octets.set_deadline(deadline);
    }

    /// A writer at the end of what is still to be sent.
    pub(crate) const fn writer(&mut self) -> Writer<'_> {
        Writer::new(self.octets.out())
    }

    /// What is still to be sent.
    pub(crate) const fn out(&mut self) -> &mut Vec<u8> {
        self.octets.out()
    }

    /// What the input read so far holds; with [`Event::LiteralData`] come its octets.
    pub(crate) fn event(&mut self) -> (Event, Bytes) {
        let (used, event) = self.framer.feed(self.octets.input());
        let octets = self.octets.take(used);
        match event {
            Event::LiteralData { .. } => (event, octets.freeze()),
            _ => (event, Bytes::new()),
        }
    }

    /// Whether octets were read that no frame has used yet.
    pub(crate) fn has_input(&self) -> bool {
        self.octets.has_input()
    }

    /// Waits for input. Cancel safe. Sends nothing: flush first.
    pub(crate) async fn wait(
        &mut self,
        patience: Duration,
        shutdown: &mut watch::Receiver<bool>,
    ) -> io::Result<Wait> {
        self.octets.wait(patience, shutdown).await
    }

    /// Gives back memory that a waiting connection does not need.
    pub(crate) fn shrink(&mut self) {
        self.framer.shrink();
        self.octets.shrink();
    }

    /// Sends what was gathered once it is enough.
    pub(crate) async fn flush_if_full(&mut self) -> io::Result<()> {
        self.octets.flush_if_full().await
    }

    /// Sends everything. Errors: `TimedOut` when the client takes nothing for the write timeout.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        self.octets.flush().await
    }

    /// Sends octets that are not in the buffer, behind what is.
    pub(crate) async fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.octets.send(octets).await
    }

    /// Takes the TLS handshake of the client at `addr`, and says what it told. There must be no unused input: it would be taken for encrypted.
    pub(crate) async fn start_tls(
        &mut self,
        tls: &Tls,
        patience: Duration,
        addr: Option<IpAddr>,
    ) -> io::Result<Channel> {
        self.octets.start_tls(tls, patience, addr).await
    }

    /// Ends the connection orderly, as far as the client lets us.
    pub(crate) async fn close(&mut self) {
        self.octets.close().await;
    }
}

//! The other end of a connection.

use std::net::IpAddr;

use crate::Channel;

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
    /// What the TLS handshake told; nothing before it.
    pub channel: Channel,
}

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TlsState {
    /// Not encrypted.
    None,
    /// Encrypted.
    Active,
}

impl Peer {
    /// Takes note of a handshake.
    pub fn encrypted(&mut self, channel: Channel) {
        self.tls = TlsState::Active;
        self.channel = channel;
    }

    /// Whether passwords may come from it: over TLS, or from this machine. Source: RFC 8314 4.
    pub fn is_private(&self) -> bool {
        self.tls == TlsState::Active || self.loopback
    }
}

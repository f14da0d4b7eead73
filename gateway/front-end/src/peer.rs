//! The other end of a connection.

use std::net::IpAddr;

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

impl Peer {
    /// Whether passwords may come from it: over TLS, or from this machine. Source: RFC 8314 4.
    pub fn is_private(&self) -> bool {
        self.tls == TlsState::Active || self.loopback
    }
}

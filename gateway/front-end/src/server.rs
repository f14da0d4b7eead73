//! What servers of every protocol have beside their sessions: the count of open connections, and what STARTTLS uses.

use std::sync::{Arc, PoisonError, RwLock};

use crate::Tls;

/// Counts a connection in a gauge for as long as it is there, however it ends.
pub struct OpenConnection(metrics::Gauge);

impl OpenConnection {
    /// Counts one more in the gauge of this name.
    pub fn count(gauge: &'static str) -> Self {
        let open = metrics::gauge!(gauge);
        open.increment(1.0);
        Self(open)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// What STARTTLS uses, which is another one once the certificate has been renewed.
pub struct StartTls(Option<Arc<RwLock<Tls>>>);

impl StartTls {
    /// `None`: TLS is not offered.
    pub const fn new(tls: Option<Arc<RwLock<Tls>>>) -> Self {
        Self(tls)
    }

    /// What a handshake that begins now uses; `None`: TLS is not offered.
    pub fn current(&self) -> Option<Tls> {
        let tls = self.0.as_ref()?;
        let tls = tls.read().unwrap_or_else(PoisonError::into_inner);
        Some(tls.clone())
    }
}

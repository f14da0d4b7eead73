//! What a client is configured with: time limits, size limits, trust and the proxy.

use std::{fmt, path::PathBuf, time::Duration};

use super::{NoProxy, Proxy};

/// How a [`super::Client`] connects and what it allows.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Time limits.
    pub timeouts: Timeouts,
    /// Which certificates are trusted.
    pub tls: TlsOptions,
    /// The proxy for hosts that `no_proxy` does not name; none by default.
    pub proxy: Option<Proxy>,
    /// Hosts that are reached without the proxy.
    pub no_proxy: NoProxy,
    /// The value of the User-Agent header; none is sent when it is empty.
    pub user_agent: String,
}

/// Limits on silence. None limits a whole request: a server may keep one open for minutes.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// From the name to an open TCP connection, through the proxy where there is one.
    pub connect: Duration,
    /// The TLS handshake.
    pub tls: Duration,
    /// While a request is on its way and while its answer is awaited: the longest time in which no byte moves.
    /// It must exceed the server's X-PendingPeriod (30 s by default, MS-OXCMAPIHTTP 2.2.3.3.5).
    pub idle: Duration,
}

/// The default of [`Timeouts::connect`].
pub(super) const CONNECT: Duration = Duration::from_secs(20);
/// The default of [`Timeouts::tls`].
pub(super) const TLS: Duration = Duration::from_secs(20);
/// The default of [`Timeouts::idle`]: three times the period after which a server must say PENDING.
pub(super) const IDLE: Duration = Duration::from_secs(90);
/// The default bound of an answer's body in bytes. The largest MAPI answer is 1 MiB of packed buffers and what
/// surrounds them (MS-OXCRPC 3.1.4.2.1); an Autodiscover or token answer is far smaller.
pub(super) const RESPONSE_BYTES_MAX: u64 = 16 << 20;
/// The bound of an answer's status line and headers in bytes. Kerberos tokens of large tickets travel in them.
pub(super) const RESPONSE_HEAD_BYTES_MAX: usize = 128 << 10;
/// The bound of the number of an answer's headers.
pub(super) const RESPONSE_HEADERS_MAX: usize = 200;

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: CONNECT,
            tls: TLS,
            idle: IDLE,
        }
    }
}

/// Which server certificates are trusted.
#[derive(Debug, Clone)]
pub struct TlsOptions {
    /// Whether the operating system's authorities are trusted. On by default.
    pub system_roots: bool,
    /// PEM files with further authorities, such as a company's own.
    pub ca_files: Vec<PathBuf>,
    /// The SHA-256 of the one certificate (DER) that is accepted. It replaces every other check of the certificate,
    /// names and dates included; the server still has to prove that it holds the key.
    pub pinned: Option<[u8; 32]>,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            system_roots: true,
            ca_files: Vec::new(),
            pinned: None,
        }
    }
}

/// Options that cannot be used; the text says which and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub(crate) String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

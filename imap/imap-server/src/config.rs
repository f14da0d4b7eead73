//! What a session may use, hold and wait for: every bound by name.

use std::time::Duration;

/// Limits and identity of the IMAP service. All sessions of a server share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How long a client may take to log in, whatever it sends until then.
    pub login_timeout: Duration,
    /// How long a logged-in client may stay silent; RFC 3501 5.4 asks for at least 30 minutes.
    pub idle_timeout: Duration,
    /// How long an idling session waits before it looks at its mailbox again when the store was away.
    pub look_again: Duration,
    /// How long one write to a client may make no progress.
    pub write_timeout: Duration,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// Malformed commands in a row after which the connection is closed.
    pub bad_commands_max: u32,
    /// Refused logins on one connection after which it is closed.
    pub failed_logins_max: u32,
    /// Octets of one message a client may append.
    pub append_bytes_max: u64,
    /// Messages one APPEND may bring (RFC 3502).
    pub append_messages_max: usize,
    /// Octets of all messages of one APPEND together: what it holds back on disk until all have arrived.
    pub append_command_bytes_max: u64,
    /// Octets gathered for a client before they are written.
    pub write_buffer_bytes: usize,
    /// Octets of bodies read from the store at a time.
    pub read_chunk_bytes: u32,
    /// Octets of a header section that FETCH holds in memory to pick fields from.
    pub header_bytes_max: u64,
    /// Folders whose highest announced item the server remembers for `\Recent`.
    pub recent_folders_max: usize,
    /// The name and version given by ID (RFC 2971); empty: the name alone.
    pub version: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            login_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(30 * 60),
            look_again: Duration::from_secs(5),
            write_timeout: Duration::from_secs(60),
            handshake_timeout: Duration::from_secs(30),
            bad_commands_max: 10,
            failed_logins_max: 5,
            append_bytes_max: 100 << 20,
            append_messages_max: 1_000,
            append_command_bytes_max: 256 << 20,
            write_buffer_bytes: 64 << 10,
            read_chunk_bytes: 256 << 10,
            header_bytes_max: 1 << 20,
            recent_folders_max: 100_000,
            version: String::new(),
        }
    }
}

//! What a session may use, hold and wait for: every bound by name.

use std::time::Duration;

/// Octets in a line of AUTH before the initial response: the keyword, a mechanism's name (at most 20 octets, RFC 4422
/// 3.1), and spaces.
const AUTH_BYTES: usize = 32;

/// Limits and choices of the POP3 service. All sessions of a server share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How long a client may take to log in, whatever it sends until then.
    pub login_timeout: Duration,
    /// How long a logged-in client may stay silent; RFC 1939 3 asks for at least 10 minutes.
    pub idle_timeout: Duration,
    /// How long one write to a client may make no progress.
    pub write_timeout: Duration,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// Octets of a line from a client with its end. RFC 5034 4 asks for 12,288, for SASL responses; tokens want more.
    pub line_bytes_max: usize,
    /// Malformed commands in a row after which the connection is closed.
    pub bad_commands_max: u32,
    /// Refused logins on one connection after which it is closed.
    pub failed_logins_max: u32,
    /// Octets gathered for a client before they are written.
    pub write_buffer_bytes: usize,
    /// Octets of a message read from the store at a time.
    pub read_chunk_bytes: u32,
    /// Octets of following messages that are read along with the one that is asked for, when a client fetches one
    /// after another. A session keeps them until it ends, or fetches something else.
    pub read_ahead_bytes: u64,
    /// Folders of which the server remembers which messages end within a line.
    pub known_folders_max: usize,
    /// Whether a message that was fetched is marked as read.
    pub seen: Seen,
    /// What IMPLEMENTATION says (RFC 2449 6.9): visible ASCII characters; empty: nothing.
    pub implementation: String,
}

/// Whether RETR marks messages as read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// At QUIT, the fetched messages that are kept get `\Seen`.
    AtQuit,
    /// Flags are left alone.
    Never,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            login_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(10 * 60),
            write_timeout: Duration::from_secs(60),
            handshake_timeout: Duration::from_secs(30),
            line_bytes_max: AUTH_BYTES + sasl::RESPONSE_LINE_BYTES_MAX,
            bad_commands_max: 10,
            failed_logins_max: 5,
            write_buffer_bytes: 64 << 10,
            read_chunk_bytes: 256 << 10,
            read_ahead_bytes: 256 << 10,
            known_folders_max: 100_000,
            seen: Seen::AtQuit,
            implementation: "Dragoman".to_owned(),
        }
    }
}

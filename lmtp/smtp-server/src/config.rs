//! The limits of a session, each with its name and default.

use std::time::Duration;

/// Limits and names of a listener.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name this server gives itself in greetings and Received fields.
    pub hostname: String,
    /// The largest message accepted, in octets (RFC 1870).
    pub message_bytes_max: u64,
    /// Recipients of one transaction; RFC 5321 4.5.3.1.8 asks for at least 100.
    pub recipients_max: usize,
    /// Octets of a command line with its CRLF. RFC 5321 4.5.3.1.4 asks for 512, its extensions add to that.
    pub line_bytes_max: usize,
    /// Commands in error before the session is ended.
    pub errors_max: u32,
    /// Refused logins of one connection before it is ended.
    pub failed_logins_max: u32,
    /// The longest time that a client may have a message held back (RFC 4865).
    pub hold_time_max: Duration,
    /// What mail for a mailbox that is full is told.
    pub mailbox_full: MailboxFull,
    /// How long to wait for a command.
    pub command_timeout: Duration,
    /// How long to wait for the next octets of a message.
    pub data_timeout: Duration,
    /// How long a peer may leave an answer unread.
    pub write_timeout: Duration,
}

/// What becomes of mail for a mailbox that is full.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MailboxFull {
    /// The mail server keeps it and tries again (452 4.2.2).
    #[default]
    TryLater,
    /// Its sender is told (552 5.2.2).
    Refuse,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hostname: "localhost".to_owned(),
            message_bytes_max: 100 << 20,
            recipients_max: 1000,
            line_bytes_max: 4096,
            errors_max: 50,
            failed_logins_max: 5,
            hold_time_max: Duration::from_secs(30 * 24 * 3600),
            mailbox_full: MailboxFull::TryLater,
            // RFC 5321 4.5.3.2.
            command_timeout: Duration::from_secs(300),
            data_timeout: Duration::from_secs(180),
            write_timeout: Duration::from_secs(60),
        }
    }
}

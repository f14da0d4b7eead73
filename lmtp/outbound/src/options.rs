//! Bounds and times of a queue.

use std::time::Duration;

/// Bounds and times of a queue.
#[derive(Clone, Debug)]
pub struct Options {
    /// What this gateway calls itself in EHLO and in reports.
    pub hostname: String,
    /// Messages in the queue; beyond that none is taken.
    pub messages_max: u64,
    /// Octets of all messages in the queue; beyond that none is taken.
    pub bytes_max: u64,
    /// How long a message is tried before its sender is told that it failed.
    pub expires_after: Duration,
    /// When the sender is told that a message is late (RFC 3464 2.3.3).
    pub delay_notice_after: Duration,
    /// How long after a first temporary failure a recipient is tried again; each further time is twice as long.
    pub retry_after_min: Duration,
    /// The longest time between two attempts.
    pub retry_after_max: Duration,
    /// How long after a first failed connection a mail server is tried again; each further time is twice as long.
    pub hop_retry_after_min: Duration,
    /// The longest time between two connections to a mail server that is away.
    pub hop_retry_after_max: Duration,
    /// Messages that are handed over inside at once.
    pub inside_concurrent_max: usize,
    /// Recipients in one transaction (RFC 5321 4.5.3.1.8 lets servers refuse more than 100).
    pub recipients_per_transaction_max: usize,
    /// Received fields of a message, beyond which it is going in circles (RFC 5321 6.3).
    pub received_fields_max: usize,
    /// The largest message that a report returns whole; of a larger one it returns the header.
    pub returned_bytes_max: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hostname: "localhost".to_owned(),
            messages_max: 100_000,
            bytes_max: 10 << 30,
            expires_after: Duration::from_secs(5 * 24 * 3600),
            delay_notice_after: Duration::from_secs(4 * 3600),
            retry_after_min: Duration::from_secs(60),
            retry_after_max: Duration::from_secs(3600),
            hop_retry_after_min: Duration::from_secs(5),
            hop_retry_after_max: Duration::from_secs(300),
            inside_concurrent_max: 20,
            recipients_per_transaction_max: 100,
            received_fields_max: 50,
            returned_bytes_max: 1 << 20,
        }
    }
}

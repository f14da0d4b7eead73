//! How mailboxes of a server are mirrored.

use std::time::Duration;

/// How mailboxes of a server are mirrored. Every limit has a name and a default.
#[derive(Clone, Debug)]
pub struct Options {
    /// What metrics call the server.
    pub name: String,
    /// What stands in message ids and encapsulated addresses where a message has none of its own.
    pub domain: String,
    /// The domains whose addresses the server's mailboxes may be known by: a user who signs in by another name has the
    /// mailbox's primary address, if it is of one of these. `*`: of any.
    pub domains: Vec<String>,
    /// How often the server is asked which folders changed, although it told of no change.
    pub poll: Duration,
    /// The most octets of bodies kept for each mailbox, beside those that Dragoman itself stored.
    pub bodies_bytes_max: u64,
    /// Whether bytes, sizes and structures of messages are made in advance, the newest first.
    pub render_ahead: bool,
    /// How many messages a second are made in advance at most, so that a server has time for others.
    pub render_ahead_per_s: u32,
    /// What the public folders are called among mailboxes; `None`: they are not offered. Who has read what in them is
    /// each user's own, so every user has a mailbox of this name, a slash and the user's address.
    pub public_folders: Option<String>,
    /// How long a busy server is waited for on behalf of somebody.
    pub busy_max: Duration,
    /// How long a session is kept that nobody uses.
    pub unused_max: Duration,
    /// How long a message of which nobody heard whether it arrived may still be on its way; when the server has not
    /// got it by then, what was kept of it goes.
    pub uploads_kept: Duration,
    /// What becomes of writes while the server is away.
    pub outage: Outage,
}

/// What becomes of writes while the server cannot be reached.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Outage {
    /// They are refused for the time being.
    #[default]
    Refuse,
    /// The owner's wait, as far as they can, and are carried out when the server is back.
    Queue(QueueLimits),
}

/// How much may wait in one mailbox. What goes beyond is refused for the time being.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct QueueLimits {
    /// Operations: one for each call, whatever the number of messages it is about.
    pub operations_max: u64,
    /// Octets of messages.
    pub bytes_max: u64,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            operations_max: 10_000,
            bytes_max: 256 << 20,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: String::new(),
            domain: "localhost".to_owned(),
            domains: Vec::new(),
            poll: Duration::from_secs(60),
            bodies_bytes_max: 1 << 30,
            render_ahead: true,
            render_ahead_per_s: 100,
            public_folders: Some("public".to_owned()),
            busy_max: Duration::from_secs(30),
            unused_max: Duration::from_secs(300),
            uploads_kept: Duration::from_secs(600),
            outage: Outage::Refuse,
        }
    }
}

impl Options {
    /// Whether an address of this domain may be a mailbox's.
    pub(crate) fn speaks_for(&self, domain: &str) -> bool {
        let is = |own: &String| own == "*" || own.eq_ignore_ascii_case(domain);
        self.domains.iter().any(is)
    }
}

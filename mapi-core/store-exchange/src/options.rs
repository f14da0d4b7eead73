//! How mailboxes of a server are mirrored.

use std::time::Duration;

/// How mailboxes of a server are mirrored. Every limit has a name and a default.
#[derive(Clone, Debug)]
pub struct Options {
    /// What metrics call the server.
    pub name: String,
    /// What stands in message ids and encapsulated addresses where a message has none of its own.
    pub domain: String,
    /// How often every folder is looked at although the server told of no change.
    pub poll: Duration,
    /// The most octets of bodies kept for each mailbox, beside those that Dragoman itself stored.
    pub bodies_bytes_max: u64,
    /// Whether bytes, sizes and structures of messages are made in advance, the newest first.
    pub render_ahead: bool,
    /// What the public folders are called among mailboxes; `None`: they are not offered. Who has read what in them is
    /// each user's own, so every user has a mailbox of this name, a slash and the user's address.
    pub public_folders: Option<String>,
    /// How long a busy server is waited for on behalf of somebody.
    pub busy_max: Duration,
    /// How long a session is kept that nobody uses.
    pub unused_max: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            name: String::new(),
            domain: "localhost".to_owned(),
            poll: Duration::from_secs(60),
            bodies_bytes_max: 1 << 30,
            render_ahead: true,
            public_folders: Some("public".to_owned()),
            busy_max: Duration::from_secs(30),
            unused_max: Duration::from_secs(300),
        }
    }
}

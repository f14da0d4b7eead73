//! A message on its way, with all that is known of it.

use std::net::IpAddr;

use account::{Attached, Passage, Spooled};

use crate::Answer;

/// Where a message goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// Into mailboxes here.
    Delivery,
    /// Out, for a user who has logged in.
    Submission,
}

/// Who hands it in.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// Its address; `None` on a Unix socket.
    pub address: Option<IpAddr>,
    /// What it calls itself.
    pub name: String,
    /// As whom it has logged in.
    pub user: Option<String>,
    /// Whether its connection is encrypted.
    pub is_encrypted: bool,
}

/// A recipient that a step added.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Added {
    /// Its address.
    pub address: String,
    /// Whether the message is taken only if it reaches this recipient, too.
    pub is_needed: bool,
}

/// A message on its way.
#[derive(Debug)]
pub struct Passing {
    /// Where it goes.
    pub direction: Direction,
    /// Who hands it in.
    pub client: Client,
    /// The name of this gateway.
    pub hostname: String,
    /// The transaction's name in logs.
    pub id: String,
    /// The reverse path, empty for a report.
    pub sender: String,
    /// The recipients that it came with.
    pub arrived_for: Vec<String>,
    /// Those that are left of them.
    pub recipients: Vec<String>,
    /// Whether steps took some out: where it goes instead, if anywhere, is in `added`.
    pub is_diverted: bool,
    /// Those that steps refused.
    pub refused: Vec<(String, Answer)>,
    /// Those that steps added.
    pub added: Vec<Added>,
    /// The message as it is now.
    pub message: Passage,
    /// Whether steps changed it.
    pub is_changed: bool,
    /// What it had attached when it came.
    pub attachments: Vec<Attached>,
}

impl Passing {
    /// A message that begins its way to some recipients.
    pub fn new(
        direction: Direction,
        client: Client,
        (arrived, message): (&Spooled, Passage),
        recipients: Vec<String>,
    ) -> Self {
        Self {
            direction,
            client,
            hostname: String::new(),
            id: String::new(),
            sender: String::new(),
            arrived_for: recipients.clone(),
            recipients,
            is_diverted: false,
            refused: Vec::new(),
            added: Vec::new(),
            message,
            is_changed: false,
            attachments: arrived.attachments(),
        }
    }

    /// Whether it reaches nobody any more: all its recipients were refused. Then it goes to no archive either.
    pub(crate) fn is_over(&self) -> bool {
        self.recipients.is_empty() && !self.is_diverted && !self.arrived_for.is_empty()
    }
}

//! What is told about the queue.

use std::time::SystemTime;

use crate::{Answer, Envelope, QueueId, Recipient};

/// Which messages are meant.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only these; all when there are none.
    pub ids: Vec<QueueId>,
    /// Only those whose sender, or one of whose recipients, contains this.
    pub address: Option<String>,
    /// Only held ones, or only others.
    pub held: Option<bool>,
}

/// A message in the queue.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub id: QueueId,
    /// The reverse path.
    pub sender: String,
    /// Whether it is a copy to be kept, and no mail.
    pub is_copy: bool,
    /// Octets.
    pub size: u64,
    /// When it was submitted.
    pub arrived: SystemTime,
    /// Whether it waits for somebody to release it.
    pub held: bool,
    /// Recipients who wait.
    pub waiting: u64,
    /// All recipients.
    pub recipients: u64,
    /// When one of them is tried next; `None` for held ones.
    pub due: Option<SystemTime>,
}

/// A message in the queue, in full.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What a list says of it.
    pub listed: Listed,
    /// Its envelope, without recipients.
    pub envelope: Envelope,
    /// When it is given up.
    pub expires: SystemTime,
    /// Its recipients.
    pub recipients: Vec<RecipientState>,
}

/// A recipient of a message in the queue.
#[derive(Clone, Debug)]
pub struct RecipientState {
    /// Who it is.
    pub recipient: Recipient,
    /// The mail server it goes to; empty when it stays inside.
    pub hop: String,
    /// `waiting`, `delivered` or `failed`.
    pub state: &'static str,
    /// When it is tried next.
    pub due: Option<SystemTime>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was tried last.
    pub attempted: Option<SystemTime>,
    /// What was said then.
    pub answer: Option<Answer>,
}

/// What is in the queue.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// Messages.
    pub messages: u64,
    /// Their octets.
    pub bytes: u64,
}

/// How a mail server stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HopState {
    /// Its name.
    pub name: String,
    /// Connections that failed, one after the other, up to now; none while it is well.
    pub failures: u32,
    /// Why the last one did.
    pub reason: Option<String>,
}

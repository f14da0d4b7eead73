//! A neutral load driver: measures any IMAP, POP3 and LMTP server through its wire protocols, and knows nothing of it
//! but where it listens and, for CPU and memory, the root of its process tree.

mod delivery;
mod fetch;
mod fill;
mod generate;
mod idle;
mod latency;
mod process_tree;
mod retrieve;

use std::fmt::Write;

pub use delivery::{DeliveryLoad, deliver, purge};
pub use fetch::{FetchItemsKind, fetch};
pub use fill::fill;
pub(crate) use generate::base64;
pub use generate::{Profile, message};
pub use idle::{idle_latency, idle_mass};
pub use latency::{Latencies, quantile};
pub use process_tree::{Memory, cpu_seconds, memory};
pub use retrieve::retrieve;

use crate::failure::Outcome;
use crate::imap::Imap;
use crate::subject::Account;

/// The server to measure.
#[derive(Clone, Debug)]
pub struct Target {
    /// IMAP port on loopback.
    pub imap: u16,
    /// POP3 port on loopback, if it speaks POP3.
    pub pop3: Option<u16>,
    /// LMTP port on loopback.
    pub lmtp: u16,
    /// Login names; `{n}` becomes 1, 2, 3 …
    pub user: String,
    /// Recipient addresses; `{n}` likewise.
    pub recipient: String,
    /// The password of every user.
    pub password: String,
    /// Roots of the server's process tree; may be empty.
    pub roots: Vec<u32>,
}

impl Target {
    /// The nth user (from 1).
    pub fn account(&self, n: usize) -> Account {
        Account {
            address: numbered(&self.user, n),
            password: self.password.clone(),
        }
    }

    /// The nth user's mail address.
    pub fn address(&self, n: usize) -> String {
        numbered(&self.recipient, n)
    }

    /// The same server with the nth user as its first and only one.
    pub fn only(&self, n: usize) -> Self {
        Self {
            user: numbered(&self.user, n),
            recipient: numbered(&self.recipient, n),
            ..self.clone()
        }
    }

    /// A connection of the nth user.
    pub fn session(&self, n: usize) -> Outcome<Imap> {
        Imap::login(self.imap, &self.account(n))
    }
}

fn numbered(pattern: &str, n: usize) -> String {
    pattern.replace("{n}", &n.to_string())
}

/// One result: a test with its parameters, and what was measured.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// Test and parameters, as `lmtp conns=8 size=4096`.
    pub test: String,
    /// Name and figure, in order.
    pub figures: Vec<(String, f64)>,
}

impl Measurement {
    /// A figure by name.
    pub fn figure(&self, name: &str) -> Option<f64> {
        self.figures
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| *value)
    }

    /// One JSON line.
    pub fn to_json(&self, server: &str) -> String {
        let mut line = format!("{{\"server\":\"{server}\",\"test\":\"{}\"", self.test);
        for (name, value) in &self.figures {
            // Writing to a string cannot fail.
            let _ = write!(line, ",\"{name}\":{value:.4}");
        }
        line.push('}');
        line
    }
}

//! What was handed in, and what Dragoman said to it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::random::Random;

/// The domain of all recipients.
pub(super) const DOMAIN: &str = "other.test";
/// The field by which a message is found again.
pub(super) const FIELD: &str = "X-Attempt: ";
/// Recipients of one message, at most.
const RECIPIENTS_MAX: u64 = 50;
/// The largest body, in octets.
const BODY_MAX: u64 = 12_000;

/// What the smarthost does to a recipient: the beginning of its address says it.
pub(super) const REFUSED: &str = "refused";
pub(super) const GREYLISTED: &str = "grey";
pub(super) const SLOW: &str = "slow";

/// A message handed in.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) id: u64,
    pub(super) recipients: Vec<String>,
    /// What is handed in.
    pub(super) handed_in: Vec<u8>,
    /// What comes out: that without the blind copies.
    pub(super) bytes: Vec<u8>,
    /// Dragoman answered 250.
    pub(super) acknowledged: bool,
}

impl Attempt {
    /// A message of a sender's, to 1 to 50 recipients, most to few.
    pub(super) fn new(id: u64, sender: &str, random: &mut Random) -> Self {
        let most = if random.percent(20) {
            RECIPIENTS_MAX
        } else {
            5
        };
        let count = 1 + random.below(most);
        let recipients: Vec<String> = (0..count)
            .map(|number| format!("{}{id}-{number}@{DOMAIN}", kind(random)))
            .collect();
        let to = recipients.first().map_or("", String::as_str);
        let head = format!(
            "{FIELD}{id}\r\nFrom: {sender}\r\nTo: {to}\r\nSubject: attempt {id}\r\n\
             Date: Thu, 26 Nov 2026 12:00:00 +0000\r\nMessage-ID: <{id}@example.test>\r\n"
        );
        let mut body = String::from("\r\n.begins with a dot\r\n");
        for _ in 0..random.below(BODY_MAX / 32) {
            body.push_str(&format!(
                "{:016x} {:012x}\r\n",
                random.next(),
                random.below(1 << 48)
            ));
        }
        Self {
            id,
            recipients,
            handed_in: format!("{head}Bcc: hidden@{DOMAIN}\r\n{body}").into_bytes(),
            bytes: format!("{head}{body}").into_bytes(),
            acknowledged: false,
        }
    }
}

fn kind(random: &mut Random) -> &'static str {
    match random.below(1000) {
        0..10 => REFUSED,
        10..30 => GREYLISTED,
        30..33 => SLOW,
        _ => "some",
    }
}

/// All messages handed in.
#[derive(Default)]
pub(super) struct Attempts {
    all: Mutex<BTreeMap<u64, Attempt>>,
    acknowledged: AtomicUsize,
}

impl Attempts {
    pub(super) fn add(&self, attempt: Attempt) {
        self.with(|all| all.insert(attempt.id, attempt));
    }

    pub(super) fn acknowledge(&self, id: u64) {
        self.with(|all| {
            if let Some(attempt) = all.get_mut(&id) {
                attempt.acknowledged = true;
            }
        });
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Recipients of acknowledged messages that the smarthost refuses.
    pub(super) fn refused(&self) -> usize {
        self.with(|all| {
            let acknowledged = all.values().filter(|attempt| attempt.acknowledged);
            let recipients = acknowledged.flat_map(|attempt| &attempt.recipients);
            recipients.filter(|one| one.starts_with(REFUSED)).count()
        })
    }

    /// Looks at, or changes, all of them.
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut BTreeMap<u64, Attempt>) -> T) -> T {
        look(&mut self.all.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The id that a message, or a report about it, carries.
pub(super) fn id_in(message: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(message);
    let rest = text.split(FIELD).nth(1)?;
    rest.lines().next()?.trim().parse().ok()
}

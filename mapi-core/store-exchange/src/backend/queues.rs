//! Mailboxes in which something waits for the server: they stay open until nothing does.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use mapi_types::MailboxId;
use store_openchange::QueueStatus;

use crate::mailbox::Mailbox;

/// See the module.
#[derive(Default)]
pub(crate) struct Queues {
    /// What metrics call the server.
    server: String,
    waiting: Mutex<HashMap<MailboxId, Waiting>>,
}

struct Waiting {
    /// Keeps the mailbox open, once somebody has opened it.
    held: Option<Arc<Mailbox>>,
    operations: u64,
    bytes: u64,
    refused: u64,
}

impl Queues {
    /// Nothing is known yet.
    pub(super) fn new(server: &str) -> Arc<Self> {
        Arc::new(Self {
            server: server.to_owned(),
            ..Self::default()
        })
    }

    /// Notes what waits in a mailbox, for metrics, and keeps it open if something does. Without an open one, what is known
    /// of an open one stays.
    pub(crate) fn note(
        &self,
        id: &MailboxId,
        mailbox: Option<&Arc<Mailbox>>,
        status: &QueueStatus,
    ) {
        let mut all = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(id).is_some_and(|waiting| waiting.held.is_some());
        if known && mailbox.is_none() {
            return;
        }
        let before = match status.waiting == 0 && status.refused.is_empty() {
            true => all.remove(id),
            false => all.insert(
                id.clone(),
                Waiting {
                    held: mailbox.filter(|_| status.waiting > 0).cloned(),
                    operations: status.waiting,
                    bytes: status.bytes,
                    refused: status.refused.len() as u64,
                },
            ),
        };
        let sum = |of: fn(&Waiting) -> u64| all.values().map(of).sum::<u64>() as f64;
        let gauges = [
            ("exchange_queue_mailboxes", all.len() as f64),
            (
                "exchange_queue_operations",
                sum(|waiting| waiting.operations),
            ),
            ("exchange_queue_bytes", sum(|waiting| waiting.bytes)),
            ("exchange_queue_refused", sum(|waiting| waiting.refused)),
        ];
        drop(all);
        // What is closed by this must not be closed under the lock.
        drop(before);
        for (name, value) in gauges {
            metrics::gauge!(name, "server" => self.server.clone()).set(value);
        }
    }

    /// Forgets a mailbox that is removed.
    pub(super) fn forget(&self, id: &MailboxId) {
        self.note(id, None, &QueueStatus::default());
        let mut all = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = all.remove(id);
        drop(all);
        drop(gone);
    }
}

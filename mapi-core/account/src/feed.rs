//! The change feed: one task an open mailbox, which turns a store's notices into wake-ups.
//!
//! A notice is a hint. It may be doubled or late, which costs a look at the store; or lost, which costs at most
//! [`crate::Options::poll`] of latency. Truth is in the store's change log alone.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use mapi_store::{Notice, Store};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{MissedTickBehavior, interval, sleep},
};

use crate::mailbox::Mailbox;

/// How long to wait before listening again when a store closed its notices.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// Starts the feed of a mailbox; it ends with the mailbox.
///
/// The only task this crate spawns.
pub(crate) fn start(mailbox: &Arc<Mailbox>, store: Arc<dyn Store>, poll: Duration) {
    let task = tokio::spawn(run(Arc::downgrade(mailbox), store, poll));
    mailbox.set_feed(task.abort_handle());
}

async fn run(weak: Weak<Mailbox>, store: Arc<dyn Store>, poll: Duration) {
    let mut notices = store.notices();
    // What was sent between the mailbox's own subscription and this one is heard here.
    if let Some(mailbox) = weak.upgrade() {
        mailbox.catch_up();
    }
    let mut ticks = interval(poll.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        let heard = tokio::select! {
            biased;
            heard = notices.recv() => Some(heard),
            _ = ticks.tick() => None,
        };
        let Some(mailbox) = weak.upgrade() else {
            return;
        };
        match heard {
            Some(Ok(notice)) => mailbox.hear(notice),
            Some(Err(RecvError::Lagged(_))) => mailbox.doubt(),
            Some(Err(RecvError::Closed)) => {
                drop(mailbox);
                sleep(LISTEN_AGAIN).await;
                notices = store.notices();
                if let Some(mailbox) = weak.upgrade() {
                    mailbox.listen(store.notices());
                }
            }
            None => check(&mailbox, &*store).await,
        }
    }
}

/// Asks for the versions of watched folders.
async fn check(mailbox: &Mailbox, store: &dyn Store) {
    mailbox.hear(Notice::Hierarchy);
    for folder in mailbox.watched() {
        match store.folder(folder).await {
            Ok(info) => mailbox.hear(Notice::Folder(folder, info.version)),
            // Whoever opened the mailbox first may not see what others do: let them look for themselves.
            Err(_) => mailbox.doubt_folder(folder),
        }
    }
}

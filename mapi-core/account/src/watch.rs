//! Waiting for changes.

use std::sync::Arc;

use tokio::sync::watch::Receiver;

use crate::mailbox::{Hint, Mailbox};

/// Waits for changes of one folder or of the folder tree.
///
/// Nothing is missed: take a watch first, then look; whatever happens after the look ends the next
/// [`Watch::changed`]. It may also end without a change. Costs no task.
#[derive(Debug)]
pub struct Watch {
    heard: Heard,
    /// Keeps the feed running.
    _mailbox: Arc<Mailbox>,
}

#[derive(Debug)]
pub(crate) enum Heard {
    Folder(Receiver<Hint>),
    Tree(Receiver<u64>),
}

impl Watch {
    pub(crate) fn new(heard: Heard, mailbox: Arc<Mailbox>) -> Self {
        Self {
            heard,
            _mailbox: mailbox,
        }
    }

    /// Ends when something was heard since the watch was taken or since the last call ended. Cancel safe.
    pub async fn changed(&mut self) {
        let closed = match &mut self.heard {
            Heard::Folder(hints) => hints.changed().await.is_err(),
            Heard::Tree(generations) => generations.changed().await.is_err(),
        };
        if closed {
            // The folder is gone: nothing will change any more.
            std::future::pending::<()>().await;
        }
    }
}

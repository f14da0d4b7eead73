//! `\Recent`: which session is the first to be told of an item (RFC 3501 2.3.2).
//!
//! The server remembers, per folder, up to which number items were announced to some read-write session. What lies
//! above is recent to the next one that looks, which thereby claims it. The memory is lost with the process; then
//! every item is recent once more, as the standard asks when nobody knows better.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use account::{FolderId, ItemNumber, MailboxId};

/// The highest number announced so far, per folder.
#[derive(Debug)]
pub(crate) struct RecentRegister {
    folders_max: usize,
    announced: Mutex<HashMap<(MailboxId, FolderId), ItemNumber>>,
}

/// Whether looking at new items makes them no longer recent for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// A read-write session: they are recent here and nowhere else.
    Take,
    /// EXAMINE and STATUS: they stay recent.
    Leave,
}

impl RecentRegister {
    /// A register that holds at most so many folders.
    pub(crate) fn new(folders_max: usize) -> Self {
        Self {
            folders_max,
            announced: Mutex::default(),
        }
    }

    /// The highest number that is not recent for whoever asks now; with [`Claim::Take`] everything up to `last`
    /// counts as announced from now on.
    pub(crate) fn look(
        &self,
        mailbox: &MailboxId,
        folder: FolderId,
        last: ItemNumber,
        claim: Claim,
    ) -> ItemNumber {
        let mut announced = self
            .announced
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let key = (mailbox.clone(), folder);
        let before = announced.get(&key).copied().unwrap_or(ItemNumber(0));
        if claim == Claim::Take && last > before {
            if announced.len() >= self.folders_max {
                // Forgetting is harmless: items become recent once more.
                announced.clear();
            }
            announced.insert(key, last);
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_recent_to_one_reading_and_writing_session_only() {
        let register = RecentRegister::new(10);
        let mailbox = MailboxId("ann@example.test".to_owned());
        let look = |last, claim| {
            register
                .look(&mailbox, FolderId(1), ItemNumber(last), claim)
                .0
        };
        assert_eq!(look(5, Claim::Leave), 0);
        assert_eq!(look(5, Claim::Take), 0);
        assert_eq!(look(7, Claim::Leave), 5);
        assert_eq!(look(7, Claim::Take), 5);
        assert_eq!(look(7, Claim::Take), 7);
    }

    #[test]
    fn a_full_register_forgets_and_goes_on() {
        let register = RecentRegister::new(1);
        let mailbox = MailboxId("ann@example.test".to_owned());
        register.look(&mailbox, FolderId(1), ItemNumber(3), Claim::Take);
        register.look(&mailbox, FolderId(2), ItemNumber(3), Claim::Take);
        assert_eq!(
            register.look(&mailbox, FolderId(1), ItemNumber(3), Claim::Leave),
            ItemNumber(0)
        );
    }
}

//! `\Recent`: which session is the first to be told of an item (RFC 3501 2.3.2).
//!
//! The server remembers, per folder, up to which number items were announced to some read-write session. What lies
//! above is recent to the next one that looks, which thereby claims it. The memory is lost with the process; then
//! every item is recent once more, as the standard asks when nobody knows better.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use account::{Epoch, FolderId, FolderIndex, ItemNumber, MailboxId};

/// The numbers announced so far, per folder.
#[derive(Debug)]
pub(crate) struct RecentRegister {
    folders_max: usize,
    announced: Mutex<HashMap<(MailboxId, FolderId), Numbers>>,
}

/// The numbers of a folder up to a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// What they are valid for.
    pub(crate) epoch: Epoch,
    /// The highest.
    pub(crate) last: ItemNumber,
}

impl Numbers {
    /// Those that a snapshot knows of.
    pub(crate) fn of(index: &FolderIndex) -> Self {
        Self {
            epoch: index.epoch(),
            last: ItemNumber(index.next_number().0.saturating_sub(1)),
        }
    }
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

    /// The highest number that is not recent for whoever asks now; with [`Claim::Take`] all `numbers` count as
    /// announced from now on. Nothing of another epoch than the one announced last is known.
    pub(crate) fn look(
        &self,
        mailbox: &MailboxId,
        folder: FolderId,
        numbers: Numbers,
        claim: Claim,
    ) -> ItemNumber {
        let mut announced = self
            .announced
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let key = (mailbox.clone(), folder);
        let known = announced
            .get(&key)
            .filter(|known| known.epoch == numbers.epoch);
        let before = known.map_or(ItemNumber(0), |known| known.last);
        if claim == Claim::Take && (known.is_none() || numbers.last > before) {
            if announced.len() >= self.folders_max {
                // Forgetting is harmless: items become recent once more.
                announced.clear();
            }
            announced.insert(key, numbers);
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at Ann's folders.
    struct Looker(RecentRegister);

    impl Looker {
        fn new(folders_max: usize) -> Self {
            Self(RecentRegister::new(folders_max))
        }

        fn look(&self, folder: u64, (epoch, last): (u32, u32), claim: Claim) -> u32 {
            let mailbox = MailboxId("ann@example.test".to_owned());
            let numbers = Numbers {
                epoch: Epoch(epoch),
                last: ItemNumber(last),
            };
            let look = self.0.look(&mailbox, FolderId(folder), numbers, claim);
            look.0
        }
    }

    #[test]
    fn items_are_recent_to_one_reading_and_writing_session_only() {
        let register = Looker::new(10);
        let look = |last, claim| register.look(1, (1, last), claim);
        assert_eq!(look(5, Claim::Leave), 0);
        assert_eq!(look(5, Claim::Take), 0);
        assert_eq!(look(7, Claim::Leave), 5);
        assert_eq!(look(7, Claim::Take), 5);
        assert_eq!(look(7, Claim::Take), 7);
    }

    #[test]
    fn numbers_of_another_epoch_were_never_announced() {
        let register = Looker::new(10);
        register.look(1, (1, 50), Claim::Take);
        assert_eq!(register.look(1, (2, 9), Claim::Leave), 0);
        assert_eq!(register.look(1, (2, 9), Claim::Take), 0);
        assert_eq!(register.look(1, (2, 11), Claim::Take), 9);
        assert_eq!(register.look(1, (2, 11), Claim::Take), 11);
    }

    #[test]
    fn a_full_register_forgets_and_goes_on() {
        let register = Looker::new(1);
        register.look(1, (1, 3), Claim::Take);
        register.look(2, (1, 3), Claim::Take);
        assert_eq!(register.look(1, (1, 3), Claim::Leave), 0);
    }
}

//! Addresses that have been looked up, for a time and up to a number.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::Instant;

/// The most distinguished names that are remembered.
pub(super) const NAMES_MAX: usize = 20_000;

/// How long an address is believed.
const FOUND_KEPT: Duration = Duration::from_secs(6 * 60 * 60);

/// How long it is believed that there is none: somebody new will be there some time.
const MISSING_KEPT: Duration = Duration::from_secs(10 * 60);

/// What distinguished names stand for. Letter case does not count in them.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Of the last half of the number, what was looked up or used.
    young: HashMap<Box<str>, Address>,
    /// What was so before. It is forgotten when the young become old.
    old: HashMap<Box<str>, Address>,
}

#[derive(Clone, Debug)]
struct Address {
    address: Option<Arc<str>>,
    until: Instant,
}

impl Known {
    /// What is known: an address, that there is none, or nothing.
    pub(super) fn of(&mut self, dn: &str, now: Instant) -> Option<Option<Arc<str>>> {
        let key = key(dn);
        if let Some(known) = self.young.get(&key) {
            return (now < known.until).then(|| known.address.clone());
        }
        let known = self.old.remove(&key).filter(|known| now < known.until)?;
        self.put(key, known.clone());
        Some(known.address)
    }

    /// Remembers what has been found.
    pub(super) fn learn(&mut self, dn: &str, address: Option<Arc<str>>, now: Instant) {
        let kept = match address {
            Some(_) => FOUND_KEPT,
            None => MISSING_KEPT,
        };
        let until = now + kept;
        self.put(key(dn), Address { address, until });
    }

    fn put(&mut self, key: Box<str>, address: Address) {
        if self.young.len() >= NAMES_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, address);
    }
}

fn key(dn: &str) -> Box<str> {
    dn.to_ascii_lowercase().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_believed_longer_than_their_absence() {
        let mut known = Known::default();
        let now = Instant::now();
        known.learn("/o=T/cn=Bob", Some("bob@example.test".into()), now);
        known.learn("/o=T/cn=nobody", None, now);
        let later = now + MISSING_KEPT - Duration::from_secs(1);
        let bob = Some(Some("bob@example.test".into()));
        assert_eq!(known.of("/O=t/CN=bob", later), bob);
        assert_eq!(known.of("/o=t/cn=nobody", later), Some(None));
        let later = now + MISSING_KEPT;
        assert_eq!(known.of("/o=t/cn=bob", later), bob);
        assert_eq!(known.of("/o=t/cn=nobody", later), None);
        assert_eq!(known.of("/o=t/cn=bob", now + FOUND_KEPT), None);
        assert_eq!(known.of("/o=t/cn=else", now), None);
    }

    #[test]
    fn the_number_is_bounded_and_what_is_used_stays() {
        let mut known = Known::default();
        let now = Instant::now();
        for number in 0..3 * NAMES_MAX {
            known.learn(&format!("/cn={number}"), None, now);
            assert_eq!(known.of("/cn=0", now), Some(None), "after {number}");
        }
        assert!(known.young.len() + known.old.len() <= NAMES_MAX);
        assert_eq!(known.of("/cn=1", now), None);
    }
}

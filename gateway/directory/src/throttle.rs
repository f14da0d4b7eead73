//! Slows down those who guess passwords, by peer and by user.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How a [`Throttle`] counts and waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ThrottleLimits {
    /// So many failures cost nothing: people mistype.
    pub free_failures: u32,
    /// The wait after the first failure that costs something; it doubles with each further one.
    pub first_delay: Duration,
    /// The longest wait.
    pub delay_max: Duration,
    /// After this long, one failure is forgotten.
    pub forget_after: Duration,
    /// The most failures counted, so that a long attack is forgotten in bounded time.
    pub failures_max: u32,
    /// The most peers and users counted, together; about 40 bytes each.
    pub entries_max: usize,
}

impl Default for ThrottleLimits {
    /// Waits of 0, 0, 1, 2, 4, 8 and then 15 seconds after the first, second, … failure; one is forgotten a minute.
    fn default() -> Self {
        Self {
            free_failures: 2,
            first_delay: Duration::from_secs(1),
            delay_max: Duration::from_secs(15),
            forget_after: Duration::from_secs(60),
            failures_max: 10,
            entries_max: 16 * 1024,
        }
    }
}

/// Counts failed logins, by the peer's network and by user.
///
/// A front end takes an [`Attempt`] before it checks a password and says afterwards what came of it. While the check
/// runs it counts as a failure, so that those who guess in parallel gain nothing. Peers on loopback share one address,
/// so there only users count. User names are those of `Directory::throttle_name`. All methods are quick and may be
/// called from async code.
#[derive(Debug)]
pub struct Throttle {
    limits: ThrottleLimits,
    hasher: RandomState,
    counters: Mutex<HashMap<Key, Counter>>,
}

/// Fewer entries than this are never asked for, so that a sweep always frees some.
const ENTRIES_MIN: usize = 16;

/// Who failed. A user's name is hashed (with a key of this process), so an entry's size does not depend on the peer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Key {
    Peer(IpAddr),
    User(u64),
}

#[derive(Clone, Copy, Debug)]
struct Counter {
    failures: u32,
    /// When `failures` was true; they decay from then on.
    since: Instant,
    /// Attempts whose outcome is not known yet.
    running: u32,
}

/// A login that is being checked. Dropping it counts a failure: who hangs up early has had his guess.
#[derive(Debug)]
pub struct Attempt {
    throttle: Arc<Throttle>,
    keys: Keys,
    began: Instant,
    ended: bool,
}

/// Whom an attempt counts for: the peer, unless it is on this machine, and the user, if there is a name.
type Keys = [Option<Key>; 2];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    Accepted,
    Refused,
    Undecided,
}

impl Throttle {
    /// A throttle that has seen nobody.
    pub fn new(limits: ThrottleLimits) -> Self {
        Self {
            limits,
            hasher: RandomState::new(),
            counters: Mutex::default(),
        }
    }

    /// Begins an attempt that has been waiting since `since`, or says how long it must still wait.
    ///
    /// Ask again after that time; it may have become longer, never beyond [`ThrottleLimits::delay_max`] since `since`.
    /// It becomes shorter when another attempt on the user ends well.
    pub fn begin(
        self: &Arc<Self>,
        (peer, user): (IpAddr, &str),
        since: Instant,
        now: Instant,
    ) -> Result<Attempt, Duration> {
        let keys = self.keys(peer, user);
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = keys.iter().flatten().filter_map(|key| counters.get(key));
        let failures = counted.map(|counter| {
            let counter = self.limits.decayed(*counter, now);
            counter.failures.saturating_add(counter.running)
        });
        let delay = self.limits.delay(failures.max().unwrap_or(0));
        let waited = now.saturating_duration_since(since);
        if waited < delay {
            return Err(delay - waited);
        }
        for key in keys.into_iter().flatten() {
            self.counter(&mut counters, key, now).running += 1;
        }
        Ok(Attempt {
            throttle: Arc::clone(self),
            keys,
            began: now,
            ended: false,
        })
    }

    fn end(&self, keys: Keys, outcome: Outcome, now: Instant) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys.into_iter().flatten() {
            let counter = self.counter(&mut counters, key, now);
            counter.running = counter.running.saturating_sub(1);
            match (outcome, key) {
                (Outcome::Refused, _) => {
                    let failures = counter.failures.saturating_add(1);
                    counter.failures = failures.min(self.limits.failures_max);
                }
                // The peer's failures stay: who has one password of his own must not be able to guess others' faster.
                (Outcome::Accepted, Key::User(_)) => counter.failures = 0,
                (Outcome::Accepted | Outcome::Undecided, _) => {}
            }
            if counter.failures == 0 && counter.running == 0 {
                counters.remove(&key);
            }
        }
    }

    /// A key's counter as of now.
    fn counter<'a>(
        &self,
        counters: &'a mut HashMap<Key, Counter>,
        key: Key,
        now: Instant,
    ) -> &'a mut Counter {
        if !counters.contains_key(&key) {
            self.make_room(counters, now);
        }
        let counter = counters.entry(key).or_insert(Counter {
            failures: 0,
            since: now,
            running: 0,
        });
        *counter = self.limits.decayed(*counter, now);
        counter
    }

    fn keys(&self, peer: IpAddr, user: &str) -> Keys {
        let user = (!user.is_empty()).then(|| self.user_key(user));
        [network(peer).map(Key::Peer), user]
    }

    fn user_key(&self, user: &str) -> Key {
        Key::User(self.hasher.hash_one(user.to_lowercase()))
    }

    /// Drops what has decayed; if that is not enough, an eighth of the entries, those that matter least: with the
    /// fewest failures, and of these the oldest. A flood of new entries then pays for a sweep only now and then.
    /// Whoever is being checked stays: connections bound how many these are.
    fn make_room(&self, counters: &mut HashMap<Key, Counter>, now: Instant) {
        let entries_max = self.limits.entries_max.max(ENTRIES_MIN);
        if counters.len() < entries_max {
            return;
        }
        counters.retain(|_, counter| {
            counter.running > 0 || self.limits.decayed(*counter, now).failures > 0
        });
        if counters.len() < entries_max {
            return;
        }
        let mut entries: Vec<_> = counters
            .iter()
            .filter(|(_, counter)| counter.running == 0)
            .map(|(key, counter)| {
                let failures = self.limits.decayed(*counter, now).failures;
                (failures, counter.since, *key)
            })
            .collect();
        let surplus = entries.len() / 8;
        if surplus == 0 {
            return;
        }
        entries.select_nth_unstable_by_key(surplus, |(failures, since, _)| (*failures, *since));
        for (_, _, key) in entries.into_iter().take(surplus) {
            counters.remove(&key);
        }
    }
}

impl Attempt {
    /// The user proved who they are: the user's failures are forgotten.
    pub fn accepted(self, now: Instant) {
        self.end(Outcome::Accepted, now);
    }

    /// They did not: a failure is counted.
    pub fn refused(self, now: Instant) {
        self.end(Outcome::Refused, now);
    }

    /// Nobody could tell: the attempt is as if it had not been made.
    pub fn undecided(self, now: Instant) {
        self.end(Outcome::Undecided, now);
    }

    fn end(mut self, outcome: Outcome, now: Instant) {
        self.ended = true;
        self.throttle.end(self.keys, outcome, now);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.ended {
            self.throttle.end(self.keys, Outcome::Refused, self.began);
        }
    }
}

impl ThrottleLimits {
    fn delay(&self, failures: u32) -> Duration {
        match failures.saturating_sub(self.free_failures) {
            0 => Duration::ZERO,
            dear => self
                .first_delay
                .saturating_mul(2_u32.saturating_pow(dear - 1))
                .min(self.delay_max),
        }
    }

    /// The counter as of now; what is left of an interval keeps counting.
    fn decayed(&self, counter: Counter, now: Instant) -> Counter {
        let elapsed = now.saturating_duration_since(counter.since).as_nanos();
        let Some(forgotten) = elapsed.checked_div(self.forget_after.as_nanos()) else {
            return counter;
        };
        let forgotten = u32::try_from(forgotten).unwrap_or(u32::MAX);
        if forgotten >= counter.failures {
            return Counter {
                failures: 0,
                since: now,
                running: counter.running,
            };
        }
        let since = counter.since + self.forget_after.saturating_mul(forgotten);
        Counter {
            failures: counter.failures - forgotten,
            since,
            running: counter.running,
        }
    }
}

/// The network that counts as one peer: an IPv4 address, or the /64 that an IPv6 host has to itself. `None`: loopback.
fn network(peer: IpAddr) -> Option<IpAddr> {
    let peer = peer.to_canonical();
    match peer {
        _ if peer.is_loopback() => None,
        IpAddr::V4(_) => Some(peer),
        IpAddr::V6(address) => {
            Some(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into())
        }
    }
}

#[cfg(test)]
mod tests;

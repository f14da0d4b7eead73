//! Slows down those who guess passwords, by peer and by user.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
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
/// A front end asks for [`Throttle::delay`] before it checks a password, waits that long without holding anything,
/// and reports the outcome. Peers on loopback share one address, so there only users count. User names are those of
/// `Directory::throttle_name`. All methods are quick and may be called from async code.
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

    /// How long a login must wait now.
    pub fn delay(&self, peer: IpAddr, user: &str, now: Instant) -> Duration {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = self.keys(peer, user).filter_map(|key| counters.get(&key));
        self.limits.delay(
            failures
                .map(|counter| self.limits.decayed(*counter, now).failures)
                .max()
                .unwrap_or(0),
        )
    }

    /// Counts a failed login.
    pub fn failed(&self, peer: IpAddr, user: &str, now: Instant) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        for key in self.keys(peer, user) {
            let known = counters
                .get(&key)
                .map(|counter| self.limits.decayed(*counter, now));
            if known.is_none() {
                self.make_room(&mut counters, now);
            }
            let mut counter = known.unwrap_or(Counter {
                failures: 0,
                since: now,
            });
            counter.failures = counter
                .failures
                .saturating_add(1)
                .min(self.limits.failures_max);
            counters.insert(key, counter);
        }
    }

    /// Forgets the user's failures after a login that succeeded.
    ///
    /// The peer's stay: who has one password of his own must not be able to guess others' faster.
    pub fn succeeded(&self, user: &str) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        counters.remove(&self.user_key(user));
    }

    fn keys(&self, peer: IpAddr, user: &str) -> impl Iterator<Item = Key> + use<> {
        let user = (!user.is_empty()).then(|| self.user_key(user));
        network(peer).map(Key::Peer).into_iter().chain(user)
    }

    fn user_key(&self, user: &str) -> Key {
        Key::User(self.hasher.hash_one(user.to_lowercase()))
    }

    /// Drops what has decayed; if that is not enough, an eighth of the entries, those that matter least: with the
    /// fewest failures, and of these the oldest. A flood of new entries then pays for a sweep only now and then.
    fn make_room(&self, counters: &mut HashMap<Key, Counter>, now: Instant) {
        let entries_max = self.limits.entries_max.max(ENTRIES_MIN);
        if counters.len() < entries_max {
            return;
        }
        counters.retain(|_, counter| self.limits.decayed(*counter, now).failures > 0);
        if counters.len() < entries_max {
            return;
        }
        let mut entries: Vec<_> = counters
            .iter()
            .map(|(key, counter)| {
                (
                    self.limits.decayed(*counter, now).failures,
                    counter.since,
                    *key,
                )
            })
            .collect();
        let surplus = entries.len() / 8;
        entries.select_nth_unstable_by_key(surplus, |(failures, since, _)| (*failures, *since));
        for (_, _, key) in entries.into_iter().take(surplus) {
            counters.remove(&key);
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
            };
        }
        let since = counter.since + self.forget_after.saturating_mul(forgotten);
        Counter {
            failures: counter.failures - forgotten,
            since,
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
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("address")
    }

    /// The waits after each of `failures` failures in a row, in seconds.
    fn waits(
        throttle: &Throttle,
        peer: &str,
        users: impl Fn(u32) -> String,
        failures: u32,
    ) -> Vec<u64> {
        let now = Instant::now();
        (0..failures)
            .map(|n| {
                throttle.failed(ip(peer), &users(n), now);
                throttle.delay(ip(peer), &users(n), now).as_secs()
            })
            .collect()
    }

    #[test]
    fn the_third_failure_costs_a_second_and_each_further_one_twice_that() {
        let throttle = Throttle::new(ThrottleLimits::default());
        assert_eq!(
            waits(&throttle, "192.0.2.1", |_| "alice".into(), 8),
            [0, 0, 1, 2, 4, 8, 15, 15]
        );
    }

    #[test]
    fn a_peer_is_slowed_whatever_names_it_tries() {
        let throttle = Throttle::new(ThrottleLimits::default());
        assert_eq!(
            waits(&throttle, "192.0.2.1", |n| format!("user{n}"), 4),
            [0, 0, 1, 2]
        );
        let now = Instant::now();
        assert_eq!(
            throttle.delay(ip("192.0.2.2"), "carol", now),
            Duration::ZERO
        );
        assert_eq!(
            throttle.delay(ip("::ffff:192.0.2.1"), "carol", now),
            2 * SECOND
        );
    }

    #[test]
    fn a_user_is_guarded_wherever_the_guesses_come_from() {
        let throttle = Throttle::new(ThrottleLimits::default());
        let now = Instant::now();
        for n in 0..4 {
            throttle.failed(ip(&format!("192.0.2.{n}")), "alice", now);
        }
        assert_eq!(throttle.delay(ip("198.51.100.1"), "Alice", now), 2 * SECOND);
        throttle.succeeded("alice");
        assert_eq!(
            throttle.delay(ip("198.51.100.1"), "alice", now),
            Duration::ZERO
        );
    }

    #[test]
    fn an_ipv6_network_counts_as_one_peer() {
        let throttle = Throttle::new(ThrottleLimits::default());
        waits(&throttle, "2001:db8::1", |n| format!("user{n}"), 3);
        let now = Instant::now();
        assert_eq!(throttle.delay(ip("2001:db8::2:3:4:5"), "", now), SECOND);
        assert_eq!(
            throttle.delay(ip("2001:db8:0:1::1"), "", now),
            Duration::ZERO
        );
    }

    #[test]
    fn loopback_is_counted_by_user_only() {
        let throttle = Throttle::new(ThrottleLimits::default());
        for peer in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(waits(&throttle, peer, |n| format!("{peer}{n}"), 5), [0; 5]);
        }
        assert_eq!(
            waits(&throttle, "127.0.0.1", |_| "alice".into(), 3),
            [0, 0, 1]
        );
    }

    #[test]
    fn a_success_does_not_clear_the_peer() {
        let throttle = Throttle::new(ThrottleLimits::default());
        waits(&throttle, "192.0.2.1", |n| format!("user{n}"), 4);
        throttle.succeeded("mallory");
        assert_eq!(
            throttle.delay(ip("192.0.2.1"), "alice", Instant::now()),
            2 * SECOND
        );
    }

    #[test]
    fn failures_are_forgotten_one_a_minute() {
        let throttle = Throttle::new(ThrottleLimits::default());
        let (peer, start) = (ip("192.0.2.1"), Instant::now());
        for _ in 0..1000 {
            throttle.failed(peer, "alice", start);
        }
        let after = |seconds| {
            throttle
                .delay(peer, "alice", start + Duration::from_secs(seconds))
                .as_secs()
        };
        assert_eq!(
            [
                after(0),
                after(239),
                after(240),
                after(419),
                after(420),
                after(480)
            ],
            [15, 15, 8, 2, 1, 0]
        );
        // A failure in between neither loses nor gains part of a minute.
        throttle.failed(peer, "alice", start + Duration::from_secs(450));
        assert_eq!([after(450), after(480), after(540)], [2, 1, 0]);
    }

    #[test]
    fn memory_is_bounded_and_the_worst_offenders_are_kept() {
        let limits = ThrottleLimits {
            entries_max: 100,
            ..ThrottleLimits::default()
        };
        let throttle = Throttle::new(limits);
        let now = Instant::now();
        for _ in 0..5 {
            throttle.failed(ip("192.0.2.1"), "alice", now);
        }
        for n in 0..10_000_u32 {
            throttle.failed(IpAddr::V4(n.into()), &format!("user{n}"), now);
        }
        assert!(throttle.counters.lock().expect("lock").len() <= 100);
        assert_eq!(throttle.delay(ip("192.0.2.1"), "", now), 4 * SECOND);
        assert_eq!(throttle.delay(ip("198.51.100.1"), "alice", now), 4 * SECOND);
    }

    #[test]
    fn odd_limits_do_not_panic() {
        let limits = ThrottleLimits {
            free_failures: 0,
            first_delay: Duration::MAX,
            delay_max: Duration::MAX,
            forget_after: Duration::ZERO,
            failures_max: u32::MAX,
            entries_max: 0,
        };
        let throttle = Throttle::new(limits);
        let now = Instant::now();
        for _ in 0..100 {
            throttle.failed(ip("192.0.2.1"), "alice", now);
        }
        assert_eq!(throttle.delay(ip("192.0.2.1"), "alice", now), Duration::MAX);
    }
}

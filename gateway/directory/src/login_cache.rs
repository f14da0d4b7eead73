//! Logins that were checked a moment ago: IMAP clients log in constantly, and a check takes 24 ms.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    Error,
    scram::{mac, tag},
};

/// How long a checked login is believed.
const LOGIN_TTL: Duration = Duration::from_secs(5 * 60);
/// The most logins remembered; about 50 bytes each.
const LOGINS_MAX: usize = 4096;

/// Remembers verified logins by a keyed hash of user, stored hash and password, never the password itself.
///
/// The stored hash is part of the key, so a changed password is in force at once.
pub(crate) struct LoginCache {
    key: [u8; 32],
    until: Mutex<HashMap<LoginKey, Instant>>,
}

/// Stands for one user with one stored hash and one password.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub(crate) struct LoginKey([u8; 32]);

impl LoginCache {
    /// An empty cache with a key of this process alone.
    pub(crate) fn new() -> Result<Self, Error> {
        let mut key = [0; 32];
        crate::password::random(&mut key)?;
        Ok(Self {
            key,
            until: Mutex::default(),
        })
    }

    pub(crate) fn key(&self, user: &str, stored: &str, password: &[u8]) -> Result<LoginKey, Error> {
        // Neither an address nor a stored hash contains a null byte.
        let pieces = [user.as_bytes(), b"\0", stored.as_bytes(), b"\0", password];
        Ok(LoginKey(tag(mac(&self.key)?, &pieces)))
    }

    pub(crate) fn contains(&self, key: LoginKey, now: Instant) -> bool {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.get(&key).is_some_and(|until| now < *until)
    }

    pub(crate) fn insert(&self, key: LoginKey, now: Instant) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.len() >= LOGINS_MAX {
            until.retain(|_, until| now < *until);
        }
        if until.len() >= LOGINS_MAX
            && let Some(oldest) = until
                .iter()
                .min_by_key(|(_, until)| **until)
                .map(|(key, _)| *key)
        {
            until.remove(&oldest);
        }
        until.insert(key, now + LOGIN_TTL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_believed_for_five_minutes() {
        let cache = LoginCache::new().expect("random");
        let key = cache.key("alice", "hash", b"pw").expect("key");
        let now = Instant::now();
        assert!(!cache.contains(key, now));
        cache.insert(key, now);
        assert!(cache.contains(key, now + LOGIN_TTL - Duration::from_secs(1)));
        assert!(!cache.contains(key, now + LOGIN_TTL));
    }

    #[test]
    fn another_password_stored_hash_or_process_is_another_login() {
        let cache = LoginCache::new().expect("random");
        let key = |user, stored, password: &[u8]| cache.key(user, stored, password).expect("key");
        let known = key("alice", "hash", b"pw");
        assert!(known != key("alice", "hash", b"pw2"));
        assert!(known != key("alice", "new hash", b"pw"));
        assert!(known != key("bob", "hash", b"pw"));
        assert!(
            known
                != LoginCache::new()
                    .expect("random")
                    .key("alice", "hash", b"pw")
                    .expect("key")
        );
    }

    #[test]
    fn a_full_cache_forgets_the_oldest_login() {
        let cache = LoginCache::new().expect("random");
        let now = Instant::now();
        let key = |n: usize| cache.key(&n.to_string(), "hash", b"pw").expect("key");
        for n in 0..=LOGINS_MAX {
            cache.insert(key(n), now + Duration::from_millis(n as u64));
        }
        assert!(!cache.contains(key(0), now));
        assert!(cache.contains(key(1), now) && cache.contains(key(LOGINS_MAX), now));
        assert_eq!(cache.until.lock().expect("lock").len(), LOGINS_MAX);
    }
}

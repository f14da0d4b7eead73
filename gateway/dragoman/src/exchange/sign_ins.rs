//! Passwords and tokens that the server took or refused a moment ago: clients log in constantly, and each refusal counts towards
//! an account's lock-out.
//!
//! Remembered is a keyed hash of user and password, in memory alone, never the password. Hashes are compared in
//! constant time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use account::Principal;
use blake3::Hash;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// How long a refusal is remembered: a client that goes on with a wrong password does not lock its user out.
const REFUSAL_KEPT: Duration = Duration::from_secs(60);
/// The most tokens of one user that are remembered.
const TOKENS_MAX: usize = 8;
/// The most users whose passwords are remembered, and the most refusals.
const REMEMBERED_MAX: usize = 16 * 1024;

/// How long what the server took is believed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    /// Without asking again.
    pub(super) fresh: Duration,
    /// While the server is away.
    pub(super) outage: Duration,
}

/// What is known of a user and a password.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Known {
    /// The server took it a moment ago, and let in whom this names.
    Fresh(Principal),
    /// The server took it: to be asked again, if it can be.
    Stale(Principal),
    /// The server refused it a moment ago.
    Refused,
    /// Nothing.
    Nothing,
}

/// Stands for a user with a password, and for the password whoever has it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Shown {
    whole: Hash,
    secret: Hash,
    is_token: bool,
}

impl Shown {
    /// The same for a token.
    pub(super) const fn of_token(self) -> Self {
        Self {
            is_token: true,
            ..self
        }
    }
}

/// Sign-ins by their hashes.
pub(super) struct SignIns {
    key: [u8; 32],
    kept: Kept,
    memory: Mutex<Memory>,
    turns: Mutex<HashMap<[u8; 32], Arc<AsyncMutex<()>>>>,
}

#[derive(Default)]
struct Memory {
    /// What the server took of each user last.
    accepted: HashMap<String, Accepted>,
    /// The last secret it took of each principal, by whichever name.
    secrets: HashMap<String, (Hash, Instant)>,
    /// Tokens that it took: each of a user's programs has its own, and a new one does not end another.
    tokens: HashMap<[u8; 32], Accepted>,
    refused: HashMap<[u8; 32], Instant>,
}

struct Accepted {
    shown: Shown,
    since: Instant,
    principal: Principal,
}

impl SignIns {
    /// Nothing is known. `key` is random and of this process alone.
    pub(super) fn new(key: [u8; 32], kept: Kept) -> Self {
        Self {
            key,
            kept,
            memory: Mutex::default(),
            turns: Mutex::default(),
        }
    }

    /// Stands for a user with a password.
    pub(super) fn hash(&self, user: &str, password: &str) -> Shown {
        let of = |user: &str| {
            let mut hasher = blake3::Hasher::new_keyed(&self.key);
            // A name has no null octet.
            hasher.update(user.as_bytes()).update(&[0]);
            hasher.update(password.as_bytes()).finalize()
        };
        Shown {
            whole: of(user),
            secret: of(""),
            is_token: false,
        }
    }

    pub(super) fn look(&self, user: &str, shown: Shown, now: Instant) -> Known {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = memory.refused.get(shown.whole.as_bytes());
        if refused.is_some_and(|since| now.saturating_duration_since(*since) < REFUSAL_KEPT) {
            return Known::Refused;
        }
        match memory.known(user, shown) {
            Some(accepted) => {
                let age = now.saturating_duration_since(accepted.since);
                let principal = accepted.principal.clone();
                match age {
                    _ if age < self.kept.fresh => Known::Fresh(principal),
                    _ if age < self.kept.outage => Known::Stale(principal),
                    _ => Known::Nothing,
                }
            }
            None => Known::Nothing,
        }
    }

    /// The server took it. What it took of the same principal by another name is believed no longer, unless it is the
    /// same: a password may have been changed in between.
    pub(super) fn accepted(&self, user: &str, shown: Shown, principal: &Principal, since: Instant) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.refused.remove(shown.whole.as_bytes());
        if shown.is_token {
            memory.accept_token(shown, principal, since);
            return;
        }
        if !memory.secrets.contains_key(&principal.user) {
            make_room(&mut memory.secrets, |(_, since)| *since);
        }
        let secret = (shown.secret, since);
        memory.secrets.insert(principal.user.clone(), secret);
        if !memory.accepted.contains_key(user) {
            make_room(&mut memory.accepted, |accepted| accepted.since);
        }
        let principal = principal.clone();
        let accepted = Accepted {
            shown,
            since,
            principal,
        };
        memory.accepted.insert(user.to_owned(), accepted);
    }

    pub(super) fn refused(&self, user: &str, shown: Shown, now: Instant) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.tokens.remove(shown.whole.as_bytes());
        let accepted = memory.accepted.get(user);
        if accepted.is_some_and(|accepted| accepted.shown == shown) {
            memory.accepted.remove(user);
        }
        make_room(&mut memory.refused, |since| *since);
        memory.refused.insert(*shown.whole.as_bytes(), now);
    }

    /// Forgets what the server took of a user, by whichever address.
    pub(super) fn forget(&self, user: &str) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory
            .accepted
            .retain(|_, accepted| accepted.principal.user != user);
        memory
            .tokens
            .retain(|_, accepted| accepted.principal.user != user);
        memory.secrets.remove(user);
    }

    /// Waits for others who ask about the same user and password: their answer serves all.
    pub(super) async fn turn(&self, shown: Shown) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that nobody waits for are forgotten when the map would grow.
            if turns.len() == turns.capacity() {
                turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            }
            Arc::clone(turns.entry(*shown.whole.as_bytes()).or_default())
        };
        turn.lock_owned().await
    }
}

impl Memory {
    /// What the server took, if that is still believed.
    fn known(&self, user: &str, shown: Shown) -> Option<&Accepted> {
        if shown.is_token {
            return self.tokens.get(shown.whole.as_bytes());
        }
        let accepted = self.accepted.get(user)?;
        (accepted.shown == shown && self.is_latest(accepted)).then_some(accepted)
    }

    fn accept_token(&mut self, shown: Shown, principal: &Principal, since: Instant) {
        let key = *shown.whole.as_bytes();
        if !self.tokens.contains_key(&key) {
            let own = self
                .tokens
                .iter()
                .filter(|(_, known)| known.principal == *principal);
            let mut own: Vec<_> = own.map(|(key, known)| (known.since, *key)).collect();
            if own.len() >= TOKENS_MAX
                && let Some((_, oldest)) = own.drain(..).min()
            {
                self.tokens.remove(&oldest);
            }
            make_room(&mut self.tokens, |known| known.since);
        }
        let accepted = Accepted {
            shown,
            since,
            principal: principal.clone(),
        };
        self.tokens.insert(key, accepted);
    }

    /// Whether the server has taken no other secret of the same principal since.
    fn is_latest(&self, accepted: &Accepted) -> bool {
        let latest = self.secrets.get(&accepted.principal.user);
        latest.is_some_and(|(secret, _)| *secret == accepted.shown.secret)
    }
}

/// Forgets the oldest eighth of a full map.
fn make_room<K: Clone + Eq + std::hash::Hash, V>(
    map: &mut HashMap<K, V>,
    since: impl Fn(&V) -> Instant,
) {
    if map.len() < REMEMBERED_MAX {
        return;
    }
    let mut ages: Vec<_> = map
        .iter()
        .map(|(key, value)| (since(value), key.clone()))
        .collect();
    let surplus = ages.len() / 8;
    ages.select_nth_unstable_by_key(surplus, |(since, _)| *since);
    for (_, key) in ages.into_iter().take(surplus) {
        map.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: Duration = Duration::from_secs(300);
    const OUTAGE: Duration = Duration::from_secs(3600);

    fn anna() -> Principal {
        Principal {
            user: "anna@example.test".to_owned(),
        }
    }

    fn sign_ins() -> SignIns {
        SignIns::new(
            [7; 32],
            Kept {
                fresh: FRESH,
                outage: OUTAGE,
            },
        )
    }

    #[test]
    fn what_the_server_took_is_believed_for_a_time_and_longer_while_it_is_away() {
        let sign_ins = sign_ins();
        let now = Instant::now();
        let hash = sign_ins.hash("anna@example.test", "secret");
        let known = |after| sign_ins.look("anna@example.test", hash, now + after);
        assert_eq!(known(Duration::ZERO), Known::Nothing);
        sign_ins.accepted("anna@example.test", hash, &anna(), now);
        assert_eq!(known(Duration::ZERO), Known::Fresh(anna()));
        assert_eq!(known(FRESH), Known::Stale(anna()));
        assert_eq!(known(OUTAGE), Known::Nothing);
    }

    #[test]
    fn another_password_user_or_process_is_another_sign_in() {
        let sign_ins = sign_ins();
        let now = Instant::now();
        let hash = sign_ins.hash("anna@example.test", "secret");
        sign_ins.accepted("anna@example.test", hash, &anna(), now);
        let other = sign_ins.hash("anna@example.test", "Secret");
        assert_eq!(
            sign_ins.look("anna@example.test", other, now),
            Known::Nothing
        );
        assert_eq!(
            sign_ins.look("bert@example.test", hash, now),
            Known::Nothing
        );
        let kept = Kept {
            fresh: FRESH,
            outage: OUTAGE,
        };
        let elsewhere = SignIns::new([8; 32], kept);
        assert_ne!(hash, elsewhere.hash("anna@example.test", "secret"));
    }

    #[test]
    fn a_changed_password_is_changed_by_whichever_name_its_user_comes() {
        let sign_ins = sign_ins();
        let now = Instant::now();
        let names = ["anna@example.test", "alias@example.test", "CORP\\anna"];
        let look =
            |name: &str, password| sign_ins.look(name, sign_ins.hash(name, password), now + FRESH);
        for name in names {
            sign_ins.accepted(name, sign_ins.hash(name, "old"), &anna(), now);
        }
        assert_eq!(
            names.map(|name| look(name, "old")),
            [(); 3].map(|()| Known::Stale(anna()))
        );
        let other = Principal {
            user: "bert@example.test".to_owned(),
        };
        sign_ins.accepted("bert", sign_ins.hash("bert", "old"), &other, now);
        sign_ins.accepted(names[1], sign_ins.hash(names[1], "new"), &anna(), now);
        assert_eq!(
            names.map(|name| look(name, "old")),
            [(); 3].map(|()| Known::Nothing)
        );
        assert_eq!(look(names[1], "new"), Known::Stale(anna()));
        assert_eq!(look("bert", "old"), Known::Stale(other));
    }

    #[test]
    fn a_token_does_not_end_those_of_the_users_other_programs() {
        let sign_ins = sign_ins();
        let start = Instant::now();
        let shown = |name: &str| sign_ins.hash("anna@example.test", name).of_token();
        let look = |name: &str| sign_ins.look("anna@example.test", shown(name), start);
        let password = sign_ins.hash("anna@example.test", "secret");
        sign_ins.accepted("anna@example.test", password, &anna(), start);
        for name in ["phone", "laptop"] {
            sign_ins.accepted("anna@example.test", shown(name), &anna(), start);
        }
        let known = Known::Fresh(anna());
        assert_eq!(
            [look("phone"), look("laptop")],
            [known.clone(), known.clone()]
        );
        assert_eq!(sign_ins.look("anna@example.test", password, start), known);
        // What is known as a token is no password.
        let typed = sign_ins.hash("anna@example.test", "phone");
        assert_eq!(
            sign_ins.look("anna@example.test", typed, start),
            Known::Nothing
        );
        sign_ins.refused("anna@example.test", shown("phone"), start);
        assert_eq!(
            [look("phone"), look("laptop")],
            [Known::Refused, known.clone()]
        );
        for number in 0..TOKENS_MAX {
            let since = start + Duration::from_millis(1 + number as u64);
            sign_ins.accepted(
                "anna@example.test",
                shown(&number.to_string()),
                &anna(),
                since,
            );
        }
        assert_eq!([look("laptop"), look("0")], [Known::Nothing, known]);
        sign_ins.forget(&anna().user);
        assert_eq!(look("0"), Known::Nothing);
    }

    #[test]
    fn a_refusal_forgets_what_was_taken_and_is_itself_forgotten() {
        let sign_ins = sign_ins();
        let now = Instant::now();
        let hash = sign_ins.hash("anna@example.test", "secret");
        sign_ins.accepted("anna@example.test", hash, &anna(), now);
        // A wrong guess does not touch what is right.
        let guess = sign_ins.hash("anna@example.test", "guess");
        sign_ins.refused("anna@example.test", guess, now);
        assert_eq!(
            sign_ins.look("anna@example.test", guess, now),
            Known::Refused
        );
        assert_eq!(
            sign_ins.look("anna@example.test", hash, now),
            Known::Fresh(anna())
        );
        sign_ins.refused("anna@example.test", hash, now);
        assert_eq!(
            sign_ins.look("anna@example.test", hash, now),
            Known::Refused
        );
        let later = now + REFUSAL_KEPT;
        assert_eq!(
            sign_ins.look("anna@example.test", hash, later),
            Known::Nothing
        );
        sign_ins.accepted("anna@example.test", hash, &anna(), now);
        assert_eq!(
            sign_ins.look("anna@example.test", hash, now),
            Known::Fresh(anna())
        );
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes_first() {
        let sign_ins = sign_ins();
        let start = Instant::now();
        for n in 0..2 * REMEMBERED_MAX {
            let user = format!("user{n}@example.test");
            let now = start + Duration::from_millis(n as u64);
            let hash = sign_ins.hash(&user, "secret");
            sign_ins.accepted(&user, hash, &anna(), now);
            sign_ins.refused(&user, sign_ins.hash(&user, "guess"), now);
        }
        let memory = sign_ins.memory.lock().unwrap();
        assert!(memory.accepted.len() <= REMEMBERED_MAX && memory.refused.len() <= REMEMBERED_MAX);
        assert!(!memory.accepted.contains_key("user0@example.test"));
        let last = format!("user{}@example.test", 2 * REMEMBERED_MAX - 1);
        assert!(memory.accepted.contains_key(&last));
    }

    #[tokio::test]
    async fn those_who_ask_the_same_wait_for_one_another_and_others_do_not() {
        let sign_ins = sign_ins();
        let hash = sign_ins.hash("anna@example.test", "secret");
        let other = sign_ins.hash("anna@example.test", "guess");
        let turn = sign_ins.turn(hash).await;
        drop(sign_ins.turn(other).await);
        tokio::select! {
            biased;
            _ = sign_ins.turn(hash) => unreachable!("it is somebody else's turn"),
            () = std::future::ready(()) => {}
        }
        drop(turn);
        drop(sign_ins.turn(hash).await);
    }
}

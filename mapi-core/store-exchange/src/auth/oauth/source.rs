//! Where the token for a request comes from.

use std::{
    fmt::Debug,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::Error;
use crate::auth::Secret;

/// Gives the token that goes with a request. Shared by all connections of an account.
pub trait TokenSource: Debug + Send + Sync {
    /// A token that is good now. Usually at once; it may take a request to the issuer.
    fn token(&self) -> BoxFuture<'_, Result<Secret, Error>>;

    /// The server has refused this token: the next call of [`Self::token`] should give another one, if it can.
    fn refused(&self, token: &Secret);

    /// Whether it gives a program's own tokens, which have a right to all mailboxes and say nothing of what one user may.
    fn is_programs(&self) -> bool {
        false
    }
}

/// One token that somebody else keeps fresh, such as the one a mail client logged in with (RFC 7628).
#[derive(Debug, Clone)]
pub struct Fixed(pub Secret);

impl TokenSource for Fixed {
    fn token(&self) -> BoxFuture<'_, Result<Secret, Error>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }

    fn refused(&self, _token: &Secret) {}
}

/// The most tokens of one user that are kept: one for each program that the user has open.
const BROUGHT_MAX: usize = 8;

/// Tokens that a user's mail programs logged in with, which keep them fresh themselves (RFC 7628). The one that came last
/// is used. Each is forgotten when it ends or is refused; then that of another program serves.
#[derive(Debug)]
pub struct Brought {
    /// In the order in which they came.
    tokens: Mutex<Vec<One>>,
    is_programs: bool,
}

#[derive(Clone, Debug)]
struct One {
    token: Secret,
    until: Option<Instant>,
}

impl One {
    fn is_over(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }
}

impl Brought {
    /// Takes a token over. `lifetime`: for how long it lasts, as far as it says; the server knows better.
    pub fn new(token: Secret, lifetime: Option<Duration>, is_programs: bool) -> Self {
        let until = lifetime.and_then(|lifetime| Instant::now().checked_add(lifetime));
        Self {
            tokens: Mutex::new(vec![One { token, until }]),
            is_programs,
        }
    }

    /// Whether all have ended.
    pub fn is_over(&self) -> bool {
        self.lock().iter().all(One::is_over)
    }

    /// Takes those of another over, for when its own are no more: those of a person to those of a person alone.
    pub(crate) fn join(&self, other: &Self) {
        if self.is_programs != other.is_programs {
            return;
        }
        let mut all = other.lock().clone();
        let mut own = self.lock();
        all.retain(|one| !one.is_over() && own.iter().all(|known| known.token != one.token));
        all.append(&mut own);
        let surplus = all.len().saturating_sub(BROUGHT_MAX);
        *own = all.split_off(surplus);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<One>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenSource for Brought {
    fn token(&self) -> BoxFuture<'_, Result<Secret, Error>> {
        let mut tokens = self.lock();
        tokens.retain(|one| !one.is_over());
        let over = || Error::LoginNeeded("the client's token has ended".to_owned());
        let token = tokens.last().map(|one| one.token.clone()).ok_or_else(over);
        Box::pin(std::future::ready(token))
    }

    fn refused(&self, token: &Secret) {
        self.lock().retain(|one| one.token != *token);
    }

    fn is_programs(&self) -> bool {
        self.is_programs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_token_that_was_brought_is_forgotten_when_it_ends_or_is_refused() {
        let secret = Secret::new("t0ken");
        let hour = Duration::from_secs(3600);
        let brought = Brought::new(secret.clone(), Some(hour), false);
        assert_eq!(brought.token().await, Ok(secret.clone()));
        brought.refused(&Secret::new("another"));
        assert_eq!(brought.token().await, Ok(secret.clone()));
        tokio::time::advance(hour).await;
        assert!(brought.is_over());
        assert!(matches!(brought.token().await, Err(Error::LoginNeeded(_))));
        assert!(brought.lock().is_empty());

        let lasting = Brought::new(secret.clone(), None, false);
        tokio::time::advance(hour).await;
        assert_eq!(lasting.token().await, Ok(secret.clone()));
        lasting.refused(&secret);
        assert!(lasting.token().await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn another_programs_token_serves_when_one_has_ended_or_is_refused() {
        let token = |name: &str| Secret::new(name.to_owned());
        let hour = Duration::from_secs(3600);
        let phone = Brought::new(token("phone"), Some(2 * hour), false);
        let laptop = Brought::new(token("laptop"), Some(hour), false);
        laptop.join(&phone);
        let again = Brought::new(token("laptop"), Some(hour), false);
        again.join(&laptop);
        assert_eq!(again.lock().len(), 2);
        assert_eq!(again.token().await, Ok(token("laptop")));
        tokio::time::advance(hour).await;
        assert_eq!(again.token().await, Ok(token("phone")));
        let desk = Brought::new(token("desk"), None, false);
        desk.join(&again);
        desk.refused(&token("desk"));
        assert_eq!(desk.token().await, Ok(token("phone")));
    }

    #[tokio::test(start_paused = true)]
    async fn few_tokens_are_kept_and_none_of_a_program_for_a_person() {
        let token = |name: String| Secret::new(name);
        let mut last = Brought::new(token("program".to_owned()), None, true);
        for number in 0..2 * BROUGHT_MAX {
            let next = Brought::new(token(format!("t{number}")), None, false);
            next.join(&last);
            last = next;
        }
        let kept: Vec<_> = last.lock().iter().map(|one| one.token.clone()).collect();
        let newest = (BROUGHT_MAX..2 * BROUGHT_MAX).map(|number| token(format!("t{number}")));
        assert_eq!(kept, newest.collect::<Vec<_>>());
    }
}

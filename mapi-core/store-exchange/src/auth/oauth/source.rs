//! Where the token for a request comes from.

use std::{
    fmt::Debug,
    sync::{Mutex, PoisonError},
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

/// A token that a mail client logged in with, which keeps it fresh itself (RFC 7628). It is forgotten when it ends.
#[derive(Debug)]
pub struct Brought {
    token: Mutex<Option<Secret>>,
    until: Option<Instant>,
}

impl Brought {
    /// Takes a token over. `lifetime`: for how long it lasts, as far as it says; the server knows better.
    pub fn new(token: Secret, lifetime: Option<Duration>) -> Self {
        Self {
            token: Mutex::new(Some(token)),
            until: lifetime.and_then(|lifetime| Instant::now().checked_add(lifetime)),
        }
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.until.is_some_and(|until| until <= Instant::now())
    }
}

impl TokenSource for Brought {
    fn token(&self) -> BoxFuture<'_, Result<Secret, Error>> {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_over() {
            *token = None;
        }
        let over = || Error::LoginNeeded("the client's token has ended".to_owned());
        let token = token.clone().ok_or_else(over);
        Box::pin(std::future::ready(token))
    }

    fn refused(&self, token: &Secret) {
        let mut own = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        own.take_if(|own| own == token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_token_that_was_brought_is_forgotten_when_it_ends_or_is_refused() {
        let secret = Secret::new("t0ken");
        let hour = Duration::from_secs(3600);
        let brought = Brought::new(secret.clone(), Some(hour));
        assert_eq!(brought.token().await, Ok(secret.clone()));
        brought.refused(&Secret::new("another"));
        assert_eq!(brought.token().await, Ok(secret.clone()));
        tokio::time::advance(hour).await;
        assert!(brought.is_over());
        assert!(matches!(brought.token().await, Err(Error::LoginNeeded(_))));
        assert!(brought.token.lock().unwrap().is_none());

        let lasting = Brought::new(secret.clone(), None);
        tokio::time::advance(hour).await;
        assert_eq!(lasting.token().await, Ok(secret.clone()));
        lasting.refused(&secret);
        assert!(lasting.token().await.is_err());
    }
}

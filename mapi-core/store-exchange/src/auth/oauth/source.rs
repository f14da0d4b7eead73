//! Where the token for a request comes from.

use std::fmt::Debug;

use futures_util::future::BoxFuture;

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

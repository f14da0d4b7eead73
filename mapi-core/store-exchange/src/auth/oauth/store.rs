//! Where refresh tokens outlive the process.

use std::fmt::Debug;

use futures_util::future::BoxFuture;

use super::Error;
use crate::auth::Secret;

/// Keeps one refresh token for each account. What is stored must not be readable by whoever gets at the disk.
pub trait TokenStore: Debug + Send + Sync {
    /// The token of an account; nothing when nobody has logged in. Errors: `Store`.
    fn load<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Option<Secret>, Error>>;

    /// Replaces an account's token, durably; nothing removes it. Errors: `Store`.
    fn save<'a>(
        &'a self,
        account: &'a str,
        token: Option<&'a Secret>,
    ) -> BoxFuture<'a, Result<(), Error>>;
}

//! Consents: each is kept for the one mailbox whose owner gave it.

use store_exchange::{Entrance, auth::oauth};

use super::tokens::Tokens;
use crate::failure::{Doing, Failure, Result};

/// Keeps what somebody consented to for a mailbox, if the token opens it as its owner's: whoever consented may be
/// somebody else than whoever asked for it, whether in a browser or on another device.
///
/// `address` is the primary one, so that a consent is found again under the mailbox it is for.
pub(crate) async fn keep(
    entrance: &Entrance,
    source: &Tokens,
    address: &str,
    tokens: oauth::Tokens,
) -> Result<()> {
    let token = tokens.access.clone();
    let owner = entrance.owner_by_consent(address, token).await;
    let owner = owner.doing(|| format!("opening the mailbox {address} with the token"))?;
    if owner.user != address {
        return Err(Failure::new(format!(
            "{address} is another address of {}: log in as that",
            owner.user
        )));
    }
    source.keep(address, tokens).await
}

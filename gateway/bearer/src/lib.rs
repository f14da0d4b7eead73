//! Bearer tokens of OAuth issuers: whose token is it, and is it good here?
//!
//! A token is a JWT (RFC 7519) that an issuer has signed (JWS, RFC 7515) with a key of its set (JWKS, RFC 7517). An
//! [`Issuer`] knows the terms of one issuer and keeps its keys; the signatures themselves are checked by `ring`. How a
//! key set is got is the caller's affair: [`Fetch`].
//! Invariants: an algorithm counts only if it is among those that the terms allow *and* is the key's own kind, so
//! neither `none` nor a public key used as a secret ever passes; claims are looked at only under a good signature; and
//! no token makes the issuer be asked more often than every [`REFRESH_EVERY_MIN`].
//! Source: RFC 8725 (best practices), RFC 9068 (access tokens as JWTs), RFC 8037 (EdDSA).

mod algorithm;
mod claims;
mod issuer;
mod jws;
mod keys;

pub use algorithm::Algorithm;
pub use claims::Terms;
pub use issuer::{Fetch, Fetched, Issuer, KEYS_FRESH, KEYS_STALE_MAX, REFRESH_EVERY_MIN};
pub use jws::issuer_of;
pub use keys::{KEYS_BYTES_MAX, KeySet};

use std::{error, fmt};

/// Why a token lets nobody in. Never the token's content.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// It is no signed token, or one that is not understood: why.
    Malformed(&'static str),
    /// It is signed by an algorithm that is not allowed.
    Algorithm,
    /// The issuer has no such key.
    UnknownKey,
    /// The signature is wrong.
    Signature,
    /// It is of another issuer.
    Issuer,
    /// It is for somebody else.
    Audience,
    /// It does not say enough of what may be done with it.
    Scope,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYet,
    /// It does not name an address, or the issuer has not verified that.
    Address,
    /// The issuer's keys cannot be had now: it cannot be told.
    KeysUnavailable,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed(why) => why,
            Self::Algorithm => "token signed by an algorithm that is not allowed",
            Self::UnknownKey => "token signed by a key the issuer does not have",
            Self::Signature => "token's signature is wrong",
            Self::Issuer => "token of another issuer",
            Self::Audience => "token for another audience",
            Self::Scope => "token without the scope",
            Self::Expired => "token has expired",
            Self::NotYet => "token is not valid yet",
            Self::Address => "token names no verified address",
            Self::KeysUnavailable => "the issuer's keys cannot be had",
        })
    }
}

impl error::Error for Refusal {}

//! Why there is no token.

use std::{fmt, time::Duration};

use crate::http;

/// Why there is no token. No variant holds a token or anything else that is secret, so that it can be kept and logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The issuer cannot be reached or is busy; it may be asked again after this time, if it said so.
    Unavailable {
        /// What failed.
        why: String,
        /// The issuer's Retry-After.
        retry_after: Option<Duration>,
    },
    /// Somebody has to log in again: the consent has ended, or was never given.
    LoginNeeded(String),
    /// The issuer refuses this gateway itself: its id, its secret, its certificate, its scope.
    Refused(String),
    /// The person has not decided yet (RFC 8628 3.5).
    Pending,
    /// As `Pending`, and the issuer is asked too often.
    SlowDown,
    /// The person declined.
    Declined,
    /// The time for deciding is over.
    Expired,
    /// The issuer's answer cannot be understood.
    Malformed(&'static str),
    /// What is configured cannot be used: a certificate, a key, a URL.
    Config(String),
    /// The stored token cannot be read or written.
    Store(String),
}

/// The bound of the length of an issuer's error code.
const CODE_LEN_MAX: usize = 64;

impl Error {
    /// What an issuer's error code means (RFC 6749 5.2, RFC 8628 3.5, OpenID Connect Core 3.1.2.6).
    ///
    /// Of the description only Microsoft's own number is kept, for a description may quote what was sent; a code that
    /// is none of the standards' shape is not kept either.
    pub(super) fn from_issuer(code: &str, description: &str) -> Self {
        let plain = code.len() <= CODE_LEN_MAX
            && code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'));
        let mut text = if plain { code } else { "an error of its own" }.to_owned();
        if let Some(number) = aadsts(description) {
            text = format!("{text} ({number})");
        }
        match code {
            "authorization_pending" => Self::Pending,
            "slow_down" => Self::SlowDown,
            "access_denied" | "authorization_declined" => Self::Declined,
            "expired_token" | "code_expired" => Self::Expired,
            "invalid_grant" | "interaction_required" | "consent_required" | "login_required" => {
                Self::LoginNeeded(text)
            }
            "temporarily_unavailable" | "server_error" => Self::Unavailable {
                why: text,
                retry_after: None,
            },
            _ => Self::Refused(text),
        }
    }

    /// Whether asking again later may help without anybody doing anything.
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. } | Self::Pending | Self::SlowDown
        )
    }
}

/// The number that Microsoft's issuer begins its descriptions with.
fn aadsts(description: &str) -> Option<String> {
    let digits: String = description
        .strip_prefix("AADSTS")?
        .chars()
        .take_while(char::is_ascii_digit)
        .take(9)
        .collect();
    Some(format!("AADSTS{digits}"))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable { why, .. } => write!(f, "the token issuer is unavailable: {why}"),
            Self::LoginNeeded(why) => write!(f, "a new login is needed: {why}"),
            Self::Refused(why) => write!(f, "the token issuer refuses this gateway: {why}"),
            Self::Pending | Self::SlowDown => f.write_str("the login is not finished yet"),
            Self::Declined => f.write_str("the login was declined"),
            Self::Expired => f.write_str("the login took too long"),
            Self::Malformed(what) => write!(f, "the token issuer's answer makes no sense: {what}"),
            Self::Config(why) => write!(f, "OAuth configuration: {why}"),
            Self::Store(why) => write!(f, "stored token: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<http::Error> for Error {
    fn from(error: http::Error) -> Self {
        match error.kind {
            http::Kind::Declined(why) => Self::Config(why.to_owned()),
            kind => Self::Unavailable {
                why: kind.to_string(),
                retry_after: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str, description: &str, expected: &Error) {
        assert_eq!(&Error::from_issuer(code, description), expected);
    }

    #[test]
    fn codes_of_issuers_say_who_has_to_act() {
        check("authorization_pending", "", &Error::Pending);
        check("slow_down", "AADSTS70000: x", &Error::SlowDown);
        check("access_denied", "", &Error::Declined);
        check("expired_token", "", &Error::Expired);
        check(
            "invalid_grant",
            "AADSTS70008: the token eyJhbGciOi has expired",
            &Error::LoginNeeded("invalid_grant (AADSTS70008)".to_owned()),
        );
        check(
            "invalid_client",
            "secret hunter2 is wrong",
            &Error::Refused("invalid_client".to_owned()),
        );
        for odd in ["eyJhbGciOi", "with space", &"x".repeat(65)] {
            check(odd, "", &Error::Refused("an error of its own".to_owned()));
        }
    }
}

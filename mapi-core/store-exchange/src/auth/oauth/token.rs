//! What a token endpoint answers (RFC 6749 section 5).

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use tokio::time::Instant;

use super::Error;
use crate::{
    auth::Secret,
    http::{Response, StatusCode, retry_after},
};

/// How long a token is taken to last when the issuer does not say.
const LIFETIME_DEFAULT: Duration = Duration::from_secs(15 * 60);
/// The longest lifetime that is believed.
const LIFETIME_MAX: Duration = Duration::from_secs(7 * 24 * 3600);
/// The bound of a token in bytes: it travels in a header with every request.
const TOKEN_BYTES_MAX: usize = 64 << 10;

/// What an issuer gave.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// What goes with each request.
    pub access: Secret,
    /// When it came.
    pub since: Instant,
    /// How long it lasts from then on.
    pub lifetime: Duration,
    /// What gets the next one. An issuer that rotates it accepts the one before no more.
    pub refresh: Option<Secret>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
    token_type: String,
    #[serde(default)]
    expires_in: Option<Number>,
    #[serde(default)]
    refresh_token: Option<Secret>,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Seconds: a number, and a string of one as ADFS writes it.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Number {
    Number(u64),
    Text(String),
}

impl Number {
    pub(super) fn seconds(&self) -> Option<Duration> {
        match self {
            Self::Number(number) => Some(Duration::from_secs(*number)),
            Self::Text(text) => text.parse().ok().map(Duration::from_secs),
        }
    }
}

/// Reads the answer of a token endpoint.
pub(super) async fn tokens(response: Response) -> Result<Tokens, Error> {
    let body = body(response).await?;
    let granted: Granted =
        serde_json::from_str(body.expose()).map_err(|_| Error::Malformed("no token in it"))?;
    if !granted.token_type.eq_ignore_ascii_case("bearer") {
        return Err(Error::Malformed("the token is not a bearer token"));
    }
    let text = granted.access_token.expose();
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || text.len() > TOKEN_BYTES_MAX || !visible {
        return Err(Error::Malformed("the token does not fit into a header"));
    }
    Ok(Tokens {
        access: granted.access_token,
        since: Instant::now(),
        lifetime: granted
            .expires_in
            .and_then(|number| number.seconds())
            .unwrap_or(LIFETIME_DEFAULT)
            .min(LIFETIME_MAX),
        refresh: granted.refresh_token,
    })
}

/// The body of a successful answer of an issuer; for any other the error that it stands for.
pub(super) async fn body(response: Response) -> Result<Secret, Error> {
    let status = response.status;
    let wait = retry_after(&response.headers, SystemTime::now());
    let body = response.body.collect().await?;
    let body = std::str::from_utf8(&body).map_err(|_| Error::Malformed("not text"))?;
    if status.is_success() {
        return Ok(Secret::new(body));
    }
    let busy = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    match serde_json::from_str::<Refused>(body) {
        Ok(refused) if !busy => Err(Error::from_issuer(
            &refused.error,
            &refused.error_description,
        )),
        _ if busy => Err(Error::Unavailable {
            why: format!("it answers {status}"),
            retry_after: wait,
        }),
        _ => Err(Error::Refused(format!("it answers {status}"))),
    }
}

//! A person's consent in a browser: authorization code with PKCE (RFC 6749 4.1, RFC 7636, RFC 9700 2.1.1).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::Url;

use super::{App, Error, Tokens};
use crate::auth::Secret;

/// A login that is under way in somebody's browser. The gateway's page keeps it, by the browser's own session.
#[derive(Debug)]
pub struct Authorization {
    /// Where to send the browser.
    pub url: Url,
    redirect: Url,
    state: Secret,
    verifier: Secret,
}

impl App {
    /// Begins a login in a browser, which will come back to `redirect`. `login_hint` is the address to log in as.
    ///
    /// Asks the issuer for its URLs at most. Errors: `Config` when it has no such page.
    pub async fn authorize(&self, redirect: Url, login_hint: &str) -> Result<Authorization, Error> {
        let endpoints = self.issuer.endpoints(&self.client).await?;
        let mut url = endpoints.authorization.ok_or_else(|| {
            Error::Config("the issuer names no authorization endpoint".to_owned())
        })?;
        let (state, verifier) = (random()?, random()?);
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose()));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", redirect.as_str())
            .append_pair("scope", &self.scope)
            .append_pair("state", state.expose())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if !login_hint.is_empty() {
            url.query_pairs_mut().append_pair("login_hint", login_hint);
        }
        Ok(Authorization {
            url,
            redirect,
            state,
            verifier,
        })
    }

    /// Finishes a login with the URL that the browser came back with. One round trip.
    ///
    /// Errors: `Malformed` when it is not the answer to this login, `Declined`, and what a token endpoint says.
    pub async fn exchange(&self, login: &Authorization, came_back: &Url) -> Result<Tokens, Error> {
        let parameter = |name: &str| {
            let mut found = came_back.query_pairs().filter(|(key, _)| key == name);
            let value = found.next().map(|(_, value)| value);
            // RFC 6749 3.1: no parameter more than once.
            value.filter(|_| found.next().is_none())
        };
        let state = parameter("state").unwrap_or_default();
        if !bool::from(state.as_bytes().ct_eq(login.state.expose().as_bytes())) {
            return Err(Error::Malformed("it belongs to another login"));
        }
        if let Some(error) = parameter("error") {
            let description = parameter("error_description").unwrap_or_default();
            return Err(Error::from_issuer(&error, &description));
        }
        let code = parameter("code").ok_or(Error::Malformed("no code"))?;
        self.tokens(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", login.redirect.as_str()),
            ("code_verifier", login.verifier.expose()),
            ("scope", &self.scope),
        ])
        .await
    }
}

/// 256 bits, as 43 characters (RFC 7636 4.1).
fn random() -> Result<Secret, Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Error::Config("no randomness".to_owned()))?;
    Ok(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

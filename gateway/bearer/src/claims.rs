//! What a token says, and what must be said here. Source: RFC 7519 4.1, RFC 9068 2.2 and 4, RFC 8693 4.2 (`scope`).

use std::time::Duration;

use serde_json::{Map, Value};

use crate::{Algorithm, Refusal};

/// What tokens of one issuer must say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Terms {
    /// Who must have issued them (`iss`), compared octet by octet.
    pub issuer: String,
    /// For whom they must be (`aud`): one of these.
    pub audiences: Vec<String>,
    /// What must be allowed (`scope`, or Microsoft's `scp`): all of these.
    pub scopes: Vec<String>,
    /// The claim that names the user's address.
    pub address_claim: String,
    /// By what they may be signed.
    pub algorithms: Vec<Algorithm>,
    /// By how much the issuer's clock and ours may differ.
    pub clock_skew: Duration,
}

/// The claims of a token.
pub(crate) struct Claims {
    pub(crate) issuer: Option<String>,
    all: Map<String, Value>,
}

impl Claims {
    /// Errors: `Malformed`.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Refusal> {
        let Ok(Value::Object(all)) = serde_json::from_slice(json) else {
            return Err(Refusal::Malformed("token's content is no object"));
        };
        let issuer = all.get("iss").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { issuer, all })
    }

    /// The user's address, if the token is good at `now`, the time since 1970.
    ///
    /// Errors: `Issuer`, `Audience`, `Scope`, `Expired`, `NotYet`, `Address`, `Malformed`.
    pub(crate) fn check(&self, terms: &Terms, now: Duration) -> Result<String, Refusal> {
        if self.issuer.as_deref() != Some(&terms.issuer) {
            return Err(Refusal::Issuer);
        }
        let is_meant = |audience: &str| terms.audiences.iter().any(|own| own == audience);
        if !self.texts("aud").into_iter().any(is_meant) {
            return Err(Refusal::Audience);
        }
        self.check_times(terms.clock_skew, now)?;
        let mut granted = self.texts("scope");
        granted.extend(self.texts("scp"));
        let granted: Vec<_> = granted
            .into_iter()
            .flat_map(|some| some.split(' '))
            .collect();
        if !terms
            .scopes
            .iter()
            .all(|scope| granted.contains(&scope.as_str()))
        {
            return Err(Refusal::Scope);
        }
        let is_unverified = terms.address_claim == "email"
            && self
                .all
                .get("email_verified")
                .is_some_and(|told| told != true);
        let address = self.all.get(&terms.address_claim).and_then(Value::as_str);
        address
            .filter(|address| !address.is_empty() && !is_unverified)
            .map(str::to_owned)
            .ok_or(Refusal::Address)
    }

    /// `exp` must be there; `nbf` and `iat` count where they are.
    fn check_times(&self, skew: Duration, now: Duration) -> Result<(), Refusal> {
        let skew = skew.as_secs_f64();
        let now = now.as_secs_f64();
        let Some(expires) = self.time("exp")? else {
            return Err(Refusal::Malformed("token without an end"));
        };
        if now >= expires + skew {
            return Err(Refusal::Expired);
        }
        for claim in ["nbf", "iat"] {
            if self.time(claim)?.is_some_and(|begins| now + skew < begins) {
                return Err(Refusal::NotYet);
            }
        }
        Ok(())
    }

    /// A time in seconds since 1970, perhaps with a fraction. One that is there and is no number is an error: it must not
    /// count as none.
    fn time(&self, claim: &str) -> Result<Option<f64>, Refusal> {
        match self.all.get(claim) {
            None => Ok(None),
            Some(time) => match time.as_f64() {
                Some(time) if time.is_finite() => Ok(Some(time)),
                _ => Err(Refusal::Malformed("token with a time that is no number")),
            },
        }
    }

    /// A claim that is one text, or a list of some.
    fn texts(&self, claim: &str) -> Vec<&str> {
        match self.all.get(claim) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

//! `[issuer.NAME]`: OAuth issuers whose tokens open embedded mailboxes.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use bearer::{Algorithm, Terms};
use serde::{Deserialize, Serialize};

use super::exchange::{is_private, url};
use crate::config_error::ConfigError;

/// The most by which clocks may be said to differ, in seconds.
const CLOCK_SKEW_MAX_S: u64 = 300;

/// An issuer of tokens.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct IssuerConfig {
    /// Its URL, as tokens name it (`iss`), to the octet.
    pub(crate) issuer: String,
    /// For whom tokens must be (`aud`): one of these.
    pub(crate) audiences: Vec<String>,
    /// What tokens must allow (`scope`): all of these.
    pub(crate) scopes: Vec<String>,
    /// The claim that names the user's address.
    pub(crate) address_claim: String,
    /// By what tokens may be signed.
    pub(crate) algorithms: Vec<String>,
    /// By how much the issuer's clock and this one may differ, in seconds.
    pub(crate) clock_skew_s: u64,
    /// Where its keys are; by default where its discovery document says.
    pub(crate) jwks_url: String,
    /// A file with its keys, instead.
    pub(crate) jwks_file: PathBuf,
    /// PEM files with certificate authorities to trust besides the system's.
    pub(crate) ca_files: Vec<PathBuf>,
    /// Whether the system's certificate authorities are trusted.
    pub(crate) system_authorities: bool,
}

impl Default for IssuerConfig {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            audiences: Vec::new(),
            scopes: Vec::new(),
            address_claim: "email".to_owned(),
            algorithms: ["RS256", "ES256", "EdDSA"].map(str::to_owned).into(),
            clock_skew_s: 60,
            jwks_url: String::new(),
            jwks_file: PathBuf::new(),
            ca_files: Vec::new(),
            system_authorities: true,
        }
    }
}

impl IssuerConfig {
    /// What its tokens must say.
    pub(crate) fn terms(&self) -> Terms {
        let algorithms = self.algorithms.iter();
        Terms {
            issuer: self.issuer.clone(),
            audiences: self.audiences.clone(),
            scopes: self.scopes.clone(),
            address_claim: self.address_claim.clone(),
            algorithms: algorithms
                .filter_map(|name| Algorithm::parse(name))
                .collect(),
            clock_skew: Duration::from_secs(self.clock_skew_s),
        }
    }

    fn check(&self, key: impl Fn(&str) -> String) -> Result<(), ConfigError> {
        let fault = |name: &str, found: &str, expected: &str| {
            Err(ConfigError::value(&key(name), found, expected))
        };
        let is_secure = |text: &str| url(text).is_some_and(|url| is_private(&url));
        if !is_secure(&self.issuer) {
            return fault("issuer", &self.issuer, "an https URL");
        }
        if self.audiences.iter().all(String::is_empty) {
            let expected = "for whom tokens are: whoever a token is not for must not take it";
            return fault("audiences", "nothing", expected);
        }
        let known = |name: &&String| Algorithm::parse(name).is_none();
        if let Some(name) = self.algorithms.iter().find(known) {
            let names: Vec<_> = Algorithm::ALL.iter().map(|one| one.name()).collect();
            return fault("algorithms", name, &format!("some of {}", names.join(", ")));
        }
        if self.algorithms.is_empty() {
            return fault("algorithms", "nothing", "at least one");
        }
        if self.clock_skew_s > CLOCK_SKEW_MAX_S {
            let (found, expected) = (self.clock_skew_s, format!("0 to {CLOCK_SKEW_MAX_S}"));
            return fault("clock_skew_s", &found.to_string(), &expected);
        }
        if self.address_claim.is_empty() {
            return fault("address_claim", "nothing", "the name of a claim");
        }
        if !self.jwks_url.is_empty() && !is_secure(&self.jwks_url) {
            return fault("jwks_url", &self.jwks_url, "an https URL");
        }
        if !self.jwks_url.is_empty() && !self.jwks_file.as_os_str().is_empty() {
            return fault("jwks_file", "also jwks_url", "one of them");
        }
        Ok(())
    }
}

/// What types alone cannot say.
pub(super) fn check(issuers: &BTreeMap<String, IssuerConfig>) -> Result<(), ConfigError> {
    for (name, issuer) in issuers {
        issuer.check(|key| format!("issuer.{name}.{key}"))?;
        let same = issuers
            .values()
            .filter(|other| other.issuer == issuer.issuer);
        if same.count() > 1 {
            let key = format!("issuer.{name}.issuer");
            return Err(ConfigError::value(
                &key,
                &issuer.issuer,
                "another for each section",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_take_tokens_of_anybody_is_an_error() {
        let good = "issuer = \"https://issuer.test\"\naudiences = [\"mail\"]\n";
        for (text, expected) in [
            (good.to_owned(), None),
            (String::new(), Some("issuer.a.issuer")),
            (
                "issuer = \"http://issuer.test\"\naudiences = [\"mail\"]".to_owned(),
                Some("https"),
            ),
            (
                "issuer = \"https://issuer.test\"".to_owned(),
                Some("audiences"),
            ),
            (format!("{good}algorithms = [\"HS256\"]"), Some("HS256")),
            (format!("{good}algorithms = [\"none\"]"), Some("none")),
            (format!("{good}algorithms = []"), Some("algorithms")),
            (format!("{good}clock_skew_s = 301"), Some("0 to 300")),
            (
                format!("{good}jwks_url = \"http://issuer.test/keys\""),
                Some("jwks_url"),
            ),
        ] {
            let config: IssuerConfig = toml::from_str(&text).unwrap();
            let answer = check(&BTreeMap::from([("a".to_owned(), config)]));
            match (answer, expected) {
                (Ok(()), None) => {}
                (Err(error), Some(part)) if error.to_string().contains(part) => {}
                (answer, _) => panic!("{text}: {answer:?}"),
            }
        }
    }
}

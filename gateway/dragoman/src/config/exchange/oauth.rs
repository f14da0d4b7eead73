//! `[exchange.NAME.oauth]`: tokens instead of passwords.

use std::path::PathBuf;

use sasl::TokenTerms;
use serde::{Deserialize, Serialize};
use store_exchange::http::Url;

use super::{check::Faults, is_private, url};
use crate::config_error::ConfigError;

/// Where Microsoft's issuers are.
const MICROSOFT: &str = "https://login.microsoftonline.com/";
/// What Exchange Online calls its API, with all that the gateway has been granted.
const SCOPES: &str = "https://outlook.office365.com/.default";
/// What a refresh token is given for.
const OFFLINE: &str = "offline_access";

/// Where browsers come back to.
pub(crate) const CALLBACK_PATH: &str = "/exchange/callback";

/// How this gateway gets tokens.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OauthConfig {
    /// How a token is got first.
    pub(crate) flow: Flow,
    /// The tenant at Microsoft, by domain or number; or `issuer`.
    pub(crate) tenant: String,
    /// The issuer's URL, without `/.well-known/…`.
    pub(crate) issuer: String,
    /// The id that the issuer gave this gateway.
    pub(crate) client_id: String,
    /// A file with the gateway's secret, for its owner alone to read; or `certificate` and `certificate_key`.
    pub(crate) client_secret_file: PathBuf,
    /// PEM file with the gateway's certificate.
    pub(crate) certificate: PathBuf,
    /// PEM file with its RSA key, for its owner alone to read.
    pub(crate) certificate_key: PathBuf,
    /// What the tokens are for, separated by spaces; empty: all of Exchange Online that the gateway has been granted.
    pub(crate) scopes: String,
    /// The gateway's page `/exchange/callback` as browsers reach it, for `authorization_code`; the issuer must know it.
    pub(crate) redirect_url: String,
    /// A file with the key that encrypts refresh tokens in the data folder: 32 bytes in base64, for its owner alone to
    /// read.
    pub(crate) token_key_file: PathBuf,
}

/// How a token is got first.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Flow {
    /// Each user consents once, on any device: `dragoman exchange login`.
    #[default]
    DeviceCode,
    /// Each user consents once, in a browser, beginning at the gateway's page `/exchange/login`.
    AuthorizationCode,
    /// The gateway has a right of its own to all mailboxes.
    ClientCredentials,
}

impl OauthConfig {
    pub(super) fn check(&self, faults: &Faults<'_>) -> Result<(), ConfigError> {
        let is_empty = |path: &PathBuf| path.as_os_str().is_empty();
        let fault = |key: &str, found: &str, expected: &str| {
            Err(faults.value(&format!("oauth.{key}"), found, expected))
        };
        if self.client_id.is_empty() {
            return fault(
                "client_id",
                "nothing",
                "the id that the issuer gave this gateway",
            );
        }
        if self.tenant.is_empty() == self.issuer.is_empty() {
            return fault(
                "tenant",
                "neither or both of tenant and issuer",
                "one of them",
            );
        }
        if self.issuer_url().is_none_or(|url| !is_private(&url)) {
            return fault(
                "issuer",
                &self.issuer,
                "an https URL, or a tenant's domain or number",
            );
        }
        if is_empty(&self.certificate) != is_empty(&self.certificate_key) {
            let found = "only one of certificate and certificate_key";
            return fault("certificate", found, "both, or neither");
        }
        let proofs = [&self.client_secret_file, &self.certificate];
        let proofs = proofs.into_iter().filter(|path| !is_empty(path)).count();
        match self.flow {
            _ if proofs > 1 => fault("certificate", "also client_secret_file", "one of them"),
            Flow::ClientCredentials if proofs == 0 => fault(
                "client_secret_file",
                "nothing",
                "it, or certificate and certificate_key, for client_credentials",
            ),
            Flow::DeviceCode | Flow::AuthorizationCode if is_empty(&self.token_key_file) => fault(
                "token_key_file",
                "nothing",
                "a file: refresh tokens are kept encrypted",
            ),
            Flow::AuthorizationCode
                if self
                    .redirect()
                    .is_none_or(|url| !is_private(&url) || url.path() != CALLBACK_PATH) =>
            {
                let expected = format!("an https URL that ends in {CALLBACK_PATH}");
                fault("redirect_url", &self.redirect_url, &expected)
            }
            _ => Ok(()),
        }
    }

    /// Where browsers come back to.
    pub(crate) fn redirect(&self) -> Option<Url> {
        url(&self.redirect_url)
    }

    /// Who issues tokens.
    pub(crate) fn issuer_url(&self) -> Option<Url> {
        if self.tenant.is_empty() {
            return url(&self.issuer);
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        let tenant = Some(&self.tenant).filter(|tenant| tenant.chars().all(plain))?;
        url(&format!("{MICROSOFT}{tenant}/v2.0"))
    }

    /// What a mail program is told whose token is not good.
    pub(crate) fn terms(&self) -> TokenTerms {
        let scope = self.scope();
        let scopes = scope.split(' ').filter(|scope| *scope != OFFLINE);
        let issuer = self.issuer_url();
        let issuer = issuer
            .as_ref()
            .map(|url| url.as_str().trim_end_matches('/'));
        TokenTerms {
            scope: scopes.collect::<Vec<_>>().join(" "),
            openid_configuration: issuer
                .map(|issuer| format!("{issuer}/.well-known/openid-configuration"))
                .unwrap_or_default(),
        }
    }

    /// What tokens are asked for.
    pub(crate) fn scope(&self) -> String {
        match (self.scopes.as_str(), self.flow) {
            ("", Flow::ClientCredentials) => SCOPES.to_owned(),
            ("", Flow::DeviceCode | Flow::AuthorizationCode) => format!("{SCOPES} {OFFLINE}"),
            (scopes, _) => scopes.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(), &str>) {
        let config: OauthConfig = toml::from_str(text).unwrap();
        let answer = config
            .check(&Faults("m"))
            .map_err(|error| error.to_string());
        match (answer, expected) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(part)) => assert!(error.contains(part), "{text}: {error}"),
            (answer, _) => panic!("{text}: {answer:?}"),
        }
    }

    #[test]
    fn what_a_flow_needs_must_be_there() {
        let known = "tenant = \"example.test\"\nclient_id = \"1\"\n";
        let with = |rest: &str| format!("{known}{rest}");
        check("", Err("oauth.client_id"));
        check("client_id = \"1\"", Err("oauth.tenant"));
        check(&with("issuer = \"https://a.test\""), Err("oauth.tenant"));
        check(known, Err("oauth.token_key_file"));
        check(&with("token_key_file = \"k\""), Ok(()));
        check(
            &with("flow = \"client_credentials\""),
            Err("client_secret_file"),
        );
        check(
            &with("flow = \"client_credentials\"\nclient_secret_file = \"s\""),
            Ok(()),
        );
        check(&with("certificate = \"c\""), Err("oauth.certificate"));
        let page = "flow = \"authorization_code\"\ntoken_key_file = \"k\"\n";
        check(&with(page), Err("oauth.redirect_url"));
        let elsewhere = format!("{page}redirect_url = \"https://gw.test/\"");
        check(&with(&elsewhere), Err("oauth.redirect_url"));
        let back = format!("{page}redirect_url = \"https://gw.test/exchange/callback\"");
        check(&with(&back), Ok(()));
        check(
            "issuer = \"http://issuer.test\"\nclient_id = \"1\"",
            Err("oauth.issuer"),
        );
        check(
            "tenant = \"a/../b\"\nclient_id = \"1\"",
            Err("oauth.issuer"),
        );
    }

    #[test]
    fn scopes_are_those_of_exchange_online_unless_others_are_named() {
        let config = OauthConfig {
            tenant: "example.test".to_owned(),
            ..OauthConfig::default()
        };
        assert_eq!(
            config.issuer_url().unwrap().as_str(),
            "https://login.microsoftonline.com/example.test/v2.0"
        );
        assert_eq!(
            config.scope(),
            "https://outlook.office365.com/.default offline_access"
        );
    }
}

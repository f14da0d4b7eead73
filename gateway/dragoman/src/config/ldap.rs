//! `[ldap.NAME]`: users of embedded mailboxes that an LDAP server knows.

use std::{collections::BTreeMap, net::IpAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{ExchangeConfig, exchange::url};
use crate::config_error::ConfigError;

/// An LDAP server, and how its users are found.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LdapConfig {
    /// The domains of its users' addresses.
    pub(crate) domains: Vec<String>,
    /// `ldaps://HOST:PORT`, or `ldap://HOST:PORT` with `starttls`.
    pub(crate) url: String,
    /// Whether a connection to `ldap://` goes on over TLS.
    pub(crate) starttls: bool,
    /// PEM files with certificate authorities to trust besides the system's.
    pub(crate) ca_files: Vec<PathBuf>,
    /// Whether the system's certificate authorities are trusted.
    pub(crate) system_authorities: bool,
    /// As what entry users are searched; empty: as nobody.
    pub(crate) bind_dn: String,
    /// A file with that entry's password, for its owner alone to read.
    pub(crate) bind_password_file: PathBuf,
    /// Below which entry users are.
    pub(crate) base: String,
    /// A filter that their entries pass.
    pub(crate) filter: String,
    /// The attribute with a user's address, which names the mailbox.
    pub(crate) address_attribute: String,
    /// Attributes with further addresses.
    pub(crate) alias_attributes: Vec<String>,
    /// Attributes with names that users log in with besides.
    pub(crate) login_attributes: Vec<String>,
    /// How long connecting, and each request, may take, in seconds.
    pub(crate) timeout_s: u64,
    /// Connections at once, those for searches and those for passwords each.
    pub(crate) connections_max: usize,
    /// How long an address that mail came for is remembered, in seconds.
    pub(crate) cache_s: u64,
    /// The most addresses that are remembered.
    pub(crate) cache_entries_max: u64,
}

impl Default for LdapConfig {
    fn default() -> Self {
        Self {
            domains: Vec::new(),
            url: String::new(),
            starttls: false,
            ca_files: Vec::new(),
            system_authorities: true,
            bind_dn: String::new(),
            bind_password_file: PathBuf::new(),
            base: String::new(),
            filter: "(objectClass=inetOrgPerson)".to_owned(),
            address_attribute: "mail".to_owned(),
            alias_attributes: Vec::new(),
            login_attributes: vec!["uid".to_owned()],
            timeout_s: 5,
            connections_max: 8,
            cache_s: 60,
            cache_entries_max: 10_000,
        }
    }
}

impl LdapConfig {
    fn check(&self, key: impl Fn(&str) -> String) -> Result<(), ConfigError> {
        let fault = |name: &str, found: &str, expected: &str| {
            Err(ConfigError::value(&key(name), found, expected))
        };
        let is_domain = |name: &String| !name.is_empty() && name != super::exchange::ANY_DOMAIN;
        if self.domains.is_empty() || !self.domains.iter().all(is_domain) {
            return fault(
                "domains",
                &self.domains.join(", "),
                "the domains of its users",
            );
        }
        let Some(url) = url(&self.url) else {
            return fault("url", &self.url, "ldaps://HOST:PORT or ldap://HOST:PORT");
        };
        let host = url.host_str().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        let is_here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
        match (url.scheme(), self.starttls) {
            ("ldaps", false) | ("ldap", true) => {}
            ("ldaps", true) => return fault("starttls", "true", "ldap:// as url"),
            // Users' passwords travel there.
            ("ldap", false) if is_here => {}
            _ => return fault("url", &self.url, "ldaps://, or starttls = true"),
        }
        if self.base.is_empty() {
            return fault("base", "nothing", "the entry below which users are");
        }
        if self.bind_dn.is_empty() != self.bind_password_file.as_os_str().is_empty() {
            let found = "only one of bind_dn and bind_password_file";
            return fault("bind_dn", found, "both, or neither");
        }
        if !(1..=60).contains(&self.timeout_s) {
            return fault("timeout_s", &self.timeout_s.to_string(), "1 to 60");
        }
        if !(1..=1000).contains(&self.connections_max) {
            return fault(
                "connections_max",
                &self.connections_max.to_string(),
                "1 to 1000",
            );
        }
        if self.cache_s > 3600 {
            return fault("cache_s", &self.cache_s.to_string(), "0 to 3600");
        }
        Ok(())
    }
}

/// What types alone cannot say.
pub(super) fn check(
    all: &BTreeMap<String, LdapConfig>,
    exchange: &BTreeMap<String, ExchangeConfig>,
) -> Result<(), ConfigError> {
    let mut seen: Vec<String> = Vec::new();
    let taken = exchange.values().flat_map(|section| &section.domains);
    seen.extend(taken.map(|domain| domain.to_lowercase()));
    for (name, section) in all {
        section.check(|key| format!("ldap.{name}.{key}"))?;
        for domain in &section.domains {
            let domain = domain.to_lowercase();
            if seen.contains(&domain) {
                let key = format!("ldap.{name}.domains");
                return Err(ConfigError::value(
                    &key,
                    &domain,
                    "a domain of this section alone",
                ));
            }
            seen.push(domain);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_never_go_out_in_the_clear() {
        let rest = "domains = [\"a.test\"]\nbase = \"dc=test\"\n";
        for (text, expected) in [
            (format!("{rest}url = \"ldaps://ldap.test\""), None),
            (
                format!("{rest}url = \"ldap://ldap.test\"\nstarttls = true"),
                None,
            ),
            (format!("{rest}url = \"ldap://127.0.0.1:389\""), None),
            (format!("{rest}url = \"ldap://[::1]\""), None),
            (
                format!("{rest}url = \"ldap://ldap.test\""),
                Some("starttls"),
            ),
            (
                format!("{rest}url = \"ldaps://ldap.test\"\nstarttls = true"),
                Some("starttls"),
            ),
            (
                format!("{rest}url = \"ldap://127.0.0.1.test\""),
                Some("starttls"),
            ),
            (
                format!("{rest}url = \"http://ldap.test\""),
                Some("ldap.a.url"),
            ),
            ("base = \"x\"".to_owned(), Some("domains")),
            (
                format!("{rest}url = \"ldaps://ldap.test\"\nbind_dn = \"cn=a\""),
                Some("bind_dn"),
            ),
        ] {
            let config: LdapConfig = toml::from_str(&text).unwrap();
            let answer = check(
                &BTreeMap::from([("a".to_owned(), config)]),
                &BTreeMap::new(),
            );
            match (answer, expected) {
                (Ok(()), None) => {}
                (Err(error), Some(part)) if error.to_string().contains(part) => {}
                (answer, _) => panic!("{text}: {answer:?}"),
            }
        }
    }
}

//! `[exchange.NAME]`: domains whose mailboxes are on an Exchange server.

use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};
use store_exchange::{
    discover::{HostPattern, Side},
    http::{NoProxy, Proxy, Url},
};

use crate::config_error::ConfigError;

/// Stands for every domain that no other section names.
pub(crate) const ANY_DOMAIN: &str = "*";

/// Digits of a SHA-256 in hexadecimal.
const FINGERPRINT_DIGITS: usize = 64;

/// One Exchange organisation. Secrets stand in files of their own, never here.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ExchangeConfig {
    /// Domains of the addresses whose mailboxes are there; `*`: all that no other section names.
    pub(crate) domains: Vec<String>,
    /// The MAPI over HTTP URL of mailboxes, instead of what Autodiscover says.
    pub(crate) url: String,
    /// The same for the address book.
    pub(crate) address_book_url: String,
    /// The Autodiscover URL, instead of the places that the domain has. With `url`, by default that host's.
    pub(crate) autodiscover: String,
    /// Hosts outside of the domain, such as `*.hoster.test`, that may see passwords although only DNS names them.
    pub(crate) allowed_hosts: Vec<String>,
    /// Whether the server's internal or external URL is tried first.
    pub(crate) prefer: Prefer,
    /// How users prove who they are.
    pub(crate) authentication: Authentication,
    /// The URL of an HTTP proxy; empty: none.
    pub(crate) proxy: String,
    /// The user at the proxy; empty: it wants none.
    pub(crate) proxy_user: String,
    /// A file with that user's password, for its owner alone to read.
    pub(crate) proxy_password_file: PathBuf,
    /// Hosts reached without the proxy, separated by commas.
    pub(crate) no_proxy: String,
    /// PEM files with certificate authorities to trust besides the system's.
    pub(crate) ca_files: Vec<PathBuf>,
    /// Whether the system's certificate authorities are trusted.
    pub(crate) system_authorities: bool,
    /// The SHA-256 of the one certificate that is accepted, whatever its names and dates; empty: any that is trusted.
    pub(crate) pinned_certificate: String,
    /// How often folders are looked at although the server told of no change, in seconds.
    pub(crate) poll_interval_s: u64,
    /// Bodies kept for each mailbox, in octets.
    pub(crate) mirror_bodies_bytes_max: u64,
    /// Whether bytes, sizes and structures of messages are made in advance, the newest first.
    pub(crate) render_ahead: bool,
    /// How long a busy server is waited for on behalf of somebody, in seconds.
    pub(crate) busy_wait_s: u64,
    /// How long a session is kept that nobody uses, in seconds.
    pub(crate) session_idle_s: u64,
    /// How long checking a password at the server may take, in seconds.
    pub(crate) sign_in_timeout_s: u64,
    /// How long a password that the server took is believed without asking again, in seconds.
    pub(crate) sign_in_kept_s: u64,
    /// The same while the server is away, so that what is mirrored stays readable, in seconds.
    pub(crate) sign_in_kept_outage_s: u64,
    /// Mailboxes that must work although nobody signs in, by address.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) accounts: BTreeMap<String, AccountConfig>,
}

/// `[exchange.NAME.accounts."ADDRESS"]`: credentials for one mailbox.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AccountConfig {
    /// The name to sign in with; empty: the address.
    pub(crate) user: String,
    /// The Windows domain, where the name is an account name; empty: none.
    pub(crate) windows_domain: String,
    /// A file with the password, for its owner alone to read.
    pub(crate) password_file: PathBuf,
}

/// From which side of a firewall the server is reached.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Prefer {
    Internal,
    #[default]
    External,
}

/// How users prove who they are.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Authentication {
    /// The best of what the server offers.
    #[default]
    Auto,
    Basic,
    Ntlm,
    Negotiate,
}

impl Default for ExchangeConfig {
    fn default() -> Self {
        Self {
            domains: Vec::new(),
            url: String::new(),
            address_book_url: String::new(),
            autodiscover: String::new(),
            allowed_hosts: Vec::new(),
            prefer: Prefer::default(),
            authentication: Authentication::default(),
            proxy: String::new(),
            proxy_user: String::new(),
            proxy_password_file: PathBuf::new(),
            no_proxy: String::new(),
            ca_files: Vec::new(),
            system_authorities: true,
            pinned_certificate: String::new(),
            poll_interval_s: 60,
            mirror_bodies_bytes_max: 1 << 30,
            render_ahead: true,
            busy_wait_s: 30,
            session_idle_s: 300,
            sign_in_timeout_s: 30,
            sign_in_kept_s: 300,
            sign_in_kept_outage_s: 12 * 60 * 60,
            accounts: BTreeMap::new(),
        }
    }
}

/// What types alone cannot say of all sections.
pub(super) fn check(sections: &BTreeMap<String, ExchangeConfig>) -> Result<(), ConfigError> {
    let mut taken = HashSet::new();
    for (name, section) in sections {
        let faults = Faults(name);
        section.check(&faults)?;
        for domain in &section.domains {
            if !taken.insert(domain.to_lowercase()) {
                return Err(faults.value("domains", domain, "a domain of one section only"));
            }
        }
    }
    Ok(())
}

/// Errors of one section.
struct Faults<'a>(&'a str);

impl Faults<'_> {
    fn value(&self, key: &str, found: &str, expected: &str) -> ConfigError {
        ConfigError::value(&format!("exchange.{}.{key}", self.0), found, expected)
    }
}

impl ExchangeConfig {
    fn check(&self, faults: &Faults<'_>) -> Result<(), ConfigError> {
        if self.domains.is_empty() {
            return Err(faults.value("domains", "none", "one at least, or \"*\""));
        }
        for domain in &self.domains {
            let whole = directory::Address::parse(&format!("user@{domain}"));
            if domain != ANY_DOMAIN && whole.is_err() {
                return Err(faults.value("domains", domain, "a domain such as example.test"));
            }
        }
        if self.takes_any_domain() && self.url.is_empty() && self.autodiscover.is_empty() {
            // Else whoever has a domain had a mailbox here, and decided whom the gateway asks.
            return Err(faults.value(
                "domains",
                ANY_DOMAIN,
                "named domains, unless `url` or `autodiscover` says which server to ask",
            ));
        }
        for (key, text) in [
            ("url", &self.url),
            ("address_book_url", &self.address_book_url),
            ("autodiscover", &self.autodiscover),
        ] {
            if !text.is_empty() && url(text).is_none_or(|url| !is_private(&url)) {
                return Err(faults.value(key, text, "an https URL (http on this machine only)"));
            }
        }
        for host in &self.allowed_hosts {
            host.parse::<HostPattern>().map_err(|error| {
                faults.value(
                    "allowed_hosts",
                    host,
                    &format!("a host or *.DOMAIN: {error}"),
                )
            })?;
        }
        if !self.pinned_certificate.is_empty() && self.pinned().is_none() {
            return Err(faults.value(
                "pinned_certificate",
                &self.pinned_certificate,
                "a SHA-256 in hexadecimal, 64 digits",
            ));
        }
        self.check_proxy(faults)?;
        self.check_accounts(faults)?;
        match self.poll_interval_s {
            0 => Err(faults.value("poll_interval_s", "0", "a number from 1")),
            _ => Ok(()),
        }
    }

    fn check_proxy(&self, faults: &Faults<'_>) -> Result<(), ConfigError> {
        NoProxy::parse(&self.no_proxy)
            .map_err(|error| faults.value("no_proxy", &self.no_proxy, &error.to_string()))?;
        if self.proxy.is_empty() {
            return Ok(());
        }
        let secret = url(&self.proxy)
            .is_some_and(|url| !url.username().is_empty() || url.password().is_some());
        if secret {
            let found = "a URL with a user name in it";
            return Err(faults.value("proxy", found, "`proxy_user` and `proxy_password_file`"));
        }
        if self.proxy_user.is_empty() != self.proxy_password_file.as_os_str().is_empty() {
            let found = "only one of proxy_user and proxy_password_file";
            return Err(faults.value("proxy_user", found, "both, or neither"));
        }
        Proxy::parse(&self.proxy)
            .map(drop)
            .map_err(|error| faults.value("proxy", &self.proxy, &error.to_string()))
    }

    fn check_accounts(&self, faults: &Faults<'_>) -> Result<(), ConfigError> {
        for (address, account) in &self.accounts {
            let key = format!("accounts.\"{address}\"");
            match directory::Address::parse(address) {
                Ok(parsed) if self.names(parsed.domain()) => {}
                Ok(parsed) => {
                    return Err(faults.value(
                        &key,
                        parsed.domain(),
                        "one of the section's domains",
                    ));
                }
                Err(error) => return Err(faults.value(&key, address, &error.to_string())),
            }
            if account.password_file.as_os_str().is_empty() {
                return Err(faults.value(&format!("{key}.password_file"), "nothing", "a file"));
            }
        }
        Ok(())
    }

    /// Whether the section takes the domains that no other names.
    pub(crate) fn takes_any_domain(&self) -> bool {
        self.domains.iter().any(|domain| domain == ANY_DOMAIN)
    }

    fn names(&self, domain: &str) -> bool {
        let is = |own: &String| own == ANY_DOMAIN || own.eq_ignore_ascii_case(domain);
        self.domains.iter().any(is)
    }

    /// The SHA-256 of the pinned certificate, if one is pinned.
    pub(crate) fn pinned(&self) -> Option<[u8; 32]> {
        let digits: String = self
            .pinned_certificate
            .chars()
            .filter(|c| *c != ':' && *c != ' ')
            .collect();
        if digits.len() != FINGERPRINT_DIGITS || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let mut octets = [0; 32];
        for (at, octet) in octets.iter_mut().enumerate() {
            *octet = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(octets)
    }

    /// The Autodiscover URL to ask, if it is not left to the domain.
    pub(crate) fn autodiscover(&self) -> Option<Url> {
        url(&self.autodiscover)
            .or_else(|| url(&self.url)?.join("/autodiscover/autodiscover.xml").ok())
    }
}

/// A URL, if the text is one; an empty text is none.
pub(crate) fn url(text: &str) -> Option<Url> {
    Url::parse(text).ok()
}

/// Whether a password may be sent there.
fn is_private(url: &Url) -> bool {
    let here = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    url.scheme() == "https" && url.host().is_some() || url.scheme() == "http" && here
}

impl From<Prefer> for Side {
    fn from(prefer: Prefer) -> Self {
        match prefer {
            Prefer::Internal => Self::Internal,
            Prefer::External => Self::External,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str) -> Result<(), String> {
        let sections: BTreeMap<String, ExchangeConfig> =
            toml::from_str(text).map_err(|error| error.to_string())?;
        check(&sections).map_err(|error| error.to_string())
    }

    #[test]
    fn a_domain_is_enough() {
        check_text("[main]\ndomains = [\"example.test\"]\n").unwrap();
    }

    #[test]
    fn faults_name_the_key_and_what_was_expected() {
        let cases = [
            ("[m]\n", "exchange.m.domains"),
            ("[m]\ndomains = [\"a b\"]\n", "exchange.m.domains"),
            ("[m]\ndomains = [\"*\"]\n", "autodiscover"),
            (
                "[m]\ndomains = [\"a.test\"]\n[n]\ndomains = [\"A.test\"]\n",
                "exchange.n.domains",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\nurl = \"http://mail.a.test/mapi\"\n",
                "https",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\npinned_certificate = \"ab:cd\"\n",
                "64 digits",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\nproxy = \"http://me:secret@proxy.a.test\"\n",
                "proxy_password_file",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\nauthentication = \"digest\"\n",
                "basic",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\n[m.accounts.\"x@b.test\"]\npassword_file = \"p\"\n",
                "one of the section's domains",
            ),
            (
                "[m]\ndomains = [\"a.test\"]\n[m.accounts.\"x@a.test\"]\n",
                "password_file",
            ),
            ("[m]\ndomains = [\"a.test\"]\nurls = \"x\"\n", "urls"),
            (
                "[m]\ndomains = [\"a.test\"]\npoll_interval_s = 0\n",
                "poll_interval_s",
            ),
        ];
        for (text, expected) in cases {
            let error = check_text(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_fingerprint_is_read_with_and_without_colons() {
        let pin = |text: String| ExchangeConfig {
            pinned_certificate: text,
            ..ExchangeConfig::default()
        };
        let expected = Some([0xa7; 32]);
        assert_eq!(pin("A7".repeat(32)).pinned(), expected);
        assert_eq!(pin(["a7"; 32].join(":")).pinned(), expected);
        assert_eq!(pin("+7".repeat(32)).pinned(), None);
        assert_eq!(pin("é".repeat(32)).pinned(), None);
    }

    #[test]
    fn with_a_mailbox_url_its_host_is_asked_for_the_rest() {
        let config = ExchangeConfig {
            url: "https://mail.example.test:8443/mapi/emsmdb/?MailboxId=1".to_owned(),
            ..ExchangeConfig::default()
        };
        assert_eq!(
            config.autodiscover().unwrap().as_str(),
            "https://mail.example.test:8443/autodiscover/autodiscover.xml"
        );
        assert_eq!(ExchangeConfig::default().autodiscover(), None);
    }
}

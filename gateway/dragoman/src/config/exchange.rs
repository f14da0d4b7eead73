//! `[exchange.NAME]`: domains whose mailboxes are on an Exchange server.

mod check;
pub(crate) mod kerberos;
pub(crate) mod oauth;

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};
use store_exchange::{
    Outage, QueueLimits,
    discover::{Side, Transport, TransportChoice},
    http::Url,
};

pub(super) use self::check::check;
pub(crate) use self::{kerberos::KerberosConfig, oauth::OauthConfig};

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
    /// The domain of login names that have none; empty: such names are no logins.
    pub(crate) default_domain: String,
    /// Windows domains: `DOMAIN\\user` logs in here.
    pub(crate) windows_domains: Vec<String>,
    /// The URL of mailboxes, instead of what Autodiscover says: of MAPI over HTTP, or of an RPC proxy with the server's
    /// name and port (`https://HOST/rpc/rpcproxy.dll?SERVER:6001`).
    pub(crate) url: String,
    /// The same for the address book.
    pub(crate) address_book_url: String,
    /// The Autodiscover URL, instead of the places that the domain has. With `url`, by default that host's.
    pub(crate) autodiscover: String,
    /// Hosts outside of the domain, such as `*.hoster.test`, that may see passwords although only DNS names them.
    pub(crate) allowed_hosts: Vec<String>,
    /// Whether the server's internal or external URL is tried first.
    pub(crate) prefer: Prefer,
    /// Which way requests go to the server.
    pub(crate) transport: TransportConfig,
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
    /// The `[outbound.server.NAME]` by which mail for these mailboxes goes, such as a receive connector; empty: it is put
    /// into them by MAPI, past the server's transport.
    pub(crate) relay: String,
    /// How often the server is asked which folders changed, although it told of no change, in seconds.
    pub(crate) poll_interval_s: u64,
    /// Bodies kept for each mailbox, in octets.
    pub(crate) mirror_bodies_bytes_max: u64,
    /// Whether bytes, sizes and structures of messages are made in advance, the newest first.
    pub(crate) render_ahead: bool,
    /// How many messages a second that is at most.
    pub(crate) render_ahead_per_s: u32,
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
    /// What becomes of writes while the server is away.
    pub(crate) outage: OutageMode,
    /// Operations that may wait in one mailbox, with `outage = "queue"`.
    pub(crate) outage_queue_operations_max: u64,
    /// Octets of messages that may wait in one mailbox, with `outage = "queue"`.
    pub(crate) outage_queue_bytes_max: u64,
    /// The realm, for `kerberos`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kerberos: Option<KerberosConfig>,
    /// Where tokens come from, for `oauth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) oauth: Option<OauthConfig>,
    /// Mailboxes that must work although nobody signs in, by address.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) accounts: BTreeMap<String, AccountConfig>,
}

/// `[exchange.NAME.accounts."ADDRESS"]`: credentials for one mailbox.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AccountConfig {
    /// What the account is called by `dragoman mapi`; empty: by its address alone.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    /// The name to sign in with; empty: the address, and what is before the `@` for `kerberos`.
    pub(crate) user: String,
    /// The Windows domain, where the name is an account name; empty: none.
    pub(crate) windows_domain: String,
    /// A file with the password, for its owner alone to read. With `oauth` none is needed.
    pub(crate) password_file: PathBuf,
    /// A keytab instead, for `kerberos`, for its owner alone to read.
    pub(crate) keytab: PathBuf,
}

/// From which side of a firewall the server is reached.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Prefer {
    Internal,
    #[default]
    External,
}

/// Which way requests go to the server.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TransportConfig {
    /// MAPI over HTTP where the server offers it, else RPC over HTTP.
    #[default]
    Auto,
    MapiHttp,
    RpcHttp,
}

/// How users prove who they are.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Authentication {
    /// The best of what the server offers.
    #[default]
    Auto,
    /// Name and password with every request.
    Basic,
    /// By password, without sending it.
    Ntlm,
    /// NTLM within Negotiate.
    Negotiate,
    /// By tickets of a realm.
    Kerberos,
    /// By tokens. What users log in to the gateway with are passwords of its own then.
    Oauth,
}

/// What becomes of writes while the server is away.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OutageMode {
    /// They are refused for the time being.
    #[default]
    Refuse,
    /// They wait, and are carried out when the server is back.
    Queue,
}

impl Default for ExchangeConfig {
    fn default() -> Self {
        Self {
            domains: Vec::new(),
            default_domain: String::new(),
            windows_domains: Vec::new(),
            url: String::new(),
            address_book_url: String::new(),
            autodiscover: String::new(),
            allowed_hosts: Vec::new(),
            prefer: Prefer::default(),
            transport: TransportConfig::default(),
            authentication: Authentication::default(),
            proxy: String::new(),
            proxy_user: String::new(),
            proxy_password_file: PathBuf::new(),
            no_proxy: String::new(),
            ca_files: Vec::new(),
            system_authorities: true,
            pinned_certificate: String::new(),
            relay: String::new(),
            poll_interval_s: 60,
            mirror_bodies_bytes_max: 1 << 30,
            render_ahead: true,
            render_ahead_per_s: 100,
            busy_wait_s: 30,
            session_idle_s: 300,
            sign_in_timeout_s: 30,
            sign_in_kept_s: 300,
            sign_in_kept_outage_s: 12 * 60 * 60,
            outage: OutageMode::default(),
            outage_queue_operations_max: QueueLimits::default().operations_max,
            outage_queue_bytes_max: QueueLimits::default().bytes_max,
            kerberos: None,
            oauth: None,
            accounts: BTreeMap::new(),
        }
    }
}

impl ExchangeConfig {
    /// Whether the section takes the domains that no other names.
    pub(crate) fn takes_any_domain(&self) -> bool {
        self.domains.iter().any(|domain| domain == ANY_DOMAIN)
    }

    /// What becomes of writes while the server is away.
    pub(crate) fn outage(&self) -> Outage {
        match self.outage {
            OutageMode::Refuse => Outage::Refuse,
            OutageMode::Queue => Outage::Queue(QueueLimits {
                operations_max: self.outage_queue_operations_max,
                bytes_max: self.outage_queue_bytes_max,
            }),
        }
    }

    /// The domain of the address that a login name without one stands for.
    pub(crate) fn name_domain(&self) -> Option<&str> {
        let mut domains = self.domains.iter().map(String::as_str);
        match self.default_domain.as_str() {
            "" => domains.find(|domain| *domain != ANY_DOMAIN),
            default => Some(default),
        }
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
pub(crate) fn is_private(url: &Url) -> bool {
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

impl From<TransportConfig> for TransportChoice {
    fn from(transport: TransportConfig) -> Self {
        match transport {
            TransportConfig::Auto => Self::Auto,
            TransportConfig::MapiHttp => Self::Only(Transport::MapiHttp),
            TransportConfig::RpcHttp => Self::Only(Transport::RpcHttp),
        }
    }
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

    /// The names of all keys of a section.
    fn keys<T: Serialize>(section: &T) -> Vec<String> {
        let table = toml::Table::try_from(section).unwrap();
        table.keys().cloned().collect()
    }

    #[test]
    fn every_key_is_documented() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/exchange.md");
        let text = std::fs::read_to_string(path).unwrap();
        let all = [
            keys(&ExchangeConfig::default()),
            keys(&AccountConfig::default()),
            keys(&KerberosConfig::default()),
            keys(&OauthConfig::default()),
        ];
        for key in all.concat() {
            let row = text
                .lines()
                .filter(|line| line.starts_with("| `"))
                .filter_map(|line| line.split(" | ").next())
                .any(|names| names.contains(&format!("`{key}`")));
            assert!(row, "{key}");
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

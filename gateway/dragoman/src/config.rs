//! The configuration: every key with its default. A file, then `--set`, may override them.

pub(crate) mod autoconfig;
pub(crate) mod client_certificates;
pub(crate) mod exchange;
pub(crate) mod issuer;
pub(crate) mod ldap;
pub(crate) mod outbound;
pub(crate) mod pipeline;
pub(crate) mod quota;
pub(crate) mod retention;
pub(crate) mod submission;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

pub(crate) use autoconfig::AutoconfigConfig;
pub(crate) use client_certificates::ClientCertificatesConfig;
pub(crate) use exchange::ExchangeConfig;
pub(crate) use issuer::IssuerConfig;
pub(crate) use ldap::LdapConfig;
pub(crate) use outbound::OutboundConfig;
pub(crate) use pipeline::StepConfig;
pub(crate) use quota::QuotaConfig;
pub(crate) use retention::RetentionConfig;
use serde::{Deserialize, Serialize};
pub(crate) use submission::SubmissionConfig;

use crate::{cli::Place, config_error::ConfigError, network::Network};

/// All keys. An unknown key is an error, for a misspelt limit must not silently be no limit.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The name the gateway gives itself in greetings, certificates and trace fields.
    pub(crate) hostname: String,
    /// The data folder; `--data` and `DRAGOMAN_DATA` win over it.
    pub(crate) data: PathBuf,
    pub(crate) listen: Listen,
    pub(crate) tls: TlsConfig,
    pub(crate) log: LogConfig,
    pub(crate) limits: Limits,
    pub(crate) proxy: ProxyConfig,
    pub(crate) pop3: Pop3Config,
    /// What goes out.
    pub(crate) outbound: OutboundConfig,
    /// What mailboxes may hold.
    pub(crate) quota: QuotaConfig,
    /// How long what was deleted is kept.
    pub(crate) retention: RetentionConfig,
    /// Copies of what users send.
    pub(crate) submission: SubmissionConfig,
    /// What mail programs are told.
    pub(crate) autoconfig: AutoconfigConfig,
    /// What messages pass on their way in and out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) pipeline: Vec<StepConfig>,
    /// OAuth issuers whose tokens open embedded mailboxes, by a name for each.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) issuer: BTreeMap<String, IssuerConfig>,
    /// LDAP servers whose users have embedded mailboxes, by a name for each.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) ldap: BTreeMap<String, LdapConfig>,
    /// Domains whose mailboxes are on Exchange servers, by a name for each server.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) exchange: BTreeMap<String, ExchangeConfig>,
}

/// Addresses to listen on; empty: that listener is off. `lmtp_unix` is a path, the others are `ADDRESS:PORT`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Listen {
    pub(crate) imap: String,
    pub(crate) imaps: String,
    pub(crate) pop3: String,
    pub(crate) pop3s: String,
    pub(crate) submission: String,
    pub(crate) submissions: String,
    pub(crate) lmtp: String,
    pub(crate) lmtp_unix: String,
    pub(crate) http: String,
    pub(crate) https: String,
    pub(crate) admin: String,
}

/// The certificate; without one a self-signed certificate is made in the data folder.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TlsConfig {
    /// PEM file with the certificate chain.
    pub(crate) certificate: PathBuf,
    /// PEM file with the private key.
    pub(crate) key: PathBuf,
    /// Certificates of clients.
    pub(crate) client: ClientCertificatesConfig,
}

/// Logs go to standard error.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogConfig {
    pub(crate) format: LogFormat,
    /// A level, or directives such as `info,imap_server=debug`.
    pub(crate) level: String,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Named limits.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    /// The largest message taken, in octets.
    pub(crate) message_bytes_max: u64,
    /// Recipients of one message, delivered or submitted.
    pub(crate) recipients_max: usize,
    /// Connections of each listener; further ones wait in the kernel's queue.
    pub(crate) connections_max: usize,
    /// Connections of one peer (an IPv4 address or an IPv6 /64 network) on each listener; further ones are refused.
    /// Peers on this machine are not counted.
    pub(crate) connections_per_peer_max: usize,
    /// The object cache, in octets.
    pub(crate) cache_bytes_max: u64,
    /// Messages arriving at one time that are kept in memory, in octets; larger ones go to files.
    pub(crate) spool_memory_bytes_max: u64,
    /// How long an IMAP client may stay silent, in seconds (RFC 9051 5.4: at least 30 minutes).
    pub(crate) imap_idle_timeout_s: u64,
    /// How long a POP3 client may stay silent, in seconds (RFC 1939 3: at least 10 minutes).
    pub(crate) pop3_idle_timeout_s: u64,
    /// How long open connections may take to end at shutdown, in seconds.
    pub(crate) shutdown_timeout_s: u64,
}

/// What POP3 clients get.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Pop3Config {
    /// Whether messages that a client has fetched and left are marked as read.
    pub(crate) mark_seen: bool,
    /// What IMPLEMENTATION says (RFC 2449 6.9): one word, or nothing.
    pub(crate) implementation: String,
}

/// The PROXY protocol (versions 1 and 2) in front of every connection of the listeners named.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProxyConfig {
    /// Names of listeners whose peers are proxies, such as `imap`.
    pub(crate) listeners: Vec<String>,
    /// Networks the proxies are in, such as `192.0.2.0/24`; connections from elsewhere are closed.
    pub(crate) trusted: Vec<Network>,
}

impl Default for ProxyConfig {
    fn default() -> Self {
        let here = ["127.0.0.0/8", "::1"];
        Self {
            listeners: Vec::new(),
            trusted: here.iter().filter_map(|text| text.parse().ok()).collect(),
        }
    }
}

impl ProxyConfig {
    /// Whether a peer may say whom it speaks for; one without an address is on this machine.
    pub(crate) fn trusts(&self, peer: Option<std::net::IpAddr>) -> bool {
        peer.is_none_or(|peer| self.trusted.iter().any(|network| network.contains(peer)))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hostname: "localhost".to_owned(),
            data: PathBuf::from("dragoman-data"),
            listen: Listen::default(),
            tls: TlsConfig::default(),
            log: LogConfig::default(),
            limits: Limits::default(),
            proxy: ProxyConfig::default(),
            pop3: Pop3Config::default(),
            outbound: OutboundConfig::default(),
            quota: QuotaConfig::default(),
            retention: RetentionConfig::default(),
            submission: SubmissionConfig::default(),
            autoconfig: AutoconfigConfig::default(),
            pipeline: Vec::new(),
            issuer: BTreeMap::new(),
            ldap: BTreeMap::new(),
            exchange: BTreeMap::new(),
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        let loopback = |port: u16| format!("127.0.0.1:{port}");
        Self {
            imap: loopback(1143),
            imaps: loopback(1993),
            pop3: loopback(1110),
            pop3s: loopback(1995),
            submission: loopback(1587),
            submissions: loopback(1465),
            lmtp: loopback(2003),
            lmtp_unix: String::new(),
            http: loopback(8008),
            https: loopback(8443),
            admin: loopback(9180),
        }
    }
}

impl Default for Pop3Config {
    fn default() -> Self {
        Self {
            mark_seen: true,
            implementation: "Dragoman".to_owned(),
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: "info".to_owned(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 100 << 20,
            recipients_max: 1000,
            connections_max: 20_000,
            connections_per_peer_max: 1000,
            cache_bytes_max: 32 << 20,
            spool_memory_bytes_max: 64 << 20,
            imap_idle_timeout_s: 1800,
            pop3_idle_timeout_s: 600,
            shutdown_timeout_s: 8,
        }
    }
}

impl Config {
    /// The configuration in force: defaults, then the file, then `--set`, then `--data`.
    pub(crate) fn load(place: &Place) -> Result<Self, ConfigError> {
        let mut table = match &place.config {
            Some(path) => read(path)?,
            None => toml::Table::new(),
        };
        for setting in &place.overrides {
            set(&mut table, setting)?;
        }
        let mut config: Self = table
            .try_into()
            .map_err(|error| ConfigError::overridden(&error))?;
        if let Some(data) = &place.data {
            config.data.clone_from(data);
        }
        config.check()?;
        Ok(config)
    }

    /// Whether mail for mailboxes on Exchange goes by this mail server.
    pub(crate) fn relays_to_exchange(&self, server: &str) -> bool {
        self.exchange
            .values()
            .any(|section| section.relay == server)
    }

    /// What must be right between the sections.
    fn check_relays(&self) -> Result<(), ConfigError> {
        for (name, section) in &self.exchange {
            if !section.relay.is_empty() && !self.outbound.server.contains_key(&section.relay) {
                let key = format!("exchange.{name}.relay");
                let expected = "the NAME of an [outbound.server.NAME], or nothing";
                return Err(ConfigError::value(&key, &section.relay, expected));
            }
        }
        let servers = self.outbound.server.iter();
        let everything = servers
            .filter(|(name, server)| server.domains.is_empty() && !self.relays_to_exchange(name));
        match everything.count() {
            0 | 1 => Ok(()),
            _ => Err(ConfigError::value(
                "outbound.server",
                "several servers without domains",
                "one for all domains that no other names",
            )),
        }
    }

    /// The Exchange section that has a domain.
    pub(crate) fn exchange_of(&self, domain: &str) -> Option<(&str, &ExchangeConfig)> {
        let named = |of: &str| {
            self.exchange.iter().find(|(_, section)| {
                section
                    .domains
                    .iter()
                    .any(|own| own.eq_ignore_ascii_case(of))
            })
        };
        named(domain)
            .or_else(|| named(exchange::ANY_DOMAIN))
            .map(|(name, section)| (name.as_str(), section))
    }

    /// What messages pass on their way in and out.
    pub(crate) fn pipeline(&self) -> Result<Arc<::pipeline::Pipeline>, ConfigError> {
        pipeline::pipeline(&self.pipeline, self.limits.message_bytes_max)
    }

    /// What types alone cannot say.
    fn check(&self) -> Result<(), ConfigError> {
        for (name, address) in self.listen.sockets() {
            if !address.is_empty() && address.parse::<std::net::SocketAddr>().is_err() {
                return Err(ConfigError::value(
                    &format!("listen.{name}"),
                    address,
                    "ADDRESS:PORT, such as 127.0.0.1:1143, or nothing",
                ));
            }
        }
        if self.tls.certificate.as_os_str().is_empty() != self.tls.key.as_os_str().is_empty() {
            return Err(ConfigError::value(
                "tls",
                "only one of certificate and key",
                "both, or neither",
            ));
        }
        if self.hostname.is_empty()
            || self
                .hostname
                .contains(|c: char| c.is_whitespace() || c.is_control())
        {
            return Err(ConfigError::value(
                "hostname",
                &self.hostname,
                "a host name",
            ));
        }
        let word = |text: &str| text.bytes().all(|octet| octet.is_ascii_graphic());
        if !word(&self.pop3.implementation) {
            return Err(ConfigError::value(
                "pop3.implementation",
                &self.pop3.implementation,
                "one word in ASCII, or nothing",
            ));
        }
        self.tls.client.check()?;
        exchange::check(&self.exchange)?;
        issuer::check(&self.issuer)?;
        ldap::check(&self.ldap, &self.exchange)?;
        self.outbound.check()?;
        self.check_relays()?;
        self.quota.check()?;
        self.retention.check()?;
        self.submission.check()?;
        self.pipeline().map(drop)?;
        let names: Vec<_> = self
            .listen
            .sockets()
            .iter()
            .map(|(name, _)| *name)
            .collect();
        self.autoconfig.check(&names)?;
        match self
            .proxy
            .listeners
            .iter()
            .find(|name| !names.contains(&name.as_str()))
        {
            Some(name) => Err(ConfigError::value(
                "proxy.listeners",
                name,
                &format!("one of {}", names.join(", ")),
            )),
            None => Ok(()),
        }
    }
}

impl Listen {
    /// The TCP listeners by name, off or on.
    pub(crate) fn sockets(&self) -> [(&'static str, &str); 10] {
        [
            ("imap", &self.imap),
            ("imaps", &self.imaps),
            ("pop3", &self.pop3),
            ("pop3s", &self.pop3s),
            ("submission", &self.submission),
            ("submissions", &self.submissions),
            ("lmtp", &self.lmtp),
            ("http", &self.http),
            ("https", &self.https),
            ("admin", &self.admin),
        ]
    }
}

/// Reads a file twice: as the configuration, so that faults have a place, and as a table to override.
fn read(path: &Path) -> Result<toml::Table, ConfigError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, &error))?;
    toml::from_str::<Config>(&text).map_err(|error| ConfigError::in_file(path, &text, &error))?;
    toml::from_str(&text).map_err(|error| ConfigError::in_file(path, &text, &error))
}

/// Applies `KEY=VALUE`; the value is TOML where it can be, else text.
fn set(table: &mut toml::Table, setting: &str) -> Result<(), ConfigError> {
    let (key, value) = setting
        .split_once('=')
        .ok_or_else(|| ConfigError::value("--set", setting, "KEY=VALUE"))?;
    let parsed = toml::from_str::<toml::Table>(&format!("value = {value}"));
    let value = match parsed.ok().and_then(|mut table| table.remove("value")) {
        // What looks like a date or is quoted stays as TOML reads it.
        Some(value) => value,
        None => toml::Value::String(value.to_owned()),
    };
    let mut at = table;
    let mut parts = key.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            at.insert(part.to_owned(), value);
            return Ok(());
        }
        let next = at
            .entry(part)
            .or_insert_with(|| toml::Value::Table(toml::Table::new()));
        at = next
            .as_table_mut()
            .ok_or_else(|| ConfigError::value("--set", key, "a key of a section"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: Option<&str>, overrides: &[&str]) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dragoman.toml");
        if let Some(text) = file {
            std::fs::write(&path, text).unwrap();
        }
        let place = Place {
            config: file.map(|_| path.clone()),
            data: None,
            overrides: overrides.iter().map(|s| (*s).to_owned()).collect(),
        };
        Config::load(&place)
            .map_err(|error| error.to_string().replace(path.to_str().unwrap(), "FILE"))
    }

    #[test]
    fn nothing_needs_to_be_configured() {
        let config = load(None, &[]).unwrap();
        assert_eq!(config.listen.imap, "127.0.0.1:1143");
    }

    #[test]
    fn settings_win_over_the_file_and_switch_listeners_off() {
        let config = load(
            Some("[listen]\nimap = \"127.0.0.1:1\"\n"),
            &[
                "listen.imap=127.0.0.1:2",
                "listen.imaps=",
                "limits.recipients_max=5",
            ],
        )
        .unwrap();
        assert_eq!(
            (
                &*config.listen.imap,
                &*config.listen.imaps,
                config.limits.recipients_max
            ),
            ("127.0.0.1:2", "", 5)
        );
    }

    #[test]
    fn errors_name_file_line_key_and_what_was_expected() {
        let check = |file, parts: &[&str]| {
            let error = load(Some(file), &[]).unwrap_err();
            for part in parts {
                assert!(error.contains(part), "{error:?} lacks {part:?}");
            }
        };
        check(
            "hostname = \"a\"\n\n[listen]\nimpa = \"x\"\n",
            &["FILE:4", "impa", "expected one of", "imap"],
        );
        check(
            "[limits]\nrecipients_max = \"many\"\n",
            &["FILE:2", "recipients_max", "expected", "many"],
        );
        check(
            "[listen]\nimap = \"somewhere\"\n",
            &["listen.imap", "somewhere", "ADDRESS:PORT"],
        );
        let error = load(None, &["limits.recipients=5"]).unwrap_err();
        assert!(
            error.contains("recipients") && error.contains("recipients_max"),
            "{error}"
        );
    }
}

//! `[outbound]`: where mail for others goes, and how long it is tried.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::config_error::ConfigError;

/// What goes out. Without a mail server, mail goes to mailboxes here alone.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OutboundConfig {
    /// How long a message is tried, in hours.
    pub(crate) expires_after_h: u64,
    /// When the sender is told that a message is late, in hours.
    pub(crate) delay_notice_after_h: u64,
    /// How long after a first temporary failure a recipient is tried again, in seconds; it doubles each time.
    pub(crate) retry_after_min_s: u64,
    /// The longest time between two attempts, in seconds.
    pub(crate) retry_after_max_s: u64,
    /// Messages in the queue.
    pub(crate) messages_max: u64,
    /// Their octets.
    pub(crate) bytes_max: u64,
    /// Mail servers, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) server: BTreeMap<String, ServerConfig>,
}

/// `[outbound.server.NAME]`: a mail server that takes what goes out.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerConfig {
    /// Its host.
    pub(crate) host: String,
    /// Its port; by default what `tls` and `protocol` suggest.
    pub(crate) port: u16,
    /// Domains of recipients whose mail goes there; none: all that no other server names.
    pub(crate) domains: Vec<String>,
    pub(crate) protocol: Protocol,
    pub(crate) tls: Tls,
    /// As whom to sign in; empty: as nobody.
    pub(crate) user: String,
    /// A file with that user's password, for its owner alone to read.
    pub(crate) password_file: PathBuf,
    /// PEM files with certificate authorities to trust besides the system's.
    pub(crate) ca_files: Vec<PathBuf>,
    /// Whether the system's certificate authorities are trusted.
    pub(crate) system_authorities: bool,
    /// Connections at once.
    pub(crate) connections_max: usize,
}

/// What a mail server speaks.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    #[default]
    Smtp,
    Lmtp,
}

/// When a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tls {
    /// Never; for this machine and networks of one's own.
    None,
    /// When the server offers STARTTLS.
    IfOffered,
    /// By STARTTLS, or no mail is sent.
    #[default]
    Starttls,
    /// From the first octet on.
    Implicit,
}

impl Default for OutboundConfig {
    fn default() -> Self {
        Self {
            expires_after_h: 120,
            delay_notice_after_h: 4,
            retry_after_min_s: 60,
            retry_after_max_s: 3600,
            messages_max: 100_000,
            bytes_max: 10 << 30,
            server: BTreeMap::new(),
        }
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 0,
            domains: Vec::new(),
            protocol: Protocol::default(),
            tls: Tls::default(),
            user: String::new(),
            password_file: PathBuf::new(),
            ca_files: Vec::new(),
            system_authorities: true,
            connections_max: 10,
        }
    }
}

impl ServerConfig {
    /// The port, as configured or as usual (RFC 6409 3.1, RFC 8314 3.3, RFC 5321 4.5.4.2, RFC 2033).
    pub(crate) const fn port(&self) -> u16 {
        match (self.port, self.protocol, self.tls) {
            (0, Protocol::Lmtp, _) => 24,
            (0, _, Tls::Implicit) => 465,
            (0, _, Tls::Starttls) => 587,
            (0, ..) => 25,
            (port, ..) => port,
        }
    }
}

/// The longest of all times here, in hours: a year.
const TIME_MAX_H: u64 = 365 * 24;

impl OutboundConfig {
    /// What types alone cannot say.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (key, value, max) in [
            ("expires_after_h", self.expires_after_h, TIME_MAX_H),
            (
                "delay_notice_after_h",
                self.delay_notice_after_h,
                TIME_MAX_H,
            ),
            (
                "retry_after_min_s",
                self.retry_after_min_s,
                TIME_MAX_H * 3600,
            ),
            (
                "retry_after_max_s",
                self.retry_after_max_s,
                TIME_MAX_H * 3600,
            ),
        ] {
            if !(1..=max).contains(&value) {
                let (key, expected) = (format!("outbound.{key}"), format!("1 to {max}"));
                return Err(ConfigError::value(&key, &value.to_string(), &expected));
            }
        }
        for (name, server) in &self.server {
            let key = |key: &str| format!("outbound.server.{name}.{key}");
            if server.host.is_empty() || server.host.contains(char::is_whitespace) {
                return Err(ConfigError::value(
                    &key("host"),
                    &server.host,
                    "a host name",
                ));
            }
            if server.user.is_empty() != server.password_file.as_os_str().is_empty() {
                let only = "only one of user and password_file";
                return Err(ConfigError::value(&key("user"), only, "both, or neither"));
            }
            if !server.user.is_empty() && matches!(server.tls, Tls::None | Tls::IfOffered) {
                let what = "a password, perhaps without TLS";
                return Err(ConfigError::value(
                    &key("tls"),
                    what,
                    "\"starttls\" or \"implicit\"",
                ));
            }
        }
        Ok(())
    }
}

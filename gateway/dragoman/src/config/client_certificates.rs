//! `[tls.client]`: which clients are asked for a certificate, and whose it is.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
};

use directory::Address;
use front_end::Fingerprint;
use serde::{Deserialize, Serialize};

use crate::config_error::ConfigError;

/// The listeners whose clients can log in with a certificate.
const LISTENERS: [&str; 6] = [
    "imap",
    "imaps",
    "pop3",
    "pop3s",
    "submission",
    "submissions",
];

/// Certificates of clients: they log in with them (SASL EXTERNAL). A client that has none logs in otherwise.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ClientCertificatesConfig {
    /// PEM files with the authorities that sign them; none: no client is asked for one.
    pub(crate) ca_files: Vec<PathBuf>,
    /// The same of single listeners, instead of those above. An empty list: clients of that listener are not asked.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) listeners: BTreeMap<String, Vec<PathBuf>>,
    /// Users by the SHA-256 of their certificates; of other certificates the mail address they name counts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) fingerprints: BTreeMap<String, String>,
}

impl ClientCertificatesConfig {
    /// The authorities for clients of a listener; none: they are not asked for a certificate.
    pub(crate) fn authorities(&self, listener: &str) -> &[PathBuf] {
        match self.listeners.get(listener) {
            Some(own) => own,
            None if LISTENERS.contains(&listener) => &self.ca_files,
            None => &[],
        }
    }

    /// Whether any client is asked.
    pub(crate) fn is_used(&self) -> bool {
        LISTENERS
            .iter()
            .any(|listener| !self.authorities(listener).is_empty())
    }

    /// Users by their certificates.
    pub(crate) fn listed(&self) -> HashMap<Fingerprint, String> {
        let listed = self.fingerprints.iter();
        listed
            .filter_map(|(fingerprint, user)| {
                Some((Fingerprint::parse(fingerprint)?, user.clone()))
            })
            .collect()
    }

    /// What types alone cannot say.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let mut listeners = self.listeners.keys();
        if let Some(name) = listeners.find(|name| !LISTENERS.contains(&name.as_str())) {
            let expected = format!("one of {}", LISTENERS.join(", "));
            return Err(ConfigError::value("tls.client.listeners", name, &expected));
        }
        for (fingerprint, user) in &self.fingerprints {
            if Fingerprint::parse(fingerprint).is_none() {
                return Err(ConfigError::value(
                    "tls.client.fingerprints",
                    fingerprint,
                    "the SHA-256 of a certificate, in 64 hexadecimal digits",
                ));
            }
            if Address::parse(user).is_err() {
                return Err(ConfigError::value(
                    &format!("tls.client.fingerprints.{fingerprint}"),
                    user,
                    "the address of a user",
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_has_authorities_of_its_own_or_those_of_all() {
        let config: ClientCertificatesConfig =
            toml::from_str("ca_files = [\"all\"]\nlisteners = { imaps = [\"own\"], pop3 = [] }")
                .unwrap();
        let of = |listener| {
            let files = config.authorities(listener).iter();
            files
                .map(|file| file.display().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(of("imap"), ["all"]);
        assert_eq!(of("imaps"), ["own"]);
        assert_eq!(of("pop3"), [""; 0]);
        // Browsers are never asked.
        assert_eq!(of("https"), [""; 0]);
        assert!(config.is_used() && config.check().is_ok());
        assert!(!ClientCertificatesConfig::default().is_used());
    }

    #[test]
    fn what_stands_for_nobody_is_an_error() {
        let fingerprint = "ab".repeat(32);
        for (text, key) in [
            (
                "listeners = { https = [] }".to_owned(),
                "tls.client.listeners",
            ),
            (
                "fingerprints = { abc = \"a@example.test\" }".to_owned(),
                "abc",
            ),
            (
                format!("fingerprints = {{ {fingerprint} = \"alice\" }}"),
                "alice",
            ),
        ] {
            let config: ClientCertificatesConfig = toml::from_str(&text).unwrap();
            let error = config.check().unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}

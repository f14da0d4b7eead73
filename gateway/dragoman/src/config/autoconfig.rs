//! `[autoconfig]`: what mail programs are told when they set themselves up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config_error::ConfigError;

/// Where mail programs find the gateway, when that is not where it listens: behind a proxy, or with ports passed on.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AutoconfigConfig {
    /// The host; by default `hostname`.
    pub(crate) host: String,
    /// What programs call the mail service.
    pub(crate) name: String,
    /// Ports by the names of listeners; by default those listened on. 0: the program is not told of the listener.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) ports: BTreeMap<String, u16>,
}

impl Default for AutoconfigConfig {
    fn default() -> Self {
        Self {
            host: String::new(),
            name: "Dragoman".to_owned(),
            ports: BTreeMap::new(),
        }
    }
}

impl AutoconfigConfig {
    /// What types alone cannot say.
    pub(super) fn check(&self, listeners: &[&str]) -> Result<(), ConfigError> {
        if self
            .host
            .contains(|one: char| one.is_whitespace() || one.is_control())
        {
            return Err(ConfigError::value(
                "autoconfig.host",
                &self.host,
                "a host name",
            ));
        }
        let unknown = self
            .ports
            .keys()
            .find(|name| !listeners.contains(&name.as_str()));
        match unknown {
            Some(name) => {
                let expected = format!("one of {}", listeners.join(", "));
                Err(ConfigError::value("autoconfig.ports", name, &expected))
            }
            None => Ok(()),
        }
    }
}

//! `[exchange.NAME.kerberos]`: the realm whose tickets the server takes.

use serde::{Deserialize, Serialize};
use store_exchange::auth::Kdc;

use super::check::Faults;
use crate::config_error::ConfigError;

/// A Kerberos realm.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct KerberosConfig {
    /// The realm; empty: the address's domain in capitals.
    pub(crate) realm: String,
    /// Its key distribution centres, `HOST` or `HOST:PORT`, in the order to ask them; none: the realm's own name is
    /// asked.
    pub(crate) kdcs: Vec<String>,
}

impl KerberosConfig {
    pub(super) fn check(&self, faults: &Faults<'_>) -> Result<(), ConfigError> {
        match self.kdcs.iter().find(|kdc| Kdc::parse(kdc).is_err()) {
            Some(kdc) => Err(faults.value("kerberos.kdcs", kdc, "HOST or HOST:PORT")),
            None => Ok(()),
        }
    }
}

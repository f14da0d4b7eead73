//! `[retention]`: how long what was deleted is kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config_error::ConfigError;

const DAY_S: u64 = 86_400;

/// The most days that can be asked for: a hundred years.
const DAYS_MAX: u32 = 36_525;

/// For mailboxes of the embedded store; an Exchange server has a rule of its own.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RetentionConfig {
    /// For how many days deleted items, and deleted folders with theirs, can be recovered; 0: until the next sweep.
    pub(crate) deleted_items_days: u32,
    /// How often what has been kept long enough is purged, in seconds.
    pub(crate) sweep_every_s: u64,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            // As Exchange has it.
            deleted_items_days: 14,
            sweep_every_s: 3600,
        }
    }
}

impl RetentionConfig {
    /// What types alone cannot say.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.deleted_items_days > DAYS_MAX {
            return Err(ConfigError::value(
                "retention.deleted_items_days",
                &self.deleted_items_days.to_string(),
                &format!("at most {DAYS_MAX}"),
            ));
        }
        match self.sweep_every_s {
            1..=DAY_S => Ok(()),
            other => Err(ConfigError::value(
                "retention.sweep_every_s",
                &other.to_string(),
                "1 to 86400",
            )),
        }
    }

    /// How long what was deleted is kept.
    pub(crate) fn kept(&self) -> Duration {
        Duration::from_secs(u64::from(self.deleted_items_days) * DAY_S)
    }

    /// How long to wait between two sweeps.
    pub(crate) const fn pause(&self) -> Duration {
        Duration::from_secs(self.sweep_every_s)
    }
}

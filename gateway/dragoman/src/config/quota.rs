//! `[quota]`: what a mailbox may hold that has no limits of its own, and what happens when it holds more.

use std::path::PathBuf;

use account::{QuotaLimit, QuotaLimits};
use serde::{Deserialize, Serialize};

use crate::config_error::ConfigError;

/// The most octets of a template.
pub(crate) const TEMPLATE_BYTES_MAX: u64 = 64 << 10;

/// For mailboxes of the embedded store; an Exchange server has quotas of its own. A limit of 0 is none.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct QuotaConfig {
    /// Beyond so many octets the owner is warned.
    pub(crate) warn_bytes: u64,
    pub(crate) warn_messages: u64,
    /// Beyond so many octets the owner cannot send.
    pub(crate) send_bytes: u64,
    pub(crate) send_messages: u64,
    /// More octets than these are not taken in.
    pub(crate) receive_bytes: u64,
    pub(crate) receive_messages: u64,
    /// What mail for a full mailbox is told.
    pub(crate) mailbox_full: MailboxFull,
    /// The least time between two warnings, in hours.
    pub(crate) warning_every_h: u64,
    /// A file with the warning: header fields, an empty line and text. Without one there is a text of ours.
    pub(crate) warning_template: PathBuf,
}

/// What mail for a full mailbox is told.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MailboxFull {
    /// 452: the mail server keeps it and tries again.
    #[default]
    TryLater,
    /// 552: its sender is told.
    Refuse,
}

impl Default for QuotaConfig {
    fn default() -> Self {
        Self {
            warn_bytes: 0,
            warn_messages: 0,
            send_bytes: 0,
            send_messages: 0,
            receive_bytes: 0,
            receive_messages: 0,
            mailbox_full: MailboxFull::default(),
            warning_every_h: 24,
            warning_template: PathBuf::new(),
        }
    }
}

impl QuotaConfig {
    /// What types alone cannot say.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.warning_every_h {
            1..=8784 => Ok(()),
            other => Err(ConfigError::value(
                "quota.warning_every_h",
                &other.to_string(),
                "1 to 8784",
            )),
        }
    }

    /// The limits of mailboxes that have none of their own.
    pub(crate) fn limits(&self) -> QuotaLimits {
        let some = |number: u64| (number > 0).then_some(number);
        let limit = |bytes, items| QuotaLimit {
            bytes: some(bytes),
            items: some(items),
        };
        QuotaLimits {
            warn: limit(self.warn_bytes, self.warn_messages),
            send: limit(self.send_bytes, self.send_messages),
            receive: limit(self.receive_bytes, self.receive_messages),
        }
    }
}

//! `[submission]`: copies of what users send.

use std::collections::BTreeMap;

use account::{CopyRule, CopyRules, MailboxId};
use directory::Address;
use serde::{Deserialize, Serialize};

use crate::config_error::ConfigError;

/// What happens to what users send, besides being sent.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SubmissionConfig {
    /// Whether a copy goes into the Sent Items of who sends.
    pub(crate) sent_copy: Copies,
    /// Whether a copy goes into the Sent Items of the mailbox in whose name somebody else sends.
    pub(crate) owner_copy: Copies,
    /// The same for single mailboxes, by address.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) mailbox: BTreeMap<String, MailboxCopies>,
}

/// What is said of one mailbox.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MailboxCopies {
    /// As in [`SubmissionConfig`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sent_copy: Option<Copies>,
    /// As in [`SubmissionConfig`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner_copy: Option<Copies>,
}

/// Whether copies are kept.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Copies {
    /// Mail programs file what they send themselves.
    #[default]
    Never,
    Always,
}

impl SubmissionConfig {
    /// What the core is told.
    pub(crate) fn copies(&self) -> CopyRules {
        let rule = |mailbox: &MailboxCopies| CopyRule {
            sent: mailbox.sent_copy.unwrap_or(self.sent_copy) == Copies::Always,
            sent_by_others: mailbox.owner_copy.unwrap_or(self.owner_copy) == Copies::Always,
        };
        let of = self.mailbox.iter().filter_map(|(address, mailbox)| {
            let address = Address::parse(address).ok()?;
            Some((MailboxId(address.to_string()), rule(mailbox)))
        });
        CopyRules {
            others: rule(&MailboxCopies::default()),
            of: of.collect(),
        }
    }

    /// What types alone cannot say.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let mut addresses = self.mailbox.keys();
        match addresses.find(|address| Address::parse(address).is_err()) {
            Some(address) => Err(ConfigError::value(
                "submission.mailbox",
                address,
                "the address of a mailbox",
            )),
            None => Ok(()),
        }
    }
}

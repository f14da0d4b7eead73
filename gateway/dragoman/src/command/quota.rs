//! What mailboxes may hold: `dragoman quota`.

use std::{fmt, str::FromStr};

use account::{ErrorKind, MailboxId, QuotaLimit};
use store_openchange::MailboxQuota;

use super::{
    administration::Administration,
    request::{Asked, QuotaChange},
};
use crate::failure::{Doing, Failure, Result};

/// An amount on the command line: a number, with K, M, G or T for powers of 1024, or `none`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Amount(Option<u64>);

/// Why a text is no amount.
#[derive(Debug)]
pub(crate) struct NoAmount;

impl fmt::Display for NoAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a number above 0, such as 500000, 900M or 2G, or `none`")
    }
}

impl std::error::Error for NoAmount {}

impl FromStr for Amount {
    type Err = NoAmount;

    fn from_str(text: &str) -> Result<Self, NoAmount> {
        if text == "none" {
            return Ok(Self(None));
        }
        let units = [('K', 10), ('M', 20), ('G', 30), ('T', 40)];
        let unit = units.iter().find_map(|(letter, bits)| {
            let number = text.strip_suffix([*letter, letter.to_ascii_lowercase()])?;
            Some((number, 1_u64 << bits))
        });
        let (number, unit) = unit.unwrap_or((text, 1));
        let number: u64 = number.parse().map_err(|_| NoAmount)?;
        let amount = number.checked_mul(unit).filter(|amount| *amount > 0);
        amount.map(|amount| Self(Some(amount))).ok_or(NoAmount)
    }
}

impl Amount {
    /// What it asks for, if somebody says it.
    pub(crate) const fn asked(amount: Option<Self>) -> Asked {
        match amount {
            None => Asked::AsItIs,
            Some(Self(None)) => Asked::None,
            Some(Self(Some(amount))) => Asked::At(amount),
        }
    }
}

impl Administration {
    /// The limits of one mailbox, or a line for each.
    pub(super) async fn quota_show(&self, mailbox: Option<&str>) -> Result<Vec<String>> {
        let Some(mailbox) = mailbox else {
            return self.quotas().await;
        };
        let quota = self.quota_of(&self.quota_mailbox(mailbox)?).await?;
        let (limits, usage) = (quota.quota.limits, quota.quota.usage);
        let whose = if quota.own {
            "its own"
        } else {
            "those for all"
        };
        let mut lines = vec![
            format!("{} octets, {} messages", usage.bytes, usage.items),
            format!(
                "{} octets, {} messages deleted and not purged",
                usage.deleted_bytes, usage.deleted_items
            ),
            format!("limits: {whose}"),
        ];
        let named = [
            ("warn", limits.warn),
            ("send", limits.send),
            ("receive", limits.receive),
        ];
        for (name, limit) in named {
            let exceeded = match limit.is_exceeded(&usage) {
                true => ", exceeded",
                false => "",
            };
            lines.push(format!("{name}: {}{exceeded}", words(limit)));
        }
        Ok(lines)
    }

    async fn quotas(&self) -> Result<Vec<String>> {
        let store = self.store.clone();
        let all = tokio::task::spawn_blocking(move || store.mailboxes()).await;
        let all = all.doing(|| "reading the mailboxes".to_owned())?;
        let mut lines = Vec::new();
        for mailbox in all.doing(|| "reading the mailboxes".to_owned())? {
            let quota = match self.store.mailbox_quota(&mailbox).await {
                // A mirror, or gone meanwhile.
                Err(error) if error.kind == ErrorKind::NotFound => continue,
                quota => quota.doing(|| mailbox.to_string())?,
            };
            let (limits, usage) = (quota.quota.limits, quota.quota.usage);
            let state = match () {
                () if limits.receive.is_exceeded(&usage) => "  takes nothing in",
                () if limits.send.is_exceeded(&usage) => "  cannot send",
                () if limits.warn.is_exceeded(&usage) => "  warned",
                () => "",
            };
            lines.push(format!(
                "{mailbox}  {} octets, {} messages, receive {}{state}",
                usage.bytes,
                usage.items,
                words(limits.receive)
            ));
        }
        Ok(lines)
    }

    /// Gives a mailbox limits of its own, from those that count for it now.
    pub(super) async fn quota_set(
        &self,
        mailbox: &str,
        change: &QuotaChange,
    ) -> Result<Vec<String>> {
        let id = self.quota_mailbox(mailbox)?;
        let mut limits = self.quota_of(&id).await?.quota.limits;
        apply(&mut limits.warn, change.warn, change.warn_messages);
        apply(&mut limits.send, change.send, change.send_messages);
        apply(&mut limits.receive, change.receive, change.receive_messages);
        let set = self.store.set_quota(&id, Some(limits)).await;
        set.doing(|| format!("setting the quota of {mailbox}"))?;
        self.quota_show(Some(mailbox)).await
    }

    /// Lets the limits for all count again.
    pub(super) async fn quota_unset(&self, mailbox: &str) -> Result<Vec<String>> {
        let id = self.quota_mailbox(mailbox)?;
        let unset = self.store.set_quota(&id, None).await;
        unset.doing(|| format!("setting the quota of {mailbox}"))?;
        self.quota_show(Some(mailbox)).await
    }

    async fn quota_of(&self, mailbox: &MailboxId) -> Result<MailboxQuota> {
        let quota = self.store.mailbox_quota(mailbox).await;
        quota.doing(|| format!("reading the quota of {mailbox}"))
    }

    fn quota_mailbox(&self, mailbox: &str) -> Result<MailboxId> {
        match self.backends().of_mailbox(mailbox) {
            Some(section) => Err(Failure::of(account::Error::new(
                ErrorKind::Unsupported,
                format!(
                    "{mailbox}: the Exchange server sees to its quota (exchange.{})",
                    section.name()
                ),
            ))),
            None => self.mailbox_id(mailbox),
        }
    }
}

fn apply(limit: &mut QuotaLimit, bytes: Asked, items: Asked) {
    for (of, asked) in [(&mut limit.bytes, bytes), (&mut limit.items, items)] {
        match asked {
            Asked::AsItIs => {}
            Asked::None => *of = None,
            Asked::At(amount) => *of = Some(amount),
        }
    }
}

/// A limit in words.
fn words(limit: QuotaLimit) -> String {
    match (limit.bytes, limit.items) {
        (None, None) => "no limit".to_owned(),
        (Some(bytes), None) => format!("{bytes} octets"),
        (None, Some(items)) => format!("{items} messages"),
        (Some(bytes), Some(items)) => format!("{bytes} octets, {items} messages"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_numbers_with_units() {
        let check = |text: &str, expected: Option<Option<u64>>| {
            let amount = text.parse::<Amount>().ok().map(|amount| amount.0);
            assert_eq!(amount, expected, "{text}");
        };
        check("none", Some(None));
        check("500000", Some(Some(500_000)));
        check("900M", Some(Some(900 << 20)));
        check("2g", Some(Some(2 << 30)));
        check("1K", Some(Some(1024)));
        for bad in [
            "",
            "0",
            "-1",
            "M",
            "1.5G",
            "1 G",
            "99999999999999999999",
            "99999999T",
        ] {
            check(bad, None);
        }
    }
}

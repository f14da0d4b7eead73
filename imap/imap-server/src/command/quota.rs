//! GETQUOTA, GETQUOTAROOT and SETQUOTA (RFC 9208).
//!
//! A mailbox has one quota root, for all its folders, and none when it has no bounds or when an Exchange server sees to
//! them. What is said is when nothing is taken in any more; where that has no bound, when nothing is sent.

use account::{Quota, QuotaLimit};
use imap_wire::{MailboxName, response::Code};

use crate::{
    mailboxes,
    reply::{Done, Failure, Reply},
    state::{Authenticated, Talk},
};

/// The name of the quota root.
const ROOT: &str = "mailbox";

/// Octets of a unit of STORAGE (RFC 9208 5.1).
const STORAGE_UNIT: u64 = 1024;

/// A resource, how much of it is used, and how much there is.
type Resource = (&'static str, u64, u64);

pub(super) async fn get_quota(talk: &mut Talk<'_>, user: &Authenticated, root: &[u8]) -> Reply {
    let resources = resources(talk, user).await?;
    if root != ROOT.as_bytes() || resources.is_empty() {
        return Err(Failure::no(Code::NonExistent, "no such quota root"));
    }
    talk.connection.writer().quota(ROOT, &resources);
    Ok(Done::new("GETQUOTA completed"))
}

pub(super) async fn get_quota_root(
    talk: &mut Talk<'_>,
    user: &Authenticated,
    name: &MailboxName,
) -> Reply {
    let tree = user.account.folders().await?;
    if mailboxes::find(&tree, name.as_str()).is_none() {
        return Err(Failure::no_mailbox());
    }
    let resources = resources(talk, user).await?;
    let mut writer = talk.connection.writer();
    if resources.is_empty() {
        writer.quota_root(name.as_str(), &[]);
    } else {
        writer.quota_root(name.as_str(), &[ROOT]);
        writer.quota(ROOT, &resources);
    }
    Ok(Done::new("GETQUOTAROOT completed"))
}

/// Who manages the gateway sets quotas, and nobody else.
pub(super) fn set_quota() -> Reply {
    Err(Failure::no(
        Code::NoPerm,
        "quotas are set by whoever manages the server",
    ))
}

async fn resources(talk: &Talk<'_>, user: &Authenticated) -> Result<Vec<Resource>, Failure> {
    let accounts = talk.server.logins.accounts();
    let quota = accounts.quota(user.account.mailbox()).await?;
    Ok(quota.map(|quota| listed(&quota)).unwrap_or_default())
}

/// Usage is rounded up and limits down, so that nobody sees room that is not there.
fn listed(quota: &Quota) -> Vec<Resource> {
    let bound = |of: fn(QuotaLimit) -> Option<u64>| {
        of(quota.limits.receive).or_else(|| of(quota.limits.send))
    };
    let storage = bound(|limit| limit.bytes).map(|bytes| {
        let used = quota.usage.bytes.div_ceil(STORAGE_UNIT);
        ("STORAGE", used, bytes / STORAGE_UNIT)
    });
    let messages = bound(|limit| limit.items).map(|items| ("MESSAGE", quota.usage.items, items));
    storage.into_iter().chain(messages).collect()
}

#[cfg(test)]
mod tests {
    use account::{QuotaLimits, QuotaUsage};

    use super::*;

    #[test]
    fn the_bound_of_what_is_taken_in_is_told_and_else_that_of_what_is_sent() {
        let limit = |bytes, items| QuotaLimit { bytes, items };
        let check = |send, receive, expected: &[Resource]| {
            let quota = Quota {
                limits: QuotaLimits {
                    warn: limit(Some(1), Some(1)),
                    send,
                    receive,
                },
                usage: QuotaUsage {
                    bytes: 2049,
                    items: 7,
                    ..QuotaUsage::default()
                },
            };
            assert_eq!(listed(&quota), expected);
        };
        let none = QuotaLimit::default();
        check(none, none, &[]);
        check(limit(Some(4096), None), none, &[("STORAGE", 3, 4)]);
        let both = limit(Some(5000), Some(9));
        let told = [("STORAGE", 3, 4), ("MESSAGE", 7, 9)];
        check(limit(Some(1024), Some(1)), both, &told);
    }
}

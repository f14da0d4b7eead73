//! How much a mailbox may hold, and how much it holds.

/// A bound of octets and of items; `None`: none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct QuotaLimit {
    /// Octets.
    pub bytes: Option<u64>,
    /// Items.
    pub items: Option<u64>,
}

/// The three bounds of a mailbox. Source: MS-OXCSTOR 2.2.2.1 (PidTagProhibitSendQuota, PidTagProhibitReceiveQuota,
/// PidTagStorageQuotaLimit).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct QuotaLimits {
    /// Beyond it the owner is warned.
    pub warn: QuotaLimit,
    /// Beyond it the owner sends nothing.
    pub send: QuotaLimit,
    /// Nothing is taken in that would lead beyond it.
    pub receive: QuotaLimit,
}

/// What a mailbox holds: its normal items, and apart from them what was deleted and can be recovered, which no bound
/// is for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct QuotaUsage {
    /// Octets, as clients fetch them.
    pub bytes: u64,
    /// Items.
    pub items: u64,
    /// Octets of what was deleted.
    pub deleted_bytes: u64,
    /// Items that were deleted.
    pub deleted_items: u64,
}

/// A mailbox's quota.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Quota {
    /// What it may hold.
    pub limits: QuotaLimits,
    /// What it holds.
    pub usage: QuotaUsage,
}

impl QuotaLimit {
    /// Whether there is no bound.
    pub const fn is_none(self) -> bool {
        self.bytes.is_none() && self.items.is_none()
    }

    /// Whether a mailbox holds more.
    pub fn is_exceeded(self, usage: &QuotaUsage) -> bool {
        self.bytes.is_some_and(|bound| usage.bytes > bound)
            || self.items.is_some_and(|bound| usage.items > bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_exceeded_beyond_it_and_only_where_there_is_one() {
        let usage = |bytes, items| QuotaUsage {
            bytes,
            items,
            deleted_bytes: 1 << 40,
            deleted_items: 1 << 40,
        };
        let check = |bytes, items, used, expected| {
            let limit = QuotaLimit { bytes, items };
            assert_eq!(limit.is_exceeded(&used), expected, "{limit:?} {used:?}");
        };
        check(None, None, usage(u64::MAX, u64::MAX), false);
        check(Some(100), None, usage(100, 7), false);
        check(Some(100), None, usage(101, 7), true);
        check(None, Some(7), usage(101, 7), false);
        check(Some(1000), Some(7), usage(101, 8), true);
        check(Some(0), None, usage(0, 0), false);
    }
}

//! What a server has done, for tests that ask what something costs.

use std::collections::BTreeMap;

use serde::Serialize;

/// What a server has done since it started, or since the counters were reset.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Counters {
    /// TCP connections.
    pub connections: u64,
    /// HTTP requests.
    pub requests: u64,
    /// HTTP requests by X-RequestType.
    pub by_type: BTreeMap<String, u64>,
    /// Octets of requests.
    pub bytes_in: u64,
    /// Octets of responses.
    pub bytes_out: u64,
    /// Octets of the last response.
    pub last_response_bytes: u64,
    /// Octets of the last request.
    pub last_request_bytes: u64,
    /// ROPs by name.
    pub rops: BTreeMap<String, u64>,
    /// ROPs that failed, by name.
    pub failed_rops: BTreeMap<String, u64>,
    /// Notifications sent.
    pub notifications: u64,
    /// When a NotificationWait was last answered because something had happened, in microseconds since 1970.
    pub notified_at_us: u64,
    /// Session contexts begun.
    pub sessions: u64,
    /// The most session contexts at one time.
    pub sessions_most: usize,
    /// The most objects open in one session context.
    pub objects_most: usize,
}

impl Counters {
    /// How many ROPs of this name there were.
    pub fn rop(&self, name: &str) -> u64 {
        self.rops.get(name).copied().unwrap_or_default()
    }

    /// Counts a ROP.
    pub(crate) fn count_rop(&mut self, name: &str, failed: bool) {
        *self.rops.entry(name.to_owned()).or_default() += 1;
        if failed {
            *self.failed_rops.entry(name.to_owned()).or_default() += 1;
        }
    }
}

//! How far a run is, and what it has to say.

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};

use crate::{Error, Result};

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Progress {
    /// Messages looked at so far, whether they were moved or not.
    pub messages: u64,
    /// About how many there are.
    pub messages_total: u64,
    /// Octets moved so far.
    pub bytes: u64,
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Tally {
    /// Messages moved.
    pub messages: u64,
    /// Their octets.
    pub bytes: u64,
    /// Messages that an earlier run had moved.
    pub skipped: u64,
    /// Messages that could not be moved.
    pub failed: u64,
    /// Messages whose flags or keywords were brought up to date.
    pub marked: u64,
    /// Messages that were deleted where they had been moved to.
    pub deleted: u64,
}

/// Where a run tells how far it is. Whoever listens is waited for; when nobody does, the run ends.
#[derive(Debug)]
pub struct Report {
    /// How far it is; only the latest counts.
    pub progress: watch::Sender<Progress>,
    /// What went wrong with single messages, and what else there is to know: a line each.
    pub remarks: mpsc::Sender<String>,
}

impl Report {
    pub(crate) fn expect(&self, messages: u64) {
        self.progress
            .send_modify(|progress| progress.messages_total = messages);
    }

    pub(crate) fn advance(&self, messages: u64, bytes: u64) {
        self.progress.send_modify(|progress| {
            progress.messages += messages;
            progress.bytes += bytes;
        });
    }

    pub(crate) async fn remark(&self, line: String) -> Result<()> {
        self.remarks.send(line).await.map_err(|_| Error::Abandoned)
    }
}

//! The limits of the embedded store, by name.

use mapi_store::QuotaLimits;

/// Limits of one open data folder. The defaults suit a machine of 2 to 8 cores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Threads that run the write transactions of all mailboxes. They mostly wait for the disk, whose syncs serve
    /// several of them at once: more than there are processors.
    pub writer_threads: usize,
    /// Threads that read.
    pub reader_threads: usize,
    /// Idle database handles kept open, over all mailboxes; each costs about 150 KB.
    pub idle_handles_max: usize,
    /// Writes of one mailbox that share a transaction and its sync.
    pub batch_max: usize,
    /// Writes accepted and not yet answered, over all mailboxes; further ones wait.
    pub writes_pending_max: usize,
    /// Reads running or waiting for a thread, over all mailboxes; further ones wait.
    pub reads_pending_max: usize,
    /// Octets of a segment file before the next one is begun.
    pub segment_bytes_max: u64,
    /// Originals of up to this many octets are kept in the item's row: one sync saves them, not two.
    pub inline_bytes_max: u64,
    /// Octets of a write-ahead log after which it is copied into the mailbox file when the mailbox is idle.
    pub wal_bytes_idle: u64,
    /// Octets of a write-ahead log after which that is done even when writes are waiting.
    pub wal_bytes_max: u64,
    /// Removed items a folder's change log remembers; older states of a client must start anew.
    pub removed_kept: u32,
    /// A segment of which at most this percentage is still referred to is emptied by compacting.
    pub compact_live_percent: u8,
    /// What a mailbox may hold that has no limits of its own.
    pub quota: QuotaLimits,
    /// Notices a slow receiver may lag behind before it loses some.
    pub notices_kept: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            writer_threads: 8,
            reader_threads: 4,
            idle_handles_max: 48,
            batch_max: 64,
            writes_pending_max: 1024,
            reads_pending_max: 1024,
            segment_bytes_max: 128 << 20,
            inline_bytes_max: 8 << 10,
            wal_bytes_idle: 4 << 20,
            wal_bytes_max: 16 << 20,
            removed_kept: 100_000,
            compact_live_percent: 70,
            quota: QuotaLimits::default(),
            notices_kept: 256,
        }
    }
}

//! Limits of the core, by name, with their defaults.

use std::{path::PathBuf, time::Duration};

use crate::CopyRules;

/// Limits and choices of [`crate::Accounts`].
#[derive(Clone, Debug)]
pub struct Options {
    /// Where arriving messages go that are too large for memory; made when first needed. Default: the system's
    /// folder for temporary files.
    pub spool_folder: PathBuf,
    /// The largest message accepted, in octets. Default: 100 MiB.
    pub message_bytes_max: u64,
    /// Octets of one arriving message kept in memory before it goes to a file. Default: 1 MiB.
    pub spool_memory_bytes_max: usize,
    /// Octets of all arriving messages kept in memory; beyond it they go to files at once. Default: 64 MiB.
    pub spool_memory_total_bytes_max: usize,
    /// Octets of folder indices and message facts kept for the next reader. Default: 32 MiB.
    pub cache_bytes_max: u64,
    /// Mailboxes (for one principal each) kept open for the next session. Default: 1,024.
    pub open_accounts_max: u64,
    /// Copies of one message that are stored at the same time. Default: 32.
    pub copies_concurrent_max: usize,
    /// Password checks that run or wait; the directory hashes as many at once as there are cores. Default: 32.
    pub password_checks_concurrent_max: usize,
    /// Searches of message texts at the same time; each takes a few MiB. Default: 4.
    pub searches_concurrent_max: usize,
    /// Sorts a message with this header field and value (compared without case) into the junk folder. Default:
    /// `X-Spam-Flag: YES`.
    pub junk_header: Option<(String, String)>,
    /// Whose Sent Items get copies of what is sent. Default: nobody's.
    pub copies: CopyRules,
    /// How long a cached folder is believed unchanged without asking the store, when no notice says otherwise.
    /// Covers notices that are lost. Default: 30 s.
    pub trust: Duration,
    /// How often watched folders are asked for their version, for the same reason. Default: 60 s.
    pub poll: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            spool_folder: std::env::temp_dir(),
            message_bytes_max: 100 << 20,
            spool_memory_bytes_max: 1 << 20,
            spool_memory_total_bytes_max: 64 << 20,
            cache_bytes_max: 32 << 20,
            open_accounts_max: 1024,
            copies_concurrent_max: 32,
            password_checks_concurrent_max: 32,
            searches_concurrent_max: 4,
            junk_header: Some(("X-Spam-Flag".into(), "YES".into())),
            copies: CopyRules::default(),
            trust: Duration::from_secs(30),
            poll: Duration::from_secs(60),
        }
    }
}

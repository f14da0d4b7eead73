//! What was submitted lately and how far it came: kept in the mirror, so that a message is not sent a second time when an
//! answer was lost, or the gateway was.
//!
//! The log follows the namespace in the mirror's session data.

use bytes::Bytes;
use mapi_store::Result;
use mapi_wire::Gid;

use super::Mailbox;

/// Submissions that are remembered; beyond that the oldest is forgotten.
const ENTRIES_MAX: usize = 256;

/// Octets of the namespace before the log.
const NAMESPACE_BYTES: usize = 16;

/// The form of the log.
const REVISION: u8 = 1;

/// What names a submission: made of who submits, and the key of what is submitted.
pub(crate) type SubmissionKey = [u8; 16];

/// How far a submission has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stage {
    /// The message is going to the Outbox.
    Uploading,
    /// The message was in the Outbox, and the server was told to send it: once it is not there any more, it was sent.
    Submitting,
    /// It was sent.
    Sent,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Entry {
    key: SubmissionKey,
    message: Gid,
    stage: Stage,
}

impl Mailbox {
    /// How far a submission has come, and which message it is. `None`: it has not begun, or is forgotten.
    pub(crate) async fn submission(&self, key: &SubmissionKey) -> Result<Option<(Gid, Stage)>> {
        let log = decode(&self.mirror.session_data().await?);
        let entry = log.into_iter().find(|entry| entry.key == *key);
        Ok(entry.map(|entry| (entry.message, entry.stage)))
    }

    /// Notes how far a submission has come. Whoever calls this has the turn at submitting.
    pub(crate) async fn note_submission(
        &self,
        key: SubmissionKey,
        message: Gid,
        stage: Stage,
    ) -> Result<()> {
        let new = Entry {
            key,
            message,
            stage,
        };
        self.rewrite(|log| log.push(new), &key).await
    }

    /// Forgets a submission that was refused.
    pub(crate) async fn forget_submission(&self, key: &SubmissionKey) -> Result<()> {
        self.rewrite(|_| {}, key).await
    }

    async fn rewrite(&self, add: impl FnOnce(&mut Vec<Entry>), key: &SubmissionKey) -> Result<()> {
        // What lies before the log must be there.
        self.namespace().await?;
        let data = self.mirror.session_data().await?;
        let mut log = decode(&data);
        log.retain(|entry| entry.key != *key);
        add(&mut log);
        let namespace = data.get(..NAMESPACE_BYTES).unwrap_or_default();
        self.mirror.set_session_data(encode(namespace, &log)).await
    }
}

fn encode(namespace: &[u8], log: &[Entry]) -> Bytes {
    let mut octets = namespace.to_vec();
    octets.push(REVISION);
    let newest = log.len().saturating_sub(ENTRIES_MAX);
    for entry in log.iter().skip(newest) {
        octets.extend_from_slice(&entry.key);
        octets.extend_from_slice(&entry.message.to_bytes());
        octets.push(match entry.stage {
            Stage::Uploading => 1,
            Stage::Submitting => 2,
            Stage::Sent => 3,
        });
    }
    octets.into()
}

/// The log; empty when it is not there, up to where it cannot be read.
fn decode(data: &[u8]) -> Vec<Entry> {
    const KEY: usize = size_of::<SubmissionKey>();
    const ENTRY: usize = KEY + Gid::BYTES + 1;
    let log = data.get(NAMESPACE_BYTES..).unwrap_or_default();
    let Some(entries) = log.strip_prefix(&[REVISION]) else {
        return Vec::new();
    };
    let entry = |octets: &[u8]| {
        let (key, rest) = octets.split_first_chunk::<KEY>()?;
        let (stage, message) = rest.split_last()?;
        Some(Entry {
            key: *key,
            message: Gid::from_bytes(message)?,
            stage: match stage {
                1 => Stage::Uploading,
                2 => Stage::Submitting,
                3 => Stage::Sent,
                _ => return None,
            },
        })
    };
    entries.chunks_exact(ENTRY).map_while(entry).collect()
}

#[cfg(test)]
mod tests {
    use mapi_wire::{Globcnt, Guid};

    use super::*;

    fn entry(counter: u64, stage: Stage) -> Entry {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&counter.to_le_bytes());
        Entry {
            key,
            message: Gid {
                replguid: Guid([7; 16]),
                globcnt: Globcnt::from_u64(counter),
            },
            stage,
        }
    }

    #[test]
    fn a_log_comes_back_and_keeps_the_newest() {
        let namespace = [9; NAMESPACE_BYTES];
        let log = [
            entry(1, Stage::Uploading),
            entry(2, Stage::Submitting),
            entry(3, Stage::Sent),
        ];
        let octets = encode(&namespace, &log);
        assert_eq!(octets[..NAMESPACE_BYTES], namespace);
        assert_eq!(decode(&octets), log);
        let many: Vec<_> = (0..300)
            .map(|counter| entry(counter, Stage::Sent))
            .collect();
        assert_eq!(
            decode(&encode(&namespace, &many)),
            many[300 - ENTRIES_MAX..]
        );
    }

    #[test]
    fn what_is_no_log_says_nothing() {
        assert_eq!(decode(&[]), []);
        assert_eq!(decode(&[9; NAMESPACE_BYTES]), []);
        let log = [entry(1, Stage::Sent), entry(2, Stage::Sent)];
        let octets = encode(&[9; NAMESPACE_BYTES], &log);
        assert_eq!(decode(&octets[..octets.len() - 1]), log[..1]);
        let mut broken = octets.to_vec();
        *broken.last_mut().unwrap() = 9;
        assert_eq!(decode(&broken), log[..1]);
    }
}

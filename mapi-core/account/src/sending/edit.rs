//! What of a message is put right before it goes out, and the rest of it as it came.

use std::{
    fmt::Write as _,
    io::{self, Cursor, Read},
    time::SystemTime,
};

use bytes::Bytes;
use mapi_convert::{date, header};
use mapi_store::{Error, ErrorKind, Result};
use mapi_types::{Content, FileTime};
use tokio::task::spawn_blocking;

use super::HEADER_BYTES_MAX;
use crate::Spooled;

/// What is put right in a header. Source: RFC 6409 8.
pub(super) struct Edit<'a> {
    /// Fields to put before it.
    pub(super) trace: &'a [u8],
    pub(super) hostname: &'a str,
    /// The reverse path.
    pub(super) sender: &'a str,
    pub(super) now: SystemTime,
}

impl Edit<'_> {
    /// The header as it goes out. Errors: `Internal` (no randomness).
    pub(super) fn apply(&self, block: &[u8]) -> Result<Vec<u8>> {
        let mut edited = self.trace.to_vec();
        edited.extend_from_slice(self.missing(block)?.as_bytes());
        // Who got a blind copy is nobody's business but the sender's (RFC 5322 3.6.3).
        header::select(
            block,
            &["bcc", "resent-bcc"],
            header::Select::Not,
            &mut edited,
        );
        Ok(edited)
    }

    fn missing(&self, block: &[u8]) -> Result<String> {
        let lacks = |name| header::field(block, name).is_none();
        let mut added = String::new();
        if lacks("date") {
            let now = FileTime::from(self.now);
            let _ = write!(added, "Date: {}\r\n", date::text(now.unix()));
        }
        if lacks("message-id") {
            let mut random = [0; 16];
            getrandom::fill(&mut random).map_err(|error| {
                Error::with_source(ErrorKind::Internal, "no random octets", error.to_string())
            })?;
            let random = u128::from_le_bytes(random);
            let _ = write!(added, "Message-ID: <{random:032x}@{}>\r\n", self.hostname);
        }
        if lacks("from") && !self.sender.is_empty() {
            let _ = write!(added, "From: <{}>\r\n", self.sender);
        }
        Ok(added)
    }
}

impl Spooled {
    /// The header with its empty line; `None` when it is too large to be sent. Errors: `Unavailable` (the disk).
    pub(super) async fn header(&self) -> Result<Option<Bytes>> {
        let derived = &self.0.derived.header;
        let Some(original) = self.0.original.clone() else {
            return Ok(Some(derived.clone()));
        };
        if !derived.is_empty() || original.is_empty() {
            return Ok(Some(derived.clone()));
        }
        let read = move || {
            let len = original.len().min(HEADER_BYTES_MAX);
            let mut octets = vec![0; usize::try_from(len).unwrap_or_default()];
            original.source().read_exact_at(&mut octets, 0)?;
            Ok::<_, io::Error>((octets, len == original.len()))
        };
        let failed =
            |error| Error::with_source(ErrorKind::Unavailable, "the spool cannot be read", error);
        let (octets, whole) = spawn_blocking(read)
            .await
            .map_err(io::Error::other)
            .and_then(|read| read)
            .map_err(failed)?;
        let end = block_len(&octets);
        Ok(match end < octets.len() || whole {
            true => Some(Bytes::from(octets).slice(..end)),
            false => None,
        })
    }

    /// The message with another start: `start`, and what comes after the first `skipped` octets.
    pub(super) fn after(&self, start: Vec<u8>, skipped: u64) -> impl Read + Send + use<> {
        let rest = self.0.original.clone().map(|content| Rest {
            content,
            offset: skipped,
        });
        Cursor::new(start).chain(Optional(rest))
    }
}

/// Octets of a header block, with its empty line.
fn block_len(octets: &[u8]) -> usize {
    let end = header::fields(octets)
        .last()
        .map_or(0, |last| last.offset + last.raw.len());
    let rest = octets.get(end..).unwrap_or_default();
    let blank = [&b"\r\n"[..], b"\n"]
        .into_iter()
        .find(|blank| rest.starts_with(blank));
    end + blank.map_or(0, <[u8]>::len)
}

struct Optional(Option<Rest>);

impl Read for Optional {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.as_mut().map_or(Ok(0), |rest| rest.read(buf))
    }
}

/// A content from some octet on.
struct Rest {
    content: Content,
    offset: u64,
}

impl Read for Rest {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = self.content.len().saturating_sub(self.offset);
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
        let Some(piece) = buf.get_mut(..count) else {
            return Ok(0);
        };
        self.content.source().read_exact_at(piece, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn edited(block: &str) -> String {
        let edit = Edit {
            trace: b"Received: here\r\n",
            hostname: "mx.example.test",
            sender: "anna@example.test",
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(86_400),
        };
        String::from_utf8(edit.apply(block.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn what_a_message_must_have_is_added() {
        let complete = "Date: x\r\nMessage-Id: <1@x>\r\nFROM: a\r\n\r\n";
        assert_eq!(edited(complete), format!("Received: here\r\n{complete}"));
        let added = edited("Subject: x\r\n\r\n");
        assert!(added.starts_with(
            "Received: here\r\nDate: Fri, 2 Jan 1970 00:00:00 +0000\r\nMessage-ID: <"
        ));
        assert!(
            added.ends_with("@mx.example.test>\r\nFrom: <anna@example.test>\r\nSubject: x\r\n\r\n")
        );
    }

    #[test]
    fn blind_copies_stay_blind() {
        let header = "Date: x\r\nBcc: bob@example.test,\r\n\tcarol@example.test\r\nMessage-ID: <1@x>\r\nFrom: a\r\nbcc : dave\r\n\r\n";
        let sent = edited(header);
        assert!(
            !sent.contains("bob") && !sent.contains("carol") && !sent.contains("dave"),
            "{sent}"
        );
        assert_eq!(
            sent,
            "Received: here\r\nDate: x\r\nMessage-ID: <1@x>\r\nFrom: a\r\n\r\n"
        );
    }
}

//! What of a header is put right before it goes out.

use std::{fmt::Write as _, time::SystemTime};

use mapi_convert::{date, header};
use mapi_store::{Error, ErrorKind, Result};
use mapi_types::FileTime;

/// What is put right in a header. Source: RFC 6409 8.
pub(super) struct Edit<'a> {
    pub(super) hostname: &'a str,
    /// Who is named as From where nobody is.
    pub(super) author: &'a str,
    /// Who is named as Sender, where somebody must be and nobody is.
    pub(super) sender: Option<&'a str>,
    pub(super) now: SystemTime,
}

impl Edit<'_> {
    /// The fields to put before a header. Errors: `Internal` (no randomness).
    pub(super) fn missing(&self, block: &[u8]) -> Result<String> {
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
        if lacks("from") && !self.author.is_empty() {
            let _ = write!(added, "From: <{}>\r\n", self.author);
        }
        if let Some(sender) = self.sender {
            let _ = write!(added, "Sender: <{sender}>\r\n");
        }
        Ok(added)
    }
}

/// A header as it goes out: who got a blind copy is nobody's business but the sender's (RFC 5322 3.6.3).
pub(super) fn without_blind_copies(block: &[u8]) -> Vec<u8> {
    let mut edited = Vec::with_capacity(block.len());
    let blind = ["bcc", "resent-bcc"];
    header::select(block, &blind, header::Select::Not, &mut edited);
    edited
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn edited(block: &str) -> String {
        let edit = Edit {
            hostname: "mx.example.test",
            author: "anna@example.test",
            sender: None,
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(86_400),
        };
        let added = edit.missing(block.as_bytes()).unwrap();
        String::from_utf8(without_blind_copies((added + block).as_bytes())).unwrap()
    }

    #[test]
    fn what_a_message_must_have_is_added() {
        let complete = "Date: x\r\nMessage-Id: <1@x>\r\nFROM: a\r\n\r\n";
        assert_eq!(edited(complete), complete);
        let added = edited("Subject: x\r\n\r\n");
        assert!(added.starts_with("Date: Fri, 2 Jan 1970 00:00:00 +0000\r\nMessage-ID: <"));
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
        assert_eq!(sent, "Date: x\r\nMessage-ID: <1@x>\r\nFrom: a\r\n\r\n");
    }
}

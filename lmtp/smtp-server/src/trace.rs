//! The header fields that delivery adds before a message. Source: RFC 5321 4.4.

use std::{fmt::Write, net::IpAddr};

use account::{FileTime, mime::date};

/// What the trace fields tell.
#[derive(Debug)]
pub(crate) struct Trace<'a> {
    /// The reverse path, without brackets; empty for a bounce.
    pub(crate) sender: &'a str,
    /// What the peer called itself.
    pub(crate) client_name: &'a str,
    /// Where it connected from; `None` on a Unix socket.
    pub(crate) client_addr: Option<IpAddr>,
    /// This server's name.
    pub(crate) hostname: &'a str,
    /// The protocol with its modifiers, such as `LMTPS` (RFC 3848).
    pub(crate) protocol: &'a str,
    /// Whether addresses or header fields may be in UTF-8.
    pub(crate) is_utf8: bool,
    /// This transaction's id.
    pub(crate) id: &'a str,
    /// When the message arrived.
    pub(crate) now: FileTime,
}

impl Trace<'_> {
    /// Return-Path, Delivered-To and Received for one recipient.
    pub(crate) fn fields(&self, recipient: &str) -> String {
        format!(
            "Return-Path: <{}>\r\nDelivered-To: {}\r\n{}\r\n\tfor <{}>; {}\r\n",
            clean(self.sender),
            clean(recipient),
            self.by_whom(),
            clean(recipient),
            date::text(self.now.unix())
        )
    }

    /// Received alone, without recipients: those of a submitted message may not know of each other.
    pub(crate) fn received(&self) -> String {
        format!(
            "{};\r\n\t{}\r\n",
            self.by_whom(),
            date::text(self.now.unix())
        )
    }

    fn by_whom(&self) -> String {
        let mut field = format!("Received: from {}", clean(self.client_name));
        // Writing to a String cannot fail.
        let _ = match self.client_addr {
            Some(IpAddr::V6(addr)) => write!(field, " ([IPv6:{addr}])"),
            Some(addr) => write!(field, " ([{addr}])"),
            None => Ok(()),
        };
        let _ = write!(
            field,
            "\r\n\tby {} with {} id {}",
            self.hostname, self.protocol, self.id
        );
        field
    }
}

/// What a peer said, safe inside a header field.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_cannot_add_header_fields() {
        let trace = Trace {
            sender: "a@example.org\r\nX-Evil: 1",
            client_name: "mx\nX-Evil: 2",
            client_addr: Some(IpAddr::from([192, 0, 2, 1])),
            hostname: "mail.example.test",
            protocol: "LMTP",
            is_utf8: false,
            id: "1",
            now: FileTime::from_unix(0),
        };
        assert_eq!(
            trace.fields("bob@example.test"),
            "Return-Path: <a@example.orgX-Evil: 1>\r\nDelivered-To: bob@example.test\r\n\
             Received: from mxX-Evil: 2 ([192.0.2.1])\r\n\tby mail.example.test with LMTP id 1\r\n\t\
             for <bob@example.test>; Thu, 1 Jan 1970 00:00:00 +0000\r\n"
        );
        assert_eq!(
            trace.received(),
            "Received: from mxX-Evil: 2 ([192.0.2.1])\r\n\tby mail.example.test with LMTP id 1;\r\n\t\
             Thu, 1 Jan 1970 00:00:00 +0000\r\n"
        );
    }
}

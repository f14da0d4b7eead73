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
    /// This transaction's id.
    pub(crate) id: &'a str,
    /// When the message arrived.
    pub(crate) now: FileTime,
}

impl Trace<'_> {
    /// Return-Path, Delivered-To and Received for one recipient.
    pub(crate) fn fields(&self, recipient: &str) -> String {
        let client = clean(self.client_name);
        let mut fields = format!(
            "Return-Path: <{}>\r\nDelivered-To: {}\r\nReceived: from {client}",
            clean(self.sender),
            clean(recipient)
        );
        // Writing to a String cannot fail.
        let _ = match self.client_addr {
            Some(IpAddr::V6(addr)) => write!(fields, " ([IPv6:{addr}])"),
            Some(addr) => write!(fields, " ([{addr}])"),
            None => Ok(()),
        };
        let _ = write!(
            fields,
            "\r\n\tby {} with {} id {}\r\n\tfor <{}>; {}\r\n",
            self.hostname,
            self.protocol,
            self.id,
            clean(recipient),
            date::text(self.now.unix())
        );
        fields
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
            id: "1",
            now: FileTime::from_unix(0),
        };
        assert_eq!(
            trace.fields("bob@example.test"),
            "Return-Path: <a@example.orgX-Evil: 1>\r\nDelivered-To: bob@example.test\r\n\
             Received: from mxX-Evil: 2 ([192.0.2.1])\r\n\tby mail.example.test with LMTP id 1\r\n\t\
             for <bob@example.test>; Thu, 1 Jan 1970 00:00:00 +0000\r\n"
        );
    }
}

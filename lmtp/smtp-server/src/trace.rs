//! The header fields that delivery adds before a message. Source: RFC 5321 4.4.

use std::{
    fmt::Write,
    net::IpAddr,
    time::{SystemTime, UNIX_EPOCH},
};

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
    pub(crate) now: SystemTime,
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
            date_time(self.now)
        );
        fields
    }
}

/// What a peer said, safe inside a header field.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// A date-time in UTC. Source: RFC 5322 3.3.
pub(crate) fn date_time(time: SystemTime) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!(
        "{}, {day} {} {year} {:02}:{:02}:{:02} +0000",
        DAYS.get((days % 7) as usize).unwrap_or(&"Thu"),
        MONTHS.get(month).unwrap_or(&"Jan"),
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Year, month (0 to 11) and day of a number of days since 1970-01-01, in the proleptic Gregorian calendar.
fn civil(days: u64) -> (u64, usize, u64) {
    // Counted from 0000-03-01, so that the leap day is the last of its year.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = year_of_era + era * 400 + u64::from(month >= 10);
    (year, ((month + 2) % 12) as usize, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let check = |unix, expected| {
            assert_eq!(date_time(UNIX_EPOCH + Duration::from_secs(unix)), expected)
        };
        check(0, "Thu, 1 Jan 1970 00:00:00 +0000");
        check(951_782_399, "Mon, 28 Feb 2000 23:59:59 +0000");
        check(951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000");
        check(1_772_442_672, "Mon, 2 Mar 2026 09:11:12 +0000");
        check(4_102_444_799, "Thu, 31 Dec 2099 23:59:59 +0000");
    }

    #[test]
    fn a_peer_cannot_add_header_fields() {
        let trace = Trace {
            sender: "a@example.org\r\nX-Evil: 1",
            client_name: "mx\nX-Evil: 2",
            client_addr: Some(IpAddr::from([192, 0, 2, 1])),
            hostname: "mail.example.test",
            protocol: "LMTP",
            id: "1",
            now: UNIX_EPOCH,
        };
        assert_eq!(
            trace.fields("bob@example.test"),
            "Return-Path: <a@example.orgX-Evil: 1>\r\nDelivered-To: bob@example.test\r\n\
             Received: from mxX-Evil: 2 ([192.0.2.1])\r\n\tby mail.example.test with LMTP id 1\r\n\t\
             for <bob@example.test>; Thu, 1 Jan 1970 00:00:00 +0000\r\n"
        );
    }
}

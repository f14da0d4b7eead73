//! Reports to the sender: failed, late, delivered. Source: RFC 3462, 3464, 6533, 3834.

use std::{fmt::Write as _, time::SystemTime};

use bytes::Bytes;

use crate::{Answer, Enhanced, Envelope, QueueId, Recipient};

/// What a report is about.
pub(crate) struct About<'a> {
    pub(crate) id: QueueId,
    pub(crate) envelope: &'a Envelope,
    pub(crate) arrived: SystemTime,
    pub(crate) hostname: &'a str,
    pub(crate) now: SystemTime,
    /// Unlike any other's, for Message-ID and the boundary.
    pub(crate) unique: &'a str,
}

/// What is reported. Source: RFC 3464 2.3.3.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    Failed,
    Delayed,
    /// Handed to a server that reports nothing itself.
    Relayed,
    Delivered,
}

/// What is reported of one recipient.
pub(crate) struct Told<'a> {
    pub(crate) recipient: &'a Recipient,
    pub(crate) action: Action,
    pub(crate) answer: Answer,
    /// The host that answered; `None`: this one.
    pub(crate) host: Option<&'a str>,
    /// Until when it is tried, for one that is late.
    pub(crate) until: Option<SystemTime>,
}

/// What of the message is returned.
pub(crate) enum Enclosed {
    Header(Bytes),
    Whole(Bytes),
}

/// A date as header fields have it.
fn date(time: SystemTime) -> String {
    // HTTP writes the same date with a zone that mail calls obsolete (RFC 5322 4.3).
    httpdate::fmt_http_date(time).replace("GMT", "+0000")
}

/// Composes a report.
pub(crate) fn compose(about: &About<'_>, told: &[Told<'_>], enclosed: &Enclosed) -> Vec<u8> {
    let (octets, whole) = match enclosed {
        Enclosed::Header(octets) => (octets, false),
        Enclosed::Whole(octets) => (octets, true),
    };
    // What is not ASCII needs the forms of RFC 6533, and readers that know them.
    let international = !octets.is_ascii()
        || !about.envelope.sender.is_ascii()
        || told.iter().any(|one| !one.recipient.address.is_ascii());
    let boundary = format!("report-{}", about.unique);
    let mut text = header(about, told, &boundary, international);
    let _ = write!(
        text,
        "--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n{}\r\n{}\r\n",
        encoding(international),
        for_people(about, told, international),
    );
    let (status, content) = match (international, whole) {
        (false, true) => ("message/delivery-status", "message/rfc822"),
        (false, false) => ("message/delivery-status", "text/rfc822-headers"),
        (true, true) => ("message/global-delivery-status", "message/global"),
        (true, false) => ("message/global-delivery-status", "message/global-headers"),
    };
    let _ = write!(
        text,
        "--{boundary}\r\nContent-Type: {status}\r\n{}\r\n{}\r\n--{boundary}\r\nContent-Type: {content}\r\n{}\r\n",
        encoding(international),
        for_programs(about, told, international),
        encoding(international),
    );
    let mut report = text.into_bytes();
    report.extend_from_slice(octets);
    if !octets.ends_with(b"\r\n") {
        report.extend_from_slice(b"\r\n");
    }
    report.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    report
}

const fn encoding(international: bool) -> &'static str {
    if international {
        "Content-Transfer-Encoding: 8bit\r\n"
    } else {
        ""
    }
}

fn header(about: &About<'_>, told: &[Told<'_>], boundary: &str, international: bool) -> String {
    let subject = match worst(told) {
        Action::Failed => "Undelivered mail",
        Action::Delayed => "Delayed mail (still being tried)",
        Action::Relayed | Action::Delivered => "Delivered mail",
    };
    format!(
        "From: Mail Delivery System <MAILER-DAEMON@{host}>\r\nTo: <{sender}>\r\nSubject: {subject}\r\nDate: {date}\r\n\
         Message-ID: <{unique}@{host}>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type={kind}delivery-status;\r\n\tboundary=\"{boundary}\"\r\n{encoding}\r\n",
        host = about.hostname,
        sender = about.envelope.sender,
        date = date(about.now),
        unique = about.unique,
        kind = if international { "global-" } else { "" },
        encoding = encoding(international),
    )
}

/// What stands in the subject when not all recipients fare alike.
fn worst(told: &[Told<'_>]) -> Action {
    let of = |action| told.iter().any(|one| one.action == action);
    match () {
        () if of(Action::Failed) => Action::Failed,
        () if of(Action::Delayed) => Action::Delayed,
        () => Action::Delivered,
    }
}

fn for_people(about: &About<'_>, told: &[Told<'_>], international: bool) -> String {
    let mut text = format!("This is the mail system at {}.\r\n", about.hostname);
    for (action, says) in [
        (
            Action::Failed,
            "Your message could not be delivered to the following recipients. It will not be tried again.",
        ),
        (
            Action::Delayed,
            "Your message has not yet been delivered to the following recipients. You need not send it again.",
        ),
        (
            Action::Relayed,
            "Your message was handed on for the following recipients, to a mail system that does not report deliveries.",
        ),
        (
            Action::Delivered,
            "Your message was delivered to the following recipients.",
        ),
    ] {
        let mut those = told.iter().filter(|one| one.action == action).peekable();
        if those.peek().is_none() {
            continue;
        }
        let _ = write!(text, "\r\n{says}\r\n");
        for one in those {
            let said = line(&one.answer.to_string(), international);
            let _ = write!(text, "\r\n<{}>", one.recipient.address);
            if let Some(host) = one.host {
                let _ = write!(text, ": {host} said");
            }
            let _ = write!(text, ": {said}\r\n");
            if let Some(until) = one.until {
                let _ = write!(text, "It is tried until {}.\r\n", date(until));
            }
        }
    }
    text
}

fn for_programs(about: &About<'_>, told: &[Told<'_>], international: bool) -> String {
    let mut text = String::new();
    if let Some(id) = &about.envelope.envelope_id {
        let _ = write!(
            text,
            "Original-Envelope-Id: {}\r\n",
            line(id, international)
        );
    }
    let _ = write!(
        text,
        "Reporting-MTA: dns; {}\r\nX-Queue-Id: {}\r\nArrival-Date: {}\r\n",
        about.hostname,
        about.id,
        date(about.arrived)
    );
    for one in told {
        text += "\r\n";
        if let Some(original) = &one.recipient.original {
            let (kind, address) = original.split_once(';').unwrap_or(("rfc822", original));
            let _ = write!(
                text,
                "Original-Recipient: {kind}; {}\r\n",
                line(address, international)
            );
        }
        let kind = match one.recipient.address.is_ascii() {
            true => "rfc822",
            false => "utf-8",
        };
        let action = match one.action {
            Action::Failed => "failed",
            Action::Delayed => "delayed",
            Action::Relayed => "relayed",
            Action::Delivered => "delivered",
        };
        let _ = write!(
            text,
            "Final-Recipient: {kind}; {}\r\nAction: {action}\r\nStatus: {}\r\n",
            one.recipient.address,
            status(one)
        );
        if let Some(host) = one.host {
            let _ = write!(text, "Remote-MTA: dns; {host}\r\n");
        }
        if one.answer.code != 0 {
            let said = line(&one.answer.to_string(), international);
            let _ = write!(text, "Diagnostic-Code: smtp; {said}\r\n");
        }
        let _ = write!(text, "Last-Attempt-Date: {}\r\n", date(about.now));
        if let Some(until) = one.until {
            let _ = write!(text, "Will-Retry-Until: {}\r\n", date(until));
        }
    }
    text
}

/// The status of a recipient: its class is that of the action, whatever was answered last.
fn status(told: &Told<'_>) -> Enhanced {
    let Enhanced(class, subject, detail) = told.answer.status;
    match (told.action, class) {
        // RFC 3463 3.5: tried for too long.
        (Action::Failed, 4) if subject == 0 => Enhanced(5, 4, 7),
        (Action::Failed, _) => Enhanced(5, subject, detail),
        (Action::Delayed, _) => Enhanced(4, subject, detail),
        (Action::Relayed | Action::Delivered, _) => Enhanced(2, subject, detail),
    }
}

/// Text that stays on its line, and in ASCII where all is.
fn line(text: &str, international: bool) -> String {
    let keep = |one: char| match one {
        _ if one.is_control() => ' ',
        _ if !international && !one.is_ascii() => '?',
        _ => one,
    };
    text.chars().map(keep).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn check(sender: &str, recipient: &str, enclosed: &Enclosed) -> String {
        let envelope = Envelope {
            sender: sender.to_owned(),
            envelope_id: Some("e1".to_owned()),
            ..Envelope::default()
        };
        let recipient = Recipient {
            original: Some("rfc822;first@example.test".to_owned()),
            ..Recipient::new(recipient)
        };
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let about = About {
            id: QueueId(26),
            envelope: &envelope,
            arrived: at,
            hostname: "mx.example.test",
            now: at + Duration::from_secs(60),
            unique: "u1",
        };
        let told = [
            Told {
                recipient: &recipient,
                action: Action::Failed,
                answer: Answer::new(550, Enhanced(5, 1, 1), "näht\nhere"),
                host: Some("relay.example.test"),
                until: None,
            },
            Told {
                recipient: &recipient,
                action: Action::Delayed,
                answer: Answer::own(Enhanced(4, 4, 1), "no connection"),
                host: None,
                until: Some(at + Duration::from_secs(3600)),
            },
        ];
        String::from_utf8(compose(&about, &told, enclosed)).unwrap()
    }

    #[test]
    fn a_report_says_what_happened_to_people_and_programs() {
        let header = Bytes::from_static(b"Subject: hello\r\n\r\n");
        let report = check(
            "anna@example.test",
            "bob@other.test",
            &Enclosed::Header(header),
        );
        assert!(report.is_ascii());
        for part in [
            "To: <anna@example.test>\r\nSubject: Undelivered mail\r\n",
            "Auto-Submitted: auto-replied\r\n",
            "report-type=delivery-status;",
            "<bob@other.test>: relay.example.test said: 550 5.1.1 n?ht here\r\n",
            "<bob@other.test>: 4.4.1 no connection\r\nIt is tried until ",
            "Original-Envelope-Id: e1\r\nReporting-MTA: dns; mx.example.test\r\nX-Queue-Id: 00001A\r\n",
            "Original-Recipient: rfc822; first@example.test\r\nFinal-Recipient: rfc822; bob@other.test\r\nAction: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; relay.example.test\r\nDiagnostic-Code: smtp; 550 5.1.1",
            "Action: delayed\r\nStatus: 4.4.1\r\nLast-Attempt-Date: ",
            "Content-Type: text/rfc822-headers\r\n\r\nSubject: hello\r\n\r\n--report-u1--\r\n",
        ] {
            assert!(report.contains(part), "{part:?} is not in\n{report}");
        }
    }

    #[test]
    fn what_is_not_ascii_is_reported_in_utf_8() {
        let whole = Bytes::from_static("Subject: ä\r\n\r\ntext".as_bytes());
        let report = check("anna@example.test", "ö@other.test", &Enclosed::Whole(whole));
        for part in [
            "report-type=global-delivery-status;",
            "Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n",
            "Final-Recipient: utf-8; ö@other.test\r\n",
            "Content-Type: message/global\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: ä\r\n\r\ntext\r\n--report-u1--\r\n",
            "näht here",
        ] {
            assert!(report.contains(part), "{part:?} is not in\n{report}");
        }
    }
}

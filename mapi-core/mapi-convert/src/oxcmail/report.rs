//! Delivery status and disposition notifications.
//!
//! Source: MS-OXCMAIL 2.2.3.4 and 2.2.3.5, RFC 3464, RFC 8098.

use mapi_types::{FileTime, PropBag, tags};

use super::{Warning, address_props::Person, props::Props, recipients};
use crate::{Part, Scanned, charset, cursor::Cursor, date, decode, encoded_word, header};

/// What a report says of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReportKind {
    NotDelivered,
    Delivered,
    Delayed,
    Relayed,
    Expanded,
    Read,
    NotRead,
}

impl ReportKind {
    /// The end of the message class.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::NotDelivered => "NDR",
            Self::Delivered => "DR",
            Self::Delayed => "Delayed.DR",
            Self::Relayed => "Relayed.DR",
            Self::Expanded => "Expanded.DR",
            Self::Read => "IPNRN",
            Self::NotRead => "IPNNRN",
        }
    }
}

/// A report taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) kind: ReportKind,
    /// Groups of fields: about the message, then one a recipient.
    groups: Vec<Vec<u8>>,
    /// Header of the message the report is about, when the report returns it as a part.
    original: Vec<u8>,
}

impl Report {
    /// The report in the message whose root is `part`; `None` when it is none.
    pub(super) fn of(scanned: &Scanned, part: &Part) -> Option<Self> {
        if !part.content_type.is("multipart", "report") {
            return None;
        }
        let machine = scanned
            .children(part)
            .find(|child| scanned.report(child).is_some())?;
        let octets = decode::decode(machine.encoding, scanned.report(machine)?);
        let groups = groups(&octets);
        let kind = if machine.content_type.subtype.ends_with(b"delivery-status") {
            delivery_kind(&groups)?
        } else {
            disposition_kind(groups.first()?)
        };
        let original = scanned
            .children(part)
            .find(|child| child.is_declared_message());
        let original = original.and_then(|child| scanned.children(child).next());
        let original = original
            .map(|root| scanned.header(root).to_vec())
            .unwrap_or_default();
        Some(Self {
            kind,
            groups,
            original,
        })
    }

    /// Sets what the report says about its message.
    pub(super) fn put(&self, now: FileTime, props: &mut Props) {
        let text = |name| self.text(name);
        if let Some(field) = header::field(&self.original, "Subject") {
            props.text(&tags::ORIGINAL_SUBJECT, &encoded_word::decode(field.value));
        }
        let id = text("Original-Message-ID").or_else(|| field_text(&self.original, "Message-ID"));
        if let Some(id) = id {
            props.text(&tags::ORIGINAL_MESSAGE_ID, &id);
        }
        if let Some(agent) = text("Reporting-MTA").or_else(|| text("Reporting-UA")) {
            props.text(&tags::REPORTING_MESSAGE_TRANSFER_AGENT, untyped(&agent));
        }
        let time = text("Arrival-Date").and_then(|value| date::parse(value.as_bytes()));
        props.time(
            &tags::REPORT_TIME,
            time.map_or(now, |date| FileTime::from_unix(date.unix)),
        );
    }

    fn text(&self, name: &str) -> Option<String> {
        field_text(self.groups.first()?, name)
    }

    /// One row a recipient that a delivery report speaks of; empty for other reports.
    pub(super) fn recipients(&self, warnings: &mut Vec<Warning>) -> Vec<PropBag> {
        let groups = self.groups.iter().skip(1).take(recipients::RECIPIENTS_MAX);
        let mut rows = Vec::new();
        for group in groups {
            let Some(address) = field_text(group, "Original-Recipient")
                .or_else(|| field_text(group, "Final-Recipient"))
            else {
                continue;
            };
            let address = untyped(&address).to_owned();
            let person = Person {
                name: address.clone(),
                address,
            };
            let row_id = i32::try_from(rows.len()).unwrap_or(i32::MAX);
            let mut row = recipients::row(&person, 1, row_id);
            if let Some(text) = field_text(group, "Diagnostic-Code") {
                row.text(&tags::SUPPLEMENTARY_INFO, &text);
            }
            if let Some(code) = field_text(group, "Status").as_deref().and_then(status_code) {
                row.long(&tags::NON_DELIVERY_REPORT_STATUS_CODE, code);
            }
            if let Some(agent) = field_text(group, "Remote-MTA") {
                row.text(&tags::REMOTE_MESSAGE_TRANSFER_AGENT, untyped(&agent));
            }
            rows.push(row.finish(warnings));
        }
        rows
    }
}

fn field_text(block: &[u8], name: &str) -> Option<String> {
    let value = header::unfold(header::field(block, name)?.value);
    Some(charset::decode(None, &value).into_owned()).filter(|text| !text.is_empty())
}

/// `rfc822;a@example.test` without the type.
fn untyped(value: &str) -> &str {
    value.split_once(';').map_or(value, |(_, rest)| rest).trim()
}

/// `5.1.1` as 511. Source: MS-OXCMAIL 2.2.3.4.
fn status_code(status: &str) -> Option<i32> {
    let mut parts = status
        .split_whitespace()
        .next()?
        .split('.')
        .map(str::parse::<i32>);
    let (class, subject, detail) = (
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    );
    let small = (0..10).contains(&class) && (0..10).contains(&subject) && (0..10).contains(&detail);
    small.then_some(class * 100 + subject * 10 + detail)
}

/// Field groups between blank lines.
fn groups(octets: &[u8]) -> Vec<Vec<u8>> {
    let mut groups = vec![Vec::new()];
    for line in octets.split_inclusive(|b| *b == b'\n') {
        match groups.last_mut() {
            Some(last) if !line.trim_ascii().is_empty() => last.extend_from_slice(line),
            Some(last) if last.is_empty() => {}
            _ => groups.push(Vec::new()),
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// The worst that happened to a recipient. Source: RFC 3464 2.3.3.
fn delivery_kind(groups: &[Vec<u8>]) -> Option<ReportKind> {
    let actions = groups.iter().skip(1).filter_map(|group| {
        let action = field_text(group, "Action")?.to_ascii_lowercase();
        let word = Cursor::new(action.as_bytes())
            .take_while(|b| b.is_ascii_alphabetic())
            .to_vec();
        Some(match &*word {
            b"failed" => (5, ReportKind::NotDelivered),
            b"delayed" => (4, ReportKind::Delayed),
            b"relayed" => (3, ReportKind::Relayed),
            b"expanded" => (2, ReportKind::Expanded),
            b"delivered" => (1, ReportKind::Delivered),
            _ => return None,
        })
    });
    actions.max_by_key(|(rank, _)| *rank).map(|(_, kind)| kind)
}

/// Source: RFC 8098 3.2.6.
fn disposition_kind(group: &[u8]) -> ReportKind {
    let disposition = field_text(group, "Disposition")
        .unwrap_or_default()
        .to_ascii_lowercase();
    let kind = disposition
        .split_once(';')
        .map_or("", |(_, kind)| kind.trim());
    if kind.starts_with("deleted") {
        ReportKind::NotRead
    } else {
        ReportKind::Read
    }
}

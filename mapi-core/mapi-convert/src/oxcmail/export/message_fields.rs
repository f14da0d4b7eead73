//! Message properties as header fields: the inverse of `fields`. Source: MS-OXCMAIL 2.1.3.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mapi_types::{FileTime, MessageTree, PropBag, Tag, kind, tags, tags::message_flags};

use super::{Identity, field::Fields};
use crate::{
    header,
    oxcmail::address_props::{self, Role, SENDER, SENT_REPRESENTING},
};

/// What is made from properties, never taken over from PidTagTransportMessageHeaders.
const REBUILT: [&str; 34] = [
    "Date",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Subject",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Thread-Topic",
    "Thread-Index",
    "Importance",
    "X-Priority",
    "X-MSMail-Priority",
    "Priority",
    "Sensitivity",
    "Disposition-Notification-To",
    "Return-Receipt-To",
    "Reply-By",
    "Expires",
    "Expiry-Date",
    "List-Help",
    "List-Subscribe",
    "List-Unsubscribe",
    "Keywords",
    "X-Message-Flag",
    "X-Auto-Response-Suppress",
    "Accept-Language",
    "Content-Class",
    "MIME-Version",
    "X-Accept-Language",
    "Lines",
];

/// Writes all fields but those of MIME.
pub(super) fn put(
    tree: &MessageTree,
    identity: &Identity<'_>,
    embedded: bool,
    fields: &mut Fields,
) {
    let props = &tree.props;
    let unsent = props.get(&tags::MESSAGE_FLAGS).unwrap_or(0) & message_flags::UNSENT != 0;
    if !unsent && let Some(block) = props.get(&tags::TRANSPORT_MESSAGE_HEADERS) {
        // A report's recipient rows are those it speaks of, not those it was sent to.
        let rebuilt = |name: &str| {
            let addressed = ["To", "Cc"]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name));
            !(addressed && is_report(props))
                && REBUILT.iter().any(|known| known.eq_ignore_ascii_case(name))
        };
        put_kept(block, rebuilt, fields);
    }
    if let Some(time) = submit_time(props) {
        fields.ids("Date", &crate::date::text(time.unix()));
    }
    put_people(tree, identity, fields);
    fields.text("Subject", props.get(&tags::SUBJECT).unwrap_or_default());
    put_ids(props, identity, embedded, fields);
    put_classification(props, fields);
    put_requests(props, identity, fields);
    fields.ids("MIME-Version", "1.0");
}

/// Trace and foreign fields of the header the message came with, in their order.
fn put_kept(block: &str, rebuilt: impl Fn(&str) -> bool, fields: &mut Fields) {
    for field in header::fields(block.as_bytes()) {
        let Ok(name) = std::str::from_utf8(field.name) else {
            continue;
        };
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
        let structural = name
            .get(..8)
            .is_some_and(|start| start.eq_ignore_ascii_case("content-"));
        if !is_name || structural || rebuilt(name) {
            continue;
        }
        let mut kept = String::new();
        for line in String::from_utf8_lossy(field.raw).split('\n') {
            let line = line.replace('\r', "");
            // A line of nothing but white space is taken for the end by some programs.
            if !line.trim().is_empty() {
                kept.push_str(&line);
                kept.push_str("\r\n");
            }
        }
        fields.raw(&kept);
    }
}

fn is_report(props: &PropBag) -> bool {
    let class = props.get(&tags::MESSAGE_CLASS).unwrap_or_default();
    class
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("REPORT."))
}

fn submit_time(props: &PropBag) -> Option<FileTime> {
    [
        tags::CLIENT_SUBMIT_TIME,
        tags::MESSAGE_DELIVERY_TIME,
        tags::LAST_MODIFICATION_TIME,
        tags::CREATION_TIME,
    ]
    .iter()
    .find_map(|tag| props.get(tag))
}

fn put_people(tree: &MessageTree, identity: &Identity<'_>, fields: &mut Fields) {
    let props = &tree.props;
    let (sender, from) = (
        person(props, &SENDER, identity),
        person(props, &SENT_REPRESENTING, identity),
    );
    match (from, sender) {
        (Some(from), Some(sender)) if from.1.eq_ignore_ascii_case(&sender.1) => {
            fields.addresses("From", &[from])
        }
        (Some(from), Some(sender)) => {
            fields.addresses("From", &[from]);
            fields.addresses("Sender", &[sender]);
        }
        (Some(one), None) | (None, Some(one)) => fields.addresses("From", &[one]),
        (None, None) => {}
    }
    let reply_to = props
        .get(&tags::REPLY_RECIPIENT_ENTRIES)
        .map(address_props::read_flat_entry_list);
    let reply_to: Vec<_> = reply_to
        .unwrap_or_default()
        .into_iter()
        .map(|person| (person.name, person.address))
        .collect();
    fields.addresses("Reply-To", &reply_to);
    if is_report(props) {
        return;
    }
    for (name, kind) in [("To", 1), ("Cc", 2), ("Bcc", 3)] {
        let people: Vec<_> = tree
            .recipients
            .iter()
            // The high bits say whether it has been sent. Source: MS-OXOMSG 2.2.3.1.
            .filter(|row| row.get(&tags::RECIPIENT_TYPE).unwrap_or(1) & 0xf == kind)
            .filter_map(|row| person(row, &address_props::RECIPIENT, identity))
            .collect();
        fields.addresses(name, &people);
    }
}

/// Display name and Internet address in one role. Exchange's own addresses are encapsulated: MS-OXCMAIL 2.1.3.1.
fn person(props: &PropBag, role: &Role, identity: &Identity<'_>) -> Option<(String, String)> {
    let name = props.get(&role.name).unwrap_or_default();
    let email = props
        .get(&role.email_address)
        .filter(|email| !email.is_empty());
    let kind = props.get(&role.address_type).unwrap_or("SMTP");
    let address = match (
        props
            .get(&role.smtp_address)
            .filter(|smtp| !smtp.is_empty()),
        email,
    ) {
        (Some(smtp), _) => smtp.to_owned(),
        (None, Some(email)) if kind.eq_ignore_ascii_case("SMTP") => email.to_owned(),
        (None, Some(email)) => format!(
            "IMCEA{}-{}@{}",
            kind.to_ascii_uppercase(),
            encapsulated(email),
            identity.domain
        ),
        // A name alone, in a draft.
        (None, None) if !name.is_empty() => name.to_owned(),
        (None, None) => return None,
    };
    Some((name.to_owned(), address))
}

fn encapsulated(address: &str) -> String {
    let mut out = String::new();
    for octet in address.bytes() {
        match octet {
            b'/' => out.push('_'),
            b'-' | b'=' => out.push(char::from(octet)),
            _ if octet.is_ascii_alphanumeric() => out.push(char::from(octet)),
            _ => out.push_str(&format!("+{octet:02X}")),
        }
    }
    out
}

fn put_ids(props: &PropBag, identity: &Identity<'_>, embedded: bool, fields: &mut Fields) {
    match props.get(&tags::INTERNET_MESSAGE_ID) {
        Some(id) => fields.ids("Message-ID", id),
        None if embedded => {}
        None => fields.ids(
            "Message-ID",
            &format!("<{}@{}>", identity.digest(&[]), identity.domain),
        ),
    }
    let ids = [
        (&tags::IN_REPLY_TO_ID, "In-Reply-To"),
        (&tags::INTERNET_REFERENCES, "References"),
    ];
    put_words(props, &ids, fields);
    let topic = props.get(&tags::CONVERSATION_TOPIC);
    if let Some(topic) = topic.filter(|topic| Some(*topic) != props.get(&tags::NORMALIZED_SUBJECT))
    {
        fields.text("Thread-Topic", topic);
    }
    if let Some(index) = props.get(&tags::CONVERSATION_INDEX) {
        fields.ids("Thread-Index", &STANDARD.encode(index));
    }
}

fn put_words(props: &PropBag, list: &[(&Tag<kind::Str>, &str)], fields: &mut Fields) {
    for (tag, name) in list {
        if let Some(value) = props.get(tag) {
            fields.ids(name, value);
        }
    }
}

fn put_classification(props: &PropBag, fields: &mut Fields) {
    match props.get(&tags::IMPORTANCE) {
        Some(2) => fields.ids("Importance", "high"),
        Some(0) => fields.ids("Importance", "low"),
        _ => {}
    }
    match props.get(&tags::SENSITIVITY) {
        Some(1) => fields.ids("Sensitivity", "Personal"),
        Some(2) => fields.ids("Sensitivity", "Private"),
        Some(3) => fields.ids("Sensitivity", "Company-Confidential"),
        _ => {}
    }
    let words = [
        (&tags::LIST_HELP, "List-Help"),
        (&tags::LIST_SUBSCRIBE, "List-Subscribe"),
        (&tags::LIST_UNSUBSCRIBE, "List-Unsubscribe"),
        (&tags::ACCEPT_LANGUAGE, "Accept-Language"),
        (&tags::CONTENT_CLASS, "Content-Class"),
    ];
    put_words(props, &words, fields);
    if let Some(keywords) = props.get(&tags::KEYWORDS) {
        fields.text("Keywords", &keywords.strs().collect::<Vec<_>>().join(", "));
    }
    if let Some(request) = props.get(&tags::FLAG_REQUEST) {
        fields.text("X-Message-Flag", request);
    }
}

fn put_requests(props: &PropBag, identity: &Identity<'_>, fields: &mut Fields) {
    for (tag, name) in [
        (&tags::REPLY_TIME, "Reply-By"),
        (&tags::EXPIRY_TIME, "Expires"),
    ] {
        if let Some(time) = props.get(tag) {
            fields.ids(name, &crate::date::text(time.unix()));
        }
    }
    let asker =
        || person(props, &SENT_REPRESENTING, identity).or_else(|| person(props, &SENDER, identity));
    let requests = [
        (&tags::READ_RECEIPT_REQUESTED, "Disposition-Notification-To"),
        (
            &tags::ORIGINATOR_DELIVERY_REPORT_REQUESTED,
            "Return-Receipt-To",
        ),
    ];
    for (tag, name) in requests {
        if props.get(tag) == Some(true)
            && let Some(asker) = asker()
        {
            fields.addresses(name, &[asker]);
        }
    }
    if let Some(bits) = props
        .get(&tags::AUTO_RESPONSE_SUPPRESS)
        .filter(|bits| *bits != 0)
    {
        let names = [
            (0x1, "DR"),
            (0x2, "NDR"),
            (0x4, "RN"),
            (0x8, "NRN"),
            (0x10, "OOF"),
            (0x20, "AutoReply"),
        ];
        let words: Vec<_> = names
            .iter()
            .filter(|(bit, _)| bits & bit != 0)
            .map(|(_, name)| *name)
            .collect();
        fields.ids(
            "X-Auto-Response-Suppress",
            &if bits == -1 {
                "All".into()
            } else {
                words.join(", ")
            },
        );
    }
}

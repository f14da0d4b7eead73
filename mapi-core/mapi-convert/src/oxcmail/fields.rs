//! Header fields as message properties. Source: MS-OXCMAIL 2.2.3.2.

use mapi_types::{FileTime, Tag, kind, tags};

use super::{
    Warning,
    address_props::{Person, SENDER, SENT_REPRESENTING, flat_entry_list},
    conversation, language,
    props::Props,
    subject::split_subject,
};
use crate::{address, charset, date, encoded_word, header};

/// The fields of one header block.
#[derive(Clone, Copy)]
struct Block<'a>(&'a [u8]);

impl Block<'_> {
    /// The first field's value, unfolded and decoded; `None` when it is missing or empty.
    fn text(self, name: &str) -> Option<String> {
        let field = header::field(self.0, name)?;
        Some(encoded_word::decode(field.value)).filter(|text| !text.is_empty())
    }

    /// The same without RFC 2047, which ids do not have.
    fn raw_text(self, name: &str) -> Option<String> {
        let value = header::unfold(header::field(self.0, name)?.value);
        Some(charset::decode(None, &value).into_owned()).filter(|text| !text.is_empty())
    }

    fn lower(self, name: &str) -> Option<String> {
        Some(self.raw_text(name)?.to_ascii_lowercase())
    }
}

/// Sets everything that single header fields say. `now` stands for a missing date, if anything does.
pub(super) fn put(block: &[u8], now: Option<FileTime>, props: &mut Props) {
    let fields = Block(block);
    if !block.is_empty() {
        props.text(
            &tags::TRANSPORT_MESSAGE_HEADERS,
            &charset::decode(None, block),
        );
    }
    let subject = fields.text("Subject").unwrap_or_default();
    let (prefix, normalized) = split_subject(&subject);
    props.text(&tags::SUBJECT, &subject);
    props.text(&tags::SUBJECT_PREFIX, prefix);
    props.text(&tags::NORMALIZED_SUBJECT, normalized);
    conversation::put(block, normalized, props);
    put_people(fields, props);
    put_times(fields, now, props);
    put_classification(fields, props);
    put_requests(fields, props);
    put_texts(fields, props);
}

/// Source: MS-OXCMAIL 2.2.3.2.1 (From without Sender is both).
fn put_people(fields: Block<'_>, props: &mut Props) {
    let first = |name| {
        let field = header::field(fields.0, name)?;
        address::mailboxes(field.value)
            .first()
            .map(Person::from_mailbox)
    };
    let from = first("From");
    let sender = first("Sender").or_else(|| from.clone());
    if let Some(person) = from.as_ref().or(sender.as_ref()) {
        person.put(&SENT_REPRESENTING, props);
    }
    if let Some(person) = &sender {
        person.put(&SENDER, props);
    }
    let reply_to: Vec<Person> = header::field(fields.0, "Reply-To")
        .map(|field| address::mailboxes(field.value))
        .unwrap_or_default()
        .iter()
        .map(Person::from_mailbox)
        .collect();
    if !reply_to.is_empty() {
        props.octets(&tags::REPLY_RECIPIENT_ENTRIES, &flat_entry_list(&reply_to));
        let names: Vec<_> = reply_to.iter().map(|person| person.name.as_str()).collect();
        props.text(&tags::REPLY_RECIPIENT_NAMES, &names.join("; "));
    }
}

fn put_times(fields: Block<'_>, now: Option<FileTime>, props: &mut Props) {
    let mut put = |tag: &Tag<kind::Time>, names: &[&'static str]| {
        for name in names {
            let Some(field) = header::field(fields.0, name) else {
                continue;
            };
            if let Some(date) = date::parse(field.value) {
                props.time(tag, FileTime::from_unix(date.unix));
                return true;
            }
            props.warn(Warning::Unreadable(name));
        }
        false
    };
    put(&tags::REPLY_TIME, &["Reply-By"]);
    put(&tags::EXPIRY_TIME, &["Expires", "Expiry-Date"]);
    if !put(&tags::CLIENT_SUBMIT_TIME, &["Date"])
        && let Some(now) = now
    {
        props.time(&tags::CLIENT_SUBMIT_TIME, now);
    }
}

/// Importance, priority, sensitivity, spam level, language. Source: MS-OXCMAIL 2.2.3.2.5 and following.
fn put_classification(fields: Block<'_>, props: &mut Props) {
    let importance = match fields.lower("Importance").as_deref() {
        Some("high") => Some(2),
        Some("normal") => Some(1),
        Some("low") => Some(0),
        _ => None,
    };
    let x_priority = match fields
        .raw_text("X-Priority")
        .as_deref()
        .and_then(|text| text.chars().next())
    {
        Some('1' | '2') => Some(2),
        Some('3') => Some(1),
        Some('4' | '5') => Some(0),
        _ => None,
    };
    let priority = match fields.lower("Priority").as_deref() {
        Some("urgent") => Some(2),
        Some("normal") => Some(1),
        Some("non-urgent") => Some(0),
        _ => None,
    };
    let microsoft = match fields.lower("X-MSMail-Priority").as_deref() {
        Some("high" | "highest") => Some(2),
        Some("normal") => Some(1),
        Some("low" | "lowest") => Some(0),
        _ => None,
    };
    let importance = importance
        .or(x_priority)
        .or(microsoft)
        .or(priority)
        .unwrap_or(1);
    props.long(&tags::IMPORTANCE, importance);
    props.long(&tags::PRIORITY, priority.unwrap_or(importance) - 1);
    props.long(
        &tags::SENSITIVITY,
        match fields.lower("Sensitivity").as_deref() {
            Some("personal") => 1,
            Some("private") => 2,
            Some("company-confidential") => 3,
            _ => 0,
        },
    );
    if let Some(level) = fields.raw_text("X-MS-Exchange-Organization-SCL") {
        match level.parse::<i32>() {
            Ok(level @ -1..=9) => props.long(&tags::CONTENT_FILTER_SPAM_CONFIDENCE_LEVEL, level),
            _ => props.warn(Warning::Unreadable("X-MS-Exchange-Organization-SCL")),
        }
    }
    if let Some(languages) = fields.raw_text("Content-Language")
        && let Some(locale) = languages.split(',').next().and_then(language::locale_id)
    {
        props.long(&tags::MESSAGE_LOCALE_ID, locale);
    }
}

/// Receipts asked for, automatic answers not wanted. Source: MS-OXCMAIL 2.2.3.2.10 and following.
fn put_requests(fields: Block<'_>, props: &mut Props) {
    if fields.raw_text("Disposition-Notification-To").is_some() {
        props.flag(&tags::READ_RECEIPT_REQUESTED, true);
    }
    if fields.raw_text("Return-Receipt-To").is_some() {
        props.flag(&tags::ORIGINATOR_DELIVERY_REPORT_REQUESTED, true);
    }
    if let Some(list) = fields.lower("X-Auto-Response-Suppress") {
        let bits = list.split(',').map(|word| match word.trim() {
            "all" => -1,
            "dr" => 0x1,
            "ndr" => 0x2,
            "rn" => 0x4,
            "nrn" => 0x8,
            "oof" => 0x10,
            "autoreply" => 0x20,
            _ => 0,
        });
        props.long(
            &tags::AUTO_RESPONSE_SUPPRESS,
            bits.fold(0, |all, bit| all | bit),
        );
    }
}

/// Fields that are texts on both sides.
fn put_texts(fields: Block<'_>, props: &mut Props) {
    let ids = [
        (&tags::INTERNET_MESSAGE_ID, "Message-ID"),
        (&tags::IN_REPLY_TO_ID, "In-Reply-To"),
        (&tags::INTERNET_REFERENCES, "References"),
        (&tags::LIST_HELP, "List-Help"),
        (&tags::LIST_SUBSCRIBE, "List-Subscribe"),
        (&tags::LIST_UNSUBSCRIBE, "List-Unsubscribe"),
        (&tags::CONTENT_CLASS, "Content-Class"),
    ];
    for (tag, name) in ids {
        if let Some(text) = fields.raw_text(name) {
            props.text(tag, &text);
        }
    }
    if let Some(text) = fields
        .raw_text("Accept-Language")
        .or_else(|| fields.raw_text("X-Accept-Language"))
    {
        props.text(&tags::ACCEPT_LANGUAGE, &text);
    }
    if let Some(text) = fields.text("X-Message-Flag") {
        props.text(&tags::FLAG_REQUEST, &text);
    }
    let keywords: Vec<String> = header::fields(fields.0)
        .filter(|field| field.is("Keywords"))
        .flat_map(|field| {
            let text = encoded_word::decode(field.value);
            text.split([',', ';'])
                .map(|word| word.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .filter(|word| !word.is_empty())
        .collect();
    if !keywords.is_empty() {
        props.texts(&tags::KEYWORDS, &keywords);
    }
}

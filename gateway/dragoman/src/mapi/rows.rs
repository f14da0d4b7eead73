//! Items as lines: what every list tells of them.

use mapi_types::{
    FileTime, ItemNumber, PropTag, Row, tags,
    tags::{flag_status, last_verb, message_flags, message_status},
};
use serde_json::{Value, json};

use super::{moment, output::plain};
use crate::command::mirror::size;

/// What is asked for.
pub(super) const COLUMNS: [PropTag; 18] = [
    tags::INTERNET_ARTICLE_NUMBER.tag(),
    tags::MESSAGE_CLASS.tag(),
    tags::SUBJECT.tag(),
    tags::SENT_REPRESENTING_NAME.tag(),
    tags::SENT_REPRESENTING_SMTP_ADDRESS.tag(),
    tags::SENT_REPRESENTING_EMAIL_ADDRESS.tag(),
    tags::MESSAGE_DELIVERY_TIME.tag(),
    tags::CLIENT_SUBMIT_TIME.tag(),
    tags::LAST_MODIFICATION_TIME.tag(),
    tags::CREATION_TIME.tag(),
    tags::ITEM_SIZE.tag(),
    tags::MESSAGE_FLAGS.tag(),
    tags::MESSAGE_STATUS.tag(),
    tags::FLAG_STATUS.tag(),
    tags::LAST_VERB_EXECUTED.tag(),
    tags::HAS_ATTACHMENTS.tag(),
    tags::KEYWORDS.tag(),
    // Keep it the last: who wants nothing fetched leaves it out.
    tags::DERIVED_RENDERER.tag(),
];

/// The columns without the one that has messages fetched.
pub(super) fn light_columns() -> &'static [PropTag] {
    let (_, light) = COLUMNS.split_last().unwrap_or((&COLUMNS[0], &[]));
    light
}

/// The number of an item.
pub(super) fn number(row: Row<'_>) -> Option<ItemNumber> {
    let number = row.get(&tags::INTERNET_ARTICLE_NUMBER)?;
    Some(ItemNumber(number.cast_unsigned()))
}

/// When it came, or was made.
fn date(row: Row<'_>) -> Option<FileTime> {
    row.get(&tags::MESSAGE_DELIVERY_TIME)
        .or_else(|| row.get(&tags::CLIENT_SUBMIT_TIME))
        .or_else(|| row.get(&tags::CREATION_TIME))
        .or_else(|| row.get(&tags::LAST_MODIFICATION_TIME))
}

/// Name and address of who it is from.
fn sender(row: Row<'_>) -> (Option<&str>, Option<&str>) {
    let address = row.get(&tags::SENT_REPRESENTING_SMTP_ADDRESS);
    let address = address.or_else(|| row.get(&tags::SENT_REPRESENTING_EMAIL_ADDRESS));
    (row.get(&tags::SENT_REPRESENTING_NAME), address)
}

/// Whether name or address of the sender has this text in it, whatever the case.
pub(super) fn is_from(row: Row<'_>, text: &str) -> bool {
    let text = text.to_lowercase();
    let (name, address) = sender(row);
    let has = |found: &str| found.to_lowercase().contains(&text);
    name.is_some_and(has) || address.is_some_and(has)
}

fn flags(row: Row<'_>) -> Vec<&'static str> {
    let flags = row.get(&tags::MESSAGE_FLAGS).unwrap_or(0);
    let status = row.get(&tags::MESSAGE_STATUS).unwrap_or(0);
    let verb = row.get(&tags::LAST_VERB_EXECUTED).unwrap_or(0);
    let attached = row.get(&tags::HAS_ATTACHMENTS).unwrap_or(false);
    let all = [
        ("unread", flags & message_flags::READ == 0),
        ("draft", flags & message_flags::UNSENT != 0),
        (
            "flagged",
            row.get(&tags::FLAG_STATUS) == Some(flag_status::FLAGGED),
        ),
        (
            "answered",
            status & message_status::ANSWERED != 0
                || matches!(verb, last_verb::REPLY | last_verb::REPLY_ALL),
        ),
        (
            "forwarded",
            status & message_status::FORWARDED != 0 || verb == last_verb::FORWARD,
        ),
        (
            "attachment",
            attached || flags & message_flags::HAS_ATTACH != 0,
        ),
        ("deleted", status & message_status::DELETE_MARKED != 0),
    ];
    let set = all.into_iter().filter(|(_, is)| *is);
    set.map(|(name, _)| name).collect()
}

/// A row of text.
pub(super) fn as_cells(row: Row<'_>) -> Vec<String> {
    let (name, address) = sender(row);
    let size_of = row.get(&tags::ITEM_SIZE);
    vec![
        number(row).map_or_else(String::new, |number| number.0.to_string()),
        date(row).map_or_else(|| "-".to_owned(), moment::text),
        plain(row.get(&tags::MESSAGE_CLASS).unwrap_or("-")),
        size_of.map_or_else(|| "-".to_owned(), |octets| size(octets.cast_unsigned())),
        flags(row).join(","),
        plain(name.or(address).unwrap_or("-")),
        plain(row.get(&tags::SUBJECT).unwrap_or("")),
    ]
}

/// The same as an object.
pub(super) fn as_json(row: Row<'_>) -> Value {
    let (name, address) = sender(row);
    let categories = row.get(&tags::KEYWORDS);
    let categories: Vec<_> = categories.iter().flat_map(|list| list.strs()).collect();
    json!({
        "number": number(row).map(|number| number.0),
        "date": date(row).map(moment::text),
        "class": row.get(&tags::MESSAGE_CLASS),
        "size": row.get(&tags::ITEM_SIZE),
        "flags": flags(row),
        "categories": categories,
        "from": name,
        "from_address": address,
        "subject": row.get(&tags::SUBJECT),
    })
}

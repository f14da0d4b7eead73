//! Recipients of open messages. Source: MS-OXCMSG 3.2.5.5 to 3.2.5.7, MS-OXCDATA 2.8.3.

use std::sync::Arc;

use mapi_types::PropTag;
use mapi_wire::{
    PropValue, Utf16,
    recipient::{
        Address, ModifyRecipientRow, Names, NamesIn, OpenRecipientRow, ReadRecipientRow,
        RecipientRow,
    },
    rop::{
        ModifyRecipients, ModifyRecipientsResponse, ReadRecipients, ReadRecipientsResponse,
        RemoveAllRecipients, RemoveAllRecipientsResponse,
    },
    row::Content as CellContent,
};

use super::{
    call::{Call, Outcome},
    value_size,
};
use crate::model::{
    error::{Code, Result},
    message::{Content, Recipient},
    organisation::Organisation,
    props::{Props, with_type},
    tags,
};

/// Octets of an answer beside its recipients, the subject of a message among them.
const HEAD_BYTES: usize = 1100;

/// Octets of a recipient beside its values.
const ROW_BYTES: usize = 64;

/// The code page of UTF-16.
const CODE_PAGE: u16 = 1200;

/// Columns that have fields of their own in a row. A client that sends one is refused. Source: MS-OXCMSG 2.2.3.5.1.
const FORBIDDEN: [PropTag; 4] = [
    tags::ADDRESS_TYPE,
    tags::EMAIL_ADDRESS,
    tags::DISPLAY_NAME,
    tags::RECIPIENT_TYPE,
];

/// Columns that the document says a client should not send.
const UNWANTED: [PropTag; 5] = [
    tags::ENTRY_ID,
    tags::SEARCH_KEY,
    tags::INSTANCE_KEY,
    tags::SEND_RICH_INFO,
    tags::TRANSMITTABLE_DISPLAY_NAME,
];

/// Properties of a recipient that its row has fields for.
const FIELDS: [PropTag; 6] = [
    tags::ADDRESS_TYPE,
    tags::EMAIL_ADDRESS,
    tags::DISPLAY_NAME,
    tags::TRANSMITTABLE_DISPLAY_NAME,
    tags::RECIPIENT_TYPE,
    tags::ROW_ID,
];

/// The recipients that opening a message gives.
pub(crate) struct Opened {
    /// How many there are.
    pub(crate) count: u16,
    /// The columns of their rows.
    pub(crate) columns: Vec<PropTag>,
    /// The first ones.
    pub(crate) rows: Vec<OpenRecipientRow>,
}

impl Opened {
    /// Those that fit into so many octets.
    pub(crate) fn of(content: &Content, room: usize) -> Self {
        let columns = columns(content);
        let mut room = room.saturating_sub(HEAD_BYTES + 4 * columns.len());
        let mut rows = Vec::new();
        for recipient in content.recipients.iter().take(usize::from(u8::MAX)) {
            let row = open_row(recipient, &columns);
            let len = ROW_BYTES + recipient.props.size() * 2;
            if len > room {
                break;
            }
            room -= len;
            rows.push(row);
        }
        Self {
            count: content.recipients.len() as u16,
            columns,
            rows,
        }
    }
}

/// The properties that recipients have beside the fields of their rows.
fn columns(content: &Content) -> Vec<PropTag> {
    let all = content
        .recipients
        .iter()
        .flat_map(|recipient| recipient.props.iter());
    let others = all.map(|(tag, _)| tag).filter(|tag| !FIELDS.contains(tag));
    let mut columns: Vec<_> = others.collect();
    columns.sort();
    columns.dedup();
    columns
}

fn open_row(recipient: &Recipient, columns: &[PropTag]) -> OpenRecipientRow {
    OpenRecipientRow {
        recipient_type: recipient.kind,
        code_page_id: CODE_PAGE,
        reserved: 0,
        recipient: row(recipient, columns),
    }
}

fn row(recipient: &Recipient, columns: &[PropTag]) -> RecipientRow {
    let props = &recipient.props;
    let text = |tag| props.text(tag).map(|text| Utf16::from(text.as_str()));
    let email = props.text(tags::EMAIL_ADDRESS);
    let kind = props.text(tags::ADDRESS_TYPE).unwrap_or_default();
    let address = match kind.as_str() {
        "SMTP" => Address::Smtp,
        "EX" => Address::AddressBook {
            prefix_used: 0,
            display_type: props.i32(tags::DISPLAY_TYPE).unwrap_or_default() as u8,
            dn: email.clone().unwrap_or_default().into_bytes().into(),
        },
        "" => Address::Other(None),
        kind => Address::Other(Some(kind.as_bytes().into())),
    };
    let cells = columns
        .iter()
        .map(|tag| value_size::cell(*tag, props.read(*tag).ok_or(Code::NOT_FOUND)));
    RecipientRow {
        flags: 0,
        names: Names::Unicode(NamesIn {
            email_address: text(tags::EMAIL_ADDRESS).filter(|_| kind != "EX"),
            display_name: text(tags::DISPLAY_NAME),
            simple_display_name: None,
            transmittable_display_name: text(tags::TRANSMITTABLE_DISPLAY_NAME),
        }),
        address,
        properties: value_size::row_of(cells.collect()),
    }
}

/// Adds, changes and removes recipients.
pub(crate) fn modify(call: &mut Call<'_>, ask: &ModifyRecipients) -> Outcome {
    let names = |tags: &[PropTag]| {
        let mut columns = ask.recipient_columns.iter();
        columns.any(|column| tags.iter().any(|tag| tag.id() == column.id()))
    };
    if names(&FORBIDDEN) {
        return Err(Code::INVALID_PARAMETER.into());
    }
    if names(&UNWANTED) {
        call.violation("RopModifyRecipients with a column that has a field of its own");
    }
    let mut changes = Vec::new();
    for row in &ask.recipient_rows {
        changes.push((
            row.row_id,
            made(call.organisation, row, &ask.recipient_columns)?,
        ));
    }
    let message = call.writable_message(ask.input)?;
    let recipients = &mut Arc::make_mut(&mut message.content).recipients;
    for (row, change) in changes {
        recipients.retain(|recipient| recipient.row != row);
        recipients.extend(change);
    }
    recipients.sort_by_key(|recipient| recipient.row);
    Ok(ModifyRecipientsResponse { index: ask.input }.into())
}

/// The recipient of a row; none for a row that goes.
fn made(
    organisation: &Organisation,
    row: &ModifyRecipientRow,
    columns: &[PropTag],
) -> Result<Option<Recipient>> {
    let Some(sent) = &row.recipient else {
        return Ok(None);
    };
    if !matches!(row.recipient_type & 0xf, 1..=3) {
        return Err(Code::INVALID_PARAMETER);
    }
    let mut props = Props::default();
    for (tag, cell) in columns.iter().zip(&sent.properties.cells) {
        if let CellContent::Value(value) = &cell.content {
            props.set(
                with_type(*tag, crate::model::props::type_of_value(value)),
                value.clone(),
            );
        }
    }
    set_names(&mut props, &sent.names);
    let kind = match &sent.address {
        Address::Smtp => "SMTP".to_owned(),
        Address::Fax => "FAX".to_owned(),
        Address::AddressBook {
            prefix_used,
            dn,
            display_type,
        } => {
            let prefix = Organisation::dn_prefix()
                .get(..usize::from(*prefix_used))
                .unwrap_or_default();
            let dn = format!("{prefix}{}", String::from_utf8_lossy(dn));
            let user = organisation.by_dn(&dn);
            props.set_text(tags::EMAIL_ADDRESS, &dn);
            props.set(tags::DISPLAY_TYPE, PropValue::I32((*display_type).into()));
            if let Some(user) = user {
                props.set_default(
                    tags::SMTP_ADDRESS,
                    PropValue::String(user.smtp.as_str().into()),
                );
                props.set_default(tags::ENTRY_ID, PropValue::Binary(user.entry_id()));
            }
            "EX".to_owned()
        }
        Address::Other(Some(kind)) => String::from_utf8_lossy(kind).into_owned(),
        _ => String::new(),
    };
    if !kind.is_empty() {
        props.set_text(tags::ADDRESS_TYPE, &kind);
    }
    Ok(Some(Recipient {
        row: row.row_id,
        kind: row.recipient_type,
        props,
    }))
}

fn set_names(props: &mut Props, names: &Names) {
    let fields = match names {
        Names::Unicode(names) => [
            names.email_address.clone().map(PropValue::String),
            names.display_name.clone().map(PropValue::String),
            names
                .transmittable_display_name
                .clone()
                .map(PropValue::String),
        ],
        Names::Ansi(names) => [
            names.email_address.clone().map(PropValue::String8),
            names.display_name.clone().map(PropValue::String8),
            names
                .transmittable_display_name
                .clone()
                .map(PropValue::String8),
        ],
    };
    let tags = [
        tags::EMAIL_ADDRESS,
        tags::DISPLAY_NAME,
        tags::TRANSMITTABLE_DISPLAY_NAME,
    ];
    for (tag, field) in tags.into_iter().zip(fields) {
        if let Some(value) = field {
            props.set(tag, value);
        }
    }
}

/// Removes all recipients.
pub(crate) fn remove_all(call: &mut Call<'_>, ask: &RemoveAllRecipients) -> Outcome {
    let message = call.writable_message(ask.input)?;
    Arc::make_mut(&mut message.content).recipients.clear();
    Ok(RemoveAllRecipientsResponse { index: ask.input }.into())
}

/// Reads recipients from a row on.
pub(crate) fn read(call: &mut Call<'_>, ask: &ReadRecipients) -> Outcome {
    let (_, message) = call.message(ask.input)?;
    let columns = columns(&message.content);
    let mut room = call.room.saturating_sub(ROW_BYTES);
    let mut recipient_rows = Vec::new();
    let wanted = message
        .content
        .recipients
        .iter()
        .filter(|r| r.row >= ask.row_id);
    for recipient in wanted.take(usize::from(u8::MAX)) {
        let len = ROW_BYTES + recipient.props.size() * 2;
        if len > room {
            break;
        }
        room -= len;
        recipient_rows.push(ReadRecipientRow {
            row_id: recipient.row,
            row: open_row(recipient, &columns),
        });
    }
    match recipient_rows.is_empty() {
        true => Err(Code::NOT_FOUND.into()),
        false => Ok(ReadRecipientsResponse {
            index: ask.input,
            recipient_rows,
        }
        .into()),
    }
}

//! Recipients. Source: MS-OXCDATA 2.8.3, MS-OXCROPS 2.2.6.

use mapi_types::PropTag;
use mapi_wire::recipient::{
    Address, ModifyRecipientRow, Names, NamesIn, OpenRecipientRow, ReadRecipientRow, RecipientRow,
};

use super::{
    Scene, View, entry_id,
    hints::{bits_code, one_of_code, string8},
    row,
};
use crate::{
    names::codes::{book, message},
    node::{Entry, Node},
};

/// Recipients as opening a message gives them.
pub(crate) fn opened(columns: &[PropTag]) -> impl Fn(&Vec<OpenRecipientRow>, &Scene<'_>) -> Node {
    move |rows, scene| {
        let rows = rows.iter().map(|row| opened_row(row, columns, scene));
        Node::list(rows.map(Node::from))
    }
}

/// Recipients as they are read one after another.
pub(crate) fn read(rows: &[ReadRecipientRow], scene: &Scene<'_>) -> Node {
    Node::list(rows.iter().map(|ReadRecipientRow { row_id, row }| {
        let mut entry = opened_row(row, scene.columns, scene);
        entry.push("row_id", row_id.view(scene));
        entry.into()
    }))
}

/// Recipients to add, change or remove.
pub(crate) fn modified(
    columns: &[PropTag],
) -> impl Fn(&Vec<ModifyRecipientRow>, &Scene<'_>) -> Node {
    move |rows, scene| {
        Node::list(rows.iter().map(|row| {
            let ModifyRecipientRow {
                row_id,
                recipient_type,
                recipient,
            } = row;
            let recipient = match recipient {
                Some(recipient) => self::recipient(recipient, columns, scene),
                None => Node::word("removed"),
            };
            Entry::default()
                .with("row_id", row_id.view(scene))
                .with("recipient_type", kind(*recipient_type))
                .with("recipient", recipient)
                .into()
        }))
    }
}

fn opened_row(row: &OpenRecipientRow, columns: &[PropTag], scene: &Scene<'_>) -> Entry {
    let OpenRecipientRow {
        recipient_type,
        code_page_id,
        reserved,
        recipient,
    } = row;
    Entry::default()
        .with("recipient_type", kind(*recipient_type))
        .with("code_page_id", code_page_id.view(scene))
        .with("reserved", reserved.view(scene))
        .with("recipient", self::recipient(recipient, columns, scene))
}

fn kind(kind: u8) -> Node {
    one_of_code(kind.into(), 2, message::RECIPIENT_TYPE)
}

fn recipient(recipient: &RecipientRow, columns: &[PropTag], scene: &Scene<'_>) -> Node {
    let RecipientRow {
        flags,
        address,
        names,
        properties,
    } = recipient;
    Entry::default()
        .with("flags", bits_code((*flags).into(), 4, message::RECIPIENT))
        .with("address", address.view(scene))
        .with("names", names.view(scene))
        .with("properties", row::row(properties, columns, scene))
        .into()
}

impl View for Address {
    fn view(&self, scene: &Scene<'_>) -> Node {
        let address = |kind| Entry::new("address_type", kind);
        match self {
            Self::Other(None) => address("none"),
            Self::Other(Some(kind)) => address("spelt out").with("value", string8(kind, scene)),
            Self::AddressBook {
                prefix_used,
                display_type,
                dn,
            } => address("X500DN")
                .with("prefix_used", prefix_used.view(scene))
                .with(
                    "display_type",
                    one_of_code((*display_type).into(), 2, book::DISPLAY_TYPE),
                )
                .with("dn", string8(dn, scene)),
            Self::MsMail => address("MSMAIL"),
            Self::Smtp => address("SMTP"),
            Self::Fax => address("FAX"),
            Self::ProfessionalOfficeSystem => address("PROFS"),
            Self::PersonalList {
                second,
                entry_id,
                search_key,
            } => address(match second {
                false => "personal distribution list 1",
                true => "personal distribution list 2",
            })
            .with("entry_id", entry_id::view(entry_id, scene))
            .with("search_key", Node::octets(search_key, "a search key")),
        }
        .into()
    }
}

impl View for Names {
    fn view(&self, scene: &Scene<'_>) -> Node {
        match self {
            Self::Ansi(names) => names_in("8-bit", names, |name| string8(name, scene)),
            Self::Unicode(names) => names_in("UTF-16", names, |name| name.view(scene)),
        }
    }
}

fn names_in<S>(encoding: &str, names: &NamesIn<S>, show: impl Fn(&S) -> Node) -> Node {
    let NamesIn {
        email_address,
        display_name,
        simple_display_name,
        transmittable_display_name,
    } = names;
    let mut entry = Entry::new("encoding", encoding);
    for (key, name) in [
        ("email_address", email_address),
        ("display_name", display_name),
        ("simple_display_name", simple_display_name),
        ("transmittable_display_name", transmittable_display_name),
    ] {
        entry.push_some(key, name.as_ref().map(&show));
    }
    entry.into()
}

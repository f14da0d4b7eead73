//! Entry ids. Source: MS-OXCDATA 2.2.4, 2.2.5; MS-OXNSPI 2.2.9.

use mapi_wire::{
    cursor::DecodeError,
    entry_id::{
        AddressBookEntryId, ContactEntryId, EntryId, FolderEntryId, MessageEntryId, Names,
        OneOffEntryId, OneOffNames, StoreEntryId,
    },
    nspi,
};

use super::{
    Scene, View,
    hints::{hexadecimal, one_of, opaque, string8},
    views,
};
use crate::{
    names::codes,
    node::{Entry, Node},
};

const FOLDER: codes::Codes = &[(1, "private"), (3, "public"), (5, "mapped public")];
const MESSAGE: codes::Codes = &[(7, "private"), (9, "public"), (11, "mapped public")];
const STORE: codes::Codes = &[(0x6, "public"), (0xc, "mailbox")];
const CONTACT: codes::Codes = &[(4, "address of a contact"), (5, "personal list")];

/// An entry id that fills `octets`. One that would not be written like this is shown as it is, so that nothing of it
/// is lost.
pub(crate) fn view(octets: &[u8], scene: &Scene<'_>) -> Node {
    if let Ok(id @ nspi::EntryId::Ephemeral { .. }) = nspi::EntryId::from_bytes(octets)
        && id.to_bytes() == octets
    {
        return id.view(scene);
    }
    match EntryId::from_bytes(octets) {
        Ok(id) if id.to_bytes() == octets => id.view(scene),
        Ok(_) => Node::octets(octets, "an entry id with something in reserved places"),
        Err(DecodeError { at, expected }) => Node::octets(
            octets,
            format!("no entry id: at octet {at}: expected {expected}"),
        ),
    }
}

impl View for EntryId {
    fn view(&self, scene: &Scene<'_>) -> Node {
        let (kind, node) = match self {
            Self::Folder(id) => ("folder", id.view(scene)),
            Self::Message(id) => ("message", id.view(scene)),
            Self::Store(id) => ("store", id.view(scene)),
            Self::AddressBook(id) => ("address book", id.view(scene)),
            Self::OneOff(id) => ("one-off", id.view(scene)),
            Self::Contact(id) => ("contact", id.view(scene)),
            Self::Other(octets) => return Node::octets(octets, "an entry id of an unknown kind"),
        };
        named(kind, node)
    }
}

impl View for nspi::EntryId {
    fn view(&self, scene: &Scene<'_>) -> Node {
        match self {
            Self::Permanent(id) => named("address book", id.view(scene)),
            Self::Ephemeral { server, kind, mid } => Entry::new("entry_id", "ephemeral")
                .with("server", server.view(scene))
                .with("kind", one_of(codes::book::DISPLAY_TYPE)(kind, scene))
                .with("mid", mid.view(scene))
                .into(),
        }
    }
}

fn named(kind: &'static str, node: Node) -> Node {
    match node {
        Node::Entry(entry) => Node::Entry(Entry {
            head: vec![("entry_id", kind.to_owned())],
            ..entry
        }),
        node => node,
    }
}

views! {
    FolderEntryId { provider, kind: one_of(FOLDER), folder }
    MessageEntryId { provider, kind: one_of(MESSAGE), folder, message }
    StoreEntryId {
        library: string8,
        provider,
        kind: one_of(STORE),
        server: string8,
        dn: |dn: &Option<Box<[u8]>>, scene: &Scene<'_>| match dn {
            Some(dn) => string8(dn, scene),
            None => Node::Absent,
        },
        appended: opaque("what newer clients append"),
    }
    AddressBookEntryId { kind: one_of(codes::book::DISPLAY_TYPE), dn: string8 }
    OneOffEntryId { flags: hexadecimal, names }
    ContactEntryId {
        kind: one_of(CONTACT),
        index,
        message: within_contact,
    }
}

/// The entry id of a contact. Another contact within is not read any further: so there is an end.
fn within_contact(octets: &[u8], scene: &Scene<'_>) -> Node {
    match EntryId::from_bytes(octets) {
        Ok(EntryId::Contact(_)) => Node::octets(octets, "an entry id of a contact within another"),
        _ => view(octets, scene),
    }
}

impl View for OneOffNames {
    fn view(&self, scene: &Scene<'_>) -> Node {
        match self {
            Self::Unicode(names) => names_in(names, |name| name.view(scene)),
            Self::Ansi(names) => names_in(names, |name| string8(name, scene)),
        }
    }
}

fn names_in<T>(names: &Names<T>, show: impl Fn(&T) -> Node) -> Node {
    let Names {
        display_name,
        address_type,
        address,
    } = names;
    Entry::default()
        .with("display_name", show(display_name))
        .with("address_type", show(address_type))
        .with("address", show(address))
        .into()
}

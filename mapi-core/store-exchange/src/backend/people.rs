//! People as folders name them: by entry ids; and as the seam does: by addresses.

use std::{collections::HashMap, sync::Arc};

use mapi_store::{Error, ErrorKind, Result};
use mapi_wire::entry_id::{AddressBookEntryId, EntryId, OneOffEntryId, OneOffNames};

use super::{Place, opening::missing};
use crate::{
    address_book::{AddressBook, EntryKind},
    discover::Subject,
};

/// Who is who, asked with the credentials of one user.
pub(crate) struct People {
    place: Arc<Place>,
    book: Arc<AddressBook>,
}

impl People {
    /// Nobody is asked yet.
    pub(super) fn new(place: Arc<Place>, book: Arc<AddressBook>) -> Arc<Self> {
        Arc::new(Self { place, book })
    }

    /// The entry id of whoever has an address. Two requests. Errors: `NotFound`, those of the server.
    pub(crate) async fn entry_id_of(&self, address: &str) -> Result<Box<[u8]>> {
        match self.book.with_address(address).await {
            Ok(Some(entry)) => {
                let kind = match entry.kind {
                    EntryKind::List => LIST,
                    EntryKind::Folder => FOLDER,
                    _ => MAIL_USER,
                };
                Ok(entry_id(&entry.dn, kind))
            }
            // Not everybody stands in the address book.
            Ok(None) => self.entry_id_of_mailbox(address).await,
            Err(fault) => match self.entry_id_of_mailbox(address).await {
                Err(error) if error.kind == ErrorKind::NotFound => Err(fault.into()),
                found => found,
            },
        }
    }

    async fn entry_id_of_mailbox(&self, address: &str) -> Result<Box<[u8]>> {
        let subject = Subject::Address(address.to_owned());
        match self.place.locator().find_other(&subject, false).await {
            Ok(found) => Ok(entry_id(&found.legacy_dn, MAIL_USER)),
            Err(failure) => Err(match missing(failure) {
                error if error.kind == ErrorKind::NotFound => {
                    Error::new(ErrorKind::NotFound, "nobody has this address")
                }
                error => error,
            }),
        }
    }

    /// What to call each of those who have these entry ids: by address, as far as it can be found out; else by
    /// distinguished name, which is as lasting, so that nobody is lost who cannot be named. Two requests at most.
    pub(crate) async fn names_of(&self, ids: &[&[u8]]) -> Vec<String> {
        let ids: Vec<_> = ids
            .iter()
            .map(|id| (*id, EntryId::from_bytes(id)))
            .collect();
        let dns: Vec<_> = ids
            .iter()
            .filter_map(|(_, id)| dn(id.as_ref().ok()?))
            .collect();
        let asked: Vec<_> = dns.iter().map(String::as_str).collect();
        let addresses = self.book.resolve_dn(&asked).await.unwrap_or_else(|error| {
            tracing::info!(%error, "members are shown by distinguished names");
            Vec::new()
        });
        let known: HashMap<_, _> = asked.into_iter().zip(addresses).collect();
        let name = |(octets, id): &(&[u8], Result<EntryId, _>)| {
            let name = match id {
                Ok(EntryId::OneOff(entry)) => one_off(entry),
                Ok(id) => match dn(id) {
                    Some(dn) => known.get(&*dn).cloned().flatten().unwrap_or(dn),
                    None => hex(octets),
                },
                Err(_) => hex(octets),
            };
            name.to_lowercase()
        };
        ids.iter().map(name).collect()
    }
}

/// Kinds of entries. Source: MS-OXCDATA 2.2.5.2.
const MAIL_USER: u32 = 0;
const LIST: u32 = 1;
const FOLDER: u32 = 2;

fn entry_id(dn: &str, kind: u32) -> Box<[u8]> {
    let dn = dn.as_bytes().into();
    let entry = AddressBookEntryId { kind, dn };
    EntryId::AddressBook(entry).to_bytes().into()
}

fn dn(id: &EntryId) -> Option<String> {
    match id {
        EntryId::AddressBook(entry) => Some(String::from_utf8_lossy(&entry.dn).into_owned()),
        _ => None,
    }
}

fn one_off(entry: &OneOffEntryId) -> String {
    match &entry.names {
        OneOffNames::Unicode(names) => names.address.to_text(),
        OneOffNames::Ansi(names) => String::from_utf8_lossy(&names.address).into_owned(),
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

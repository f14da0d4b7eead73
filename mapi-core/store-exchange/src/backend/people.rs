//! People as folders name them: by entry ids; and as the seam does: by addresses.

use std::sync::Arc;

use mapi_store::{Error, ErrorKind, Result};
use mapi_wire::entry_id::{AddressBookEntryId, EntryId, OneOffEntryId, OneOffNames};

use super::{Place, opening::missing};
use crate::discover::Subject;

/// Who is who, asked with the credentials of one user.
pub(crate) struct People(pub(super) Arc<Place>);

/// Somebody by name and entry id.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) entry_id: Box<[u8]>,
}

impl People {
    /// The user who asks.
    pub(crate) async fn user(&self) -> Result<Person> {
        let own = self.0.locator().find(false).await.map_err(missing)?;
        let address = || own.smtp_address.clone().unwrap_or_default();
        Ok(Person {
            name: own.display_name.clone().unwrap_or_else(address),
            entry_id: entry_id(&own.legacy_dn),
        })
    }

    /// The entry id of whoever has an address. Errors: `NotFound`, those of the search.
    pub(crate) async fn entry_id_of(&self, address: &str) -> Result<Box<[u8]>> {
        let subject = Subject::Address(address.to_owned());
        let found = self.0.locator().find_other(&subject, false).await;
        found
            .map(|found| entry_id(&found.legacy_dn))
            .map_err(|failure| {
                let error = missing(failure);
                match error.kind {
                    ErrorKind::NotFound => {
                        Error::new(ErrorKind::NotFound, "nobody has this address")
                    }
                    _ => error,
                }
            })
    }

    /// What to call whoever has an entry id: by address, if that can be found out; else by distinguished name, which
    /// is as lasting, so that nobody is lost who cannot be named.
    pub(crate) async fn name_of(&self, id: &[u8], address: Option<&str>) -> String {
        if let Some(address) = address {
            return address.to_lowercase();
        }
        match EntryId::from_bytes(id) {
            Ok(EntryId::AddressBook(entry)) => {
                let dn = String::from_utf8_lossy(&entry.dn).into_owned();
                let subject = Subject::Dn(dn.clone());
                let found = self.0.locator().find_other(&subject, false).await;
                let address = found.ok().and_then(|found| found.smtp_address.clone());
                address.unwrap_or(dn).to_lowercase()
            }
            Ok(EntryId::OneOff(entry)) => one_off(&entry).to_lowercase(),
            _ => id.iter().map(|octet| format!("{octet:02x}")).collect(),
        }
    }
}

/// The entry id of a mail user. Source: MS-OXCDATA 2.2.5.2.
fn entry_id(dn: &str) -> Box<[u8]> {
    let entry = AddressBookEntryId {
        kind: 0,
        dn: dn.as_bytes().into(),
    };
    EntryId::AddressBook(entry).to_bytes().into()
}

fn one_off(entry: &OneOffEntryId) -> String {
    match &entry.names {
        OneOffNames::Unicode(names) => names.address.to_text(),
        OneOffNames::Ansi(names) => String::from_utf8_lossy(&names.address).into_owned(),
    }
}

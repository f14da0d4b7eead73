//! Who stands in an address book.

use mapi_wire::{
    PropValue,
    nspi::{EntryId, MId, Tagged},
};

use super::columns::{self, Values};

/// The most characters of a text of an entry that are taken.
const TEXT_CHARS_MAX: usize = 1024;

/// Somebody or something that mail can be sent to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The name.
    pub display_name: String,
    /// Where mail goes, as far as there is such an address.
    pub smtp_address: Option<String>,
    /// The distinguished name: an address of type EX.
    pub dn: String,
    /// What it is.
    pub kind: EntryKind,
    /// What else is known.
    pub details: Details,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EntryKind {
    /// A mailbox of this organisation.
    Mailbox,
    /// A distribution list.
    List,
    /// A room.
    Room,
    /// Equipment.
    Equipment,
    /// A public folder.
    Folder,
    /// Somebody with a mailbox elsewhere.
    Contact,
    /// Something else.
    Other,
}

/// What else is known of somebody. Texts that are empty are absent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Details {
    /// Given name.
    pub given_name: Option<String>,
    /// Surname.
    pub surname: Option<String>,
    /// Title: the position held.
    pub title: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// Where the office is.
    pub office: Option<String>,
    /// Telephone number in the office.
    pub business_telephone: Option<String>,
    /// Mobile telephone number.
    pub mobile_telephone: Option<String>,
}

/// An address list: a part of the address book.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AddressList {
    /// Its name; empty for the global address list.
    pub display_name: String,
    /// Its distinguished name; `/` for the global address list.
    pub dn: String,
    /// How deep it lies in the hierarchy of lists.
    pub depth: u32,
    /// What a table of it is asked for by.
    pub(super) container: MId,
}

impl Entry {
    /// Reads an entry; `None` where it has no distinguished name, for then it is none.
    pub(super) fn of(values: &(impl Values + ?Sized)) -> Option<Self> {
        let text = |tag| values.text(tag).map(bounded);
        let dn = text(columns::EMAIL_ADDRESS)?;
        let smtp_address = smtp_address(values);
        let name = text(columns::DISPLAY_NAME);
        Some(Self {
            display_name: name
                .or_else(|| smtp_address.clone())
                .unwrap_or_else(|| dn.clone()),
            smtp_address,
            dn,
            kind: EntryKind::of(
                values.number(columns::DISPLAY_TYPE),
                values.number(columns::DISPLAY_TYPE_EX),
            ),
            details: Details {
                given_name: text(columns::GIVEN_NAME),
                surname: text(columns::SURNAME),
                title: text(columns::TITLE),
                company: text(columns::COMPANY),
                department: text(columns::DEPARTMENT),
                office: text(columns::OFFICE),
                business_telephone: text(columns::BUSINESS_TELEPHONE),
                mobile_telephone: text(columns::MOBILE_TELEPHONE),
            },
        })
    }
}

impl EntryKind {
    /// Source: MS-OXNSPI 2.2.1.3; PidTagDisplayTypeEx, whose low octet also knows rooms, MS-OXOABK 2.2.3.12.
    fn of(display_type: Option<u32>, extended: Option<u32>) -> Self {
        // The second octet is the type in the forest of whoever is remote: the first, then, says only that.
        const REMOTE: u32 = 0x8000_0000;
        let fine = extended.map(|flags| match flags & REMOTE {
            0 => flags & 0xff,
            _ => flags >> 8 & 0xff,
        });
        match (fine, display_type) {
            (Some(7), _) => Self::Room,
            (Some(8), _) => Self::Equipment,
            (_, Some(0)) => Self::Mailbox,
            (_, Some(1 | 3 | 5)) => Self::List,
            (_, Some(2)) => Self::Folder,
            (_, Some(6)) => Self::Contact,
            _ => Self::Other,
        }
    }
}

impl AddressList {
    /// Reads a row of the table of address lists; `None` where it is none.
    pub(super) fn of(row: &[Tagged]) -> Option<Self> {
        let Some(PropValue::Binary(id)) = row.value(columns::ENTRY_ID) else {
            return None;
        };
        let Ok(EntryId::Permanent(id)) = EntryId::from_bytes(id) else {
            return None;
        };
        Some(Self {
            display_name: row
                .text(columns::DISPLAY_NAME)
                .map(bounded)
                .unwrap_or_default(),
            dn: bounded(String::from_utf8_lossy(&id.dn).into_owned()),
            depth: row.number(columns::DEPTH).unwrap_or_default(),
            container: MId(row.number(columns::CONTAINER_ID)?),
        })
    }
}

/// Where mail for an entry goes: PidTagSmtpAddress, or the first address of its proxy addresses (`SMTP:` in capitals).
pub(super) fn smtp_address(values: &(impl Values + ?Sized)) -> Option<String> {
    let is_address = |text: &String| text.contains('@') && text.len() <= TEXT_CHARS_MAX;
    let own = values.text(columns::SMTP_ADDRESS).filter(is_address);
    own.or_else(|| match values.value(columns::PROXY_ADDRESSES)? {
        PropValue::Strings(all) => all
            .iter()
            .filter_map(|text| text.to_text().strip_prefix("SMTP:").map(str::to_owned))
            .find(is_address),
        _ => None,
    })
}

fn bounded(text: String) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use mapi_types::PropTag;

    use super::*;

    fn text(tag: PropTag, text: &str) -> Tagged {
        Tagged {
            tag,
            value: Some(PropValue::String(text.into())),
        }
    }

    #[test]
    fn types_say_what_an_entry_is() {
        let check = |display_type, extended, expected| {
            assert_eq!(
                EntryKind::of(display_type, extended),
                expected,
                "{display_type:?} {extended:?}"
            );
        };
        check(Some(0), None, EntryKind::Mailbox);
        check(Some(0), Some(0x4000_0000), EntryKind::Mailbox);
        check(Some(0), Some(0x4000_0007), EntryKind::Room);
        check(Some(6), Some(0x8000_0706), EntryKind::Room);
        check(Some(0), Some(8), EntryKind::Equipment);
        check(Some(1), Some(0x4000_0009), EntryKind::List);
        check(Some(3), None, EntryKind::List);
        check(Some(2), None, EntryKind::Folder);
        check(Some(6), None, EntryKind::Contact);
        check(Some(0x100), None, EntryKind::Other);
        check(None, None, EntryKind::Other);
    }

    #[test]
    fn the_first_address_is_where_mail_goes() {
        let proxies = Tagged {
            tag: columns::PROXY_ADDRESSES,
            value: Some(PropValue::Strings(
                [
                    "smtp:old@example.test",
                    "X500:/o=T",
                    "SMTP:bob@example.test",
                ]
                .map(Into::into)
                .into(),
            )),
        };
        let check = |values: &[Tagged], expected: Option<&str>| {
            assert_eq!(smtp_address(values).as_deref(), expected);
        };
        let own = text(columns::SMTP_ADDRESS, " b@example.test ");
        check(&[own, proxies.clone()], Some("b@example.test"));
        let empty = text(columns::SMTP_ADDRESS, "");
        check(&[empty, proxies.clone()], Some("bob@example.test"));
        check(&[proxies], Some("bob@example.test"));
        check(&[text(columns::SMTP_ADDRESS, "/o=T/cn=x")], None);
        check(&[], None);
    }

    #[test]
    fn without_a_distinguished_name_there_is_no_entry() {
        let name = text(columns::DISPLAY_NAME, "Bob");
        assert_eq!(Entry::of([name.clone()].as_slice()), None);
        let dn = text(columns::EMAIL_ADDRESS, "/o=T/cn=bob");
        let entry = Entry::of([name, dn.clone()].as_slice()).unwrap();
        assert_eq!(entry.display_name, "Bob");
        let nameless = Entry::of([dn].as_slice()).unwrap();
        assert_eq!(nameless.display_name, "/o=T/cn=bob");
    }

    #[test]
    fn texts_have_an_end() {
        let dn = text(columns::EMAIL_ADDRESS, &"\u{e9}".repeat(5000));
        let entry = Entry::of([dn].as_slice()).unwrap();
        assert_eq!(entry.dn.chars().count(), TEXT_CHARS_MAX);
    }
}

//! An Internet address as the MAPI properties that speak of a person.

use mapi_types::{Tag, kind, tags};

use super::props::Props;
use crate::{address::Mailbox, encoded_word};

/// A person in MAPI's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    /// Display name; the address when there is none.
    pub(super) name: String,
    /// `local@domain`.
    pub(super) address: String,
}

/// The properties that hold a person in one role.
pub(super) struct Role {
    pub(super) name: Tag<kind::Str>,
    pub(super) address_type: Tag<kind::Str>,
    pub(super) email_address: Tag<kind::Str>,
    pub(super) smtp_address: Tag<kind::Str>,
    search_key: Tag<kind::Bin>,
    entry_id: Tag<kind::Bin>,
}

/// PidTagSender…: who sent the message. Source: MS-OXOMSG 2.2.1.48 and following.
pub(super) const SENDER: Role = Role {
    name: tags::SENDER_NAME,
    address_type: tags::SENDER_ADDRESS_TYPE,
    email_address: tags::SENDER_EMAIL_ADDRESS,
    smtp_address: tags::SENDER_SMTP_ADDRESS,
    search_key: tags::SENDER_SEARCH_KEY,
    entry_id: tags::SENDER_ENTRY_ID,
};

/// PidTagSentRepresenting…: in whose name it was sent.
pub(super) const SENT_REPRESENTING: Role = Role {
    name: tags::SENT_REPRESENTING_NAME,
    address_type: tags::SENT_REPRESENTING_ADDRESS_TYPE,
    email_address: tags::SENT_REPRESENTING_EMAIL_ADDRESS,
    smtp_address: tags::SENT_REPRESENTING_SMTP_ADDRESS,
    search_key: tags::SENT_REPRESENTING_SEARCH_KEY,
    entry_id: tags::SENT_REPRESENTING_ENTRY_ID,
};

/// A recipient row.
pub(super) const RECIPIENT: Role = Role {
    name: tags::DISPLAY_NAME,
    address_type: tags::ADDRESS_TYPE,
    email_address: tags::EMAIL_ADDRESS,
    smtp_address: tags::SMTP_ADDRESS,
    search_key: tags::SEARCH_KEY,
    entry_id: tags::ENTRY_ID,
};

/// The provider of one-off entry ids.
const PROVIDER: [u8; 16] = [
    0x81, 0x2b, 0x1f, 0xa4, 0xbe, 0xa3, 0x10, 0x19, 0x9d, 0x6e, 0x00, 0xdd, 0x01, 0x0f, 0x54, 0x02,
];

impl Person {
    pub(super) fn from_mailbox(mailbox: &Mailbox) -> Self {
        let address = mailbox.address();
        let name = mailbox
            .name
            .as_deref()
            .map(encoded_word::decode)
            .unwrap_or_default();
        Self {
            name: if name.is_empty() {
                address.clone()
            } else {
                name
            },
            address,
        }
    }

    pub(super) fn put(&self, role: &Role, props: &mut Props) {
        props.text(&role.name, &self.name);
        props.text(&role.address_type, "SMTP");
        props.text(&role.email_address, &self.address);
        props.text(&role.smtp_address, &self.address);
        props.octets(&role.search_key, &self.search_key());
        props.octets(&role.entry_id, &self.one_off_entry_id());
    }

    /// `SMTP:ADDRESS` and a NUL. Source: PidTagSearchKey, MS-OXCPRPT 2.2.1.9.
    fn search_key(&self) -> Vec<u8> {
        let mut key = format!("SMTP:{}", self.address).to_uppercase().into_bytes();
        key.push(0);
        key
    }

    /// Source: One-Off EntryID, MS-OXCDATA 2.2.5.1: flags, provider, version, bits (Unicode, no rich info), then
    /// name, address type and address in UTF-16LE, each ended by NUL.
    pub(super) fn one_off_entry_id(&self) -> Vec<u8> {
        let mut id = vec![0; 4];
        id.extend_from_slice(&PROVIDER);
        id.extend_from_slice(&[0x00, 0x00, 0x01, 0x80]);
        for text in [&self.name, "SMTP", &self.address] {
            id.extend(text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
        }
        id
    }
}

/// The entry id of somebody who stands in no address book.
pub(crate) fn one_off_entry_id(name: &str, address: &str) -> Vec<u8> {
    let person = Person {
        name: name.to_owned(),
        address: address.to_owned(),
    };
    person.one_off_entry_id()
}

/// Entry ids in one value. Source: FlatEntryList, MS-OXCDATA 2.3.3.
pub(super) fn flat_entry_list(people: &[Person]) -> Vec<u8> {
    let mut entries = Vec::new();
    for person in people {
        let id = person.one_off_entry_id();
        entries.extend_from_slice(&(id.len() as u32).to_le_bytes());
        entries.extend_from_slice(&id);
        entries.resize(entries.len().next_multiple_of(4), 0);
    }
    let mut list = (people.len() as u32).to_le_bytes().to_vec();
    list.extend_from_slice(&(entries.len() as u32).to_le_bytes());
    list.extend_from_slice(&entries);
    list
}

/// The people of a FlatEntryList, as far as they are Internet addresses in Unicode one-off entry ids.
pub(super) fn read_flat_entry_list(list: &[u8]) -> Vec<Person> {
    let mut people = Vec::new();
    let mut rest = list.get(8..).unwrap_or_default();
    while let Some((len, tail)) = rest.split_first_chunk::<4>() {
        let len = u32::from_le_bytes(*len) as usize;
        let Some((id, tail)) = tail.split_at_checked(len) else {
            break;
        };
        people.extend(read_one_off(id));
        rest = tail
            .get(len.next_multiple_of(4) - len..)
            .unwrap_or_default();
    }
    people
}

fn read_one_off(id: &[u8]) -> Option<Person> {
    let id = id.get(4..)?.strip_prefix(&PROVIDER)?;
    let (&[_, _, _, bits], texts) = id.split_first_chunk::<4>()?;
    if bits & 0x80 == 0 {
        return None;
    }
    let units: Vec<u16> = texts
        .as_chunks()
        .0
        .iter()
        .map(|unit| u16::from_le_bytes(*unit))
        .collect();
    let mut texts = units.split(|unit| *unit == 0).map(String::from_utf16_lossy);
    let (name, kind, address) = (texts.next()?, texts.next()?, texts.next()?);
    kind.eq_ignore_ascii_case("SMTP")
        .then_some(Person { name, address })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_one_off_entry_id_has_the_documented_layout() {
        let person = Person {
            name: "Ä".into(),
            address: "a@b".into(),
        };
        let id = person.one_off_entry_id();
        assert_eq!(id.get(20..24), Some(&[0, 0, 1, 0x80][..]));
        assert_eq!(
            id.get(24..),
            Some(&b"\xc4\0\0\0S\0M\0T\0P\0\0\0a\0@\0b\0\0\0"[..])
        );
        let list = flat_entry_list(std::slice::from_ref(&person));
        assert_eq!(list.len(), 8 + 4 + id.len().next_multiple_of(4));
        assert_eq!(list.first_chunk::<4>(), Some(&[1, 0, 0, 0]));
        assert_eq!(read_flat_entry_list(&list), [person]);
    }
}

//! Entry ids: names of folders, messages, stores and addresses that mean the same to every client of a mailbox.
//!
//! Source: MS-OXCDATA 2.2.4, 2.2.5.

mod address;
mod store;

pub use address::{AddressBookEntryId, ContactEntryId, Names, OneOffEntryId, OneOffNames};
pub use store::{PRIVATE_STORE, PUBLIC_STORE, StoreEntryId};

use crate::{
    cursor::{Reader, Result, Writer},
    ids::{Gid, Guid},
};

/// Who understands an entry id, as octets in the order the documents write them.
mod provider {
    use crate::ids::Guid;

    pub(super) const STORE: Guid =
        Guid(*b"\x38\xa1\xbb\x10\x05\xe5\x10\x1a\xa1\xbb\x08\x00\x2b\x2a\x56\xc2");
    pub(super) const ADDRESS_BOOK: Guid =
        Guid(*b"\xdc\xa7\x40\xc8\xc0\x42\x10\x1a\xb4\xb9\x08\x00\x2b\x2f\xe1\x82");
    pub(super) const ONE_OFF: Guid =
        Guid(*b"\x81\x2b\x1f\xa4\xbe\xa3\x10\x19\x9d\x6e\x00\xdd\x01\x0f\x54\x02");
    pub(super) const CONTACT: Guid =
        Guid(*b"\xfe\x42\xaa\x0a\x18\xc7\x1a\x10\xe8\x85\x0b\x65\x1c\x24\x00\x00");
}

/// The provider of folders and messages in public folders.
pub const PUBLIC_FOLDERS: Guid =
    Guid(*b"\x1a\x44\x73\x90\xaa\x66\x11\xcd\x9b\xc8\x00\xaa\x00\x2f\xc4\x5a");

/// An entry id by its kind.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EntryId {
    /// A folder.
    Folder(FolderEntryId),
    /// A message.
    Message(MessageEntryId),
    /// A store.
    Store(StoreEntryId),
    /// Somebody in the address book.
    AddressBook(AddressBookEntryId),
    /// An address that is in no address book.
    OneOff(OneOffEntryId),
    /// An address of a contact in a folder.
    Contact(ContactEntryId),
    /// Of a provider that is not known here.
    Other(Box<[u8]>),
}

/// A folder. Source: MS-OXCDATA 2.2.4.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FolderEntryId {
    /// The GUID of the mailbox, or [`PUBLIC_FOLDERS`].
    pub provider: Guid,
    /// One of `PRIVATE` and `PUBLIC`.
    pub kind: u16,
    /// The folder.
    pub folder: Gid,
}

/// A message. Source: MS-OXCDATA 2.2.4.2.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MessageEntryId {
    /// The GUID of the mailbox, or [`PUBLIC_FOLDERS`].
    pub provider: Guid,
    /// One of `PRIVATE` and `PUBLIC`.
    pub kind: u16,
    /// The folder it is in.
    pub folder: Gid,
    /// The message.
    pub message: Gid,
}

impl FolderEntryId {
    /// The octets of one.
    pub const BYTES: usize = 46;
    /// A folder of a mailbox.
    pub const PRIVATE: u16 = 1;
    /// A public folder.
    pub const PUBLIC: u16 = 3;

    /// A folder of the mailbox with this GUID.
    pub const fn private(mailbox: Guid, folder: Gid) -> Self {
        Self {
            provider: mailbox,
            kind: Self::PRIVATE,
            folder,
        }
    }
}

impl MessageEntryId {
    /// The octets of one.
    pub const BYTES: usize = 70;
    /// A message of a mailbox.
    pub const PRIVATE: u16 = 7;
    /// A message in a public folder.
    pub const PUBLIC: u16 = 9;

    /// A message in a folder of the mailbox with this GUID.
    pub const fn private(mailbox: Guid, folder: Gid, message: Gid) -> Self {
        Self {
            provider: mailbox,
            kind: Self::PRIVATE,
            folder,
            message,
        }
    }
}

impl EntryId {
    /// Reads an entry id that fills `bytes`. Short-term ids, and what no provider here knows, come back as `Other`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let Ok(flags) = reader.u32("flags of an entry id") else {
            return Ok(Self::Other(bytes.into()));
        };
        let Ok(provider) = reader.array("the provider of an entry id") else {
            return Ok(Self::Other(bytes.into()));
        };
        let provider = Guid(provider);
        let id = match (flags, provider, bytes.len()) {
            (0, provider::STORE, _) => Self::Store(StoreEntryId::read(&mut reader)?),
            (0, provider::ADDRESS_BOOK, _) => {
                Self::AddressBook(AddressBookEntryId::read(&mut reader)?)
            }
            (0, provider::ONE_OFF, _) => Self::OneOff(OneOffEntryId::read(&mut reader)?),
            (0, provider::CONTACT, _) => Self::Contact(ContactEntryId::read(&mut reader)?),
            (0, _, FolderEntryId::BYTES) => Self::Folder(FolderEntryId {
                provider,
                kind: reader.u16("the kind of a folder")?,
                folder: Gid::read_long_term(&mut reader)?,
            }),
            (0, _, MessageEntryId::BYTES) => Self::Message(MessageEntryId {
                provider,
                kind: reader.u16("the kind of a message")?,
                folder: Gid::read_long_term(&mut reader)?,
                message: Gid::read_long_term(&mut reader)?,
            }),
            _ => return Ok(Self::Other(bytes.into())),
        };
        reader.finish("the end of an entry id")?;
        Ok(id)
    }

    /// Its octets.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        let mut head = |provider: &Guid| {
            writer.u32(0);
            writer.put(&provider.0);
        };
        match self {
            Self::Folder(id) => {
                head(&id.provider);
                writer.u16(id.kind);
                id.folder.write_long_term(&mut writer);
            }
            Self::Message(id) => {
                head(&id.provider);
                writer.u16(id.kind);
                id.folder.write_long_term(&mut writer);
                id.message.write_long_term(&mut writer);
            }
            Self::Store(id) => {
                head(&provider::STORE);
                id.write(&mut writer);
            }
            Self::AddressBook(id) => {
                head(&provider::ADDRESS_BOOK);
                id.write(&mut writer);
            }
            Self::OneOff(id) => {
                head(&provider::ONE_OFF);
                id.write(&mut writer);
            }
            Self::Contact(id) => {
                head(&provider::CONTACT);
                id.write(&mut writer);
            }
            Self::Other(octets) => writer.put(octets),
        }
        writer.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Globcnt;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text
            .chars()
            .filter_map(|c| Some(c.to_digit(16)? as u8))
            .collect();
        digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()
    }

    fn check(octets: &[u8], id: &EntryId) {
        assert_eq!(&EntryId::from_bytes(octets).unwrap(), id);
        assert_eq!(id.to_bytes(), octets);
    }

    fn gid(counter: u64) -> Gid {
        Gid {
            replguid: Guid([0xaa; 16]),
            globcnt: Globcnt::from_u64(counter),
        }
    }

    #[test]
    fn a_folder_is_named_by_mailbox_and_id() {
        // PidTagEntryId of an Inbox.
        let octets = hex("00000000 04a508999b24ab4f80baed6e96f90358 0100
             01000000a5187b6fbcdcea1ed03c5657 00000000000d 0000");
        let id = FolderEntryId::private(
            Guid(hex("04a508999b24ab4f80baed6e96f90358").try_into().unwrap()),
            Gid::from_bytes(&hex("01000000a5187b6fbcdcea1ed03c5657 00000000000d")).unwrap(),
        );
        check(&octets, &EntryId::Folder(id));
    }

    #[test]
    fn a_message_is_named_by_its_folder_as_well() {
        let id = MessageEntryId::private(Guid([1; 16]), gid(2), gid(3));
        let octets = EntryId::Message(id).to_bytes();
        assert_eq!(octets.len(), MessageEntryId::BYTES);
        assert_eq!(octets[20..22], [7, 0]);
        check(&octets, &EntryId::Message(id));
    }

    #[test]
    fn an_address_has_its_distinguished_name() {
        let octets = hex("00000000 dca740c8c042101ab4b908002b2fe182 01000000 00000000 2f6f3d4f 00");
        let id = AddressBookEntryId {
            kind: 0,
            dn: b"/o=O".as_slice().into(),
        };
        check(&octets, &EntryId::AddressBook(id));
    }

    #[test]
    fn a_one_off_address_has_names_in_either_encoding() {
        let octets = hex("00000000 812b1fa4bea310199d6e00dd010f5402 0000 0190
             4100 0000 53004d0054005000 0000 610040006200 0000");
        check(&octets, &EntryId::OneOff(OneOffEntryId::smtp("A", "a@b")));
        let ansi = OneOffEntryId {
            flags: 0x1001,
            names: OneOffNames::Ansi(Names {
                display_name: b"A".as_slice().into(),
                address_type: b"SMTP".as_slice().into(),
                address: b"a@b".as_slice().into(),
            }),
        };
        let octets =
            hex("00000000 812b1fa4bea310199d6e00dd010f5402 0000 0110 4100 534d545000 61406200");
        check(&octets, &EntryId::OneOff(ansi));
    }

    #[test]
    fn a_store_is_named_by_server_and_mailbox() {
        let octets = hex(
            "00000000 38a1bb1005e5101aa1bb08002b2a56c2 00 00 656d736d64622e646c6c00000000
             00000000 1b55fa20aa6611cd9bc800aa002fc45a 0c000000 7300 2f6f3d4f00",
        );
        let id = StoreEntryId {
            library: b"emsmdb.dll".as_slice().into(),
            provider: PRIVATE_STORE,
            kind: StoreEntryId::MAILBOX,
            server: b"s".as_slice().into(),
            dn: Some(b"/o=O".as_slice().into()),
            appended: [].into(),
        };
        check(&octets, &EntryId::Store(id.clone()));
        let newer = [octets.as_slice(), &[1, 2, 3]].concat();
        let id = StoreEntryId {
            appended: [1, 2, 3].into(),
            ..id
        };
        check(&newer, &EntryId::Store(id));
    }

    #[test]
    fn an_address_of_a_contact_names_the_contact() {
        let octets = hex(
            "00000000 fe42aa0a18c71a10e8850b651c240000 03000000 04000000 01000000 02000000 0708",
        );
        let id = ContactEntryId {
            kind: 4,
            index: 1,
            message: [7, 8].into(),
        };
        check(&octets, &EntryId::Contact(id));
    }

    #[test]
    fn what_nobody_here_knows_goes_back_as_it_came() {
        let cases: [&[u8]; 3] = [&[], &[1, 2, 3], &[0x87; 32]];
        for octets in cases {
            check(octets, &EntryId::Other(octets.into()));
        }
    }

    #[test]
    fn a_broken_one_says_where() {
        let octets = hex("00000000 dca740c8c042101ab4b908002b2fe182 01000000 00000000 2f6f");
        let error = EntryId::from_bytes(&octets).unwrap_err();
        assert_eq!(error.to_string(), "at octet 28: expected a legacy DN");
    }
}

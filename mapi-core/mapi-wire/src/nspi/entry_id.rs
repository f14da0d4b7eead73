//! What names an entry of the address book for ever, or for a session. Source: MS-OXNSPI 2.2.9.

use super::MId;
use crate::{
    cursor::{Reader, Result, Writer},
    entry_id::{self, AddressBookEntryId},
    ids::Guid,
};

/// The version of both layouts.
const VERSION: u32 = 1;

/// The first octet of an ephemeral entry id.
const EPHEMERAL: u8 = 0x87;

/// An entry id of the address book.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EntryId {
    /// Names an entry for ever: may be stored, and stands in recipients of messages.
    Permanent(AddressBookEntryId),
    /// Names an entry while a session lasts.
    Ephemeral {
        /// The server, as Bind said.
        server: Guid,
        /// What the entry is, as in [`AddressBookEntryId`].
        kind: u32,
        /// Its id in the session.
        mid: MId,
    },
}

impl EntryId {
    /// Reads an entry id that fills `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.first() == Some(&EPHEMERAL) {
            return Self::read_ephemeral(bytes);
        }
        match entry_id::EntryId::from_bytes(bytes)? {
            entry_id::EntryId::AddressBook(id) => Ok(Self::Permanent(id)),
            _ => Err(Reader::new(bytes).error("an entry id of the address book")),
        }
    }

    fn read_ephemeral(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        if reader.array("flags of an entry id")? != [EPHEMERAL, 0, 0, 0] {
            return Err(Reader::new(bytes).error("flags 135, 0, 0, 0 of an ephemeral entry id"));
        }
        let server = Guid::read(&mut reader)?;
        let version = reader.clone();
        if reader.u32("the version of an entry id")? != VERSION {
            return Err(version.error("version 1 of an entry id"));
        }
        let id = Self::Ephemeral {
            server,
            kind: reader.u32("the kind of an entry")?,
            mid: MId(reader.u32("an id of an entry")?),
        };
        reader.finish("the end of an entry id")?;
        Ok(id)
    }

    /// Its octets.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (server, kind, mid) = match self {
            Self::Permanent(id) => return entry_id::EntryId::AddressBook(id.clone()).to_bytes(),
            Self::Ephemeral { server, kind, mid } => (server, kind, mid),
        };
        let mut writer = Writer::new();
        writer.put(&[EPHEMERAL, 0, 0, 0]);
        writer.put(&server.0);
        writer.u32(VERSION);
        writer.u32(*kind);
        writer.u32(mid.0);
        writer.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROVIDER: &[u8; 16] = b"\xdc\xa7\x40\xc8\xc0\x42\x10\x1a\xb4\xb9\x08\x00\x2b\x2f\xe1\x82";

    fn check(id: &EntryId, bytes: &[u8]) {
        assert_eq!(&EntryId::from_bytes(bytes).unwrap(), id);
        assert_eq!(id.to_bytes(), bytes);
        for cut in 0..bytes.len() {
            assert!(EntryId::from_bytes(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn a_permanent_id_has_a_name() {
        let bytes = [&[0; 4][..], PROVIDER, b"\x01\0\0\0\0\x01\0\0/\0"].concat();
        let kind = 0x100;
        let dn = b"/".as_slice().into();
        check(&EntryId::Permanent(AddressBookEntryId { kind, dn }), &bytes);
    }

    #[test]
    fn an_ephemeral_id_has_a_number() {
        let bytes = [
            &[0x87, 0, 0, 0][..],
            &[7; 16],
            b"\x01\0\0\0\0\0\0\0\x12\0\0\0",
        ]
        .concat();
        let id = EntryId::Ephemeral {
            server: Guid([7; 16]),
            kind: 0,
            mid: MId(0x12),
        };
        check(&id, &bytes);
    }

    #[test]
    fn other_entry_ids_are_refused_with_their_place() {
        let permanent = [&[0; 4][..], PROVIDER, b"\x01\0\0\0\0\0\0\0/\0"].concat();
        let ephemeral = [
            &[0x87, 0, 0, 0][..],
            &[7; 16],
            b"\x01\0\0\0\0\0\0\0\x12\0\0\0",
        ]
        .concat();
        let cases = [
            (&permanent, 4, 0),
            (&permanent, 20, 20),
            (&ephemeral, 1, 0),
            (&ephemeral, 20, 20),
        ];
        for (bytes, damaged, at) in cases {
            let mut bytes = bytes.clone();
            bytes[damaged] ^= 2;
            assert_eq!(EntryId::from_bytes(&bytes).unwrap_err().at, at);
        }
    }
}

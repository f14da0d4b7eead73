//! What names an entry of the address book for ever, or for a session. Source: MS-OXNSPI 2.2.9.

use super::MId;
use crate::{
    cursor::{Reader, Result, Writer},
    http::body::Text8,
    ids::Guid,
};

/// The provider in every permanent entry id: the address book of Exchange.
pub const PROVIDER: Guid = Guid([
    0xdc, 0xa7, 0x40, 0xc8, 0xc0, 0x42, 0x10, 0x1a, 0xb4, 0xb9, 0x08, 0x00, 0x2b, 0x2f, 0xe1, 0x82,
]);

/// The version of both layouts.
const VERSION: u32 = 1;

const PERMANENT: u8 = 0x00;
const EPHEMERAL: u8 = 0x87;

/// An entry id of the address book.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EntryId {
    /// Names an entry for ever: may be stored, and stands in recipients of messages.
    Permanent {
        /// What the entry is: 0 a mailbox, 1 a distribution list, 0x100 an address list, …
        display_type: u32,
        /// Its distinguished name.
        dn: Text8,
    },
    /// Names an entry while a session lasts.
    Ephemeral {
        /// The server, as Bind said.
        server: Guid,
        /// What the entry is.
        display_type: u32,
        /// Its id in the session.
        mid: MId,
    },
}

impl EntryId {
    /// Reads an entry id, to the last octet.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let [kind, flags @ ..] = reader.array::<4>("the flags of an entry id")?;
        if flags != [0; 3] {
            return Err(Reader::at(bytes, 1).error("reserved octets of 0"));
        }
        let provider = Guid::read(&mut reader)?;
        let at_version = reader.position();
        if reader.u32("version 1 of an entry id")? != VERSION {
            return Err(Reader::at(bytes, at_version).error("version 1 of an entry id"));
        }
        let display_type = reader.u32("a display type")?;
        let id = match kind {
            PERMANENT if provider == PROVIDER => Self::Permanent {
                display_type,
                dn: Text8(reader.cstr("a distinguished name")?.into()),
            },
            PERMANENT => return Err(Reader::at(bytes, 4).error("the provider of the address book")),
            EPHEMERAL => Self::Ephemeral {
                server: provider,
                display_type,
                mid: MId(reader.u32("an id of an entry")?),
            },
            _ => return Err(Reader::new(bytes).error("an entry id of the address book")),
        };
        reader.finish("the end of the entry id")?;
        Ok(id)
    }

    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, provider, display_type) = match self {
            Self::Permanent { display_type, .. } => (PERMANENT, &PROVIDER, *display_type),
            Self::Ephemeral {
                server,
                display_type,
                ..
            } => (EPHEMERAL, server, *display_type),
        };
        let mut writer = Writer::new();
        writer.put(&[kind, 0, 0, 0]);
        writer.put(&provider.0);
        writer.u32(VERSION);
        writer.u32(display_type);
        match self {
            Self::Permanent { dn, .. } => writer.cstr(&dn.0),
            Self::Ephemeral { mid, .. } => writer.u32(mid.0),
        }
        writer.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: &EntryId, bytes: &[u8]) {
        assert_eq!(&EntryId::decode(bytes).unwrap(), id);
        assert_eq!(id.encode(), bytes);
        for cut in 0..bytes.len() {
            assert!(EntryId::decode(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn a_permanent_id_has_a_name() {
        let mut bytes = vec![0; 4];
        bytes.extend(PROVIDER.0);
        bytes.extend(b"\x01\0\0\0\0\x01\0\0/\0");
        let id = EntryId::Permanent {
            display_type: 0x100,
            dn: "/".into(),
        };
        check(&id, &bytes);
        assert_eq!(PROVIDER.to_string(), "c840a7dc-42c0-1a10-b4b9-08002b2fe182");
    }

    #[test]
    fn an_ephemeral_id_has_a_number() {
        let mut bytes = vec![0x87, 0, 0, 0];
        bytes.extend([7; 16]);
        bytes.extend(b"\x01\0\0\0\0\0\0\0\x12\0\0\0");
        let id = EntryId::Ephemeral {
            server: Guid([7; 16]),
            display_type: 0,
            mid: MId(0x12),
        };
        check(&id, &bytes);
    }

    #[test]
    fn other_entry_ids_are_refused_with_their_place() {
        let mut bytes = vec![0; 4];
        bytes.extend([1; 16]);
        bytes.extend(b"\x01\0\0\0\0\0\0\0/\0");
        assert_eq!(EntryId::decode(&bytes).unwrap_err().at, 4);
        bytes[20] = 2;
        assert_eq!(EntryId::decode(&bytes).unwrap_err().at, 20);
        bytes[1] = 2;
        assert_eq!(EntryId::decode(&bytes).unwrap_err().at, 1);
    }
}

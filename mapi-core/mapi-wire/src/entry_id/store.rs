//! Entry ids of stores. Source: MS-OXCDATA 2.2.4.3.

use crate::{
    cursor::{Reader, Result, Writer},
    ids::Guid,
};

/// The provider in the entry id of a private store.
pub const PRIVATE_STORE: Guid =
    Guid(*b"\x1b\x55\xfa\x20\xaa\x66\x11\xcd\x9b\xc8\x00\xaa\x00\x2f\xc4\x5a");

/// The provider in the entry id of the public store.
pub const PUBLIC_STORE: Guid =
    Guid(*b"\x1c\x83\x02\x10\xaa\x66\x11\xcd\x9b\xc8\x00\xaa\x00\x2f\xc4\x5a");

/// A store. Source: MS-OXCDATA 2.2.4.3.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoreEntryId {
    /// The library that opens it, up to 14 octets; `emsmdb.dll`.
    pub library: Box<[u8]>,
    /// [`PRIVATE_STORE`] or [`PUBLIC_STORE`].
    pub provider: Guid,
    /// 0xc for a mailbox, 0x6 for the public store.
    pub kind: u32,
    /// The server.
    pub server: Box<[u8]>,
    /// The legacy DN of the mailbox; of the public store there may be none.
    pub dn: Option<Box<[u8]>>,
    /// What newer clients append (V2, V3): of no use to others.
    pub appended: Box<[u8]>,
}

impl StoreEntryId {
    /// A mailbox.
    pub const MAILBOX: u32 = 0xc;
    /// Octets of the name of the library.
    const LIBRARY: usize = 14;

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.u16("version and flag of a store")?;
        let library = reader.take(Self::LIBRARY, "the library of a store")?;
        let library = library
            .split(|&octet| octet == 0)
            .next()
            .unwrap_or_default();
        reader.u32("flags of a store")?;
        let provider = Guid(reader.array("the provider of a store")?);
        let kind = reader.u32("the kind of a store")?;
        let server = reader.cstr("the server of a store")?;
        let dn = match reader.is_empty() {
            true => None,
            false => Some(reader.cstr("the legacy DN of a mailbox")?.into()),
        };
        Ok(Self {
            library: library.into(),
            provider,
            kind,
            server: server.into(),
            dn,
            appended: reader.rest().into(),
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u16(0);
        let mut library = [0; Self::LIBRARY];
        for (place, octet) in library.iter_mut().zip(&self.library) {
            *place = *octet;
        }
        writer.put(&library);
        writer.u32(0);
        writer.put(&self.provider.0);
        writer.u32(self.kind);
        writer.cstr(&self.server);
        if let Some(dn) = &self.dn {
            writer.cstr(dn);
            writer.put(&self.appended);
        }
    }
}

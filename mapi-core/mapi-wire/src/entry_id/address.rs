//! Entry ids of addresses. Source: MS-OXCDATA 2.2.5.

use crate::cursor::{Reader, Result, Utf16, Writer};

/// Somebody in the address book. Source: MS-OXCDATA 2.2.5.2.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AddressBookEntryId {
    /// What it is: 0 a user, 1 a distribution list, 2 a public folder, 3 an agent, 4 an organisation, 5 a private
    /// list, 6 a remote user, 0x100 a container.
    pub kind: u32,
    /// The legacy DN.
    pub dn: Box<[u8]>,
}

/// An address that is in no address book. Source: MS-OXCDATA 2.2.5.1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OneOffEntryId {
    /// How to send to it; without the bit that says UTF-16.
    pub flags: u16,
    /// Its names.
    pub names: OneOffNames,
}

/// The names of a one-off address in one of two encodings.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OneOffNames {
    /// UTF-16.
    Unicode(Names<Utf16>),
    /// Octets in the code page of whoever wrote it.
    Ansi(Names<Box<[u8]>>),
}

/// What names an address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Names<T> {
    /// What people call it.
    pub display_name: T,
    /// How to read the address: `SMTP`.
    pub address_type: T,
    /// The address.
    pub address: T,
}

/// An address of a contact, or a personal distribution list. Source: MS-OXCDATA 2.2.5.3, 2.2.5.4.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ContactEntryId {
    /// 4 for an address of a contact, 5 for a personal distribution list.
    pub kind: u32,
    /// Which address of the contact, from 0; 0xff for a list.
    pub index: u32,
    /// The entry id of the contact or list.
    pub message: Box<[u8]>,
}

impl AddressBookEntryId {
    /// The version that all have.
    const VERSION: u32 = 1;

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let version = reader.clone();
        if reader.u32("the version of an address")? != Self::VERSION {
            return Err(version.error("version 1 of an address"));
        }
        Ok(Self {
            kind: reader.u32("the kind of an address")?,
            dn: reader.cstr("a legacy DN")?.into(),
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u32(Self::VERSION);
        writer.u32(self.kind);
        writer.cstr(&self.dn);
    }
}

impl OneOffEntryId {
    /// In [`Self::flags`]: the receiver should get plain MIME, no TNEF.
    pub const NO_TNEF: u16 = 0x0001;
    /// The bit that says UTF-16.
    const UNICODE: u16 = 0x8000;

    /// An Internet address, as clients write it.
    pub fn smtp(display_name: &str, address: &str) -> Self {
        Self {
            flags: 0x1000 | Self::NO_TNEF,
            names: OneOffNames::Unicode(Names {
                display_name: display_name.into(),
                address_type: "SMTP".into(),
                address: address.into(),
            }),
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.u16("the version of a one-off address")?;
        let flags = reader.u16("flags of a one-off address")?;
        let names = match flags & Self::UNICODE != 0 {
            true => OneOffNames::Unicode(Names::read(reader, |reader| {
                reader.wstr("a name of a one-off address")
            })?),
            false => OneOffNames::Ansi(Names::read(reader, |reader| {
                Ok(reader.cstr("a name of a one-off address")?.into())
            })?),
        };
        Ok(Self {
            flags: flags & !Self::UNICODE,
            names,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u16(0);
        match &self.names {
            OneOffNames::Unicode(names) => {
                writer.u16(self.flags | Self::UNICODE);
                names.write(|name| writer.wstr(name));
            }
            OneOffNames::Ansi(names) => {
                writer.u16(self.flags & !Self::UNICODE);
                names.write(|name| writer.cstr(name));
            }
        }
    }
}

impl<T> Names<T> {
    fn read(reader: &mut Reader<'_>, read: impl Fn(&mut Reader<'_>) -> Result<T>) -> Result<Self> {
        Ok(Self {
            display_name: read(reader)?,
            address_type: read(reader)?,
            address: read(reader)?,
        })
    }

    fn write(&self, mut write: impl FnMut(&T)) {
        write(&self.display_name);
        write(&self.address_type);
        write(&self.address);
    }
}

impl ContactEntryId {
    /// The version that all have.
    const VERSION: u32 = 3;

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let version = reader.clone();
        if reader.u32("the version of a contact")? != Self::VERSION {
            return Err(version.error("version 3 of a contact"));
        }
        let kind = reader.u32("the kind of a contact")?;
        let index = reader.u32("the index of an address")?;
        let len = reader.u32("the length of an entry id")? as usize;
        Ok(Self {
            kind,
            index,
            message: reader.take(len, "the entry id of a contact")?.into(),
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u32(Self::VERSION);
        writer.u32(self.kind);
        writer.u32(self.index);
        writer.u32(self.message.len() as u32);
        writer.put(&self.message);
    }
}

//! Identities on the wire. Source: MS-OXCDATA 2.2, MS-OXCFXICS 2.2.2.

use std::fmt;

use crate::cursor::{Reader, Result, Writer};

/// A GUID in wire order.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// From the numbers of its text form `{d1-d2-d3-d4}`.
    pub const fn from_fields(d1: u32, d2: u16, d3: u16, d4: [u8; 8]) -> Self {
        let [a, b, c, d] = d1.to_le_bytes();
        let [e, f] = d2.to_le_bytes();
        let [g, h] = d3.to_le_bytes();
        let [i, j, k, l, m, n, o, p] = d4;
        Self([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self(reader.array("a guid")?))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g, h, i, rest @ ..] = self.0;
        write!(f, "{:08x}", u32::from_le_bytes([a, b, c, d]))?;
        write!(f, "-{:04x}", u16::from_le_bytes([e, g]))?;
        write!(f, "-{:04x}-", u16::from_le_bytes([h, i]))?;
        for (place, octet) in rest.iter().enumerate() {
            let dash = if place == 2 { "-" } else { "" };
            write!(f, "{dash}{octet:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A counter of 48 bits, big-endian on the wire (GLOBCNT): ids and change numbers of one replica.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Globcnt(pub [u8; 6]);

impl Globcnt {
    /// The highest counter.
    pub const MAX: u64 = (1 << 48) - 1;

    /// From a number; bits above 48 are left out.
    pub const fn from_u64(value: u64) -> Self {
        let [_, _, a, b, c, d, e, f] = value.to_be_bytes();
        Self([a, b, c, d, e, f])
    }

    /// As a number.
    pub const fn to_u64(self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }
}

impl fmt::Debug for Globcnt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.to_u64())
    }
}

/// A folder id, message id or change number within one logon: replica number and counter.
/// Source: MS-OXCDATA 2.2.1.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Id {
    /// The replica, numbered per logon; 0 with counter 0: no object.
    pub replid: u16,
    /// The counter.
    pub globcnt: Globcnt,
}

impl Id {
    pub(crate) fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        Ok(Self {
            replid: reader.u16(expected)?,
            globcnt: Globcnt(reader.array(expected)?),
        })
    }

    pub(crate) fn write(self, writer: &mut Writer) {
        writer.u16(self.replid);
        writer.put(&self.globcnt.0);
    }

    /// The eight wire octets as a little-endian number: how such ids look as PtypInteger64 (PidTagMid, PidTagFolderId).
    pub const fn to_u64(self) -> u64 {
        let [a, b] = self.replid.to_le_bytes();
        let [c, d, e, f, g, h] = self.globcnt.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// From the PtypInteger64 form.
    pub const fn from_u64(value: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
        Self {
            replid: u16::from_le_bytes([a, b]),
            globcnt: Globcnt([c, d, e, f, g, h]),
        }
    }
}

/// An id that means the same in every logon: replica GUID and counter (GID; LongTermID without its padding).
/// Source: MS-OXCDATA 2.2.1.3.1 (24 octets with padding), MS-OXCFXICS 2.2.2.1 (22 octets).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Gid {
    /// The replica.
    pub replguid: Guid,
    /// The counter.
    pub globcnt: Globcnt,
}

impl Gid {
    /// Octets of a source key made by a server.
    pub const BYTES: usize = 22;

    /// The 22 octets of a source key; `None` when it has another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (guid, counter) = bytes.split_first_chunk::<16>()?;
        Some(Self {
            replguid: Guid(*guid),
            globcnt: Globcnt(counter.try_into().ok()?),
        })
    }

    /// The 22 octets of a source key.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (guid, counter) = bytes.split_at_mut(16);
        guid.copy_from_slice(&self.replguid.0);
        counter.copy_from_slice(&self.globcnt.0);
        bytes
    }

    /// Reads a LongTermID: 24 octets, the last two padding.
    pub(crate) fn read_long_term(reader: &mut Reader<'_>) -> Result<Self> {
        let id = Self {
            replguid: Guid::read(reader)?,
            globcnt: Globcnt(reader.array("a counter of a long-term id")?),
        };
        reader.u16("padding of a long-term id")?;
        Ok(id)
    }

    /// Writes a LongTermID.
    pub(crate) fn write_long_term(self, writer: &mut Writer) {
        writer.put(&self.to_bytes());
        writer.u16(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_prints_as_the_documents_write_it() {
        let guid = Guid::from_fields(
            0xdca7_40c8,
            0xc042,
            0x101a,
            [0xb4, 0xb9, 8, 0, 0x2b, 0x2f, 0xe1, 0x82],
        );
        assert_eq!(guid.to_string(), "dca740c8-c042-101a-b4b9-08002b2fe182");
        assert_eq!(&guid.0[..4], [0xc8, 0x40, 0xa7, 0xdc]);
    }

    #[test]
    fn an_id_as_a_number_keeps_its_octets() {
        let id = Id {
            replid: 1,
            globcnt: Globcnt::from_u64(0x010203),
        };
        assert_eq!(id.to_u64(), 0x0302_0100_0000_0001);
        assert_eq!(Id::from_u64(id.to_u64()), id);
        assert_eq!(id.globcnt.to_u64(), 0x010203);
    }
}

//! Responses that answer no request of their own. Source: MS-OXCROPS 2.2.14.3, 2.2.15.

use crate::cursor::{Reader, Result, Writer};

/// RopIds of these responses.
pub(super) mod id {
    pub(in crate::rop) const NOTIFY: u8 = 0x2a;
    pub(in crate::rop) const PENDING: u8 = 0x6e;
    pub(in crate::rop) const BACKOFF: u8 = 0xf9;
    pub(in crate::rop) const BUFFER_TOO_SMALL: u8 = 0xff;

    pub(in crate::rop) const fn is_special(id: u8) -> bool {
        matches!(id, NOTIFY | PENDING | BACKOFF | BUFFER_TOO_SMALL)
    }
}

/// Another session of the same client has notifications to fetch. Source: MS-OXCROPS 2.2.14.3.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pending {
    /// Which session.
    pub session_index: u16,
}

/// The server is busy: what to leave for how long. Source: MS-OXCROPS 2.2.15.2.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Backoff {
    /// The logon.
    pub logon_id: u8,
    /// For how long everything of the logon is to be left, in milliseconds, when no ROP is named.
    pub duration_ms: u32,
    /// The ROPs that are to be left; none: all.
    pub rops: Vec<BackoffRop>,
    /// More, of which nothing is known.
    pub additional_data: Box<[u8]>,
}

/// A ROP to leave for a while. Source: MS-OXCROPS 2.2.15.2.1.1.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BackoffRop {
    /// Its RopId.
    pub rop_id: u8,
    /// How long, in milliseconds.
    pub duration_ms: u32,
}

/// The response has no room for what remains: ask again for that with a larger one. Source: MS-OXCROPS 2.2.15.1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BufferTooSmall {
    /// How many octets the responses need, about.
    pub size_needed: u16,
    /// The requests that were not carried out, as they came.
    pub request_buffers: Box<[u8]>,
}

impl Pending {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            session_index: reader.u16("the session that has notifications")?,
        })
    }

    pub(super) fn write(self, writer: &mut Writer) {
        writer.u16(self.session_index);
    }
}

impl Backoff {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let logon_id = reader.u8("the logon to leave for a while")?;
        let duration_ms = reader.u32("how long to leave a logon")?;
        let count = reader.u8("a count of ROPs to leave for a while")?;
        let mut rop = || {
            Ok(BackoffRop {
                rop_id: reader.u8("a ROP to leave for a while")?,
                duration_ms: reader.u32("how long to leave a ROP")?,
            })
        };
        let rops = (0..count).map(|_| rop()).collect::<Result<_>>()?;
        let size = reader.u16("the size of additional data")?;
        Ok(Self {
            logon_id,
            duration_ms,
            rops,
            additional_data: reader.take(size.into(), "additional data")?.into(),
        })
    }

    /// ROPs beyond the count's octet are left out.
    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u8(self.logon_id);
        writer.u32(self.duration_ms);
        let count = self.rops.len().min(usize::from(u8::MAX));
        writer.u8(count as u8);
        for rop in self.rops.iter().take(count) {
            writer.u8(rop.rop_id);
            writer.u32(rop.duration_ms);
        }
        writer.u16(self.additional_data.len() as u16);
        writer.put(&self.additional_data);
    }
}

impl BufferTooSmall {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self {
            size_needed: reader.u16("how many octets are needed")?,
            request_buffers: reader.rest().into(),
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u16(self.size_needed);
        writer.put(&self.request_buffers);
    }
}

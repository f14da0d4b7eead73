//! Why a part of a stream is missing. Source: MS-OXCFXICS 2.2.2.10 (ExtendedErrorInfo), 2.2.4.3.4 (errorInfo).

use mapi_types::PropTag;

use super::property::{Property, find};
use crate::{
    cursor::{Reader, Result},
    ids::Gid,
};

/// The property of an errorInfo that has the reason.
const EXTENDED_ERROR_INFO: PropTag = PropTag(0x0000_0102);

/// What could not be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Failure {
    /// The error code.
    pub code: u32,
    /// The folder that was being sent.
    pub folder: Option<Gid>,
    /// The message that was being sent.
    pub message: Option<Gid>,
}

impl Failure {
    /// From the properties of [`super::Event::Failure`]; `None` when they do not say.
    pub fn from_properties(props: &[Property]) -> Option<Self> {
        let octets = find(props, EXTENDED_ERROR_INFO)?.as_octets()?;
        Self::read(&mut Reader::new(octets)).ok()
    }

    /// Reads the structure as far as it says something.
    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.u16("the version of an error")?;
        reader.u16("the padding of an error")?;
        Ok(Self {
            code: reader.u32("an error code")?,
            folder: gid(reader)?,
            message: gid(reader)?,
        })
    }

    /// The property that says so.
    pub fn to_property(self) -> Property {
        let gid = |gid: Option<Gid>| gid.unwrap_or_default().to_bytes();
        let mut octets = vec![0; 4];
        octets.extend(self.code.to_le_bytes());
        for id in [self.folder, self.message] {
            octets.extend(gid(id));
            octets.extend([0; 2]);
        }
        // Reserved, and no auxiliary blocks.
        octets.extend([0; 24 + 8]);
        Property::binary(EXTENDED_ERROR_INFO.0, &octets)
    }
}

/// An id; all zeros means none.
fn gid(reader: &mut Reader<'_>) -> Result<Option<Gid>> {
    let gid = Gid::from_bytes(reader.take(Gid::BYTES, "an id of what failed")?);
    reader.u16("the padding of an id")?;
    Ok(gid.filter(|gid| *gid != Gid::default()))
}

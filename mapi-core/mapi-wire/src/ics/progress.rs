//! How much there is to come. Source: MS-OXCFXICS 2.2.2.7 (ProgressInformation), 2.2.4.3.17, 2.2.4.3.18.

use mapi_types::PropTag;

use crate::{
    cursor::{DecodeError, Reader, Result, Writer},
    fast_transfer::{Property, find},
};

/// The properties of progress have a type and no id.
const INFORMATION: u32 = 0x0000_0102;
const SIZE: u32 = 0x0000_0003;
const ASSOCIATED: u32 = 0x0000_000b;

/// All that a contents synchronization will bring.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Progress {
    /// Hidden (FAI) messages.
    pub associated_count: u32,
    /// Their sizes together, in octets.
    pub associated_octets: u64,
    /// Messages for people.
    pub normal_count: u32,
    /// Their sizes together, in octets.
    pub normal_octets: u64,
}

/// The next message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct MessageProgress {
    /// Its size in octets.
    pub octets: u32,
    /// Whether it is a hidden (FAI) message.
    pub associated: bool,
}

impl Progress {
    /// From the properties of [`crate::fast_transfer::Event::Progress`]. Errors: what is missing or broken.
    pub fn from_properties(props: &[Property]) -> Result<Self> {
        let information = find(props, PropTag(INFORMATION)).and_then(Property::as_octets);
        let Some(octets) = information else {
            return Err(DecodeError {
                at: 0,
                expected: "the information on progress",
            });
        };
        let reader = &mut Reader::new(octets);
        reader.u16("the version of progress")?;
        reader.u16("the padding of progress")?;
        let associated_count = reader.u32("a count of hidden messages")?;
        let associated_octets = reader.u64("the size of hidden messages")?;
        let normal_count = reader.u32("a count of messages")?;
        reader.u32("the padding of progress")?;
        Ok(Self {
            associated_count,
            associated_octets,
            normal_count,
            normal_octets: reader.u64("the size of messages")?,
        })
    }

    /// The properties.
    pub fn to_properties(self) -> Vec<Property> {
        let mut writer = Writer::new();
        writer.u16(0);
        writer.u16(0);
        writer.u32(self.associated_count);
        writer.u64(self.associated_octets);
        writer.u32(self.normal_count);
        writer.u32(0);
        writer.u64(self.normal_octets);
        vec![Property::binary(INFORMATION, writer.as_bytes())]
    }
}

impl MessageProgress {
    /// From the properties of a change; what is missing is zero.
    pub fn from_properties(props: &[Property]) -> Self {
        let get = |tag| find(props, PropTag(tag));
        Self {
            octets: get(SIZE)
                .and_then(Property::as_i32)
                .unwrap_or_default()
                .cast_unsigned(),
            associated: get(ASSOCIATED)
                .and_then(Property::as_bool)
                .unwrap_or_default(),
        }
    }

    /// The properties.
    pub fn to_properties(self) -> Vec<Property> {
        vec![
            Property::i32(SIZE, self.octets.cast_signed()),
            Property::bool(ASSOCIATED, self.associated),
        ]
    }
}

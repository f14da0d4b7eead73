//! Extended buffers: how ROP payloads and auxiliary blocks are wrapped, alike in MAPI over HTTP and in RPC.
//!
//! A buffer is a chain of headers (RPC_HEADER_EXT) and payloads; a payload may be compressed, then obfuscated. Each
//! payload of a ROP buffer is one list of ROPs with its handle table. Source: MS-OXCRPC 2.2.2.1, 3.1.4.1.1, 3.1.4.2.1.

use std::{borrow::Cow, fmt};

use crate::{
    cursor::{DecodeError, Reader, Result, Writer},
    lz77,
};

/// Octets of a header.
pub const HEADER_BYTES: usize = 8;

/// The most octets of a payload that we write, before compression. Source: MS-OXCRPC 3.1.4.2.1.2.2.
pub const PAYLOAD_BYTES_MAX: usize = 0x8000;

/// The most payloads in one buffer. Source: MS-OXCRPC 3.1.4.2.1.2.2.
pub const PAYLOADS_MAX: usize = 96;

/// The most octets of a ROP buffer in a request. Source: MS-OXCRPC 3.1.4.2, cbIn.
pub const REQUEST_BYTES_MAX: usize = 0x4_0000;

/// The most octets a client may ask for in a response, unless the server offers more. Source: MS-OXCRPC 3.1.4.2, pcbOut.
pub const RESPONSE_BYTES_MAX: usize = 0x4_0000;

/// The most octets a client may ask for when the server has the capability of ultra large packed downloads.
/// Source: MS-OXCRPC 2.2.2.2.19.
pub const RESPONSE_BYTES_MAX_LARGE: usize = 0x10_0000;

/// What to ask for without packing: one payload and its header.
pub const RESPONSE_BYTES_UNPACKED: usize = PAYLOAD_BYTES_MAX + HEADER_BYTES;

/// The most octets of an auxiliary buffer. Source: MS-OXCRPC 3.1.4.1, cbAuxIn.
pub const AUX_BYTES_MAX: usize = 0x1008;

/// Payloads shorter than this are not worth compressing.
const COMPRESS_BYTES_MIN: usize = 256;

/// What obfuscation does to every octet.
const OBFUSCATION: u8 = 0xa5;

const COMPRESSED: u16 = 1;
const OBFUSCATED: u16 = 2;
const LAST: u16 = 4;

/// How payloads are to be wrapped, or were.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Packing {
    /// LZ77, where it makes a payload shorter.
    pub compressed: bool,
    /// Every octet differs by a constant.
    pub obfuscated: bool,
}

/// One payload, unwrapped.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Payload<'a> {
    /// How it came.
    pub packing: Packing,
    /// What it is.
    pub bytes: Cow<'a, [u8]>,
}

/// Payloads that no buffer can hold: a fault of the caller.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JoinError {
    /// A payload has more than [`PAYLOAD_BYTES_MAX`] octets.
    PayloadTooBig,
    /// There are more than [`PAYLOADS_MAX`].
    TooManyPayloads,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PayloadTooBig => "a payload has more than 32 KiB",
            Self::TooManyPayloads => "a buffer holds at most 96 payloads",
        })
    }
}

impl std::error::Error for JoinError {}

/// Splits a buffer into its payloads, uncompressed. An empty buffer (of a call that failed) has none.
///
/// What comes out is at most [`PAYLOADS_MAX`] times 64 KiB. Errors inside a compressed payload count from where its
/// compressed octets start.
pub fn split(bytes: &[u8]) -> Result<Vec<Payload<'_>>> {
    let mut reader = Reader::new(bytes);
    let mut payloads = Vec::new();
    while !reader.is_empty() {
        if payloads.len() >= PAYLOADS_MAX {
            return Err(reader.error("at most 96 payloads"));
        }
        let (payload, is_last) = read_one(&mut reader)?;
        payloads.push(payload);
        if is_last {
            reader.finish("the end of the buffer after its last payload")?;
            return Ok(payloads);
        }
    }
    match payloads.is_empty() {
        true => Ok(payloads),
        false => Err(reader.error("a last payload")),
    }
}

/// Unwraps a buffer of exactly one payload: an auxiliary buffer. An empty buffer is an empty payload.
pub fn unwrap_one(bytes: &[u8]) -> Result<Cow<'_, [u8]>> {
    if bytes.is_empty() {
        return Ok(Cow::Borrowed(&[]));
    }
    let mut reader = Reader::new(bytes);
    let (payload, is_last) = read_one(&mut reader)?;
    if !is_last {
        return Err(reader.error("one payload only"));
    }
    reader.finish("the end of the buffer after its payload")?;
    Ok(payload.bytes)
}

/// Wraps payloads into one buffer, each with its header.
pub fn join(payloads: &[impl AsRef<[u8]>], packing: Packing) -> Result<Vec<u8>, JoinError> {
    if payloads.len() > PAYLOADS_MAX {
        return Err(JoinError::TooManyPayloads);
    }
    let mut writer = Writer::new();
    for (place, payload) in payloads.iter().enumerate() {
        let last = if place + 1 == payloads.len() { LAST } else { 0 };
        write_one(&mut writer, payload.as_ref(), packing, last)?;
    }
    Ok(writer.into_bytes())
}

fn read_one<'a>(reader: &mut Reader<'a>) -> Result<(Payload<'a>, bool)> {
    if reader.u16("version 0 of an extended buffer")? != 0 {
        return Err(before(reader, 2, "version 0 of an extended buffer"));
    }
    let flags = reader.u16("flags of an extended buffer")?;
    if flags & !(COMPRESSED | OBFUSCATED | LAST) != 0 {
        return Err(before(reader, 2, "known flags of an extended buffer"));
    }
    let size = usize::from(reader.u16("the size of a payload")?);
    let size_plain = usize::from(reader.u16("the uncompressed size of a payload")?);
    let packing = Packing {
        compressed: flags & COMPRESSED != 0,
        obfuscated: flags & OBFUSCATED != 0,
    };
    if !packing.compressed && size != size_plain {
        return Err(before(reader, 2, "equal sizes of an uncompressed payload"));
    }
    let start = reader.position();
    let mut bytes = Cow::Borrowed(reader.take(size, "a whole payload")?);
    if packing.obfuscated {
        bytes
            .to_mut()
            .iter_mut()
            .for_each(|octet| *octet ^= OBFUSCATION);
    }
    if packing.compressed {
        let plain = lz77::decode(&bytes, size_plain).map_err(|error| DecodeError {
            at: start + error.at,
            expected: error.expected,
        })?;
        bytes = Cow::Owned(plain);
    }
    Ok((Payload { packing, bytes }, flags & LAST != 0))
}

/// The error for a field that has just been read.
const fn before(reader: &Reader<'_>, octets: usize, expected: &'static str) -> DecodeError {
    DecodeError {
        at: reader.position() - octets,
        expected,
    }
}

fn write_one(
    writer: &mut Writer,
    payload: &[u8],
    packing: Packing,
    last: u16,
) -> Result<(), JoinError> {
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(JoinError::PayloadTooBig);
    }
    let mut flags = last;
    let mut bytes = Cow::Borrowed(payload);
    if packing.compressed && payload.len() >= COMPRESS_BYTES_MIN {
        let packed = lz77::encode(payload);
        if packed.len() < payload.len() {
            flags |= COMPRESSED;
            bytes = Cow::Owned(packed);
        }
    }
    if packing.obfuscated {
        flags |= OBFUSCATED;
        bytes
            .to_mut()
            .iter_mut()
            .for_each(|octet| *octet ^= OBFUSCATION);
    }
    writer.u16(0);
    writer.u16(flags);
    writer.u16(bytes.len() as u16);
    writer.u16(payload.len() as u16);
    writer.put(&bytes);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLAIN: Packing = Packing {
        compressed: false,
        obfuscated: false,
    };

    fn payloads(bytes: &[u8]) -> Vec<Vec<u8>> {
        let payloads = split(bytes).unwrap();
        payloads
            .into_iter()
            .map(|payload| payload.bytes.into_owned())
            .collect()
    }

    #[test]
    fn a_chain_has_one_last_payload() {
        let bytes = [0, 0, 0, 0, 1, 0, 1, 0, 7, 0, 0, 4, 0, 2, 0, 2, 0, 8, 9];
        assert_eq!(payloads(&bytes), [vec![7], vec![8, 9]]);
        assert_eq!(join(&[vec![7], vec![8, 9]], PLAIN).unwrap(), bytes);
    }

    #[test]
    fn obfuscation_follows_compression() {
        let payload = b"abc".repeat(100);
        let packing = Packing {
            compressed: true,
            obfuscated: true,
        };
        let bytes = join(&[&payload], packing).unwrap();
        let mut expected = vec![0, 0, 7, 0, 13, 0, 0x2c, 1];
        let packed = b"\xff\xff\xff\x1fabc\x17\0\x0f\xff\x26\x01";
        expected.extend(packed.iter().map(|octet| octet ^ 0xa5));
        assert_eq!(bytes, expected);
        let back = split(&bytes).unwrap();
        assert_eq!(back[0].packing, packing);
        assert_eq!(back[0].bytes, payload);
    }

    #[test]
    fn what_does_not_shrink_goes_as_it_is() {
        let payload: Vec<u8> = (0..=255).collect();
        let packing = Packing {
            compressed: true,
            obfuscated: false,
        };
        let bytes = join(&[&payload], packing).unwrap();
        assert_eq!(bytes[..HEADER_BYTES], [0, 0, 4, 0, 0, 1, 0, 1]);
    }

    #[test]
    fn a_call_that_failed_has_no_payload() {
        assert_eq!(split(&[]), Ok(vec![]));
        assert_eq!(unwrap_one(&[]).unwrap().len(), 0);
    }

    #[test]
    fn what_is_broken_says_where() {
        let cases: [(&[u8], usize, &str); 7] = [
            (
                &[1, 0, 4, 0, 0, 0, 0, 0],
                0,
                "version 0 of an extended buffer",
            ),
            (
                &[0, 0, 8, 0, 0, 0, 0, 0],
                2,
                "known flags of an extended buffer",
            ),
            (
                &[0, 0, 4, 0, 1, 0, 2, 0, 9],
                6,
                "equal sizes of an uncompressed payload",
            ),
            (&[0, 0, 4, 0, 2, 0, 2, 0, 9], 8, "a whole payload"),
            (
                &[0, 0, 4, 0, 0, 0, 0, 0, 9],
                8,
                "the end of the buffer after its last payload",
            ),
            (&[0, 0, 0, 0, 0, 0, 0, 0], 8, "a last payload"),
            (
                &[0, 0, 5, 0, 4, 0, 9, 0, 0, 0, 0, 0],
                12,
                "as many octets as announced",
            ),
        ];
        for (bytes, at, expected) in cases {
            let error = split(bytes).unwrap_err();
            assert_eq!((error.at, error.expected), (at, expected), "{bytes:?}");
        }
    }

    #[test]
    fn a_chain_has_a_bound() {
        let chain = |payloads| join(&vec![[0_u8; 1]; payloads], PLAIN);
        assert_eq!(
            split(&chain(PAYLOADS_MAX).unwrap()).unwrap().len(),
            PAYLOADS_MAX
        );
        assert_eq!(chain(PAYLOADS_MAX + 1), Err(JoinError::TooManyPayloads));
        let big = vec![0_u8; PAYLOAD_BYTES_MAX + 1];
        assert_eq!(join(&[big], PLAIN), Err(JoinError::PayloadTooBig));
        let empty = [0, 0, 0, 0, 0, 0, 0, 0].repeat(PAYLOADS_MAX + 1);
        assert_eq!(split(&empty).unwrap_err().expected, "at most 96 payloads");
    }

    proptest! {
        #[test]
        fn any_octets_are_split_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = split(&bytes);
            let _ = unwrap_one(&bytes);
        }

        #[test]
        fn what_is_joined_splits_into_the_same(
            chunks in prop::collection::vec(prop::collection::vec(0_u8..3, 0..2000), 1..5),
            compressed: bool,
            obfuscated: bool,
        ) {
            let bytes = join(&chunks, Packing { compressed, obfuscated }).unwrap();
            prop_assert_eq!(payloads(&bytes), chunks);
        }
    }
}

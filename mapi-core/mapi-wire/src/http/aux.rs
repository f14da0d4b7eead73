//! Auxiliary blocks: what clients and servers tell each other beside the ROPs. All are optional; unknown ones are kept.
//!
//! Source: MS-OXCRPC 2.2.2.2.

use crate::{
    buffer::{self, Packing},
    cursor::{Reader, Result, Writer},
};

/// Octets of a block's header.
const HEADER_BYTES: usize = 4;

/// One block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Block {
    /// The version of its layout.
    pub version: u8,
    /// What it is: one of [`kinds`], or another.
    pub kind: u8,
    /// What follows the header.
    pub body: Box<[u8]>,
}

/// Kinds of blocks that servers send. Source: MS-OXCRPC 2.2.2.2.
pub mod kinds {
    /// AUX_CLIENT_CONTROL: what the client shall report.
    pub const CLIENT_CONTROL: u8 = 0x0a;
    /// AUX_EXORGINFO: what the organisation has.
    pub const ORGANISATION: u8 = 0x17;
    /// AUX_SERVER_CAPABILITIES.
    pub const SERVER_CAPABILITIES: u8 = 0x46;
    /// AUX_ENDPOINT_CAPABILITIES.
    pub const ENDPOINT_CAPABILITIES: u8 = 0x48;
    /// AUX_SERVER_SESSION_INFO: how a server names this session in its logs, as UTF-16.
    pub const SERVER_SESSION_INFO: u8 = 0x4b;
}

/// What a server can do beyond the ordinary: bits of AUX_SERVER_CAPABILITIES. Source: MS-OXCRPC 2.2.2.2.19.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ServerCapabilities(pub u32);

impl ServerCapabilities {
    /// The client may pack RopFastTransferDestinationPutBuffer and its extended form.
    pub const PACKED_FAST_TRANSFER_UPLOAD: u32 = 1;
    /// The client may pack RopWriteStreamExtended.
    pub const PACKED_WRITE_STREAM_UPLOAD: u32 = 2;
    /// The client may ask for [`buffer::RESPONSE_BYTES_MAX_LARGE`].
    pub const ULTRA_LARGE_PACKED_DOWNLOAD: u32 = 8;

    /// Whether the server has a capability.
    pub const fn has(self, capability: u32) -> bool {
        self.0 & capability != 0
    }
}

impl Block {
    /// AUX_EXORGINFO, version 1. Bits: 1 public folders exist, 2 they are found by Autodiscover.
    pub fn organisation(flags: u32) -> Self {
        Self::of(kinds::ORGANISATION, &flags.to_le_bytes())
    }

    /// AUX_CLIENT_CONTROL, version 1: flags, and for how many milliseconds they hold.
    pub fn client_control(flags: u32, expiry_ms: u32) -> Self {
        let mut body = flags.to_le_bytes().to_vec();
        body.extend_from_slice(&expiry_ms.to_le_bytes());
        Self::of(kinds::CLIENT_CONTROL, &body)
    }

    /// AUX_ENDPOINT_CAPABILITIES, version 1. Bit 1: one endpoint serves all calls.
    pub fn endpoint_capabilities(flags: u32) -> Self {
        Self::of(kinds::ENDPOINT_CAPABILITIES, &flags.to_le_bytes())
    }

    /// AUX_SERVER_CAPABILITIES, version 1.
    pub fn server_capabilities(capabilities: ServerCapabilities) -> Self {
        Self::of(kinds::SERVER_CAPABILITIES, &capabilities.0.to_le_bytes())
    }

    fn of(kind: u8, body: &[u8]) -> Self {
        Self {
            version: 1,
            kind,
            body: body.into(),
        }
    }
}

/// Reads the blocks of an auxiliary buffer, which may be empty. Errors count from the start of its payload.
pub fn decode(aux: &[u8]) -> Result<Vec<Block>> {
    let payload = buffer::unwrap_one(aux)?;
    let mut reader = Reader::new(&payload);
    let mut blocks = Vec::new();
    while !reader.is_empty() {
        let size = usize::from(reader.u16("the size of an auxiliary block")?);
        let Some(len) = size.checked_sub(HEADER_BYTES) else {
            return Err(reader.error("a size that holds the header of an auxiliary block"));
        };
        blocks.push(Block {
            version: reader.u8("the version of an auxiliary block")?,
            kind: reader.u8("the type of an auxiliary block")?,
            body: reader.take(len, "a whole auxiliary block")?.into(),
        });
    }
    Ok(blocks)
}

/// Wraps blocks into an auxiliary buffer; none at all is an empty one.
pub fn encode(blocks: &[Block]) -> Result<Vec<u8>, buffer::JoinError> {
    if blocks.is_empty() {
        return Ok(Vec::new());
    }
    let mut writer = Writer::new();
    for block in blocks {
        let size = block.body.len() + HEADER_BYTES;
        if size > buffer::AUX_BYTES_MAX {
            return Err(buffer::JoinError::PayloadTooBig);
        }
        writer.u16(size as u16);
        writer.u8(block.version);
        writer.u8(block.kind);
        writer.put(&block.body);
    }
    if writer.len() + buffer::HEADER_BYTES > buffer::AUX_BYTES_MAX {
        return Err(buffer::JoinError::PayloadTooBig);
    }
    buffer::join(&[writer.into_bytes()], Packing::default())
}

/// What the server can do, if it says so.
pub fn server_capabilities(blocks: &[Block]) -> Option<ServerCapabilities> {
    let block = blocks
        .iter()
        .find(|block| block.kind == kinds::SERVER_CAPABILITIES)?;
    let flags = block.body.first_chunk::<4>()?;
    Some(ServerCapabilities(u32::from_le_bytes(*flags)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: [u8; 20] = [
        0, 0, 4, 0, 12, 0, 12, 0, // extended buffer
        8, 0, 1, 0x46, 9, 0, 0, 0, // capabilities
        4, 0, 2, 0x52, // undocumented, sent by Outlook 2016
    ];

    #[test]
    fn unknown_blocks_are_kept() {
        let blocks = decode(&BYTES).unwrap();
        let capabilities = server_capabilities(&blocks).unwrap();
        assert!(capabilities.has(ServerCapabilities::ULTRA_LARGE_PACKED_DOWNLOAD));
        assert!(!capabilities.has(ServerCapabilities::PACKED_WRITE_STREAM_UPLOAD));
        assert_eq!((blocks[1].version, blocks[1].kind), (2, 0x52));
        assert_eq!(encode(&blocks).unwrap(), BYTES);
    }

    #[test]
    fn blocks_that_a_server_sends() {
        let blocks = [
            Block::organisation(3),
            Block::client_control(0, 0x240c_8400),
            Block::endpoint_capabilities(1),
        ];
        let bytes = encode(&blocks).unwrap();
        assert_eq!(
            bytes[8..],
            [
                8, 0, 1, 0x17, 3, 0, 0, 0, 12, 0, 1, 0x0a, 0, 0, 0, 0, 0, 0x84, 0x0c, 0x24, 8, 0,
                1, 0x48, 1, 0, 0, 0
            ]
        );
        assert_eq!(decode(&bytes).unwrap(), blocks);
    }

    #[test]
    fn a_size_within_the_header_is_refused() {
        let error = decode(&[0, 0, 4, 0, 4, 0, 4, 0, 3, 0, 1, 1]).unwrap_err();
        assert_eq!(
            error.expected,
            "a size that holds the header of an auxiliary block"
        );
    }

    #[test]
    fn a_buffer_has_a_bound() {
        let block = Block {
            version: 1,
            kind: 2,
            body: vec![0; buffer::AUX_BYTES_MAX].into(),
        };
        assert_eq!(encode(&[block]), Err(buffer::JoinError::PayloadTooBig));
    }
}

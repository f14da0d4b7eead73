//! Messages on their way into a store, and read back from it.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;

use crate::{Content, ItemKey, PropBag};

/// A message object: properties, recipients and attachments. Source: MS-OXCMSG 1.1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageTree {
    /// Its own properties.
    pub props: PropBag,
    /// One bag a recipient; [`crate::tags::RECIPIENT_TYPE`] says To, Cc or Bcc. Source: MS-OXCMSG 2.2.3.
    pub recipients: Vec<PropBag>,
    /// Attachment objects, in order. Source: MS-OXCMSG 2.2.2.
    pub attachments: Vec<Attachment>,
}

/// An attachment object.
#[derive(Clone, Debug, PartialEq)]
pub struct Attachment {
    /// Its properties, without the data.
    pub props: PropBag,
    /// Its data.
    pub data: AttachmentData,
}

/// Where an attachment's data is.
#[derive(Clone, Debug, PartialEq)]
pub enum AttachmentData {
    /// No data (for example a reference).
    None,
    /// In this buffer (PidTagAttachDataBinary).
    Inline(Bytes),
    /// A range of the message's original bytes, still transfer-encoded: a message that came as RFC 5322 keeps
    /// its attachments once.
    Part {
        /// Octets of the original.
        range: Range<u64>,
        /// How they are encoded.
        encoding: TransferEncoding,
    },
    /// An embedded message (PidTagAttachDataObject).
    Message(Box<MessageTree>),
}

/// How a MIME part's octets are encoded. Source: RFC 2045 6.1.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum TransferEncoding {
    /// 7bit, 8bit, binary, or a name nobody knows: the octets are the data.
    #[default]
    Identity,
    /// base64.
    Base64,
    /// quoted-printable.
    QuotedPrintable,
}

/// What is computed once from an original and kept beside it, so that reading never parses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Derived {
    /// Revision of the code that computed it; a later one may compute it again.
    pub renderer: u32,
    /// ENVELOPE facts, in the encoding of `mapi-convert`.
    pub envelope: Bytes,
    /// The part tree with byte ranges, in the encoding of `mapi-convert`.
    pub structure: Bytes,
    /// The top-level header block with its blank line; empty when it is above 64 KiB (read the original then).
    pub header: Bytes,
}

/// What several copies of one message share: what it says and the bytes it came as.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Its properties, recipients and attachments.
    pub tree: MessageTree,
    /// The bytes it came as (RFC 5322, iCalendar, vCard), kept for ever.
    pub original: Option<Content>,
    /// Facts computed from the original.
    pub derived: Derived,
}

/// One message to be saved. Cloning is a few reference counts.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Chosen by the caller so that a retry saves nothing twice; `None` lets the store choose.
    pub key: Option<ItemKey>,
    /// What all copies share.
    pub message: Arc<Message>,
    /// Properties of this copy alone (flags, delivery time, keywords): they win over the shared ones.
    pub props: PropBag,
    /// Header fields of this copy alone (Return-Path, Delivered-To, Received), before the original's bytes.
    pub prefix: Bytes,
}

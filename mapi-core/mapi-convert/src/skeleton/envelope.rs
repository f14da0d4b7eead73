//! ENVELOPE facts, read in place.

use super::{
    codec::Reader,
    encode::{VERSION, unzigzag},
};

/// The facts of IMAP's ENVELOPE in a message's `Derived::envelope`. `Copy`, no allocation.
///
/// Texts and address parts are raw octets of the header: unfolded, without CR, LF and NUL, RFC 2047 words not decoded,
/// possibly 8-bit. Source: RFC 9051 7.5.2.
#[derive(Clone, Copy, Debug)]
pub struct EnvelopeView<'a> {
    sent: Option<(i64, i32)>,
    date: Option<&'a [u8]>,
    subject: Option<&'a [u8]>,
    from: &'a [u8],
    sender: &'a [u8],
    reply_to: &'a [u8],
    to: &'a [u8],
    cc: &'a [u8],
    bcc: &'a [u8],
    in_reply_to: Option<&'a [u8]>,
    message_id: Option<&'a [u8]>,
}

/// One address of an ENVELOPE list.
///
/// A group begins with an address whose `host` is `None` and whose `mailbox` is its name, and ends with one where both
/// are `None`. An address written without a domain has the host `MISSING_DOMAIN`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressView<'a> {
    /// Display name.
    pub name: Option<&'a [u8]>,
    /// Source route (at-domain-list).
    pub adl: Option<&'a [u8]>,
    /// Local part, or a group's name.
    pub mailbox: Option<&'a [u8]>,
    /// Domain.
    pub host: Option<&'a [u8]>,
}

impl<'a> EnvelopeView<'a> {
    /// Reads `Derived::envelope`; `None` when it is damaged or of another version.
    pub fn new(encoded: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(encoded);
        if reader.byte()? != VERSION {
            return None;
        }
        let sent = match reader.byte()? {
            0 => None,
            _ => {
                let unix = unzigzag(reader.number()?);
                Some((unix, i32::try_from(unzigzag(reader.number()?)).ok()?))
            }
        };
        Some(Self {
            sent,
            date: reader.octets()?,
            subject: reader.octets()?,
            from: reader.block()?,
            sender: reader.block()?,
            reply_to: reader.block()?,
            to: reader.block()?,
            cc: reader.block()?,
            bcc: reader.block()?,
            in_reply_to: reader.octets()?,
            message_id: reader.octets()?,
        })
    }

    /// The Date field understood: seconds since 1970-01-01 UTC, and minutes the sender's zone is east of UTC.
    pub const fn sent(&self) -> Option<(i64, i32)> {
        self.sent
    }

    /// The Date field as written.
    pub const fn date(&self) -> Option<&'a [u8]> {
        self.date
    }

    /// Subject.
    pub const fn subject(&self) -> Option<&'a [u8]> {
        self.subject
    }

    /// From.
    pub fn from(&self) -> Addresses<'a> {
        Addresses(Reader(self.from))
    }

    /// Sender, or From when there is none.
    pub fn sender(&self) -> Addresses<'a> {
        Addresses(Reader(if self.sender.is_empty() {
            self.from
        } else {
            self.sender
        }))
    }

    /// Reply-To, or From when there is none.
    pub fn reply_to(&self) -> Addresses<'a> {
        Addresses(Reader(if self.reply_to.is_empty() {
            self.from
        } else {
            self.reply_to
        }))
    }

    /// To.
    pub fn to(&self) -> Addresses<'a> {
        Addresses(Reader(self.to))
    }

    /// Cc.
    pub fn cc(&self) -> Addresses<'a> {
        Addresses(Reader(self.cc))
    }

    /// Bcc.
    pub fn bcc(&self) -> Addresses<'a> {
        Addresses(Reader(self.bcc))
    }

    /// In-Reply-To.
    pub const fn in_reply_to(&self) -> Option<&'a [u8]> {
        self.in_reply_to
    }

    /// Message-ID.
    pub const fn message_id(&self) -> Option<&'a [u8]> {
        self.message_id
    }
}

/// The addresses of one ENVELOPE list, in order. None at all is NIL.
#[derive(Clone, Debug)]
pub struct Addresses<'a>(Reader<'a>);

impl Addresses<'_> {
    /// Whether the list is NIL.
    pub const fn is_empty(&self) -> bool {
        self.0.0.is_empty()
    }
}

impl<'a> Iterator for Addresses<'a> {
    type Item = AddressView<'a>;

    fn next(&mut self) -> Option<AddressView<'a>> {
        if self.is_empty() {
            return None;
        }
        Some(AddressView {
            name: self.0.octets()?,
            adl: self.0.octets()?,
            mailbox: self.0.octets()?,
            host: self.0.octets()?,
        })
    }
}

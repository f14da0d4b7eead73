//! ENVELOPE (RFC 3501 7.4.2).

use super::text::write_nstring;

/// The envelope of a message: header fields as octets, encoded words left as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// `Date`, as written.
    pub date: Option<&'a [u8]>,
    /// `Subject`, unfolded.
    pub subject: Option<&'a [u8]>,
    /// `From`
    pub from: &'a [Address<'a>],
    /// `Sender`; the same as `from` when the field is missing (the caller sees to it).
    pub sender: &'a [Address<'a>],
    /// `Reply-To`; the same as `from` when the field is missing.
    pub reply_to: &'a [Address<'a>],
    /// `To`
    pub to: &'a [Address<'a>],
    /// `Cc`
    pub cc: &'a [Address<'a>],
    /// `Bcc`
    pub bcc: &'a [Address<'a>],
    /// `In-Reply-To`
    pub in_reply_to: Option<&'a [u8]>,
    /// `Message-ID`
    pub message_id: Option<&'a [u8]>,
}

/// An address; also the start of a group (`mailbox` its name, no `host`) and its end (neither).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Address<'a> {
    /// The display name.
    pub name: Option<&'a [u8]>,
    /// The source route, long out of use.
    pub route: Option<&'a [u8]>,
    /// What stands before the `@`.
    pub mailbox: Option<&'a [u8]>,
    /// The domain.
    pub host: Option<&'a [u8]>,
}

impl Envelope<'_> {
    /// Appends the envelope in its parentheses.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(b'(');
        write_nstring(out, self.date);
        out.push(b' ');
        write_nstring(out, self.subject);
        for list in [
            self.from,
            self.sender,
            self.reply_to,
            self.to,
            self.cc,
            self.bcc,
        ] {
            out.push(b' ');
            addresses(out, list);
        }
        out.push(b' ');
        write_nstring(out, self.in_reply_to);
        out.push(b' ');
        write_nstring(out, self.message_id);
        out.push(b')');
    }
}

fn addresses(out: &mut Vec<u8>, list: &[Address<'_>]) {
    if list.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for address in list {
        out.push(b'(');
        write_nstring(out, address.name);
        out.push(b' ');
        write_nstring(out, address.route);
        out.push(b' ');
        write_nstring(out, address.mailbox);
        out.push(b' ');
        write_nstring(out, address.host);
        out.push(b')');
    }
    out.push(b')');
}

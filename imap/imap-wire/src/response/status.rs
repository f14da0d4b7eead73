//! Status responses, greetings and continuation requests (RFC 3501 7.1, 7.5).

use super::text::write_line_text;
use super::{Code, Writer};
use crate::base64::encode_base64;
use crate::command::Tag;

/// The kind of a status response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// `OK`
    Ok,
    /// `NO`
    No,
    /// `BAD`
    Bad,
    /// `PREAUTH`, as a greeting only.
    PreAuth,
    /// `BYE`, untagged only.
    Bye,
}

impl Status {
    const fn name(self) -> &'static [u8] {
        match self {
            Self::Ok => b"OK",
            Self::No => b"NO",
            Self::Bad => b"BAD",
            Self::PreAuth => b"PREAUTH",
            Self::Bye => b"BYE",
        }
    }
}

impl Writer<'_> {
    /// `tag OK [CODE] text`: the end of a command.
    pub fn tagged(&mut self, tag: &Tag, status: Status, code: Option<&Code<'_>>, text: &str) {
        self.out.extend_from_slice(tag.as_str().as_bytes());
        self.status_rest(status, code, text);
    }

    /// `* OK [CODE] text`
    pub fn untagged(&mut self, status: Status, code: Option<&Code<'_>>, text: &str) {
        self.out.push(b'*');
        self.status_rest(status, code, text);
    }

    fn status_rest(&mut self, status: Status, code: Option<&Code<'_>>, text: &str) {
        self.out.push(b' ');
        self.out.extend_from_slice(status.name());
        self.out.push(b' ');
        if let Some(code) = code {
            self.out.push(b'[');
            code.write(self.out);
            self.out.extend_from_slice(b"] ");
        }
        // RFC 3501 9: there is always at least one character of text.
        write_line_text(self.out, if text.is_empty() { "." } else { text });
        self.out.extend_from_slice(b"\r\n");
    }

    /// `+ text`: the client may go on.
    pub fn continuation(&mut self, text: &str) {
        self.out.extend_from_slice(b"+ ");
        write_line_text(self.out, text);
        self.out.extend_from_slice(b"\r\n");
    }

    /// `+ base64`: a SASL challenge, possibly empty.
    pub fn challenge(&mut self, challenge: &[u8]) {
        self.out.extend_from_slice(b"+ ");
        encode_base64(challenge, self.out);
        self.out.extend_from_slice(b"\r\n");
    }
}

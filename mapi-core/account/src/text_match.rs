//! Finding a text in decoded text, whatever its transfer encoding, charset and case.

use mapi_convert::{charset, decode::Decoder, encoded_word, header};
use mapi_types::TransferEncoding;

/// Octets of a body that are decoded to text at once.
const WINDOW_BYTES: usize = 256 << 10;

/// How far back from the end of a window the next one may begin so that it begins with a line.
const LINE_BYTES_MAX: usize = 8 << 10;

/// A text to look for, in lower case.
#[derive(Clone, Debug)]
pub(crate) struct Needle(Box<str>);

impl Needle {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_lowercase().into())
    }

    /// Whether it matches everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn is_in(&self, text: &str) -> bool {
        text.to_lowercase().contains(&*self.0)
    }

    /// Whether a field of that name contains it.
    pub(crate) fn is_in_field(&self, block: &[u8], name: &str) -> bool {
        header::fields(block)
            .filter(|field| field.is(name))
            .any(|field| self.is_empty() || self.is_in(&encoded_word::decode(field.value)))
    }

    /// Whether any field, its name included, contains it.
    pub(crate) fn is_in_header(&self, block: &[u8]) -> bool {
        self.is_empty()
            || header::fields(block).any(|field| self.is_in(&encoded_word::decode(field.raw)))
    }
}

/// Looks for a text in one body that comes in pieces, in memory of a few windows.
///
/// A window overlaps the one before it by more than the text is long; it begins with a line where it can, so that
/// charsets with shift states, which end them with the line, are read rightly.
pub(crate) struct BodyMatch {
    decoder: Decoder,
    charset: Option<Box<[u8]>>,
    window: Vec<u8>,
}

impl BodyMatch {
    pub(crate) fn new(encoding: TransferEncoding, charset: Option<&[u8]>) -> Self {
        Self {
            decoder: Decoder::new(encoding),
            charset: charset.map(Into::into),
            window: Vec::new(),
        }
    }

    /// Takes the next octets; whether the text was found.
    pub(crate) fn feed(&mut self, octets: &[u8], needle: &Needle) -> bool {
        octets.chunks(WINDOW_BYTES).any(|octets| {
            self.decoder.push(octets, &mut self.window);
            if self.window.len() < WINDOW_BYTES {
                return false;
            }
            let found = self.look(needle);
            self.keep_tail(needle);
            found
        })
    }

    /// The body ends here; whether the text was found in what is left.
    pub(crate) fn finish(mut self, needle: &Needle) -> bool {
        std::mem::replace(&mut self.decoder, Decoder::new(TransferEncoding::Identity))
            .finish(&mut self.window);
        self.look(needle)
    }

    fn look(&self, needle: &Needle) -> bool {
        needle.is_in(&charset::decode(self.charset.as_deref(), &self.window))
    }

    fn keep_tail(&mut self, needle: &Needle) {
        // No charset takes more than four octets where lower-case UTF-8 takes one.
        let overlap = (4 * needle.0.len() + 16).min(self.window.len());
        let from = self.window.len() - overlap;
        let line_from = from.saturating_sub(LINE_BYTES_MAX);
        let before = self.window.get(line_from..from).unwrap_or_default();
        let line = before.iter().rposition(|byte| *byte == b'\n');
        self.window
            .drain(..line.map_or(from, |at| line_from + at + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_fields_are_decoded_and_compared_without_case() {
        let block = "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nTo: a@example.test\r\n\r\n".as_bytes();
        let check = |name: &str, text: &str| Needle::new(text).is_in_field(block, name);
        assert!(check("SUBJECT", "GRÜß"));
        assert!(check("subject", ""));
        assert!(!check("cc", ""));
        assert!(!check("to", "grüße"));
        assert!(Needle::new("to: A@").is_in_header(block));
    }

    #[test]
    fn a_text_across_pieces_and_windows_is_found() {
        for (at, piece) in [
            (0, 1000),
            (WINDOW_BYTES - 3, 1000),
            (3 * WINDOW_BYTES, 1 << 20),
        ] {
            let mut body = "x".repeat(at);
            body.push_str("Näh");
            body.push_str(&"y".repeat(WINDOW_BYTES));
            let needle = Needle::new("nÄH");
            let mut find = BodyMatch::new(TransferEncoding::Identity, Some(b"utf-8"));
            let found = body
                .as_bytes()
                .chunks(piece)
                .any(|piece| find.feed(piece, &needle));
            assert!(found || find.finish(&needle), "at {at}, pieces of {piece}");
        }
    }

    #[test]
    fn encodings_and_charsets_are_undone() {
        let check = |encoding, charset: &str, body: &[u8], text: &str| {
            let needle = Needle::new(text);
            let mut find = BodyMatch::new(encoding, Some(charset.as_bytes()));
            assert!(find.feed(body, &needle) || find.finish(&needle), "{text}");
        };
        check(
            TransferEncoding::Base64,
            "utf-8",
            b"R3LDvMOf\r\nZQ==",
            "grüße",
        );
        check(
            TransferEncoding::QuotedPrintable,
            "iso-8859-1",
            b"caf=\r\n=E9",
            "CAFÉ",
        );
        check(
            TransferEncoding::Identity,
            "iso-2022-jp",
            b"\x1b$B$\"\x1b(B",
            "あ",
        );
    }
}

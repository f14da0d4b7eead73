//! The text of a part, for search and previews: transfer encoding, charset and markup undone, in pieces.

use encoding_rs::{CoderResult, WINDOWS_1252};

use crate::{PartView, charset, decode::Decoder, encoded_word, header, html::HtmlText, parameter};

/// Reads a text part: [`PartText::push`] all octets of its body in order, then [`PartText::finish`].
///
/// Memory is bounded whatever the part's size; the text grows only where the caller lets it.
pub struct PartText {
    transfer: Decoder,
    charset: CharsetDecoder,
    html: Option<HtmlText>,
    octets: Vec<u8>,
    decoded: String,
}

impl PartText {
    /// A reader of that part's body; `None` when it is not text.
    pub fn new(part: &PartView<'_>) -> Option<Self> {
        if !part.is_type("text") {
            return None;
        }
        let params: Vec<parameter::Param> = part
            .params
            .map(|(name, value)| parameter::Param {
                name: name.into(),
                value: value.into(),
            })
            .collect();
        let label = parameter::joined_raw(&params, "charset");
        Some(Self {
            transfer: Decoder::new(part.transfer_encoding()),
            charset: CharsetDecoder::new(label.as_deref()),
            html: part
                .subtype
                .eq_ignore_ascii_case(b"html")
                .then(HtmlText::default),
            octets: Vec::new(),
            decoded: String::new(),
        })
    }

    /// Appends the text of the next octets to `out`, as far as it is certain.
    pub fn push(&mut self, octets: &[u8], out: &mut String) {
        self.octets.clear();
        self.transfer.push(octets, &mut self.octets);
        self.pass(false, out);
    }

    /// The body ends here; appends what was held back.
    pub fn finish(mut self, out: &mut String) {
        self.octets.clear();
        let transfer = std::mem::replace(&mut self.transfer, Decoder::new(Default::default()));
        transfer.finish(&mut self.octets);
        self.pass(true, out);
        if let Some(html) = self.html {
            html.finish(out);
        }
    }

    fn pass(&mut self, last: bool, out: &mut String) {
        let Some(html) = &mut self.html else {
            return self.charset.push(&self.octets, last, out);
        };
        self.decoded.clear();
        self.charset.push(&self.octets, last, &mut self.decoded);
        html.push(&self.decoded, out);
    }
}

/// Appends the text of a header block: every field on its line, unfolded, RFC 2047 words decoded.
pub fn header_text(block: &[u8], out: &mut String) {
    for field in header::fields(block) {
        out.push_str(&charset::decode(None, field.name));
        out.push_str(": ");
        out.push_str(&encoded_word::decode(field.value));
        out.push('\n');
    }
}

/// A charset undone in pieces. Undeclared text is UTF-8 up to the first octet that is not, windows-1252 from there.
enum CharsetDecoder {
    Declared(encoding_rs::Decoder),
    /// Octets of a character that is not complete.
    Guessed {
        held: Vec<u8>,
    },
    /// UTF-7 is decoded at the end, as far as [`UTF7_BYTES_MAX`].
    Utf7 {
        held: Vec<u8>,
    },
}

/// Octets of a UTF-7 text; nobody writes long ones.
const UTF7_BYTES_MAX: usize = 1 << 20;

impl CharsetDecoder {
    fn new(label: Option<&[u8]>) -> Self {
        if label.is_some_and(charset::is_utf7) {
            return Self::Utf7 { held: Vec::new() };
        }
        match label.and_then(charset::encoding) {
            Some(encoding) => Self::Declared(encoding.new_decoder_without_bom_handling()),
            None => Self::Guessed { held: Vec::new() },
        }
    }

    fn push(&mut self, octets: &[u8], last: bool, out: &mut String) {
        match self {
            Self::Declared(decoder) => decode_all(decoder, octets, last, out),
            Self::Utf7 { held } => {
                let room = UTF7_BYTES_MAX.saturating_sub(held.len());
                held.extend_from_slice(octets.get(..room).unwrap_or(octets));
                if last {
                    out.push_str(&charset::decode(Some(b"utf-7"), held));
                }
            }
            Self::Guessed { held } => {
                held.extend_from_slice(octets);
                let valid = match std::str::from_utf8(held) {
                    Ok(text) => {
                        out.push_str(text);
                        return held.clear();
                    }
                    Err(error) if error.error_len().is_none() && !last => error.valid_up_to(),
                    Err(error) => {
                        let (text, rest) = held
                            .split_at_checked(error.valid_up_to())
                            .unwrap_or_default();
                        out.push_str(std::str::from_utf8(text).unwrap_or_default());
                        let mut decoder = WINDOWS_1252.new_decoder_without_bom_handling();
                        decode_all(&mut decoder, rest, last, out);
                        *self = Self::Declared(decoder);
                        return;
                    }
                };
                let text = held
                    .get(..valid)
                    .and_then(|text| std::str::from_utf8(text).ok());
                out.push_str(text.unwrap_or_default());
                held.drain(..valid);
            }
        }
    }
}

fn decode_all(decoder: &mut encoding_rs::Decoder, mut octets: &[u8], last: bool, out: &mut String) {
    loop {
        out.reserve(
            decoder
                .max_utf8_buffer_length(octets.len())
                .unwrap_or(octets.len())
                .min(64 << 10)
                + 16,
        );
        let (result, read, _) = decoder.decode_to_string(octets, out, last);
        octets = octets.get(read..).unwrap_or_default();
        if result == CoderResult::InputEmpty {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Scanner, StructureView};

    fn text_of(message: &[u8], step: usize) -> Option<String> {
        let mut scanner = Scanner::new(Limits::default());
        scanner.feed(message);
        let derived = scanner.finish().derived();
        let root = StructureView::new(&derived.structure).unwrap().root();
        let body = &message[root.body().start as usize..root.body().end as usize];
        let mut reader = PartText::new(&root)?;
        let mut out = String::new();
        for piece in body.chunks(step) {
            reader.push(piece, &mut out);
        }
        reader.finish(&mut out);
        Some(out)
    }

    fn check(message: &[u8], expected: Option<&str>) {
        for step in [1, 3, 1000] {
            assert_eq!(text_of(message, step).as_deref(), expected);
        }
    }

    #[test]
    fn text_is_found_below_encoding_charset_and_markup() {
        check(b"\n\nplain \xc3\xa9", Some("\nplain é"));
        check(b"\nguess \xc3\xa9 then \xe9\xe9", Some("guess é then éé"));
        check(
            b"Content-Type: text/plain; charset=utf-7\n\n+AOk-",
            Some("é"),
        );
        check(
            b"Content-Type: text/html; charset=koi8-r\nContent-Transfer-Encoding: quoted-printable\n\n<p>=C1=\n=C2</p>",
            Some("аб"),
        );
        check(
            b"Content-Type: text/plain; charset=big5\nContent-Transfer-Encoding: base64\n\npEGl",
            Some("乙\u{fffd}"),
        );
        check(b"Content-Type: image/png\n\nx", None);
    }

    #[test]
    fn header_text_is_decoded() {
        let mut out = String::new();
        header_text(
            b"Subject: =?utf-8?Q?=C3=A9?=\r\n x\r\nTo: a\r\n\r\n",
            &mut out,
        );
        assert_eq!(out, "Subject: é x\nTo: a\n");
    }
}

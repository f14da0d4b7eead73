//! Body texts in the transfer encoding that suits them. Source: RFC 2045 6.

use bytes::Bytes;

use super::segment::Segment;

/// No line of 7bit or 8bit text is longer. Source: RFC 2045 2.7.
const LINE_MAX: usize = 998;
/// Characters of a quoted-printable line. Source: RFC 2045 6.7.
const QUOTED_LINE_MAX: usize = 76;

/// An encoded text and the name of its encoding.
pub(super) struct Encoded {
    pub(super) name: &'static str,
    pub(super) segment: Segment,
}

/// Encodes a text: as it is when it is short-lined ASCII, else quoted-printable or base64, whichever is shorter.
pub(super) fn encode(text: &[u8]) -> Encoded {
    let text = crlf(text);
    let escapes = text.iter().filter(|b| needs_escape(**b)).count();
    let long = text
        .split(|b| *b == b'\n')
        .any(|line| line.len() > LINE_MAX);
    // An ending white space is fragile but legal; mail in the wild has it.
    let plain = escapes == text.iter().filter(|b| **b == b'=').count() && !long;
    if plain {
        return Encoded {
            name: "7bit",
            segment: Segment::Octets(text.into()),
        };
    }
    if text.len() + escapes * 2 <= text.len() * 4 / 3 {
        Encoded {
            name: "quoted-printable",
            segment: Segment::Octets(quoted_printable(&text)),
        }
    } else {
        Encoded {
            name: "base64",
            segment: Segment::Base64(text.into()),
        }
    }
}

/// Whether the octet cannot stand for itself in quoted-printable; line ends stand apart.
const fn needs_escape(octet: u8) -> bool {
    !matches!(octet, b' '..=b'<' | b'>'..=b'~' | b'\t' | b'\r' | b'\n')
}

/// Every line end as CRLF.
fn crlf(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 32);
    let mut octets = text.iter().copied().peekable();
    while let Some(octet) = octets.next() {
        match octet {
            b'\r' | b'\n' => {
                if octet == b'\r' && octets.peek() == Some(&b'\n') {
                    octets.next();
                }
                out.extend_from_slice(b"\r\n");
            }
            _ => out.push(octet),
        }
    }
    out
}

fn quoted_printable(text: &[u8]) -> Bytes {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = Vec::with_capacity(text.len() + text.len() / 4);
    for line in text.split_inclusive(|b| *b == b'\n') {
        let (content, end) = match line.strip_suffix(b"\r\n") {
            Some(content) => (content, &b"\r\n"[..]),
            None => (line, &b""[..]),
        };
        let mut column = 0;
        for (index, octet) in content.iter().enumerate() {
            let last = index + 1 == content.len();
            let escape = needs_escape(*octet) || (last && matches!(octet, b' ' | b'\t'));
            let width = if escape { 3 } else { 1 };
            // The last column is for the `=` of a soft line break.
            if column + width > QUOTED_LINE_MAX - usize::from(!last) {
                out.extend_from_slice(b"=\r\n");
                column = 0;
            }
            if escape {
                let digit = |value: u8| HEX.get(usize::from(value)).copied().unwrap_or(b'0');
                out.extend_from_slice(&[b'=', digit(octet >> 4), digit(octet & 0xf)]);
            } else {
                out.push(*octet);
            }
            column += width;
        }
        out.extend_from_slice(end);
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode;
    use mapi_types::TransferEncoding;

    #[test]
    fn texts_come_back_with_crlf_in_the_shortest_encoding() {
        let long = "x".repeat(3000);
        let cases = [
            ("a\nb\r\nc=d", "7bit"),
            ("caf\u{e9} with plenty of ascii around", "quoted-printable"),
            ("одна строка", "base64"),
            (&*long, "quoted-printable"),
            ("trail \t\nnaïve end \n", "quoted-printable"),
            ("nul\0 in ascii text", "quoted-printable"),
            ("", "7bit"),
        ];
        for (text, name) in cases {
            let encoded = encode(text.as_bytes());
            assert_eq!(encoded.name, name, "{text}");
            let mut wire = Vec::new();
            let export = super::super::Export {
                segments: vec![encoded.segment],
            };
            export
                .write(None, &mut |octets| wire.extend_from_slice(octets))
                .unwrap();
            assert_eq!(wire.len() as u64, export.size());
            assert!(name == "7bit" || wire.split(|b| *b == b'\n').all(|line| line.len() <= 77));
            let encoding = match name {
                "base64" => TransferEncoding::Base64,
                "quoted-printable" => TransferEncoding::QuotedPrintable,
                _ => TransferEncoding::Identity,
            };
            assert_eq!(decode::decode(encoding, &wire), crlf(text.as_bytes()));
        }
    }
}

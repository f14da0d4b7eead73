//! Transfer encodings undone, in pieces of any size and bounded memory.
//!
//! Tolerant: base64 passes over what is not in its alphabet and ends at the padding; quoted-printable keeps a `=` that
//! means nothing. Source: RFC 2045 6.7 and 6.8.

use mapi_types::TransferEncoding;

use crate::parameter::hex_digit;

/// White space at a line's end that quoted-printable holds back; a longer run is data.
const HELD_SPACE_MAX: usize = 998;

/// Undoes a transfer encoding: [`Decoder::push`] all octets in order, then [`Decoder::finish`].
#[derive(Clone, Debug)]
pub struct Decoder(State);

#[derive(Clone, Debug)]
enum State {
    Identity,
    Base64 {
        bits: u32,
        count: u8,
        ended: bool,
    },
    /// Octets whose meaning the next ones decide: white space, or what follows a `=`.
    QuotedPrintable {
        held: Vec<u8>,
    },
}

impl Decoder {
    /// A decoder at a body's first octet.
    pub const fn new(encoding: TransferEncoding) -> Self {
        Self(match encoding {
            TransferEncoding::Identity => State::Identity,
            TransferEncoding::Base64 => State::Base64 {
                bits: 0,
                count: 0,
                ended: false,
            },
            TransferEncoding::QuotedPrintable => State::QuotedPrintable { held: Vec::new() },
        })
    }

    /// Decodes the next octets, appends what is certain to `out`: never more than `octets` and what was held back.
    pub fn push(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        match &mut self.0 {
            State::Identity => out.extend_from_slice(octets),
            State::Base64 { bits, count, ended } => {
                for byte in octets {
                    if *ended {
                        return;
                    }
                    if let Some(value) = base64_value(*byte) {
                        *bits = *bits << 6 | u32::from(value);
                        *count += 1;
                        if *count == 4 {
                            let [_, group @ ..] = bits.to_be_bytes();
                            out.extend_from_slice(&group);
                            (*bits, *count) = (0, 0);
                        }
                    } else if *byte == b'=' && *count > 0 {
                        put_base64_tail(*bits, *count, out);
                        *ended = true;
                    }
                }
            }
            State::QuotedPrintable { held } => {
                for byte in octets {
                    push_quoted(held, *byte, out);
                }
            }
        }
    }

    /// The body ends here; appends what was held back.
    pub fn finish(self, out: &mut Vec<u8>) {
        match self.0 {
            State::Base64 {
                bits,
                count,
                ended: false,
            } => put_base64_tail(bits, count, out),
            // A `=` at the end of a line or of everything is a soft line break; white space there is none of the data.
            State::QuotedPrintable { held }
                if held.first() == Some(&b'=') && !is_line_tail(&held) =>
            {
                out.extend_from_slice(&held);
            }
            _ => {}
        }
    }
}

/// Decodes octets that are all in memory.
pub fn decode(encoding: TransferEncoding, octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    let mut decoder = Decoder::new(encoding);
    decoder.push(octets, &mut out);
    decoder.finish(&mut out);
    out
}

/// The value of a base64 digit.
pub(crate) const fn base64_value(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

fn put_base64_tail(bits: u32, count: u8, out: &mut Vec<u8>) {
    match count {
        2 => out.push((bits >> 4) as u8),
        3 => out.extend_from_slice(&((bits >> 2) as u16).to_be_bytes()),
        _ => {}
    }
}

/// Whether nothing but white space and CR follows the `=`.
fn is_line_tail(held: &[u8]) -> bool {
    held.iter()
        .skip(1)
        .all(|b| matches!(b, b' ' | b'\t' | b'\r'))
}

/// One octet of quoted-printable. `held` is empty, or white space, or `=` and up to one hexadecimal digit or white
/// space and CR.
fn push_quoted(held: &mut Vec<u8>, byte: u8, out: &mut Vec<u8>) {
    if held.first() == Some(&b'=') {
        let soft = held
            .iter()
            .skip(1)
            .all(|b| matches!(b, b' ' | b'\t' | b'\r'));
        match (held.as_slice(), byte) {
            ([_], _) if hex_digit(byte).is_some() => return held.push(byte),
            ([_, first], _) if hex_digit(*first).is_some() => {
                if let (Some(high), Some(low)) = (hex_digit(*first), hex_digit(byte)) {
                    out.push(high << 4 | low);
                    return held.clear();
                }
            }
            (_, b'\n') if soft => return held.clear(),
            (_, b' ' | b'\t' | b'\r') if soft && held.len() < HELD_SPACE_MAX => {
                return held.push(byte);
            }
            _ => {}
        }
        out.append(held);
    }
    match byte {
        b'=' => {
            out.append(held);
            held.push(byte);
        }
        b' ' | b'\t' => {
            held.push(byte);
            if held.len() > HELD_SPACE_MAX {
                out.append(held);
            }
        }
        b'\r' => {
            // White space before CR goes only if LF follows.
            if held.last() == Some(&b'\r') {
                out.append(held);
            }
            held.push(byte);
        }
        b'\n' => {
            let crlf = held.last() == Some(&b'\r');
            held.clear();
            out.extend_from_slice(if crlf { b"\r\n" } else { b"\n" });
        }
        _ => {
            out.append(held);
            out.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(encoding: TransferEncoding, input: &[u8], expected: &[u8]) {
        assert_eq!(
            decode(encoding, input),
            expected,
            "{}",
            String::from_utf8_lossy(input)
        );
        let mut out = Vec::new();
        let mut decoder = Decoder::new(encoding);
        for byte in input {
            decoder.push(&[*byte], &mut out);
        }
        decoder.finish(&mut out);
        assert_eq!(out, expected);
    }

    #[test]
    fn base64_is_decoded_whatever_is_in_between() {
        let check = |input, expected| check(TransferEncoding::Base64, input, expected);
        check(b"aGVs\r\nbG8=\r\n", b"hello");
        check(b"aGVsbG8", b"hello");
        check(b"a G!V.sbA==-- \r\nlist footer", b"hell");
        check(b"aGVsb", b"hel");
        check(b"====", b"");
    }

    #[test]
    fn quoted_printable_is_decoded_and_what_means_nothing_stays() {
        let check = |input, expected| check(TransferEncoding::QuotedPrintable, input, expected);
        check(b"a=3D=c3=A9 b=\r\nc=\nd \t\r\ne", b"a=\xc3\xa9 bcd\r\ne");
        check(b"x =4\ny =\tz", b"x =4\ny =\tz");
        check(b"a = b =Z =4 =", b"a = b =Z =4 ");
        check(b"soft=  \r\nbreak", b"softbreak");
        check(b"bare\rcr \r x", b"bare\rcr \r x");
        check(b"end =4", b"end =4");
        check(b"end   ", b"end");
    }
}

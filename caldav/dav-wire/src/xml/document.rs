//! The octets of a body as text: UTF-8 or UTF-16, with nothing in it that XML forbids.

use std::borrow::Cow;

use crate::error::{BodyError, Fault, Result};
use crate::limits::{Limit, Limits};
use crate::xml::syntax::is_char;

/// The text of a body (RFC 4918 17 asks for UTF-8 and UTF-16; XML 1.0 4.3.3 for a mark before the latter).
pub(crate) fn decode<'a>(body: &'a [u8], limits: &Limits) -> Result<Cow<'a, str>> {
    if body.len() > limits.body_bytes_max {
        return Err(BodyError {
            at: limits.body_bytes_max,
            fault: Fault::Limit(Limit::BodyBytes),
        });
    }
    let text = match body {
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)?),
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)?),
        [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(utf8(rest)?),
        _ => Cow::Borrowed(utf8(body)?),
    };
    match text.char_indices().find(|(_, c)| !is_char(*c)) {
        Some((at, _)) => Err(syntax(at, "a character that XML allows")),
        None => Ok(text),
    }
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| syntax(error.valid_up_to(), "UTF-8"))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String> {
    let mut text = String::with_capacity(bytes.len());
    let (pairs, rest) = bytes.as_chunks::<2>();
    for c in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        text.push(c.map_err(|_| syntax(text.len(), "UTF-16"))?);
    }
    if rest.is_empty() {
        Ok(text)
    } else {
        Err(syntax(text.len(), "UTF-16"))
    }
}

const fn syntax(at: usize, expected: &'static str) -> BodyError {
    BodyError {
        at,
        fault: Fault::Syntax(expected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_8_and_utf_16_give_the_same_text() {
        let text = "<a>ü😀</a>";
        let mut marked = vec![0xef, 0xbb, 0xbf];
        marked.extend(text.as_bytes());
        let little = std::iter::once(0xfeff).chain(text.encode_utf16());
        let big = little.clone();
        let little: Vec<u8> = little.flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = big.flat_map(u16::to_be_bytes).collect();
        for body in [text.as_bytes(), &marked, &little, &big] {
            assert_eq!(decode(body, &Limits::default()).unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_text_is_refused_where_it_stands() {
        for (body, at) in [
            (&b"<a>\xff"[..], 3),
            (b"<a>\0", 3),
            (b"<a>\x1b", 3),
            ("<a>\u{ffff}".as_bytes(), 3),
            (b"\xff\xfe<", 0),
            (b"\xff\xfe<\0\x00\xd8<\0", 1),
        ] {
            assert_eq!(decode(body, &Limits::default()).unwrap_err().at, at);
        }
    }
}

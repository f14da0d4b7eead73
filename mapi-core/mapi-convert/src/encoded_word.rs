//! RFC 2047: text of header fields in any charset.
//!
//! Read the way clients do: words without white space around them, with spaces in them, with a character split over
//! two of them, inside quotes. Raw 8-bit text is UTF-8 if it is valid, else windows-1252.

use mapi_types::TransferEncoding;

use crate::{charset, cursor::Cursor, decode, header, parameter::hex_digit};

/// An encoded word taken apart.
struct Word<'a> {
    charset: &'a [u8],
    octets: Vec<u8>,
}

/// The text of an unstructured field's value, or of a phrase, unfolded and decoded.
pub fn decode(value: &[u8]) -> String {
    let value = header::unfold(value);
    let mut out = String::with_capacity(value.len());
    let mut cursor = Cursor::new(&value);
    // Octets of a charset that may go on in the next word.
    let mut pending: Option<Word<'_>> = None;
    while !cursor.is_empty() {
        let mut ahead = cursor;
        if pending.is_some() {
            ahead.skip_space();
        }
        if let Some(word) = word(&mut ahead) {
            cursor = ahead;
            pending = Some(match pending.take() {
                Some(mut open) if open.charset.eq_ignore_ascii_case(word.charset) => {
                    open.octets.extend_from_slice(&word.octets);
                    open
                }
                Some(done) => {
                    out.push_str(&charset::decode(Some(done.charset), &done.octets));
                    word
                }
                None => word,
            });
            continue;
        }
        if let Some(done) = pending.take() {
            out.push_str(&charset::decode(Some(done.charset), &done.octets));
        }
        let first = cursor.take(1).len();
        let text = cursor.rest();
        let len = memchr::memmem::find(text, b"=?").unwrap_or(text.len());
        cursor.take(len);
        let start = value.len() - text.len() - first;
        out.push_str(&charset::decode(
            None,
            value.get(start..start + first + len).unwrap_or_default(),
        ));
    }
    if let Some(done) = pending {
        out.push_str(&charset::decode(Some(done.charset), &done.octets));
    }
    out
}

/// Reads an encoded word if one is next. Source: RFC 2047 2; a language after `*` (RFC 2231 5) is left out.
fn word<'a>(cursor: &mut Cursor<'a>) -> Option<Word<'a>> {
    let mut ahead = *cursor;
    if ahead.take(2) != b"=?" {
        return None;
    }
    let label = ahead.take_while(|b| b != b'?' && !b.is_ascii_whitespace());
    let charset = label
        .split(|b| *b == b'*')
        .next()
        .filter(|label| !label.is_empty())?;
    let (b'?', encoding, b'?') = (ahead.bump()?, ahead.bump()?, ahead.bump()?) else {
        return None;
    };
    let len = memchr::memmem::find(ahead.rest(), b"?=")?;
    let text = ahead.take(len);
    ahead.take(2);
    // The end of another word is not the end of this one.
    if memchr::memmem::find(text, b"=?").is_some() {
        return None;
    }
    let octets = match encoding {
        b'B' | b'b' => decode::decode(TransferEncoding::Base64, text),
        b'Q' | b'q' => q(text),
        _ => return None,
    };
    *cursor = ahead;
    Some(Word { charset, octets })
}

/// Source: RFC 2047 4.2.
fn q(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut cursor = Cursor::new(text);
    while let Some(byte) = cursor.bump() {
        let hex = cursor.rest().first_chunk::<2>();
        match hex.and_then(|[high, low]| Some(hex_digit(*high)? << 4 | hex_digit(*low)?)) {
            Some(octet) if byte == b'=' => {
                out.push(octet);
                cursor.take(2);
            }
            _ => out.push(if byte == b'_' { b' ' } else { byte }),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_are_decoded_the_way_clients_do() {
        let cases = [
            ("plain", "plain"),
            ("=?utf-8?Q?caf=C3=A9?= =?utf-8?B?IMOp?=", "café é"),
            ("a =?iso-8859-1?q?b_=e9?= c", "a b é c"),
            ("=?utf-8?Q?=C3?=\r\n =?utf-8?Q?=A9?=", "é"),
            ("=?utf-8?Q?a?= x =?utf-8?Q?b?=", "a x b"),
            ("pre=?utf-8?Q?a?=post", "preapost"),
            ("=?utf-8?Q?with space?=", "with space"),
            ("=?utf-8*en?Q?lang?=", "lang"),
            ("=?utf-8?X?keep?=", "=?utf-8?X?keep?="),
            ("=?utf-8?Q?never ends", "=?utf-8?Q?never ends"),
            ("=?utf-8?B?w6k?=", "é"),
            (
                "=?iso-2022-jp?B?GyRCJCIbKEI=?= =?utf-8?q?=e3=81=82?=",
                "ああ",
            ),
            ("=?nobody?Q?=C3=A9?=", "é"),
            ("=? ?= ==??", "=? ?= ==??"),
            ("raw é", "raw é"),
        ];
        for (value, expected) in cases {
            assert_eq!(decode(value.as_bytes()), expected, "{value}");
        }
        assert_eq!(decode(b"raw \xe9"), "raw é");
    }
}

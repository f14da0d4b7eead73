//! Escaping of character data and attribute values.

/// Appends character data. Carriage returns are written by number, for readers would drop them.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    let mut rest = text.as_bytes();
    loop {
        // Characters below U+0020 cannot be written in XML 1.0 at all: they become U+FFFD.
        let special = |byte: &u8| matches!(byte, b'&' | b'<' | b'>' | 0..=8 | 11..=31 | 0xef);
        let plain = rest.iter().position(special).unwrap_or(rest.len());
        let (before, after) = rest.split_at(plain);
        out.extend_from_slice(before);
        rest = match after {
            [] => return,
            [b'&', rest @ ..] => put(out, b"&amp;", rest),
            [b'<', rest @ ..] => put(out, b"&lt;", rest),
            [b'>', rest @ ..] => put(out, b"&gt;", rest),
            [b'\r', rest @ ..] => put(out, b"&#13;", rest),
            // U+FFFE and U+FFFF are no characters of XML either.
            [0xef, 0xbf, 0xbe | 0xbf, rest @ ..] => put(out, REPLACEMENT, rest),
            [byte @ 0xef, rest @ ..] => put(out, &[*byte], rest),
            [_, rest @ ..] => put(out, REPLACEMENT, rest),
        };
    }
}

/// Appends an attribute's value, without the quotation marks around it.
pub(crate) fn attribute(out: &mut Vec<u8>, value: &str) {
    for piece in value.split_inclusive(['"', '\t', '\n']) {
        let (plain, last) = match piece.as_bytes() {
            [plain @ .., b'"'] => (plain.len(), &b"&quot;"[..]),
            [plain @ .., b'\t'] => (plain.len(), &b"&#9;"[..]),
            [plain @ .., b'\n'] => (plain.len(), &b"&#10;"[..]),
            all => (all.len(), &b""[..]),
        };
        text(out, piece.get(..plain).unwrap_or_default());
        out.extend_from_slice(last);
    }
}

const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

fn put<'a>(out: &mut Vec<u8>, bytes: &[u8], rest: &'a [u8]) -> &'a [u8] {
    out.extend_from_slice(bytes);
    rest
}

#[cfg(test)]
mod tests {
    fn written(write: fn(&mut Vec<u8>, &str), value: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_escaped() {
        let text = "a&b<c>]]>\r\n\t\"'ü😀\u{fffd}\u{ff01}";
        let expected = "a&amp;b&lt;c&gt;]]&gt;&#13;\n\t\"'ü😀\u{fffd}\u{ff01}";
        assert_eq!(written(super::text, text), expected);
    }

    #[test]
    fn what_xml_cannot_say_is_replaced() {
        assert_eq!(
            written(super::text, "a\0b\u{1b}c\u{fffe}d\u{ffff}"),
            "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}"
        );
    }

    #[test]
    fn attributes_keep_their_white_space() {
        assert_eq!(
            written(super::attribute, "\"a\"\tb\r\nc<&"),
            "&quot;a&quot;&#9;b&#13;&#10;c&lt;&amp;"
        );
    }
}

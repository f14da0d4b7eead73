//! Structured MIME fields: Content-Type, Content-Disposition and their parameters.
//!
//! Parameters are kept as written and in order, with the pieces of RFC 2231 apart; [`joined`] puts those together.
//! The parser takes what mail programs really write: values with spaces and no quotes, missing semicolons, quotes
//! that never close. Source: RFC 2045 5.1, RFC 2183, RFC 2231.

use crate::{
    charset,
    cursor::{Cursor, is_dropped, is_space},
    encoded_word,
};

/// One parameter as written, quotes and escapes resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name, as `filename*0*`.
    pub name: Box<[u8]>,
    /// Its value.
    pub value: Box<[u8]>,
}

/// A media type with parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    /// Such as `text`, in the case it was written in.
    pub media_type: Box<[u8]>,
    /// Such as `plain`.
    pub subtype: Box<[u8]>,
    /// In order.
    pub params: Vec<Param>,
}

impl ContentType {
    /// The type without parameters.
    pub fn new(media_type: &str, subtype: &str) -> Self {
        Self {
            media_type: media_type.as_bytes().into(),
            subtype: subtype.as_bytes().into(),
            params: Vec::new(),
        }
    }

    /// Whether this is `media_type/subtype`, without ASCII case.
    pub fn is(&self, media_type: &str, subtype: &str) -> bool {
        self.is_type(media_type) && self.subtype.eq_ignore_ascii_case(subtype.as_bytes())
    }

    /// Whether the type before the slash is `media_type`, without ASCII case.
    pub fn is_type(&self, media_type: &str) -> bool {
        self.media_type.eq_ignore_ascii_case(media_type.as_bytes())
    }
}

/// A Content-Disposition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disposition {
    /// Such as `attachment`, in the case it was written in.
    pub kind: Box<[u8]>,
    /// In order.
    pub params: Vec<Param>,
}

/// Reads a Content-Type field's value; `None` when there is no `type/subtype` in it.
pub fn content_type(value: &[u8]) -> Option<ContentType> {
    let mut cursor = Cursor::new(value);
    cursor.skip_cfws();
    let media_type = token(&mut cursor);
    cursor.skip_cfws();
    if media_type.is_empty() || !cursor.eat(b'/') {
        return None;
    }
    cursor.skip_cfws();
    let subtype = token(&mut cursor);
    if subtype.is_empty() {
        return None;
    }
    Some(ContentType {
        media_type: media_type.into(),
        subtype: subtype.into(),
        params: params(&mut cursor),
    })
}

/// Reads a Content-Disposition field's value; `None` when it is empty.
pub fn disposition(value: &[u8]) -> Option<Disposition> {
    let mut cursor = Cursor::new(value);
    cursor.skip_cfws();
    // Some programs quote the disposition.
    let kind = if cursor.peek() == Some(b'"') {
        cursor.quoted()
    } else {
        token(&mut cursor).to_vec()
    };
    (!kind.is_empty()).then(|| Disposition {
        kind: kind.into(),
        params: params(&mut cursor),
    })
}

/// Reads a field that is one token, such as Content-Transfer-Encoding; comments are left out.
pub fn single_token(value: &[u8]) -> Option<Box<[u8]>> {
    let mut cursor = Cursor::new(value);
    cursor.skip_cfws();
    let text = if cursor.peek() == Some(b'"') {
        cursor.quoted()
    } else {
        token(&mut cursor).to_vec()
    };
    (!text.is_empty()).then(|| text.into())
}

/// The text of a parameter: RFC 2231 pieces joined and decoded, else the plain value with RFC 2047 words decoded, as
/// many programs write it. `None` when there is no such parameter.
pub fn joined(params: &[Param], name: &str) -> Option<String> {
    if let Some((label, octets)) = extended(params, name) {
        return Some(charset::decode(label.as_deref(), &octets).into_owned());
    }
    let plain = params
        .iter()
        .find(|p| p.name.eq_ignore_ascii_case(name.as_bytes()))?;
    Some(encoded_word::decode(&plain.value))
}

/// The octets of a parameter, its RFC 2231 continuations joined, percent-encoding and charset left as they are
/// unless a piece says that it is encoded. `None` when there is no such parameter.
pub fn joined_raw(params: &[Param], name: &str) -> Option<Vec<u8>> {
    if let Some(plain) = params
        .iter()
        .find(|p| p.name.eq_ignore_ascii_case(name.as_bytes()))
    {
        return Some(plain.value.to_vec());
    }
    extended(params, name).map(|(_, octets)| octets)
}

/// The charset label and octets of a parameter written by RFC 2231; `None` when there is none.
pub(crate) fn extended(params: &[Param], name: &str) -> Option<(Option<Vec<u8>>, Vec<u8>)> {
    let mut pieces: Vec<(u32, bool, &[u8])> =
        params.iter().filter_map(|p| piece(p, name)).collect();
    pieces.sort_by_key(|(index, ..)| *index);
    pieces.dedup_by_key(|(index, ..)| *index);
    let (first, encoded, _) = *pieces.first()?;
    if first != 0 {
        return None;
    }
    let mut charset = None;
    let mut octets = Vec::new();
    for (expected, (index, encoded_piece, value)) in pieces.into_iter().enumerate() {
        if usize::try_from(index) != Ok(expected) {
            break;
        }
        let mut value = value;
        if expected == 0 && encoded {
            let mut parts = value.splitn(3, |b| *b == b'\'');
            if let (Some(label), Some(_), Some(text)) = (parts.next(), parts.next(), parts.next()) {
                charset = (!label.is_empty()).then(|| label.to_vec());
                value = text;
            }
        }
        if encoded_piece {
            percent_decode(value, &mut octets);
        } else {
            octets.extend_from_slice(value);
        }
    }
    Some((charset, octets))
}

/// The number of a piece of `name`, whether it is percent-encoded, and its value.
fn piece<'a>(param: &'a Param, name: &str) -> Option<(u32, bool, &'a [u8])> {
    let (head, rest) = param.name.split_at_checked(name.len())?;
    if !head.eq_ignore_ascii_case(name.as_bytes()) {
        return None;
    }
    let rest = rest.strip_prefix(b"*")?;
    if rest.is_empty() {
        return Some((0, true, &param.value));
    }
    let (digits, encoded) = match rest.strip_suffix(b"*") {
        Some(digits) => (digits, true),
        None => (rest, false),
    };
    let index = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((index, encoded, &param.value))
}

fn percent_decode(value: &[u8], out: &mut Vec<u8>) {
    let mut cursor = Cursor::new(value);
    while let Some(byte) = cursor.bump() {
        let hex = cursor.rest().first_chunk::<2>();
        match hex.and_then(|h| Some(hex_digit(h[0])? << 4 | hex_digit(h[1])?)) {
            Some(octet) if byte == b'%' => {
                out.push(octet);
                cursor.take(2);
            }
            _ => out.push(byte),
        }
    }
}

/// The value of a hexadecimal digit.
pub(crate) const fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

fn token<'a>(cursor: &mut Cursor<'a>) -> &'a [u8] {
    cursor.take_while(is_token)
}

const fn is_token(byte: u8) -> bool {
    !is_space(byte)
        && byte != 0
        && !matches!(
            byte,
            b'(' | b')'
                | b'<'
                | b'>'
                | b'@'
                | b','
                | b';'
                | b':'
                | b'\\'
                | b'"'
                | b'/'
                | b'['
                | b']'
                | b'='
                | b'?'
        )
}

fn params(cursor: &mut Cursor<'_>) -> Vec<Param> {
    let mut list = Vec::new();
    while !cursor.is_empty() {
        cursor.skip_cfws();
        if cursor.eat(b';') {
            continue;
        }
        let name = cursor.take_while(|b| !is_space(b) && !matches!(b, b'=' | b';' | b'(' | 0));
        cursor.skip_cfws();
        if !cursor.eat(b'=') {
            // Words without a value are passed over; so is a byte that cannot begin a name.
            if name.is_empty() && cursor.peek() != Some(b';') {
                cursor.bump();
            }
            continue;
        }
        cursor.skip_cfws();
        let value = if cursor.peek() == Some(b'"') {
            cursor.quoted()
        } else {
            bare_value(cursor)
        };
        if !name.is_empty() {
            list.push(Param {
                name: name.into(),
                value: value.into(),
            });
        }
    }
    list
}

/// A value without quotes: up to a semicolon, a comment, or white space that another parameter follows.
fn bare_value(cursor: &mut Cursor<'_>) -> Vec<u8> {
    let mut value = Vec::new();
    while let Some(byte) = cursor.peek() {
        if byte == b';' {
            break;
        }
        if is_space(byte) {
            let mut ahead = *cursor;
            ahead.skip_space();
            if matches!(ahead.peek(), None | Some(b';' | b'(')) {
                break;
            }
            let next_name = ahead.take_while(is_token);
            if !next_name.is_empty() && ahead.peek() == Some(b'=') {
                break;
            }
        }
        cursor.bump();
        if !is_dropped(byte) {
            value.push(byte);
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &str) -> String {
        let Some(parsed) = content_type(value.as_bytes()) else {
            return "none".into();
        };
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        let mut out = format!("{}/{}", text(&parsed.media_type), text(&parsed.subtype));
        for p in &parsed.params {
            out += &format!(" [{}]=[{}]", text(&p.name), text(&p.value));
        }
        out
    }

    #[test]
    fn content_types_are_read_as_mail_programs_write_them() {
        let check = |value, expected: &str| assert_eq!(shown(value), expected, "{value}");
        check(
            " text/plain; charset=us-ascii (Plain text)\r\n",
            "text/plain [charset]=[us-ascii]",
        );
        check(
            "Multipart/Mixed;\r\n\tboundary=\"a \\\"b\"",
            "Multipart/Mixed [boundary]=[a \"b]",
        );
        check(
            "text/plain; name=two words.txt; x=y",
            "text/plain [name]=[two words.txt] [x]=[y]",
        );
        check(
            "text/plain charset=utf-8 format=flowed",
            "text/plain [charset]=[utf-8] [format]=[flowed]",
        );
        check(
            "text/plain; charset=\"utf-8",
            "text/plain [charset]=[utf-8]",
        );
        check("text/plain;;; =x; y; z =1", "text/plain [z]=[1]");
        check("text", "none");
        check("", "none");
        check("a/b; boundary====x==", "a/b [boundary]=[===x==]");
    }

    #[test]
    fn pieces_of_rfc_2231_are_joined_in_number_order() {
        let parsed = content_type(
            b"a/b; name*1*=%20%C3%A9; name*0*=utf-8'en'x; name*2=\" plain%20\"; name*4=lost",
        )
        .unwrap();
        assert_eq!(
            joined_raw(&parsed.params, "name").unwrap(),
            "x é plain%20".as_bytes()
        );
        assert_eq!(
            extended(&parsed.params, "name").unwrap().0.unwrap(),
            b"utf-8"
        );
        assert_eq!(joined_raw(&parsed.params, "nam"), None);
    }
}

//! Which characters XML 1.0 allows where, and what its references stand for.

use std::borrow::Cow;

/// Char (XML 1.0 2.2).
pub(crate) const fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// NameStartChar (XML 1.0 2.3) without the colon.
const fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

const fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// NCName (Namespaces in XML 1.0, 3): a name without a colon.
pub(crate) fn is_local_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_char)
}

/// QName (Namespaces in XML 1.0, 4): a name with at most one prefix.
pub(crate) fn is_qualified_name(name: &str) -> bool {
    match name.split_once(':') {
        Some((prefix, local)) => is_local_name(prefix) && is_local_name(local),
        None => is_local_name(name),
    }
}

/// XML's white space.
pub(crate) fn is_space(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// The character of a reference, `name` being what stands between `&` and `;`: one of XML's five, or by number.
pub(crate) fn reference(name: &str) -> Option<char> {
    let number = match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => name.strip_prefix('#')?,
    };
    let (digits, radix) = match number.strip_prefix('x') {
        Some(hex) => (hex, 16),
        None => (number, 10),
    };
    // `from_str_radix` would take a sign.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let code = u32::from_str_radix(digits, radix).ok()?;
    char::from_u32(code).filter(|c| is_char(*c))
}

/// An attribute's value as XML 1.0 3.3.3 normalizes it; nothing, if it is not well-formed.
pub(crate) fn attribute_value(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.contains(['&', '<', '\t', '\n', '\r']) {
        return Some(Cow::Borrowed(raw));
    }
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['&', '<', '\t', '\n', '\r']) {
        let (plain, special) = rest.split_at(at);
        value.push_str(plain);
        rest = match special.as_bytes() {
            [b'&', ..] => {
                let (name, after) = special.get(1..)?.split_once(';')?;
                value.push(reference(name)?);
                after
            }
            [b'<', ..] | [] => return None,
            [b'\r', b'\n', ..] => {
                value.push(' ');
                special.get(2..)?
            }
            _ => {
                value.push(' ');
                special.get(1..)?
            }
        };
    }
    value.push_str(rest);
    Some(Cow::Owned(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_the_five_of_xml_and_numbers_of_characters() {
        for (name, expected) in [
            ("amp", Some('&')),
            ("#65", Some('A')),
            ("#x1F600", Some('😀')),
            ("#xd", Some('\r')),
            ("#0", None),
            ("#xD800", None),
            ("#xFFFF", None),
            ("#+65", None),
            ("#x", None),
            ("#", None),
            ("#X41", None),
            ("#99999999999", None),
            ("nbsp", None),
            ("", None),
        ] {
            assert_eq!(reference(name), expected, "{name}");
        }
    }

    #[test]
    fn attribute_values_are_normalized() {
        for (raw, expected) in [
            ("plain", Some("plain")),
            ("a&amp;b&#10;c", Some("a&b\nc")),
            ("a\r\nb\tc\rd", Some("a b c d")),
            ("a<b", None),
            ("a&b", None),
            ("&unknown;", None),
            ("ü&lt;ü", Some("ü<ü")),
        ] {
            assert_eq!(attribute_value(raw).as_deref(), expected, "{raw}");
        }
    }
}

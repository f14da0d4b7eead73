//! Keywords: a category's name as an IMAP keyword, and back.
//!
//! A category may be called anything; a keyword is an atom (RFC 3501 9, `flag-keyword`). Octets of a category's name
//! that an atom cannot hold are written `=XX` in upper-case hexadecimal: `Red category` is `Red=20category`. So that
//! a name that looks escaped survives, its `=` is written `=3D`. A keyword of a client is taken apart only where this
//! module would have put it together.

use std::fmt::Write as _;

/// What makes the `=` before it mean itself.
const QUOTE: &str = "3D";

/// The keyword for a category.
pub fn keyword(category: &str) -> String {
    let mut keyword = String::with_capacity(category.len());
    for (at, letter) in category.char_indices() {
        if letter == '=' {
            let looks_escaped = category.get(at..).and_then(unescape).is_some();
            keyword.push_str(if looks_escaped { "=3D" } else { "=" });
        } else if needs_escape(letter) {
            let mut octets = [0; 4];
            for octet in letter.encode_utf8(&mut octets).bytes() {
                // Writing to a String does not fail.
                let _ = write!(keyword, "={octet:02X}");
            }
        } else {
            keyword.push(letter);
        }
    }
    keyword
}

/// The category for a keyword of a client.
pub fn category(keyword: &str) -> String {
    let mut category = String::with_capacity(keyword.len());
    let mut rest = keyword;
    while let Some(at) = rest.find('=') {
        let (plain, escaped) = rest.split_at(at);
        category.push_str(plain);
        let (letter, used) = unescape(escaped).unwrap_or(('=', 1));
        category.push(letter);
        rest = escaped.get(used..).unwrap_or_default();
    }
    category.push_str(rest);
    category
}

/// The letter an escape stands for and the escape's length; `None` when it is none of ours.
fn unescape(escaped: &str) -> Option<(char, usize)> {
    let after_mark = escaped.strip_prefix('=')?;
    let mut rest = after_mark;
    while let Some(shorter) = rest.strip_prefix(QUOTE) {
        rest = shorter;
    }
    let letter = escaped_letter(rest)?;
    if rest.len() < after_mark.len() {
        return Some(('=', 1 + QUOTE.len()));
    }
    Some((letter, 3 * letter.len_utf8()))
}

/// The letter whose octets stand at the start of a text, without the first `=`, if an atom cannot hold it.
fn escaped_letter(text: &str) -> Option<char> {
    let first = hex_octet(text)?;
    let len = match first {
        0..0x80 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
        _ => return None,
    };
    let octet_at = |place: usize| match place {
        0 => Some(first),
        _ => hex_octet(text.get(3 * place - 1..)?.strip_prefix('=')?),
    };
    let octets: Option<Vec<u8>> = (0..len).map(octet_at).collect();
    let letter = std::str::from_utf8(&octets?).ok()?.chars().next()?;
    needs_escape(letter).then_some(letter)
}

/// The octet that two upper-case hexadecimal digits at the start of a text stand for.
fn hex_octet(text: &str) -> Option<u8> {
    let digits = text.get(..2)?;
    let upper = digits
        .bytes()
        .all(|digit| matches!(digit, b'0'..=b'9' | b'A'..=b'F'));
    if upper {
        u8::from_str_radix(digits, 16).ok()
    } else {
        None
    }
}

/// Whether an atom cannot hold a letter (RFC 3501 9, `atom-specials`).
fn needs_escape(letter: char) -> bool {
    matches!(letter, '\0'..=' ' | '\u{7f}'.. | '(' | ')' | '{' | '%' | '*' | '"' | '\\' | ']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_and_keywords_are_inverse() {
        for (name, expected) in [
            ("$Junk", "$Junk"),
            ("Red category", "Red=20category"),
            ("Grün", "Gr=C3=BCn"),
            ("a=b", "a=b"),
            ("a=20b", "a=3D20b"),
            ("a=3D20b", "a=3D3D20b"),
            ("=C3=BC", "=3DC3=BC"),
            ("=C3ü", "=C3=C3=BC"),
            ("x[1]", "x[1=5D"),
            ("=", "="),
        ] {
            assert_eq!(keyword(name), expected);
            assert_eq!(category(expected), name);
            assert!(crate::Keyword::new(expected).is_some());
        }
    }

    #[test]
    fn a_clients_keyword_keeps_its_spelling() {
        for name in [
            "kw-acc",
            "a=41",
            "=zz",
            "x=",
            "=C3",
            "=FF=FF",
            "=c3=bc",
            "$MailFlagBit0",
        ] {
            assert_eq!(keyword(&category(name)), name);
        }
    }
}

//! Octets of any charset to text.

use std::borrow::Cow;

use encoding_rs::{Encoding, REPLACEMENT, WINDOWS_1252};

use crate::decode::base64_value;

/// Octets as text. What the charset cannot say becomes U+FFFD.
///
/// Without a label, with one that nobody knows, and with `us-ascii` (which 8-bit text contradicts): UTF-8 if it is
/// valid, else windows-1252.
pub fn decode<'a>(label: Option<&[u8]>, octets: &'a [u8]) -> Cow<'a, str> {
    if label.is_some_and(is_utf7) {
        return Cow::Owned(utf7(octets));
    }
    if let Some(encoding) = label.and_then(encoding) {
        return encoding.decode_without_bom_handling(octets).0;
    }
    match std::str::from_utf8(octets) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(octets).0,
    }
}

/// The Windows code page of a charset label (PidTagInternetCodepage); 65001 (UTF-8) for one nobody knows.
/// Source: MS-UCODEREF, code page identifiers.
pub fn code_page(label: Option<&[u8]>) -> i32 {
    let lower = label.unwrap_or(b"us-ascii").to_ascii_lowercase();
    match &*lower {
        b"us-ascii" | b"ascii" | b"ansi_x3.4-1968" => return 20127,
        b"iso-8859-1" | b"latin1" => return 28591,
        b"utf-7" => return 65000,
        _ => {}
    }
    let name = encoding(&lower).map_or("UTF-8", Encoding::name);
    CODE_PAGES
        .iter()
        .find(|(known, _)| *known == name)
        .map_or(65001, |(_, page)| *page)
}

/// The charset label of a code page; `None` for one that is not known.
pub fn label(code_page: i32) -> Option<&'static str> {
    match code_page {
        20127 => Some("us-ascii"),
        28591 => Some("iso-8859-1"),
        65000 => Some("utf-7"),
        _ => CODE_PAGES
            .iter()
            .find(|(_, page)| *page == code_page)
            .map(|(name, _)| *name),
    }
}

const CODE_PAGES: [(&str, i32); 30] = [
    ("UTF-8", 65001),
    ("windows-1252", 1252),
    ("windows-1250", 1250),
    ("windows-1251", 1251),
    ("windows-1253", 1253),
    ("windows-1254", 1254),
    ("windows-1255", 1255),
    ("windows-1256", 1256),
    ("windows-1257", 1257),
    ("windows-1258", 1258),
    ("windows-874", 874),
    ("ISO-8859-2", 28592),
    ("ISO-8859-3", 28593),
    ("ISO-8859-4", 28594),
    ("ISO-8859-5", 28595),
    ("ISO-8859-6", 28596),
    ("ISO-8859-7", 28597),
    ("ISO-8859-8", 28598),
    ("ISO-8859-8-I", 38598),
    ("ISO-8859-13", 28603),
    ("ISO-8859-15", 28605),
    ("KOI8-R", 20866),
    ("KOI8-U", 21866),
    ("Shift_JIS", 932),
    ("EUC-JP", 51932),
    ("ISO-2022-JP", 50220),
    ("GBK", 936),
    ("gb18030", 54936),
    ("Big5", 950),
    ("EUC-KR", 949),
];

/// The encoding a label names; `None` for us-ascii and unknown labels.
pub(crate) fn encoding(label: &[u8]) -> Option<&'static Encoding> {
    let lower = label.trim_ascii().to_ascii_lowercase();
    let name: &[u8] = match &*lower {
        b"us-ascii" | b"ascii" | b"ansi_x3.4-1968" => return None,
        b"cp932" | b"ms932" | b"windows-932" => b"shift_jis",
        b"cp936" | b"ms936" | b"windows-936" => b"gbk",
        b"cp949" | b"ks_c_5601" | b"ms949" => b"euc-kr",
        b"cp950" | b"ms950" => b"big5",
        b"cp874" => b"windows-874",
        b"utf8mb4" => b"utf-8",
        other => other,
    };
    // WHATWG decodes some charsets to nothing but U+FFFD; the fallback says more.
    Encoding::for_label(name).filter(|encoding| *encoding != REPLACEMENT)
}

pub(crate) fn is_utf7(label: &[u8]) -> bool {
    label.eq_ignore_ascii_case(b"utf-7") || label.eq_ignore_ascii_case(b"unicode-1-1-utf-7")
}

/// Source: RFC 2152.
fn utf7(octets: &[u8]) -> String {
    let mut out = String::new();
    let mut rest = octets.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'+' {
            out.push(char::from(byte));
            continue;
        }
        let (mut bits, mut count, mut units) = (0_u32, 0, Vec::new());
        let mut any = false;
        while let Some(value) = rest.peek().copied().and_then(base64_value) {
            rest.next();
            any = true;
            bits = bits << 6 | u32::from(value);
            count += 6;
            if count >= 16 {
                count -= 16;
                units.push((bits >> count) as u16);
                bits &= (1 << count) - 1;
            }
        }
        out.extend(
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)),
        );
        if rest.peek() == Some(&b'-') {
            rest.next();
            if !any {
                out.push('+');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_become_text_by_label_or_by_looking() {
        let check = |label: Option<&str>, octets: &[u8], expected: &str| {
            assert_eq!(
                decode(label.map(str::as_bytes), octets),
                expected,
                "{label:?}"
            );
        };
        check(Some("iso-8859-2"), b"\xb1", "ą");
        check(Some("us-ascii"), "é".as_bytes(), "é");
        check(Some("US-ASCII"), b"\xe9", "é");
        check(None, b"\xe9", "é");
        check(Some("x-nobody-knows"), "é".as_bytes(), "é");
        check(Some("utf-8"), b"a\xffb", "a\u{fffd}b");
        check(Some("utf-7"), b"Hi +AOk-+- +2Dzf+w", "Hi é+ 🏻");
        check(Some("cp932"), b"\x82\xa0", "あ");
        check(Some("iso-2022-jp"), b"\x1b$B$\"\x1b(B", "あ");
    }

    #[test]
    fn code_pages_and_labels_belong_together() {
        assert_eq!(code_page(Some(b"UTF-8")), 65001);
        assert_eq!(code_page(None), 20127);
        assert_eq!(code_page(Some(b"latin1")), 28591);
        assert_eq!(label(932), Some("Shift_JIS"));
        for (name, page) in CODE_PAGES {
            assert_eq!(code_page(Some(name.as_bytes())), page, "{name}");
        }
    }
}

//! Text in the code pages of Windows, which 8-bit strings come in. Source: MS-OXCDATA 2.11.1 (PtypString8),
//! MS-OXCFXICS 2.2.4.1.1.1 (code page property types).

use encoding_rs::Encoding;

/// The number of a Windows code page.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct CodePage(pub u16);

impl CodePage {
    /// Western European.
    pub const WESTERN: Self = Self(1252);
    /// UTF-16, little-endian.
    pub const UTF16: Self = Self(1200);
    /// UTF-16, big-endian.
    pub const UTF16_BIG_ENDIAN: Self = Self(1201);
    /// UTF-8.
    pub const UTF8: Self = Self(65001);

    /// The text that these octets mean. What means nothing becomes U+FFFD; an unknown page is taken for the Western
    /// one.
    pub fn decode(self, octets: &[u8]) -> String {
        let encoding = Encoding::for_label(self.label().as_bytes());
        let (text, _) = encoding
            .unwrap_or(encoding_rs::WINDOWS_1252)
            .decode_without_bom_handling(octets);
        text.into_owned()
    }

    /// Octets of a unit, and so of the NUL that ends a string.
    pub const fn unit(self) -> usize {
        match self {
            Self::UTF16 | Self::UTF16_BIG_ENDIAN => 2,
            _ => 1,
        }
    }

    /// The name the WHATWG encoding standard has for the page.
    const fn label(self) -> &'static str {
        match self.0 {
            1200 => "utf-16le",
            1201 => "utf-16be",
            65001 => "utf-8",
            874 => "windows-874",
            932 => "shift_jis",
            936 => "gbk",
            949 => "euc-kr",
            950 => "big5",
            1250 => "windows-1250",
            1251 => "windows-1251",
            1253 => "windows-1253",
            1254 => "windows-1254",
            1255 => "windows-1255",
            1256 => "windows-1256",
            1257 => "windows-1257",
            1258 => "windows-1258",
            20866 => "koi8-r",
            21866 => "koi8-u",
            28592 => "iso-8859-2",
            28593 => "iso-8859-3",
            28594 => "iso-8859-4",
            28595 => "iso-8859-5",
            28596 => "iso-8859-6",
            28597 => "iso-8859-7",
            28598 => "iso-8859-8",
            28605 => "iso-8859-15",
            50220..=50222 => "iso-2022-jp",
            51932 => "euc-jp",
            54936 => "gb18030",
            _ => "windows-1252",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_mean_what_their_page_says() {
        let cases: [(u16, &[u8], &str); 6] = [
            (1252, b"Gr\xfc\xdfe \x80", "Grüße €"),
            (65001, "中".as_bytes(), "中"),
            (1200, b"a\0\xfc\0", "aü"),
            (1201, b"\0a\0\xfc", "aü"),
            (932, b"\x93\xfa\x96{", "日本"),
            (4711, b"\xe9", "é"),
        ];
        for (page, octets, text) in cases {
            assert_eq!(CodePage(page).decode(octets), text, "{page}");
        }
    }
}

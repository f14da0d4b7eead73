//! Strings that say, in one way or another, whether they are 8-bit or UTF-16.

use crate::cursor::{Reader, Result, Utf16, Writer};

/// A string in one of the two encodings of ROPs; a field beside it says which.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Text {
    /// Octets in the code page of the logon, without NUL.
    Ansi(Box<[u8]>),
    /// UTF-16.
    Unicode(Utf16),
}

impl Text {
    /// As text. Octets that are not ASCII become U+FFFD: only the logon knows their code page.
    pub fn to_text(&self) -> String {
        match self {
            Self::Ansi(octets) => ascii(octets),
            Self::Unicode(text) => text.to_text(),
        }
    }

    pub(crate) fn read(
        reader: &mut Reader<'_>,
        unicode: bool,
        expected: &'static str,
    ) -> Result<Self> {
        Ok(match unicode {
            true => Self::Unicode(reader.wstr(expected)?),
            false => Self::Ansi(reader.cstr(expected)?.into()),
        })
    }

    /// Writes it in the encoding that the field beside it announces, whatever it was made from.
    pub(crate) fn write(&self, writer: &mut Writer, unicode: bool) {
        match (self, unicode) {
            (Self::Ansi(octets), false) => writer.cstr(octets),
            (Self::Unicode(text), true) => writer.wstr(text),
            (Self::Ansi(octets), true) => writer.wstr(&Utf16::from(ascii(octets).as_str())),
            (Self::Unicode(text), false) => writer.cstr(&narrow(text)),
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Unicode(text.into())
    }
}

fn ascii(octets: &[u8]) -> String {
    let char_of = |&octet: &u8| match octet.is_ascii() {
        true => char::from(octet),
        false => char::REPLACEMENT_CHARACTER,
    };
    octets.iter().map(char_of).collect()
}

fn narrow(text: &Utf16) -> Vec<u8> {
    let octet_of = |&unit: &u16| match u8::try_from(unit) {
        Ok(octet) if octet.is_ascii() => octet,
        _ => b'?',
    };
    text.0.iter().map(octet_of).collect()
}

/// A string that begins with its own encoding. Source: MS-OXCDATA 2.11.7.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TypedString {
    /// There is none.
    Absent,
    /// It is there and empty.
    Empty,
    /// Octets in the code page of the logon.
    Ansi(Box<[u8]>),
    /// UTF-16 of which only the low octets are sent, because the high ones are all 0.
    Reduced(Box<[u8]>),
    /// UTF-16.
    Unicode(Utf16),
}

impl TypedString {
    /// As text; empty when there is none. Octets of a code page that are not ASCII become U+FFFD.
    pub fn to_text(&self) -> String {
        match self {
            Self::Absent | Self::Empty => String::new(),
            Self::Ansi(octets) => ascii(octets),
            Self::Reduced(octets) => octets.iter().copied().map(char::from).collect(),
            Self::Unicode(text) => text.to_text(),
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>, expected: &'static str) -> Result<Self> {
        Ok(match reader.u8(expected)? {
            0 => Self::Absent,
            1 => Self::Empty,
            2 => Self::Ansi(reader.cstr(expected)?.into()),
            3 => Self::Reduced(reader.cstr(expected)?.into()),
            4 => Self::Unicode(reader.wstr(expected)?),
            _ => return Err(reader.error("a kind of typed string, 0 to 4")),
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        match self {
            Self::Absent => writer.u8(0),
            Self::Empty => writer.u8(1),
            Self::Ansi(octets) => {
                writer.u8(2);
                writer.cstr(octets);
            }
            Self::Reduced(octets) => {
                writer.u8(3);
                writer.cstr(octets);
            }
            Self::Unicode(text) => {
                writer.u8(4);
                writer.wstr(text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_string_has_five_forms() {
        let cases: [(&[u8], TypedString, &str); 5] = [
            (&[0], TypedString::Absent, ""),
            (&[1], TypedString::Empty, ""),
            (
                b"\x02a\xe9\0",
                TypedString::Ansi((*b"a\xe9").into()),
                "a\u{fffd}",
            ),
            (
                b"\x03a\xe9\0",
                TypedString::Reduced((*b"a\xe9").into()),
                "aé",
            ),
            (
                &[4, 0xac, 0x20, 0, 0],
                TypedString::Unicode("€".into()),
                "€",
            ),
        ];
        for (bytes, value, text) in cases {
            let mut reader = Reader::new(bytes);
            let read = TypedString::read(&mut reader, "a subject").unwrap();
            assert_eq!((&read, read.to_text().as_str()), (&value, text));
            assert!(reader.is_empty());
            let mut writer = Writer::new();
            value.write(&mut writer);
            assert_eq!(writer.as_bytes(), bytes);
        }
        assert!(TypedString::read(&mut Reader::new(&[5]), "a subject").is_err());
    }

    #[test]
    fn the_flag_beside_a_text_decides_its_encoding() {
        let mut writer = Writer::new();
        Text::from("Grüße").write(&mut writer, false);
        assert_eq!(writer.as_bytes(), b"Gr??e\0");
    }
}

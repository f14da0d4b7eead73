//! Modified UTF-7, in which IMAP4rev1 writes mailbox names (RFC 3501 5.1.3).

use crate::base64::{digit, digit_value};

/// Decodes a mailbox name or pattern.
///
/// A shift sequence that is not valid stays as it is, letter for letter, so that every name can be used. Text with
/// octets above 127 is taken for UTF-8 (invalid octets replaced), for that is what such clients mean.
#[must_use]
pub fn decode(bytes: &[u8]) -> String {
    if !bytes.is_ascii() {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        if first != b'&' {
            out.push(char::from(first));
            rest = tail;
            continue;
        }
        let shifted = tail.iter().position(|&byte| byte == b'-').and_then(|end| {
            let (digits, after) = tail.split_at_checked(end)?;
            Some((decode_shifted(digits)?, after.get(1..)?))
        });
        match shifted {
            Some((text, after)) => {
                out.push_str(&text);
                rest = after;
            }
            None => {
                out.push('&');
                rest = tail;
            }
        }
    }
    out
}

/// The text between `&` and `-`; `None` when it is not valid.
fn decode_shifted(digits: &[u8]) -> Option<String> {
    if digits.is_empty() {
        return Some("&".to_owned());
    }
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut units = Vec::with_capacity(digits.len() * 6 / 16);
    for &byte in digits {
        bits = bits << 6 | u32::from(digit_value(byte, b',')?);
        held += 6;
        if held >= 16 {
            held -= 16;
            units.push((bits >> held) as u16);
            bits &= (1 << held) - 1;
        }
    }
    // A spare digit, or spare bits that are not zero, are another spelling of the same name.
    if held >= 6 || bits != 0 {
        return None;
    }
    let text = String::from_utf16(&units).ok()?;
    // So is a shifted character that stands for itself.
    (!text.bytes().any(stands_for_itself)).then_some(text)
}

fn stands_for_itself(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e)
}

/// Appends the name in modified UTF-7.
pub fn encode(name: &str, out: &mut Vec<u8>) {
    let mut shift = Shift {
        open: false,
        bits: 0,
        held: 0,
    };
    for char in name.chars() {
        if char.is_ascii() && stands_for_itself(char as u8) {
            shift.close(out);
            out.push(char as u8);
            if char == '&' {
                out.push(b'-');
            }
            continue;
        }
        if !shift.open {
            shift.open = true;
            out.push(b'&');
        }
        for unit in char.encode_utf16(&mut [0; 2]) {
            shift.push(*unit, out);
        }
    }
    shift.close(out);
}

/// A base64 run being written.
struct Shift {
    open: bool,
    bits: u32,
    held: u32,
}

impl Shift {
    fn push(&mut self, unit: u16, out: &mut Vec<u8>) {
        self.bits = self.bits << 16 | u32::from(unit);
        self.held += 16;
        while self.held >= 6 {
            self.held -= 6;
            out.push(digit((self.bits >> self.held) as u8, b','));
            self.bits &= (1 << self.held) - 1;
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if !self.open {
            return;
        }
        if self.held > 0 {
            out.push(digit((self.bits << (6 - self.held)) as u8, b','));
        }
        out.push(b'-');
        *self = Self {
            open: false,
            bits: 0,
            held: 0,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(name: &str) -> String {
        let mut out = Vec::new();
        encode(name, &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    fn check(name: &str, wire: &str) {
        assert_eq!(encoded(name), wire);
        assert_eq!(decode(wire.as_bytes()), name);
    }

    #[test]
    fn names_are_read_and_written() {
        check("INBOX", "INBOX");
        check("Entwürfe", "Entw&APw-rfe");
        check("R&D", "R&-D");
        check("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
        check("a&&b", "a&-&-b");
        check("😀", "&2D3eAA-");
        check("tab\there", "tab&AAk-here");
        check("", "");
    }

    #[test]
    fn invalid_sequences_stay_as_they_are() {
        for wire in [
            "a&b", "&", "&&", "a&APw", "&APw!-", "&2D0-", "&AP-", "&APx-", "&AGE-", "&AAA=-",
        ] {
            assert_eq!(decode(wire.as_bytes()), wire, "{wire}");
        }
    }

    #[test]
    fn raw_utf8_is_taken() {
        assert_eq!(decode("Entwürfe&-".as_bytes()), "Entwürfe&-");
        assert_eq!(decode(b"\xff"), "\u{fffd}");
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(name: String) {
            let wire = encoded(&name);
            prop_assert!(wire.is_ascii());
            prop_assert_eq!(decode(wire.as_bytes()), name);
        }

        #[test]
        fn any_octets_give_a_name(bytes: Vec<u8>) {
            prop_assert!(decode(&bytes).len() <= 3 * bytes.len());
        }

        #[test]
        fn an_ascii_name_means_one_mailbox(wire in "[ -~]{0,12}") {
            // Whatever was typed, its own spelling leads back to the same name.
            let name = decode(wire.as_bytes());
            prop_assert_eq!(decode(encoded(&name).as_bytes()), name);
        }
    }
}

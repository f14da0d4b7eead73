//! Base64 (RFC 4648 4), for SASL and for modified UTF-7.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What a client answered to a SASL challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaslReply {
    /// `*`: the exchange is given up.
    Cancel,
    /// The response, base64 undone.
    Data(Vec<u8>),
    /// Not base64.
    Malformed,
}

/// Reads a line of a SASL exchange, without its line end (RFC 3501 6.2.2).
#[must_use]
pub fn sasl_reply(line: &[u8]) -> SaslReply {
    if line == b"*" {
        return SaslReply::Cancel;
    }
    decode_padded(line).map_or(SaslReply::Malformed, SaslReply::Data)
}

/// Appends `data` in base64 with padding: a SASL challenge.
pub fn encode_base64(data: &[u8], out: &mut Vec<u8>) {
    for chunk in data.chunks(3) {
        let mut group = [0; 3];
        for (slot, byte) in group.iter_mut().zip(chunk) {
            *slot = *byte;
        }
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for place in 0..4 {
            if place <= chunk.len() {
                out.push(digit((bits >> (18 - 6 * place)) as u8, b'/'));
            } else {
                out.push(b'=');
            }
        }
    }
}

/// The digit for the low six bits; `last` stands for 63.
pub(crate) fn digit(value: u8, last: u8) -> u8 {
    match value & 63 {
        63 => last,
        value => ALPHABET.get(usize::from(value)).copied().unwrap_or(last),
    }
}

/// The value of a digit; `last` stands for 63.
pub(crate) fn digit_value(digit: u8, last: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'+' => Some(62),
        digit if digit == last => Some(63),
        _ => None,
    }
}

fn decode_padded(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let digits = text
        .strip_suffix(b"==")
        .or_else(|| text.strip_suffix(b"="))
        .unwrap_or(text);
    let mut data = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0);
    for &digit in digits {
        bits = bits << 6 | u32::from(digit_value(digit, b'/')?);
        held += 6;
        if held >= 8 {
            held -= 8;
            data.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    // Bits that do not fill an octet must be zero: one value has one spelling.
    (bits == 0).then_some(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(data: &[u8], text: &str) {
        let mut out = Vec::new();
        encode_base64(data, &mut out);
        assert_eq!(out, text.as_bytes());
        assert_eq!(sasl_reply(text.as_bytes()), SaslReply::Data(data.to_vec()));
    }

    #[test]
    fn base64_is_undone_and_made() {
        check(b"", "");
        check(b"f", "Zg==");
        check(b"fo", "Zm8=");
        check(b"foo", "Zm9v");
        check(b"\0ann\0s\xff\xfe", "AGFubgBz//4=");
    }

    #[test]
    fn what_is_not_base64_is_malformed() {
        for text in [
            "Zg", "Zg=", "Zh==", "Z===", "====", "Zg==Zg==", "Zm9 ", "**", "Zm9v\n",
        ] {
            assert_eq!(sasl_reply(text.as_bytes()), SaslReply::Malformed, "{text}");
        }
        assert_eq!(sasl_reply(b"*"), SaslReply::Cancel);
    }
}

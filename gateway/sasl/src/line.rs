//! Base64 lines: how IMAP, POP3 and SMTP carry challenges and responses (RFC 4422 4, RFC 9051 6.2.2).

use std::fmt;

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::RESPONSE_LINE_BYTES_MAX;

/// Some clients leave the padding away; accepting both costs nothing.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a line is no response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LineError {
    /// The client sent `*`: it gives up the exchange.
    Cancelled,
    /// The line is longer than [`RESPONSE_LINE_BYTES_MAX`].
    TooLong,
    /// The line is not base64.
    Malformed,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cancelled => "authentication cancelled by the client",
            Self::TooLong => "authentication response too long",
            Self::Malformed => "authentication response is not base64",
        })
    }
}

impl std::error::Error for LineError {}

/// Decodes one response line, with or without its line end. An empty line is an empty response.
pub fn decode_line(line: &[u8]) -> Result<Vec<u8>, LineError> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line == b"*" {
        return Err(LineError::Cancelled);
    }
    if line.len() + b"\r\n".len() > RESPONSE_LINE_BYTES_MAX {
        return Err(LineError::TooLong);
    }
    LENIENT.decode(line).map_err(|_| LineError::Malformed)
}

/// Decodes an initial response (RFC 4959): `=` alone stands for an empty one.
pub fn decode_initial(argument: &[u8]) -> Result<Vec<u8>, LineError> {
    if argument == b"=" {
        Ok(Vec::new())
    } else {
        decode_line(argument)
    }
}

/// Encodes a challenge for a line, without the line end.
pub fn encode_line(challenge: &[u8]) -> String {
    LENIENT.encode(challenge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_decode_with_and_without_padding_and_line_end() {
        for line in [&b"YWJjZA=="[..], b"YWJjZA", b"YWJjZA==\r\n", b"YWJjZA==\n"] {
            assert_eq!(decode_line(line).as_deref(), Ok(&b"abcd"[..]));
        }
        assert_eq!(decode_line(b"").as_deref(), Ok(&b""[..]));
        assert_eq!(decode_initial(b"=").as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn a_star_cancels_and_rubbish_is_refused() {
        assert_eq!(decode_line(b"*\r\n"), Err(LineError::Cancelled));
        assert_eq!(decode_line(b"="), Err(LineError::Malformed));
        assert_eq!(decode_line(b"a b c"), Err(LineError::Malformed));
        assert_eq!(decode_line(b"\xff\xfe"), Err(LineError::Malformed));
        assert_eq!(decode_line(&[b'A'; 40_000]), Err(LineError::TooLong));
    }
}

//! Numbers, strings and mailbox names on the wire.

/// The longest string that is written in quotes; longer ones become literals.
const QUOTED_BYTES_MAX: usize = 1000;

/// Appends a decimal number.
pub fn write_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut count = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        count += 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - count..).unwrap_or_default());
}

/// Appends the last two digits of a number.
pub(crate) fn write_two_digits(out: &mut Vec<u8>, number: u16) {
    out.extend_from_slice(&[b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]);
}

/// Appends text for a human; CR, LF and NUL become spaces, so that it stays one line.
pub(crate) fn write_line_text(out: &mut Vec<u8>, text: &str) {
    out.extend(text.bytes().map(|byte| match byte {
        b'\r' | b'\n' | 0 => b' ',
        byte => byte,
    }));
}

/// Whether the octets can stand in quotes for any client: 7-bit, one line, short.
fn can_be_quoted(bytes: &[u8]) -> bool {
    bytes.len() <= QUOTED_BYTES_MAX
        && bytes
            .iter()
            .all(|byte| !matches!(byte, 0 | b'\r' | b'\n' | 128..))
}

/// Appends octets in quotes. They must be one line without NUL.
pub fn write_quoted(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let mut rest = bytes;
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        let (plain, special) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        out.extend_from_slice(plain);
        out.push(b'\\');
        out.extend(special.first());
        rest = special.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Appends octets as a literal: `{n}`, CRLF, the octets.
pub fn write_literal(out: &mut Vec<u8>, bytes: &[u8]) {
    write_literal_header(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

pub(crate) fn write_literal_header(out: &mut Vec<u8>, len: u64) {
    out.push(b'{');
    write_number(out, len);
    out.extend_from_slice(b"}\r\n");
}

/// Appends a string: in quotes where every client understands that, else as a literal.
pub fn write_string(out: &mut Vec<u8>, bytes: &[u8]) {
    if can_be_quoted(bytes) {
        write_quoted(out, bytes);
    } else {
        write_literal(out, bytes);
    }
}

/// Appends a string or `NIL`.
pub fn write_nstring(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => write_string(out, bytes),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// Appends an atom where that is possible, else a string.
pub fn write_astring(out: &mut Vec<u8>, bytes: &[u8]) {
    let atom = !bytes.is_empty()
        && bytes.iter().all(|&byte| crate::cursor::is_astring_char(byte))
        // A client may take the atom for "no string".
        && !bytes.eq_ignore_ascii_case(b"NIL");
    if atom {
        out.extend_from_slice(bytes);
    } else {
        write_string(out, bytes);
    }
}

/// Appends a mailbox name, in modified UTF-7 or in UTF-8; a string in either case.
pub fn write_mailbox(out: &mut Vec<u8>, name: &str, utf8: bool) {
    if utf8 {
        let one_line = !name.bytes().any(|byte| matches!(byte, 0 | b'\r' | b'\n'));
        if one_line && name.len() <= QUOTED_BYTES_MAX {
            write_quoted(out, name.as_bytes());
        } else {
            write_literal(out, name.as_bytes());
        }
        return;
    }
    // Most names need no encoding.
    if name
        .bytes()
        .all(|byte| matches!(byte, 0x20..=0x7e) && byte != b'&')
    {
        write_string(out, name.as_bytes());
        return;
    }
    let mut encoded = Vec::with_capacity(name.len() * 2);
    crate::mutf7::encode(name, &mut encoded);
    write_string(out, &encoded);
}

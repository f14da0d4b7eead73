//! The data items of one FETCH response (RFC 9051 7.5.2), told apart without understanding them.

use std::collections::BTreeMap;

use crate::failure::{Failure, Outcome, shown};

/// One FETCH response: item name (upper case, as `BODY[]`, `BODY[1]<0>`, `UID`) to its value as sent.
#[derive(Debug, Default)]
pub struct FetchItems {
    /// The sequence number.
    pub sequence: u32,
    /// Values as they stood on the wire, literals with their `{n}` CRLF.
    pub raw: BTreeMap<String, Vec<u8>>,
}

impl FetchItems {
    /// A value as a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        std::str::from_utf8(self.raw.get(name)?).ok()?.parse().ok()
    }

    /// A string value, whichever form it came in; NIL is `None`.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        decoded(self.raw.get(name)?)
    }

    /// A value as text, for looking into it.
    pub fn text(&self, name: &str) -> String {
        self.raw
            .get(name)
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .unwrap_or_default()
    }

    /// The value of the first item whose name starts with `prefix`.
    pub fn starting(&self, prefix: &str) -> Option<(&str, Vec<u8>)> {
        let (name, value) = self.raw.iter().find(|(name, _)| name.starts_with(prefix))?;
        Some((name, decoded(value)?))
    }
}

/// Parses `* n FETCH (…)`; other responses give `None`.
pub fn parse_fetch(response: &[u8]) -> Outcome<Option<FetchItems>> {
    let Some(rest) = response.strip_prefix(b"* ") else {
        return Ok(None);
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let Some((number, rest)) = rest.split_at_checked(digits) else {
        return Ok(None);
    };
    let Some(list) = rest.strip_prefix(b" FETCH (") else {
        return Ok(None);
    };
    let sequence = String::from_utf8_lossy(number).parse()?;
    let malformed = || {
        Failure(format!(
            "malformed FETCH response: {}",
            shown(response, 300)
        ))
    };
    let raw = items(list).ok_or_else(malformed)?;
    Ok(Some(FetchItems { sequence, raw }))
}

fn items(list: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut scan = Scanner { input: list, at: 0 };
    let mut out = BTreeMap::new();
    while scan.peek()? != b')' {
        let name = scan.name()?;
        scan.take(b' ')?;
        let value = scan.value()?;
        out.insert(name, value.to_vec());
        if scan.peek()? == b' ' {
            scan.at += 1;
        }
    }
    (scan.at + 1 == list.len()).then_some(out)
}

struct Scanner<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// An item name: an atom that may carry a bracketed section (with lists and quoted fields in it) and `<origin>`.
    fn name(&mut self) -> Option<String> {
        let start = self.at;
        let mut bracket = false;
        loop {
            match self.peek()? {
                b'[' => bracket = true,
                b']' => bracket = false,
                b' ' if !bracket => break,
                _ => {}
            }
            self.at += 1;
        }
        Some(String::from_utf8_lossy(self.input.get(start..self.at)?).to_ascii_uppercase())
    }

    /// A value: list, quoted string, literal or atom, as it stands on the wire.
    fn value(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        match self.peek()? {
            b'(' => self.list()?,
            b'"' => self.quoted()?,
            b'{' | b'~' => self.literal()?,
            _ => {
                while !matches!(self.peek()?, b' ' | b')') {
                    self.at += 1;
                }
            }
        }
        self.input.get(start..self.at)
    }

    fn list(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'"' => {
                    self.quoted()?;
                    continue;
                }
                b'{' => {
                    self.literal()?;
                    continue;
                }
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn quoted(&mut self) -> Option<()> {
        self.take(b'"')?;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.take(b'"')
    }

    fn literal(&mut self) -> Option<()> {
        if self.peek()? == b'~' {
            self.at += 1;
        }
        let rest = self.input.get(self.at..)?;
        let end = rest.windows(3).position(|part| part == b"}\r\n")?;
        let length: usize = std::str::from_utf8(rest.get(1..end)?).ok()?.parse().ok()?;
        self.at = self.at.checked_add(end + 3)?.checked_add(length)?;
        (self.at <= self.input.len()).then_some(())
    }
}

/// The octets of a string value.
fn decoded(value: &[u8]) -> Option<Vec<u8>> {
    let literal = value.strip_prefix(b"~").unwrap_or(value);
    if literal.starts_with(b"{") {
        let end = literal.windows(3).position(|part| part == b"}\r\n")?;
        return literal.get(end + 3..).map(<[u8]>::to_vec);
    }
    let inner = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut out = Vec::with_capacity(inner.len());
    let mut escaped = false;
    for &byte in inner {
        if byte == b'\\' && !escaped {
            escaped = true;
            continue;
        }
        escaped = false;
        out.push(byte);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::parse_fetch;

    #[test]
    fn items_of_every_form_are_told_apart() {
        let line = b"* 3 FETCH (UID 7 FLAGS (\\Seen x) BODY[HEADER.FIELDS (A \"B\")]<0> {4}\r\na) b BODY[1] \"q\\\"\" X NIL ENVELOPE (\"(\" {2}\r\n)) NIL))";
        let items = parse_fetch(line).unwrap().unwrap();
        assert_eq!(items.sequence, 3);
        assert_eq!(items.number("UID"), Some(7));
        assert_eq!(
            items.bytes("BODY[HEADER.FIELDS (A \"B\")]<0>").unwrap(),
            b"a) b"
        );
        assert_eq!(items.bytes("BODY[1]").unwrap(), b"q\"");
        assert_eq!(items.bytes("X"), None);
        assert_eq!(items.text("ENVELOPE"), "(\"(\" {2}\r\n)) NIL)");
        assert!(parse_fetch(b"* 3 FETCH (UID 7").is_err());
        assert!(parse_fetch(b"* 3 EXISTS").unwrap().is_none());
    }
}

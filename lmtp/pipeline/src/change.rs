//! Changes of a message: its header, its body, whom it goes to.

use account::mime::header;
use bytes::Bytes;

use crate::{Added, Answer, Failure, OnFailure, Passing};

/// The longest field that a step may put into a header, in octets.
const FIELD_BYTES_MAX: usize = 64 << 10;
/// The longest address, in octets (RFC 5321 4.5.3.1: local part 64, domain 255, and what UTF-8 adds).
const ADDRESS_BYTES_MAX: usize = 1000;

/// What a step wants changed.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Done in this order, each on what the one before left.
    pub header: Vec<HeaderEdit>,
    /// What follows the header from now on.
    pub body: Option<Bytes>,
    /// The reverse path from now on.
    pub sender: Option<String>,
    /// Further recipients.
    pub add: Vec<String>,
    /// Recipients who do not get it, and whose sender believes that they do.
    pub remove: Vec<String>,
    /// Recipients that are refused.
    pub refuse: Vec<(String, Answer)>,
}

/// One change of a header. Values have no line end at their end; those within are folds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum HeaderEdit {
    /// A field before all others, or after so many of them.
    Insert {
        /// How many fields come before it.
        after: usize,
        /// Its name.
        name: String,
        /// What follows the colon, with its white space.
        value: String,
    },
    /// A field after all others.
    Append {
        /// Its name.
        name: String,
        /// What follows the colon, with its white space.
        value: String,
    },
    /// Another value for the n-th field of a name, from 1 on; a new field where there are fewer.
    Replace {
        /// Its name.
        name: String,
        /// Which of that name.
        nth: usize,
        /// What follows the colon, with its white space.
        value: String,
    },
    /// Without the n-th field of a name, from 1 on; 0: without all of them.
    Remove {
        /// Its name.
        name: String,
        /// Which of that name.
        nth: usize,
    },
}

impl Changes {
    /// Whether nothing changes.
    pub const fn is_empty(&self) -> bool {
        self.header.is_empty()
            && self.body.is_none()
            && self.sender.is_none()
            && self.add.is_empty()
            && self.remove.is_empty()
            && self.refuse.is_empty()
    }

    /// Changes a message, or nothing of it. Errors: a change that cannot be.
    pub(crate) fn apply(self, passing: &mut Passing, on_failure: OnFailure) -> Result<(), Failure> {
        for address in self.add.iter().chain(&self.sender) {
            check_address(address)?;
        }
        if self.add.iter().any(String::is_empty) {
            return Err(Failure("a recipient without an address".to_owned()));
        }
        if !self.header.is_empty() {
            passing.message.fields = edited(&passing.message.fields, &self.header)?.into();
            passing.is_changed = true;
        }
        if let Some(body) = self.body {
            passing.message.replace_body(with_crlf(&body).into());
            passing.is_changed = true;
        }
        if let Some(sender) = self.sender {
            passing.sender = sender;
        }
        let has =
            |list: &[String], one: &String| list.iter().any(|has| has.eq_ignore_ascii_case(one));
        let refuse = &self.refuse;
        passing.recipients.retain(|one| {
            !has(&self.remove, one) && !refuse.iter().any(|(refused, _)| refused == one)
        });
        passing.added.retain(|one| !has(&self.remove, &one.address));
        passing.refused.extend(self.refuse);
        for address in self.add {
            let known = has(&passing.recipients, &address)
                || passing.added.iter().any(|one| one.address == address);
            if !known {
                passing.added.push(Added {
                    address,
                    is_needed: on_failure == OnFailure::Defer,
                });
            }
        }
        Ok(())
    }
}

/// A body whose lines end with CRLF alone: what two servers read differently is how messages are smuggled.
fn with_crlf(body: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(body.len());
    let mut before = 0;
    for (at, octet) in body.iter().enumerate() {
        match octet {
            b'\n' if before != b'\r' => lines.extend_from_slice(b"\r\n"),
            b'\r' if body.get(at + 1) != Some(&b'\n') => lines.extend_from_slice(b"\r\n"),
            octet => lines.push(*octet),
        }
        before = *octet;
    }
    lines
}

fn check_address(address: &str) -> Result<(), Failure> {
    let bad = |one: char| one.is_control() || matches!(one, '<' | '>' | ' ');
    match address.len() > ADDRESS_BYTES_MAX || address.contains(bad) {
        true => Err(Failure("an address that cannot be".to_owned())),
        false => Ok(()),
    }
}

/// A header's fields after some changes.
fn edited(block: &[u8], edits: &[HeaderEdit]) -> Result<Vec<u8>, Failure> {
    let mut fields: Vec<Vec<u8>> = header::fields(block)
        .map(|field| field.raw.to_vec())
        .collect();
    for edit in edits {
        match edit {
            HeaderEdit::Insert { after, name, value } => {
                fields.insert((*after).min(fields.len()), field(name, value)?);
            }
            HeaderEdit::Append { name, value } => {
                end_last_line(&mut fields);
                fields.push(field(name, value)?);
            }
            HeaderEdit::Replace { name, nth, value } => {
                let new = field(name, value)?;
                match place(&fields, name, *nth) {
                    Some(place) => *place_of(&mut fields, place)? = new,
                    None => {
                        end_last_line(&mut fields);
                        fields.push(new);
                    }
                }
            }
            HeaderEdit::Remove { name, nth: 0 } => fields.retain(|field| !is(field, name)),
            HeaderEdit::Remove { name, nth } => {
                if let Some(place) = place(&fields, name, *nth) {
                    fields.remove(place);
                }
            }
        }
    }
    Ok(fields.concat())
}

/// A message that is a header alone may end without a line end.
fn end_last_line(fields: &mut [Vec<u8>]) {
    if let Some(last) = fields.last_mut()
        && !last.ends_with(b"\n")
    {
        last.extend_from_slice(b"\r\n");
    }
}

fn place_of(fields: &mut [Vec<u8>], place: usize) -> Result<&mut Vec<u8>, Failure> {
    let none = || Failure("a field that is not there".to_owned());
    fields.get_mut(place).ok_or_else(none)
}

/// Where the n-th field of a name is.
fn place(fields: &[Vec<u8>], name: &str, nth: usize) -> Option<usize> {
    let of_name = fields
        .iter()
        .enumerate()
        .filter(|(_, field)| is(field, name));
    of_name.map(|(at, _)| at).nth(nth.checked_sub(1)?)
}

fn is(raw: &[u8], name: &str) -> bool {
    header::fields(raw)
        .next()
        .is_some_and(|field| field.is(name))
}

/// A field with its line ends. Errors: what would be another field, or the end of the header.
fn field(name: &str, value: &str) -> Result<Vec<u8>, Failure> {
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|one| matches!(one, 33..=126) && one != b':');
    // Folds come with LF alone, too.
    let lines: Vec<&str> = value
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .collect();
    let mut rest = lines.iter().skip(1);
    let folded = rest.all(|line| line.starts_with([' ', '\t']) && !line.trim().is_empty());
    let clean = !value.contains('\0') && lines.iter().all(|line| !line.contains('\r'));
    if !is_name || !folded || !clean || name.len() + value.len() > FIELD_BYTES_MAX {
        return Err(Failure("a header field that cannot be".to_owned()));
    }
    Ok(format!("{name}:{}\r\n", lines.join("\r\n")).into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BLOCK: &str = "A: 1\r\nB: 2\r\n\tfolded\r\na: 3\r\n";

    fn insert(after: usize) -> HeaderEdit {
        HeaderEdit::Insert {
            after,
            name: "X".into(),
            value: " x".into(),
        }
    }

    fn replace(nth: usize) -> HeaderEdit {
        HeaderEdit::Replace {
            name: "A".into(),
            nth,
            value: " x\n y".into(),
        }
    }

    fn remove(nth: usize) -> HeaderEdit {
        HeaderEdit::Remove {
            name: "A".into(),
            nth,
        }
    }

    #[test]
    fn fields_are_put_in_changed_and_taken_out() {
        for (edit, expected) in [
            (insert(0), "X: x\r\nA: 1\r\nB: 2\r\n\tfolded\r\na: 3\r\n"),
            (insert(2), "A: 1\r\nB: 2\r\n\tfolded\r\nX: x\r\na: 3\r\n"),
            (insert(9), "A: 1\r\nB: 2\r\n\tfolded\r\na: 3\r\nX: x\r\n"),
            (replace(2), "A: 1\r\nB: 2\r\n\tfolded\r\nA: x\r\n y\r\n"),
            (
                replace(3),
                "A: 1\r\nB: 2\r\n\tfolded\r\na: 3\r\nA: x\r\n y\r\n",
            ),
            (remove(1), "B: 2\r\n\tfolded\r\na: 3\r\n"),
            (remove(3), BLOCK),
            (remove(0), "B: 2\r\n\tfolded\r\n"),
        ] {
            let after = edited(BLOCK.as_bytes(), std::slice::from_ref(&edit)).unwrap();
            assert_eq!(String::from_utf8(after).unwrap(), expected, "{edit:?}");
        }
    }

    #[test]
    fn what_ends_without_a_line_end_takes_fields_all_the_same() {
        let append = HeaderEdit::Append {
            name: "X".into(),
            value: " x".into(),
        };
        assert_eq!(edited(b"A: 1", &[append]).unwrap(), b"A: 1\r\nX: x\r\n");
    }

    #[test]
    fn lines_of_a_new_body_end_with_crlf() {
        for (body, lines) in [
            ("a\r\nb", "a\r\nb"),
            ("a\nb\r", "a\r\nb\r\n"),
            ("\n\r\n\r\r\n", "\r\n\r\n\r\n\r\n"),
            ("", ""),
        ] {
            let got = String::from_utf8(with_crlf(body.as_bytes())).unwrap();
            assert_eq!(got, lines, "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn no_value_becomes_another_field(name in ".{0,6}", value in "[a: \t\r\n\0\u{fc}]{0,12}") {
            if let Ok(raw) = field(&name, &value) {
                let block = [&raw[..], b"\r\nbody"].concat();
                let fields: Vec<_> = header::fields(&block).collect();
                prop_assert_eq!(fields.len(), 1);
                prop_assert_eq!(fields[0].raw, &raw[..]);
            }
        }
    }
}

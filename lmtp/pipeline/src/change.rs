//! Changes of a message: its header, its body, whom it goes to.

use account::mime::header;
use bytes::Bytes;

use crate::{Added, Answer, Failure, OnFailure, Passing};

/// The longest field that a step may put into a header, in octets.
const FIELD_BYTES_MAX: usize = 64 << 10;
/// By how much a header may grow in one step, in octets.
const ADDED_BYTES_MAX: usize = 1 << 20;
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
    /// Whether those may be missed where their stage lets messages go on without it.
    pub may_miss: bool,
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
        value: Vec<u8>,
    },
    /// A field after all others.
    Append {
        /// Its name.
        name: String,
        /// What follows the colon, with its white space.
        value: Vec<u8>,
    },
    /// Another value for the n-th field of a name, from 1 on; a new field where there are fewer.
    Replace {
        /// Its name.
        name: String,
        /// Which of that name.
        nth: usize,
        /// What follows the colon, with its white space.
        value: Vec<u8>,
    },
    /// Without the n-th field of a name, from 1 on; 0: without all of them.
    Remove {
        /// Its name.
        name: String,
        /// Which of that name.
        nth: usize,
    },
}

impl HeaderEdit {
    /// Octets of name and value.
    pub(crate) const fn len(&self) -> usize {
        match self {
            Self::Insert { name, value, .. }
            | Self::Append { name, value }
            | Self::Replace { name, value, .. } => name.len() + value.len(),
            Self::Remove { name, .. } => name.len(),
        }
    }
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
        let refused = |one: &str| self.refuse.iter().any(|(refused, _)| refused == one);
        let needed = |added: &&Added| added.is_needed && refused(&added.address);
        if passing.added.iter().find(needed).is_some() {
            // Who hands the message in cannot put that right.
            return Err(Failure("a recipient that is needed was refused".to_owned()));
        }
        if !self.header.is_empty() {
            let message = &mut passing.message;
            message.fields = edited(&message.fields, &self.header)?.into();
            // Else what follows would go on a field.
            message.end_header();
            passing.is_changed = true;
        }
        if let Some(body) = self.body {
            passing.message.replace_body(with_crlf(&body).into());
            passing.is_changed = true;
        }
        if let Some(sender) = self.sender {
            passing.sender = sender;
        }
        let removed = |one: &str| has(&self.remove, one);
        passing.is_diverted |= passing.recipients.iter().any(|one| removed(one));
        passing
            .added
            .retain(|one| !removed(&one.address) && !refused(&one.address));
        passing
            .recipients
            .retain(|one| !removed(one) && !refused(one));
        for refused in self.refuse {
            if passing.arrived_for.contains(&refused.0) {
                passing.refused.push(refused);
            }
        }
        for address in self.add {
            let is_needed = !self.may_miss || on_failure == OnFailure::Defer;
            add(passing, Added { address, is_needed });
        }
        Ok(())
    }
}

fn has(list: &[String], one: &str) -> bool {
    list.iter().any(|has| has.eq_ignore_ascii_case(one))
}

fn add(passing: &mut Passing, added: Added) {
    if has(&passing.recipients, &added.address) {
        return;
    }
    let mut known = passing.added.iter_mut();
    match known.find(|one| one.address.eq_ignore_ascii_case(&added.address)) {
        Some(known) => known.is_needed |= added.is_needed,
        None => passing.added.push(added),
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

pub(crate) fn check_address(address: &str) -> Result<(), Failure> {
    let bad = |one: char| one.is_control() || matches!(one, '<' | '>' | ' ');
    match address.len() > ADDRESS_BYTES_MAX || address.contains(bad) {
        true => Err(Failure("an address that cannot be".to_owned())),
        false => Ok(()),
    }
}

/// One field: its name, and all of it.
type Whole = (Vec<u8>, Vec<u8>);

/// A header's fields after some changes.
fn edited(block: &[u8], edits: &[HeaderEdit]) -> Result<Vec<u8>, Failure> {
    let mut fields: Vec<Whole> = header::fields(block)
        .map(|field| (field.name.to_vec(), field.raw.to_vec()))
        .collect();
    // A message that is a header alone may end without a line end.
    if let Some((_, last)) = fields.last_mut()
        && !last.ends_with(b"\n")
    {
        last.extend_from_slice(b"\r\n");
    }
    for edit in edits {
        match edit {
            HeaderEdit::Insert { after, name, value } => {
                fields.insert((*after).min(fields.len()), field(name, value)?);
            }
            HeaderEdit::Append { name, value } => fields.push(field(name, value)?),
            HeaderEdit::Replace { name, nth, value } => {
                let new = field(name, value)?;
                match nth_of(&mut fields, name, *nth) {
                    Some((_, old)) => *old = new,
                    None => fields.push(new),
                }
            }
            HeaderEdit::Remove { name, nth: 0 } => fields.retain(|field| !is(field, name)),
            HeaderEdit::Remove { name, nth } => {
                let place = nth_of(&mut fields, name, *nth).map(|(place, _)| place);
                place.map(|place| fields.remove(place));
            }
        }
    }
    let length: usize = fields.iter().map(|(_, raw)| raw.len()).sum();
    match length > block.len() + ADDED_BYTES_MAX {
        true => Err(Failure("a header that is too large".to_owned())),
        false => Ok(fields.into_iter().flat_map(|(_, raw)| raw).collect()),
    }
}

/// The n-th field of a name, and where it is.
fn nth_of<'f>(fields: &'f mut [Whole], name: &str, nth: usize) -> Option<(usize, &'f mut Whole)> {
    let of_name = fields
        .iter_mut()
        .enumerate()
        .filter(|(_, field)| is(field, name));
    of_name.into_iter().nth(nth.checked_sub(1)?)
}

fn is((field, _): &Whole, name: &str) -> bool {
    field.eq_ignore_ascii_case(name.as_bytes())
}

/// A field with its line ends; folds of nothing are left out. Errors: what would be another field, or the header's end.
fn field(name: &str, value: &[u8]) -> Result<Whole, Failure> {
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|one| matches!(one, 33..=126) && one != b':');
    // Folds come with LF alone, too.
    let mut lines = value
        .split(|octet| *octet == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut raw = [name.as_bytes(), b":", lines.next().unwrap_or_default()].concat();
    let mut folded = true;
    for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
        folded &= line.starts_with(b" ") || line.starts_with(b"\t");
        raw.extend_from_slice(b"\r\n");
        raw.extend_from_slice(line);
    }
    let lone_cr = raw
        .iter()
        .enumerate()
        .any(|(at, octet)| *octet == b'\r' && raw.get(at + 1) != Some(&b'\n'));
    if !is_name || !folded || lone_cr || raw.contains(&0) || raw.len() > FIELD_BYTES_MAX {
        return Err(Failure("a header field that cannot be".to_owned()));
    }
    raw.extend_from_slice(b"\r\n");
    Ok((name.as_bytes().to_vec(), raw))
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
            value: b" x".to_vec(),
        }
    }

    fn replace(nth: usize) -> HeaderEdit {
        HeaderEdit::Replace {
            name: "A".into(),
            nth,
            value: b" x\n \n y".to_vec(),
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
            value: b" x".to_vec(),
        };
        for edit in [append, insert(1)] {
            assert_eq!(edited(b"A: 1", &[edit]).unwrap(), b"A: 1\r\nX: x\r\n");
        }
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
            if let Ok((_, raw)) = field(&name, value.as_bytes()) {
                let block = [&raw[..], b"\r\nbody"].concat();
                let fields: Vec<_> = header::fields(&block).collect();
                prop_assert_eq!(fields.len(), 1);
                prop_assert_eq!(fields[0].raw, &raw[..]);
            }
        }
    }
}

//! A position in a frame, and the terminals of the grammar (RFC 3501 9): what every command file reads with.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

use crate::command::Tag;
use crate::command::append::AppendData;
use crate::date::{Date, DateTime};
use crate::flag::{Flag, Keyword};
use crate::frame::{Frame, Literal, Storage};
use crate::limits::FLAGS_MAX;
use crate::mailbox::{ListPattern, MailboxName};
use crate::sequence::{MessageSet, SequenceRange, SequenceSet, SetNumber};

/// Why a frame is not a command: the client's fault, answered with BAD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The command's tag, when it could be read.
    pub tag: Option<Tag>,
    /// Where, in octets from the start of the frame.
    pub at: usize,
    /// What should have stood there.
    pub expected: &'static str,
}

impl DecodeError {
    pub(crate) const fn new(at: usize, expected: &'static str) -> Self {
        Self {
            tag: None,
            at,
            expected,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at octet {}", self.expected, self.at)
    }
}

impl std::error::Error for DecodeError {}

/// ATOM-CHAR: printable ASCII without atom-specials.
pub(crate) const fn is_atom_char(byte: u8) -> bool {
    !matches!(byte, 0..=b' ' | 127.. | b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}

/// ASTRING-CHAR: ATOM-CHAR and `]`.
pub(crate) const fn is_astring_char(byte: u8) -> bool {
    is_atom_char(byte) || byte == b']'
}

type Result<T> = std::result::Result<T, DecodeError>;

/// Reads a frame from its start to its end.
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    literals: &'a [Literal],
    at: usize,
    literals_read: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(frame: Frame<'a>) -> Self {
        Self {
            bytes: frame.bytes,
            literals: frame.literals,
            at: 0,
            literals_read: 0,
        }
    }

    /// Octets from the start of the frame.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// How many literals were read.
    pub(crate) const fn literals_read(&self) -> usize {
        self.literals_read
    }

    pub(crate) const fn error(&self, expected: &'static str) -> DecodeError {
        DecodeError::new(self.at, expected)
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// What was read since `start`.
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    pub(crate) fn peek_second(&self) -> Option<u8> {
        self.rest().get(1).copied()
    }

    /// Passes `byte` if it is next.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    /// Passes `text` if it is next, in any case.
    pub(crate) fn take_bytes(&mut self, text: &[u8]) -> bool {
        let next = self
            .rest()
            .get(..text.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(text));
        if next {
            self.at += text.len();
        }
        next
    }

    /// Passes `word` if it is the next atom, in any case.
    pub(crate) fn take_word(&mut self, word: &str) -> bool {
        let ends = !self
            .rest()
            .get(word.len())
            .copied()
            .is_some_and(is_atom_char);
        ends && self.take_bytes(word.as_bytes())
    }

    pub(crate) fn expect(&mut self, byte: u8, expected: &'static str) -> Result<()> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.error(expected))
        }
    }

    pub(crate) fn expect_word(&mut self, word: &str, expected: &'static str) -> Result<()> {
        if self.take_word(word) {
            Ok(())
        } else {
            Err(self.error(expected))
        }
    }

    pub(crate) fn space(&mut self) -> Result<()> {
        self.expect(b' ', "a space")
    }

    /// Passes spaces; how many there were.
    pub(crate) fn skip_spaces(&mut self) -> usize {
        let start = self.at;
        while self.take(b' ') {}
        self.at - start
    }

    /// Moves on in a list in parentheses, `items` of which are read: to the next item, or past the end (false).
    ///
    /// Spaces beyond the one between two items are harmless, and some clients send them.
    pub(crate) fn next_item(&mut self, items: usize) -> Result<bool> {
        let spaces = self.skip_spaces();
        if self.take(b')') {
            return Ok(false);
        }
        if items > 0 && spaces == 0 {
            return Err(self.error("a space or \")\""));
        }
        Ok(true)
    }

    pub(crate) fn at_end_of_line(&self) -> bool {
        matches!(self.rest(), [] | [b'\r', b'\n', ..])
    }

    /// The line's end. Spaces before it are harmless and some clients send them.
    pub(crate) fn end_of_command(&mut self) -> Result<()> {
        self.skip_spaces();
        if self.rest() == b"\r\n" {
            Ok(())
        } else {
            Err(self.error("the end of the command"))
        }
    }

    /// Everything up to the line's end.
    pub(crate) fn rest_of_line(&mut self) -> &'a [u8] {
        self.take_while(|byte| !matches!(byte, b'\r' | b'\n'))
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let len = rest
            .iter()
            .position(|&byte| !wanted(byte))
            .unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    /// Characters that are `wanted`, all of them ASCII, at least one.
    fn word(&mut self, wanted: fn(u8) -> bool, expected: &'static str) -> Result<&'a str> {
        let start = self.at;
        match std::str::from_utf8(self.take_while(wanted)) {
            Ok(word) if !word.is_empty() => Ok(word),
            _ => Err(DecodeError::new(start, expected)),
        }
    }

    pub(crate) fn tag(&mut self) -> Result<Tag> {
        let word = self.word(|byte| is_astring_char(byte) && byte != b'+', "a tag")?;
        Tag::new(word.as_bytes()).ok_or(DecodeError::new(0, "a shorter tag"))
    }

    pub(crate) fn atom(&mut self, expected: &'static str) -> Result<&'a str> {
        self.word(is_atom_char, expected)
    }

    pub(crate) fn atom_upper(&mut self, expected: &'static str) -> Result<Box<str>> {
        Ok(self.atom(expected)?.to_ascii_uppercase().into_boxed_str())
    }

    /// A name of letters, digits and dots in upper case, as before a bracket.
    pub(crate) fn item_name(&mut self, expected: &'static str) -> Result<String> {
        let wanted = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
        Ok(self.word(wanted, expected)?.to_ascii_uppercase())
    }

    pub(crate) fn number64(&mut self) -> Result<u64> {
        let start = self.at;
        let digits = self.word(|byte| byte.is_ascii_digit(), "a number")?;
        // RFC 9051 9: number64 has 63 bits.
        match digits.parse::<u64>() {
            Ok(number) if i64::try_from(number).is_ok() => Ok(number),
            _ => Err(DecodeError::new(start, "a number below 2^63")),
        }
    }

    pub(crate) fn nonzero_number(&mut self) -> Result<NonZeroU32> {
        let start = self.at;
        let number = self.number64()?;
        let number = u32::try_from(number).ok().and_then(NonZeroU32::new);
        number.ok_or(DecodeError::new(start, "a number from 1 to 4294967295"))
    }

    /// A MODSEQ. The grammar excludes 0, but clients send it for "everything".
    pub(crate) fn mod_sequence(&mut self) -> Result<u64> {
        self.number64()
    }

    pub(crate) fn message_set(&mut self) -> Result<MessageSet> {
        if self.take(b'$') {
            return Ok(MessageSet::SavedResult);
        }
        self.sequence_set(true).map(MessageSet::Set)
    }

    /// A set without `*`.
    pub(crate) fn known_set(&mut self) -> Result<SequenceSet> {
        self.sequence_set(false)
    }

    fn sequence_set(&mut self, largest: bool) -> Result<SequenceSet> {
        let mut ranges = Vec::new();
        loop {
            let first = self.set_number(largest)?;
            let last = if self.take(b':') {
                self.set_number(largest)?
            } else {
                first
            };
            ranges.push(SequenceRange { first, last });
            if !self.take(b',') {
                break;
            }
        }
        SequenceSet::new(ranges).ok_or(self.error("a message set"))
    }

    fn set_number(&mut self, largest: bool) -> Result<SetNumber> {
        if largest && self.take(b'*') {
            return Ok(SetNumber::Largest);
        }
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.error("a message number"));
        }
        self.nonzero_number().map(SetNumber::Number)
    }

    pub(crate) fn astring(&mut self) -> Result<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => self
                .word(is_astring_char, "a string")
                .map(|word| Cow::Borrowed(word.as_bytes())),
        }
    }

    pub(crate) fn nstring(&mut self) -> Result<Option<Cow<'a, [u8]>>> {
        if self.take_word("NIL") {
            return Ok(None);
        }
        self.string().map(Some)
    }

    pub(crate) fn string(&mut self) -> Result<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => {
                let start = self.at;
                let (literal, data) = self.literal()?;
                if literal.storage == Storage::Streamed {
                    return Err(DecodeError::new(start, "a literal short enough for memory"));
                }
                if data.contains(&0) {
                    return Err(DecodeError::new(start, "a literal without NUL"));
                }
                Ok(Cow::Borrowed(data))
            }
            _ => Err(self.error("a string")),
        }
    }

    /// A quoted string. RFC 3501 has 7-bit characters only; UTF-8 (RFC 9051, RFC 6855) is taken always.
    fn quoted(&mut self) -> Result<Cow<'a, [u8]>> {
        let start = self.at;
        self.expect(b'"', "a quoted string")?;
        let plain = self.take_while(|byte| !matches!(byte, b'"' | b'\\' | b'\r' | b'\n'));
        let mut text = Cow::Borrowed(plain);
        while !self.take(b'"') {
            self.expect(b'\\', "the end of the quoted string")?;
            let Some(escaped @ (b'"' | b'\\')) = self.peek() else {
                return Err(self.error("\" or \\ behind a backslash"));
            };
            self.at += 1;
            let more = self.take_while(|byte| !matches!(byte, b'"' | b'\\' | b'\r' | b'\n'));
            let owned = text.to_mut();
            owned.push(escaped);
            owned.extend_from_slice(more);
        }
        if std::str::from_utf8(&text).is_err() {
            return Err(DecodeError::new(start, "a quoted string in UTF-8"));
        }
        Ok(text)
    }

    /// The literal that starts here, as the framer found it; no octets when it was streamed.
    fn literal(&mut self) -> Result<(&'a Literal, &'a [u8])> {
        let known = self
            .literals
            .binary_search_by_key(&self.at, |literal| literal.header_at);
        let literal = known.ok().and_then(|index| self.literals.get(index));
        let literal = literal.ok_or(self.error("a literal"))?;
        let len = match literal.storage {
            // What is in memory has a length that fits.
            Storage::Inline => usize::try_from(literal.len).unwrap_or(usize::MAX),
            Storage::Streamed => 0,
        };
        let end = literal.data_at.saturating_add(len);
        let data = self
            .bytes
            .get(literal.data_at..end)
            .ok_or(self.error("a literal"))?;
        self.at = end;
        self.literals_read += 1;
        Ok((literal, data))
    }

    /// A message of APPEND: `{n}` or `~{n}`. Its octets are not judged.
    pub(crate) fn append_literal(&mut self) -> Result<AppendData> {
        if !matches!(self.peek(), Some(b'{' | b'~')) {
            return Err(self.error("a literal"));
        }
        let (literal, data) = self.literal()?;
        Ok(match literal.storage {
            Storage::Inline => AppendData::Inline(data.to_vec()),
            Storage::Streamed => AppendData::Streamed {
                index: literal.index,
                len: literal.len,
            },
        })
    }

    pub(crate) fn mailbox(&mut self) -> Result<MailboxName> {
        Ok(MailboxName::from_wire(&self.astring_or("a mailbox name")?))
    }

    /// LIST pattern: an astring that may hold wildcards.
    pub(crate) fn list_pattern(&mut self) -> Result<ListPattern> {
        if matches!(self.peek(), Some(b'"' | b'{')) {
            return Ok(ListPattern::from_wire(&self.string()?));
        }
        let wanted = |byte: u8| is_astring_char(byte) || matches!(byte, b'%' | b'*');
        Ok(ListPattern::from_wire(
            self.word(wanted, "a mailbox pattern")?.as_bytes(),
        ))
    }

    fn astring_or(&mut self, expected: &'static str) -> Result<Cow<'a, [u8]>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => self
                .word(is_astring_char, expected)
                .map(|word| Cow::Borrowed(word.as_bytes())),
        }
    }

    /// Flags in parentheses, possibly none.
    pub(crate) fn flag_list(&mut self) -> Result<Vec<Flag>> {
        self.expect(b'(', "a list of flags")?;
        let mut flags = Vec::new();
        while self.next_item(flags.len())? {
            self.push_flag(&mut flags)?;
        }
        Ok(flags)
    }

    /// Flags with a space between them, at least one, up to the line's end.
    pub(crate) fn flags(&mut self) -> Result<Vec<Flag>> {
        let mut flags = Vec::new();
        self.push_flag(&mut flags)?;
        while self.skip_spaces() > 0 && !self.at_end_of_line() {
            self.push_flag(&mut flags)?;
        }
        Ok(flags)
    }

    fn push_flag(&mut self, flags: &mut Vec<Flag>) -> Result<()> {
        if flags.len() == FLAGS_MAX {
            return Err(self.error("at most 512 flags"));
        }
        flags.push(self.flag()?);
        Ok(())
    }

    fn flag(&mut self) -> Result<Flag> {
        if self.take(b'\\') {
            return Ok(Flag::system(self.atom("a flag")?));
        }
        self.keyword().map(Flag::Keyword)
    }

    pub(crate) fn keyword(&mut self) -> Result<Keyword> {
        let at = self.at;
        Keyword::new(self.atom("a flag")?).ok_or(DecodeError::new(at, "a flag"))
    }

    /// `date`, with quotes or without.
    pub(crate) fn date(&mut self) -> Result<Date> {
        let at = self.at;
        let text = self.astring_or("a date")?;
        Date::parse(&text).ok_or(DecodeError::new(at, "a date such as 1-Feb-1994"))
    }

    pub(crate) fn date_time(&mut self) -> Result<DateTime> {
        let at = self.at;
        let text = self.quoted()?;
        let expected = "a date and time such as \" 1-Feb-1994 21:52:25 -0800\"";
        DateTime::parse(&text).ok_or(DecodeError::new(at, expected))
    }
}

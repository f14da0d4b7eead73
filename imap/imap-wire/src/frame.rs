//! Cuts what a client sends into frames: one command each, its lines and literals together, within bounds.
//!
//! The framer never keeps more than its [`Limits`] allow. About every literal it asks the session, which lets it into
//! the frame, streams its octets past the frame, or refuses it. A refused command is skipped to its end, so that the
//! session goes on in step with the client.
//!
//! Line ends are CRLF. A line that ends in a bare LF is refused, and so is what follows on the same CRLF line: text
//! behind an injected LF never becomes a command.
//!
//! Sources: RFC 3501 2.2 and 4.3, RFC 7888 (non-synchronising literals), RFC 3516 (literal8).

use std::fmt;

use crate::command::Tag;
use crate::limits::Limits;

/// Octets of buffer kept from one command to the next.
const KEPT_BYTES: usize = 4096;
/// Octets at the end of a skipped line that are kept to recognise a literal's header.
const TAIL_BYTES: usize = 32;

/// A complete command, borrowed from the framer until it is fed again.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) literals: &'a [Literal],
}

impl<'a> Frame<'a> {
    /// The frame's text without its last line end: the line itself when there is no literal.
    #[must_use]
    pub fn line(&self) -> &'a [u8] {
        self.bytes.strip_suffix(b"\r\n").unwrap_or(self.bytes)
    }

    /// All octets of the frame: text with literals in place, streamed ones left out.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// A literal of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    /// Which literal of the command, from 0.
    pub(crate) index: usize,
    /// Where `{` or `~{` stands in the frame.
    pub(crate) header_at: usize,
    /// Where the octets start (or would).
    pub(crate) data_at: usize,
    /// Octets.
    pub(crate) len: u64,
    pub(crate) storage: Storage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    Inline,
    Streamed,
}

/// What the framer recognises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Commands with literals.
    #[default]
    Command,
    /// Bare lines, for what is not a command: SASL responses and the `DONE` of IDLE.
    Line,
}

/// What became of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// All input was used, and more is needed.
    NeedInput,
    /// The client announces a literal; [`Framer::answer`] must come before the next feed.
    Literal(LiteralHeader),
    /// The octets used by this feed belong to the streamed literal; `last` when it ends with them.
    LiteralData {
        /// Whether the literal is complete.
        last: bool,
    },
    /// A command, or in [`Mode::Line`] a line, is complete: [`Framer::frame`].
    Frame,
    /// A command was refused and skipped.
    Refused(Refusal),
}

/// The announcement of a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiteralHeader {
    /// Which literal of the command, from 0.
    pub index: usize,
    /// Octets announced; `u64::MAX` also for numbers above that.
    pub len: u64,
    /// Whether the client waits for a continuation request. It does not for `{n+}`.
    pub sync: bool,
    /// Whether it is a literal8, `~{n}`.
    pub binary: bool,
}

/// What to do with an announced literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Keep its octets in the frame. Refused instead when they would exceed the limit.
    Inline,
    /// Hand its octets out as they come.
    Stream,
    /// Refuse it: the command ends here when the literal is synchronising, else it is skipped to its end. Either way
    /// [`Event::Refused`] follows.
    Refuse,
}

/// A command that was refused before it could be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its tag, when it could be read: the answer is a tagged BAD or NO, else an untagged BAD.
    pub tag: Option<Tag>,
    /// Why.
    pub reason: RefusalReason,
}

/// Why a command was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalReason {
    /// A NUL octet outside literals.
    Nul,
    /// A CR without LF.
    BareCr,
    /// A LF without CR, or text that follows one on the same line.
    BareLf,
    /// More text than [`Limits::line_bytes_max`].
    LineTooLong,
    /// More octets to keep than [`Limits::literal_bytes_max_in_memory`].
    LiteralTooLarge,
    /// More literals than [`Limits::literals_max`].
    TooManyLiterals,
    /// The session refused a literal.
    LiteralRefused,
}

impl RefusalReason {
    /// The reason in words, for the client.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Nul => "NUL in command",
            Self::BareCr => "CR without LF in command",
            Self::BareLf => "LF without CR in command",
            Self::LineTooLong => "command line too long",
            Self::LiteralTooLarge => "literals too large",
            Self::TooManyLiterals => "too many literals",
            Self::LiteralRefused => "literal refused",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Collecting text.
    Text,
    /// The session must answer about this literal.
    Asked {
        header: LiteralHeader,
        header_at: usize,
    },
    /// Collecting this many octets of a literal.
    Inline { left: u64 },
    /// Handing out this many octets of a literal.
    Stream { left: u64 },
    /// Skipping a refused command: first these octets of a literal, then text.
    Skip { reason: RefusalReason, left: u64 },
    /// A refused command has ended.
    Refused { reason: RefusalReason },
    /// A frame is complete and lent out.
    Complete,
}

/// Cuts a client's octets into frames. One for each connection.
pub struct Framer {
    limits: Limits,
    mode: Mode,
    state: State,
    /// The frame so far; while skipping, the start of the refused line.
    bytes: Vec<u8>,
    literals: Vec<Literal>,
    /// Where the current line starts in `bytes`.
    line_at: usize,
    /// Octets of `bytes` that are literals.
    literal_bytes: usize,
    /// While skipping, the end of the line so far.
    tail: Vec<u8>,
    /// Whether a bare LF came since the last CRLF.
    tainted: bool,
}

impl Framer {
    /// A framer at the start of a connection.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            mode: Mode::Command,
            state: State::Text,
            bytes: Vec::new(),
            literals: Vec::new(),
            line_at: 0,
            literal_bytes: 0,
            tail: Vec::new(),
            tainted: false,
        }
    }

    /// Uses up input, until it is all used or something happened; says how much was used and what happened.
    ///
    /// Feeding again with the unused rest goes on. An empty input is fine, and gets an event that is still due.
    pub fn feed(&mut self, input: &[u8]) -> (usize, Event) {
        let mut used = 0;
        loop {
            let rest = input.get(used..).unwrap_or_default();
            match self.state {
                State::Complete => self.reset(),
                State::Refused { reason } => {
                    let refusal = Refusal {
                        tag: self.tag(),
                        reason,
                    };
                    self.reset();
                    return (used, Event::Refused(refusal));
                }
                State::Asked { header, .. } => return (used, Event::Literal(header)),
                State::Stream { left } if left == 0 || !rest.is_empty() => {
                    // Streaming starts between feeds, so all that was used is the literal's.
                    let taken = taken(left, rest);
                    let left = left - taken as u64;
                    self.state = if left == 0 {
                        State::Text
                    } else {
                        State::Stream { left }
                    };
                    return (used + taken, Event::LiteralData { last: left == 0 });
                }
                State::Inline { left: 0 } => self.state = State::Text,
                _ if rest.is_empty() => return (used, Event::NeedInput),
                State::Stream { left } | State::Inline { left } => {
                    let taken = taken(left, rest);
                    self.bytes
                        .extend_from_slice(rest.get(..taken).unwrap_or_default());
                    self.line_at = self.bytes.len();
                    self.state = State::Inline {
                        left: left - taken as u64,
                    };
                    used += taken;
                }
                State::Text => used += self.text(rest),
                State::Skip { reason, left: 0 } => used += self.skip_text(rest, reason),
                State::Skip { reason, left } => {
                    let taken = taken(left, rest);
                    self.state = State::Skip {
                        reason,
                        left: left - taken as u64,
                    };
                    used += taken;
                }
            }
            if self.state == State::Complete {
                return (used, Event::Frame);
            }
        }
    }

    /// Answers [`Event::Literal`]; true when the client now waits for a continuation request.
    ///
    /// Does nothing at any other time. An inline literal that would exceed the limit is refused.
    pub fn answer(&mut self, answer: Answer) -> bool {
        let State::Asked { header, header_at } = self.state else {
            return false;
        };
        let storage = match answer {
            Answer::Refuse => {
                self.refuse_literal(header, RefusalReason::LiteralRefused);
                return false;
            }
            Answer::Inline => {
                let room = self
                    .limits
                    .literal_bytes_max_in_memory
                    .saturating_sub(self.literal_bytes);
                let Some(len) = usize::try_from(header.len).ok().filter(|len| *len <= room) else {
                    self.refuse_literal(header, RefusalReason::LiteralTooLarge);
                    return false;
                };
                self.literal_bytes += len;
                self.state = State::Inline { left: header.len };
                Storage::Inline
            }
            Answer::Stream => {
                self.state = State::Stream { left: header.len };
                Storage::Streamed
            }
        };
        let (index, len, data_at) = (header.index, header.len, self.bytes.len());
        self.line_at = data_at;
        self.literals.push(Literal {
            index,
            header_at,
            data_at,
            len,
            storage,
        });
        header.sync
    }

    /// The frame that [`Event::Frame`] announced, until the next feed; empty at any other time.
    #[must_use]
    pub fn frame(&self) -> Frame<'_> {
        match self.state {
            State::Complete => Frame {
                bytes: &self.bytes,
                literals: &self.literals,
            },
            _ => Frame {
                bytes: &[],
                literals: &[],
            },
        }
    }

    /// Switches between commands and bare lines. To be called between frames.
    pub const fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
    }

    /// The tag of the command being read, as far as it can be told.
    #[must_use]
    pub fn tag(&self) -> Option<Tag> {
        self.word(0).and_then(|word| Tag::new(word.as_bytes()))
    }

    /// The name of the command being read in the client's spelling (`UID` for its family): what a session needs to
    /// know to answer about a literal.
    #[must_use]
    pub fn command_name(&self) -> Option<&str> {
        self.word(1)
    }

    fn word(&self, index: usize) -> Option<&str> {
        let ends = |byte: &u8| matches!(byte, b' ' | b'\r' | b'\n');
        let word = self.bytes.split(ends).nth(index)?;
        std::str::from_utf8(word)
            .ok()
            .filter(|word| !word.is_empty())
    }

    /// Octets of the command being read, or of the lent frame, that are held in memory.
    #[must_use]
    pub const fn bytes_held(&self) -> usize {
        self.bytes.len() + self.tail.len()
    }

    /// Gives memory back that is not in use now: call it when the session goes idle. Ends the loan of a frame.
    pub fn shrink(&mut self) {
        if self.state == State::Complete {
            self.reset();
        }
        self.bytes.shrink_to_fit();
        self.literals.shrink_to_fit();
        self.tail.shrink_to_fit();
    }

    /// Makes ready for the next command.
    fn reset(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.literals.clear();
        self.literals.shrink_to(16);
        self.tail.clear();
        self.line_at = 0;
        self.literal_bytes = 0;
        self.state = if self.tainted {
            State::Skip {
                reason: RefusalReason::BareLf,
                left: 0,
            }
        } else {
            State::Text
        };
    }

    /// Takes text up to the line's end at most; how much was used.
    fn text(&mut self, rest: &[u8]) -> usize {
        let line = match memchr::memchr(b'\n', rest) {
            Some(end) => rest.get(..=end).unwrap_or(rest),
            None => rest,
        };
        let held = self.bytes.len() - self.literal_bytes;
        let room = self.limits.line_bytes_max.saturating_sub(held);
        // What is too long is only judged as far as it fits, so that the verdict does not depend on how it was cut.
        let fitting = line.get(..room).unwrap_or(line);
        let fault = self.fault(fitting);
        if fault.is_some() || line.len() > room {
            self.skip(fault.unwrap_or(RefusalReason::LineTooLong));
            return 0;
        }
        self.bytes.extend_from_slice(line);
        if line.ends_with(b"\n") {
            self.line_complete();
        }
        line.len()
    }

    /// What is wrong with more text of this line, which has a LF at most at its end.
    fn fault(&self, more: &[u8]) -> Option<RefusalReason> {
        let first = *more.first()?;
        let line = self.bytes.get(self.line_at..).unwrap_or_default();
        let cr_before = line.ends_with(b"\r");
        if cr_before && first != b'\n' {
            return Some(RefusalReason::BareCr);
        }
        for at in memchr::memchr2_iter(0, b'\r', more) {
            match more.get(at..) {
                Some([0, ..]) => return Some(RefusalReason::Nul),
                Some([b'\r', next, ..]) if *next != b'\n' => return Some(RefusalReason::BareCr),
                _ => {}
            }
        }
        let bare_lf = match more {
            [b'\n'] => !cr_before,
            [.., before, b'\n'] => *before != b'\r',
            _ => false,
        };
        bare_lf.then_some(RefusalReason::BareLf)
    }

    /// Starts to skip the command from here to its end.
    fn skip(&mut self, reason: RefusalReason) {
        let line = self.bytes.get(self.line_at..).unwrap_or_default();
        let tail = line
            .get(line.len().saturating_sub(TAIL_BYTES)..)
            .unwrap_or_default();
        self.tail.extend_from_slice(tail);
        self.bytes.truncate(Tag::BYTES_MAX + 1);
        self.literals.clear();
        self.state = State::Skip { reason, left: 0 };
    }

    /// A line ended in CRLF and nothing is wrong with it.
    fn line_complete(&mut self) {
        let line = self.bytes.get(self.line_at..).unwrap_or_default();
        let header = match self.mode {
            Mode::Command => literal_header(line, self.literals.len()),
            Mode::Line => None,
        };
        let Some((header, header_len)) = header else {
            self.state = State::Complete;
            return;
        };
        if header.index >= self.limits.literals_max {
            self.refuse_literal(header, RefusalReason::TooManyLiterals);
            return;
        }
        let header_at = self.bytes.len() - header_len;
        self.state = State::Asked { header, header_at };
    }

    /// Refuses the command at an announced literal, which a client sends only when it is non-synchronising.
    fn refuse_literal(&mut self, header: LiteralHeader, reason: RefusalReason) {
        self.tail.clear();
        self.bytes.truncate(Tag::BYTES_MAX + 1);
        self.literals.clear();
        self.state = if header.sync {
            State::Refused { reason }
        } else {
            State::Skip {
                reason,
                left: header.len,
            }
        };
    }

    /// Skips text up to the line's end at most; how much was used.
    fn skip_text(&mut self, rest: &[u8], reason: RefusalReason) -> usize {
        let line = match memchr::memchr(b'\n', rest) {
            Some(end) => rest.get(..=end).unwrap_or(rest),
            None => rest,
        };
        let room = (Tag::BYTES_MAX + 1).saturating_sub(self.bytes.len());
        self.bytes
            .extend_from_slice(line.get(..room).unwrap_or(line));
        let tail = line
            .get(line.len().saturating_sub(TAIL_BYTES)..)
            .unwrap_or_default();
        self.tail.extend_from_slice(tail);
        self.tail
            .drain(..self.tail.len().saturating_sub(TAIL_BYTES));
        if line.ends_with(b"\n") {
            self.skipped_line(reason);
        }
        line.len()
    }

    /// A line that is skipped has ended.
    fn skipped_line(&mut self, reason: RefusalReason) {
        let continued = std::mem::replace(&mut self.tainted, !self.tail.ends_with(b"\r\n"));
        if continued && matches!(&*self.bytes, b"\r\n" | b"\n") {
            // Nothing followed the bare LF, which was answered.
            self.reset();
            return;
        }
        self.state = State::Refused { reason };
        if self.mode == Mode::Command
            && let Some((header, _)) = literal_header(&self.tail, 0)
        {
            self.refuse_literal(header, reason);
        }
    }
}

/// Shows sizes only: a frame may hold a password.
impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Frame({} octets, {} literals)",
            self.bytes.len(),
            self.literals.len()
        )
    }
}

/// Shows sizes only: a frame may hold a password.
impl fmt::Debug for Framer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Framer({:?}, {} octets)", self.state, self.bytes_held())
    }
}

/// How much of `rest` belongs to a literal with `left` octets to come.
fn taken(left: u64, rest: &[u8]) -> usize {
    usize::try_from(left).unwrap_or(usize::MAX).min(rest.len())
}

/// The literal header at the end of a line, and its length in octets with the CRLF. None behind a bare LF.
fn literal_header(line: &[u8], index: usize) -> Option<(LiteralHeader, usize)> {
    let text = line.strip_suffix(b"}\r\n")?;
    let (text, sync) = match text.strip_suffix(b"+") {
        Some(text) => (text, false),
        None => (text, true),
    };
    let digits_len = text
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (before, digits) = text.split_at_checked(text.len() - digits_len)?;
    let before = before.strip_suffix(b"{").filter(|_| digits_len > 0)?;
    let len = digits.iter().fold(0_u64, |len, digit| {
        len.saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    });
    let (before, binary) = match before.strip_suffix(b"~") {
        Some(before) => (before, true),
        None => (before, false),
    };
    Some((
        LiteralHeader {
            index,
            len,
            sync,
            binary,
        },
        line.len() - before.len(),
    ))
}

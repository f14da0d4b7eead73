//! A span for each command, for who traces what an operation of a client costs.
//!
//! The spans have the target `operation` and are there only while somebody traces. They carry the line that the client
//! sent, of which only words of the protocol, numbers and system flags are left: strings, literals, names of mailboxes,
//! what is searched for and what a client logs in with are not.

use imap_wire::{Command, Framer, Tag};
use tracing::{Span, field::Empty};

use crate::state::State;

/// The longest line that is kept.
const LINE_CHARS_MAX: usize = 500;

/// The longest tag that is taken for one.
const TAG_BYTES_MAX: usize = 20;

/// What stands for what is left out.
const LEFT_OUT: char = '…';

/// The span of a command; a disabled one when nobody traces.
pub(crate) fn span(line: Option<String>, command: &Command, state: &State) -> Span {
    let Some(line) = line else {
        return Span::none();
    };
    tracing::trace_span!(
        target: "operation",
        "imap",
        command = command.body.name(),
        tag = tag(&command.tag),
        user = state.user(),
        line,
        status = Empty,
    )
}

/// The line of the command that a framer holds, without what is nobody's business; none when nobody traces.
pub(crate) fn line(framer: &Framer) -> Option<String> {
    tracing::enabled!(target: "operation", tracing::Level::TRACE)
        .then(|| redacted(framer.frame().bytes()))
}

/// Takes note of how a command was answered.
pub(crate) fn answered(status: &'static str) {
    if tracing::enabled!(target: "operation", tracing::Level::TRACE) {
        Span::current().record("status", status);
    }
}

/// Takes note of who has logged in.
pub(crate) fn logged_in(user: &str) {
    if tracing::enabled!(target: "operation", tracing::Level::TRACE) {
        Span::current().record("user", user);
    }
}

fn tag(tag: &Tag) -> &str {
    match tag.as_str() {
        tag if is_tag(tag.as_bytes()) => tag,
        _ => "…",
    }
}

fn is_tag(tag: &[u8]) -> bool {
    let is_plain = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-');
    tag.len() <= TAG_BYTES_MAX && tag.iter().all(is_plain)
}

/// A line without what is nobody's business.
fn redacted(line: &[u8]) -> String {
    let mut out = Line::default();
    let mut rest = line;
    while let [first, after @ ..] = rest
        && out.text.len() < LINE_CHARS_MAX
    {
        rest = match first {
            b'\r' | b'\n' => break,
            b'{' | b'~' => {
                out.literal(rest);
                break;
            }
            b'"' => {
                out.left_out();
                after_quoted(after)
            }
            b' ' | b'(' | b')' | b'[' | b']' => {
                out.text.push(char::from(*first));
                after
            }
            _ => {
                let end = rest.iter().position(|octet| ends_word(*octet));
                let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
                out.word(word);
                after
            }
        };
    }
    out.text
}

const fn ends_word(octet: u8) -> bool {
    matches!(
        octet,
        b' ' | b'(' | b')' | b'[' | b']' | b'"' | b'{' | b'\r' | b'\n'
    )
}

/// What follows a quoted string, from behind its first quote.
fn after_quoted(mut rest: &[u8]) -> &[u8] {
    loop {
        rest = match rest {
            [b'\\', _, after @ ..] => after,
            [b'"', after @ ..] => return after,
            [_, after @ ..] => after,
            [] => return rest,
        };
    }
}

/// A line in the making.
#[derive(Default)]
struct Line {
    text: String,
    words: usize,
    kind: Kind,
    /// How many of the next words are what is searched for.
    arguments: usize,
}

/// What is known of the command.
#[derive(Clone, Copy, Default, PartialEq)]
enum Kind {
    #[default]
    Other,
    /// Its arguments are secrets.
    Secret,
    /// Some of its words are followed by what is searched for.
    Search,
}

impl Line {
    fn word(&mut self, word: &[u8]) {
        self.words += 1;
        if self.words == 1 {
            match is_tag(word) {
                true => self.push(word),
                false => self.text.push(LEFT_OUT),
            }
            return;
        }
        let known = known(word);
        let is_argument = self.arguments > 0;
        self.arguments = self.arguments.saturating_sub(1);
        match known {
            Some(known) if !is_argument && self.kind != Kind::Secret => {
                self.note(known);
                self.text.push_str(known);
            }
            None if is_number(word) && self.kind != Kind::Secret && !is_argument => {
                self.push(word);
            }
            _ => self.mark(),
        }
    }

    fn note(&mut self, word: &'static str) {
        match word {
            "LOGIN" | "AUTHENTICATE" | "ID" => self.kind = Kind::Secret,
            "SEARCH" => self.kind = Kind::Search,
            "HEADER" if self.kind == Kind::Search => self.arguments = 2,
            word if self.kind == Kind::Search && SEARCHED_FOR.contains(&word) => {
                self.arguments = 1;
            }
            _ => {}
        }
    }

    /// A string of any kind: it is an argument where one is expected.
    fn left_out(&mut self) {
        self.arguments = self.arguments.saturating_sub(1);
        self.mark();
    }

    fn mark(&mut self) {
        if !self.text.ends_with(LEFT_OUT) {
            self.text.push(LEFT_OUT);
        }
    }

    /// A literal: its size, and nothing of what comes after it.
    fn literal(&mut self, rest: &[u8]) {
        let end = rest.iter().position(|octet| *octet == b'}');
        let header = end.and_then(|end| rest.get(..=end)).unwrap_or_default();
        if self.kind != Kind::Secret {
            self.push(header);
        }
        self.text.push_str(" …");
    }

    fn push(&mut self, word: &[u8]) {
        self.text.push_str(&String::from_utf8_lossy(word));
    }
}

/// Sequence sets, sizes, partial ranges.
fn is_number(word: &[u8]) -> bool {
    let of_numbers = |octet: &u8| octet.is_ascii_digit() || b",:*<>.$".contains(octet);
    word.iter().all(of_numbers)
}

/// The protocol's own spelling of a word that is one of it.
fn known(word: &[u8]) -> Option<&'static str> {
    let mut words = WORDS.iter().flat_map(|line| line.split(' '));
    words.find(|known| known.as_bytes().eq_ignore_ascii_case(word))
}

/// Search keys that are followed by what is searched for.
const SEARCHED_FOR: [&str; 9] = [
    "BCC",
    "BODY",
    "CC",
    "FROM",
    "KEYWORD",
    "SUBJECT",
    "TEXT",
    "TO",
    "UNKEYWORD",
];

/// Words of the protocol: commands, what is said of mailboxes, of messages, header fields that clients ask for, and search
/// keys. Source: RFC 3501 9, and the extensions that the crate names.
const WORDS: &[&str] = &[
    "APPEND AUTHENTICATE CAPABILITY CHECK CLOSE COMPRESS COPY CREATE DELETE ENABLE EXAMINE EXPUNGE FETCH ID IDLE LIST",
    "GETQUOTA GETQUOTAROOT SETQUOTA DELETED-STORAGE",
    "LOGIN LOGOUT LSUB MOVE NAMESPACE NOOP RENAME SEARCH SELECT STARTTLS STATUS STORE SUBSCRIBE UID UNAUTHENTICATE",
    "UNSELECT UNSUBSCRIBE",
    "% * APPENDLIMIT CHILDREN CONDSTORE DELETED HIGHESTMODSEQ IMAP4rev2 INBOX MESSAGES QRESYNC RECENT RECURSIVEMATCH",
    "REMOTE RETURN SIZE SPECIAL-USE SUBSCRIBED UIDNEXT UIDVALIDITY UNSEEN",
    "+FLAGS +FLAGS.SILENT -FLAGS -FLAGS.SILENT ALL BINARY BINARY.PEEK BINARY.SIZE BODY BODY.PEEK BODYSTRUCTURE",
    "CHANGEDSINCE ENVELOPE FAST FLAGS FLAGS.SILENT FULL HEADER HEADER.FIELDS HEADER.FIELDS.NOT INTERNALDATE MIME MODSEQ",
    "RFC822 RFC822.HEADER RFC822.SIZE RFC822.TEXT TEXT UNCHANGEDSINCE VANISHED",
    "\\Answered \\Deleted \\Draft \\Flagged \\Recent \\Seen",
    "BCC CC CONTENT-TYPE DATE DELIVERED-TO DISPOSITION-NOTIFICATION-TO FROM IN-REPLY-TO LIST-ID LIST-POST MESSAGE-ID",
    "NEWSGROUPS PRIORITY REFERENCES REPLY-TO SENDER SUBJECT TO X-PRIORITY",
    "ANSWERED BEFORE CHARSET COUNT DRAFT FLAGGED KEYWORD LARGER MAX MIN NEW NOT OLD OLDER ON OR SAVE SEEN SENTBEFORE",
    "SENTON SENTSINCE SINCE SMALLER UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNKEYWORD US-ASCII UTF-8 YOUNGER",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_line_only_words_of_the_protocol_are_left() {
        let cases: [(&[u8], &str); 17] = [
            (b"a1 NOOP\r\n", "a1 NOOP"),
            (b"a1 login alice secret\r\n", "a1 LOGIN … …"),
            (b"a1 LOGIN \"alice\" \"FLAGS\"\r\n", "a1 LOGIN … …"),
            (b"a1 login {5+}\r\nalice {6+}\r\nsecret\r\n", "a1 LOGIN  …"),
            (b"a1 LOGIN flags all\r\n", "a1 LOGIN … …"),
            (
                b"a1 AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==\r\n",
                "a1 AUTHENTICATE … …",
            ),
            (b"a1 ID (\"name\" \"x\")\r\n", "a1 ID (… …)"),
            (
                b"A.1 UID FETCH 1:*,7 (UID FLAGS)\r\n",
                "A.1 UID FETCH 1:*,7 (UID FLAGS)",
            ),
            (
                b"4 fetch 1 (body.peek[header.fields (From X-Secret)]<0.2048>)\r\n",
                "4 FETCH 1 (BODY.PEEK[HEADER.FIELDS (FROM …)]<0.2048>)",
            ),
            (
                b"5 SELECT INBOX (CONDSTORE)\r\n",
                "5 SELECT INBOX (CONDSTORE)",
            ),
            (b"5 SELECT Work/Layoffs\r\n", "5 SELECT …"),
            (b"5 SELECT \"a \\\" b@example.test\"\r\n", "5 SELECT …"),
            (
                b"6 UID SEARCH OR SUBJECT seen FROM bob@example.test SEEN\r\n",
                "6 UID SEARCH OR SUBJECT … FROM … SEEN",
            ),
            (
                b"6 SEARCH HEADER X-Y flags LARGER 100\r\n",
                "6 SEARCH HEADER … … LARGER 100",
            ),
            (b"6 SEARCH TEXT {5}\r\nhello\r\n", "6 SEARCH TEXT {5} …"),
            (
                b"7 STORE 2 +FLAGS.SILENT (\\Seen $Label1 private)\r\n",
                "7 STORE 2 +FLAGS.SILENT (\\Seen … …)",
            ),
            (
                b"8 APPEND Drafts (\\Seen) \" 1-Jan-2027 00:00:00 +0000\" {310}\r\n",
                "8 APPEND … (\\Seen) … {310} …",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(
                redacted(line),
                expected,
                "{}",
                String::from_utf8_lossy(line)
            );
        }
    }

    #[test]
    fn what_is_no_tag_is_left_out_and_long_lines_are_cut() {
        assert_eq!(redacted(b"bob@example.test NOOP\r\n"), "… NOOP");
        let numbers = ["1"; 2000].join(",");
        let line = format!("a FETCH {numbers} FLAGS\r\n");
        assert!(redacted(line.as_bytes()).starts_with("a FETCH 1,1,"));
    }
}

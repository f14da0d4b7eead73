//! Commands of a client, decoded. Sans-IO. Source: RFC 1939 9, RFC 2449 4.

use std::str;

/// A message's number within a session, as a client wrote it, counted from 1. One that is too large for its type is
/// the largest: no message has it.
pub(crate) type MessageNumber = u32;

/// A command. Keywords are read in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    /// `AUTH [mechanism [initial-response]]`; without a mechanism it asks for their names.
    Auth(Option<Auth<'a>>),
    /// `CAPA`
    Capa,
    /// `DELE message`
    Dele(MessageNumber),
    /// `LANG [range]`
    Lang(Option<&'a str>),
    /// `LIST [message]`
    List(Option<MessageNumber>),
    /// `NOOP`
    Noop,
    /// `PASS password`: all that follows the first space. Source: RFC 1939 7.
    Pass(&'a [u8]),
    /// `QUIT`
    Quit,
    /// `RETR message`
    Retr(MessageNumber),
    /// `RSET`
    Rset,
    /// `STAT`
    Stat,
    /// `STLS`
    Stls,
    /// `TOP message lines`
    Top(MessageNumber, u64),
    /// `UIDL [message]`
    Uidl(Option<MessageNumber>),
    /// `USER name`
    User(&'a str),
    /// `UTF8`
    Utf8,
}

/// What AUTH says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Auth<'a> {
    /// The mechanism's name.
    pub(crate) mechanism: &'a str,
    /// The initial response as it was sent, in base64.
    pub(crate) initial: Option<&'a [u8]>,
}

/// Why a line is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

const UNKNOWN: Malformed = Malformed("unknown command");
const NO_ARGUMENTS: Malformed = Malformed("no arguments expected");
const ONE_NUMBER: Malformed = Malformed("expected the number of a message");

impl<'a> Command<'a> {
    /// Decodes a line without its end.
    pub(crate) fn decode(line: &'a [u8]) -> Result<Self, Malformed> {
        let (keyword, rest) = match line.iter().position(|octet| *octet == b' ') {
            Some(at) => (&line[..at], Some(&line[at + 1..])),
            None => (line, None),
        };
        let keyword = Keyword::of(keyword).ok_or(UNKNOWN)?;
        let mut words = Words::new(rest.unwrap_or_default());
        let command = match keyword {
            Keyword::Pass => return rest.map(Self::Pass).ok_or(Malformed("expected a password")),
            Keyword::User => Self::User(words.rest_as_text("expected a user name in UTF-8")?),
            Keyword::Auth => Self::Auth(auth(&mut words)?),
            Keyword::Dele => Self::Dele(words.number()?.ok_or(ONE_NUMBER)?),
            Keyword::Lang => Self::Lang(words.text()?),
            Keyword::List => Self::List(words.number()?),
            Keyword::Retr => Self::Retr(words.number()?.ok_or(ONE_NUMBER)?),
            Keyword::Uidl => Self::Uidl(words.number()?),
            Keyword::Top => {
                let expected = Malformed("expected the number of a message and a number of lines");
                let message = words.number()?.ok_or(expected)?;
                let lines = words.next().ok_or(expected)?;
                Self::Top(message, number(lines).ok_or(expected)?)
            }
            Keyword::Capa => Self::Capa,
            Keyword::Noop => Self::Noop,
            Keyword::Quit => Self::Quit,
            Keyword::Rset => Self::Rset,
            Keyword::Stat => Self::Stat,
            Keyword::Stls => Self::Stls,
            Keyword::Utf8 => Self::Utf8,
        };
        match words.next() {
            None => Ok(command),
            Some(_) => Err(NO_ARGUMENTS),
        }
    }

    /// The keyword, in upper case.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Auth(_) => "AUTH",
            Self::Capa => "CAPA",
            Self::Dele(_) => "DELE",
            Self::Lang(_) => "LANG",
            Self::List(_) => "LIST",
            Self::Noop => "NOOP",
            Self::Pass(_) => "PASS",
            Self::Quit => "QUIT",
            Self::Retr(_) => "RETR",
            Self::Rset => "RSET",
            Self::Stat => "STAT",
            Self::Stls => "STLS",
            Self::Top(..) => "TOP",
            Self::Uidl(_) => "UIDL",
            Self::User(_) => "USER",
            Self::Utf8 => "UTF8",
        }
    }
}

#[derive(Clone, Copy)]
enum Keyword {
    Auth,
    Capa,
    Dele,
    Lang,
    List,
    Noop,
    Pass,
    Quit,
    Retr,
    Rset,
    Stat,
    Stls,
    Top,
    Uidl,
    User,
    Utf8,
}

impl Keyword {
    const ALL: [(&'static str, Self); 16] = [
        ("AUTH", Self::Auth),
        ("CAPA", Self::Capa),
        ("DELE", Self::Dele),
        ("LANG", Self::Lang),
        ("LIST", Self::List),
        ("NOOP", Self::Noop),
        ("PASS", Self::Pass),
        ("QUIT", Self::Quit),
        ("RETR", Self::Retr),
        ("RSET", Self::Rset),
        ("STAT", Self::Stat),
        ("STLS", Self::Stls),
        ("TOP", Self::Top),
        ("UIDL", Self::Uidl),
        ("USER", Self::User),
        ("UTF8", Self::Utf8),
    ];

    fn of(word: &[u8]) -> Option<Self> {
        let mut all = Self::ALL.iter();
        let found = all.find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(word));
        found.map(|(_, keyword)| *keyword)
    }
}

/// The words behind a keyword, however many spaces are around them.
struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    fn new(rest: &'a [u8]) -> Self {
        Self(rest.trim_ascii())
    }

    fn next(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(u8::is_ascii_whitespace);
        let (word, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest.trim_ascii_start();
        (!word.is_empty()).then_some(word)
    }

    fn number(&mut self) -> Result<Option<MessageNumber>, Malformed> {
        let Some(word) = self.next() else {
            return Ok(None);
        };
        let number = number(word).ok_or(ONE_NUMBER)?;
        Ok(Some(
            MessageNumber::try_from(number).unwrap_or(MessageNumber::MAX),
        ))
    }

    fn text(&mut self) -> Result<Option<&'a str>, Malformed> {
        let text = self.next().map(str::from_utf8).transpose();
        text.map_err(|_| Malformed("expected UTF-8"))
    }

    fn rest_as_text(&mut self, expected: &'static str) -> Result<&'a str, Malformed> {
        let rest = std::mem::take(&mut self.0);
        match str::from_utf8(rest) {
            Ok(text) if !text.is_empty() => Ok(text),
            _ => Err(Malformed(expected)),
        }
    }
}

fn auth<'a>(words: &mut Words<'a>) -> Result<Option<Auth<'a>>, Malformed> {
    let mechanism = words.text()?;
    Ok(mechanism.map(|mechanism| Auth {
        mechanism,
        initial: words.next(),
    }))
}

/// A decimal number; what does not fit is the largest.
fn number(word: &[u8]) -> Option<u64> {
    let digit = |octet: &u8| octet.is_ascii_digit().then(|| u64::from(octet - b'0'));
    word.iter().try_fold(0_u64, |number, octet| {
        Some(number.saturating_mul(10).saturating_add(digit(octet)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &[u8], expected: Command<'_>) {
        assert_eq!(Command::decode(line), Ok(expected));
        let name = expected.name().as_bytes();
        assert!(line[..name.len()].eq_ignore_ascii_case(name));
    }

    #[test]
    fn the_commands_of_the_standards_are_read() {
        check(b"STAT", Command::Stat);
        check(b"stat  ", Command::Stat);
        check(b"LIST", Command::List(None));
        check(b"LIST 2", Command::List(Some(2)));
        check(b"RETR 1", Command::Retr(1));
        check(b"DELE 4294967296", Command::Dele(u32::MAX));
        check(b"TOP 1 10", Command::Top(1, 10));
        check(b"top  7   99999999999999999999", Command::Top(7, u64::MAX));
        check(b"UIDL 0", Command::Uidl(Some(0)));
        check(b"USER mrose", Command::User("mrose"));
        check(
            "USER jörg@example.test ".as_bytes(),
            Command::User("jörg@example.test"),
        );
        check(b"PASS  two spaces ", Command::Pass(b" two spaces "));
        check(b"PASS \xff", Command::Pass(b"\xff"));
        check(b"LANG *", Command::Lang(Some("*")));
        check(b"UTF8", Command::Utf8);
        check(b"AUTH", Command::Auth(None));
        let auth = |mechanism, initial| Command::Auth(Some(Auth { mechanism, initial }));
        check(b"AUTH PLAIN =", auth("PLAIN", Some(b"=")));
        check(b"AUTH SCRAM-SHA-256", auth("SCRAM-SHA-256", None));
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for line in [
            &b""[..],
            b" STAT",
            b"STATS",
            b"STAT 1",
            b"RETR",
            b"RETR -1",
            b"RETR 1x",
            b"RETR 1 2",
            b"TOP 1",
            b"TOP 1 -",
            b"TOP 1 2 3",
            b"USER",
            b"USER  ",
            b"USER \xff",
            b"PASS",
            b"XTND XMIT",
            b"\xff\0",
        ] {
            assert!(Command::decode(line).is_err(), "{}", line.escape_ascii());
        }
    }
}

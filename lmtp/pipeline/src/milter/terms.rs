//! What both sides agree on before a message: which commands the filter wants, and to which it does not answer.

use crate::Failure;

/// The version of the protocol that is spoken here.
const VERSION: u32 = 6;
/// The oldest that is understood: all of today's filters are newer.
const VERSION_MIN: u32 = 2;
/// What a filter may do: add fields, replace the body, add and remove recipients, change fields, hold the message back,
/// change the sender, name macros. Libraries give up where one of what they may want is not offered.
const ACTIONS: u32 = 0x1ff;
/// Commands that nobody knows are not told, nor answered.
const UNKNOWN_COMMANDS: u32 = 0x100 | 0x2_0000;
/// The filter may say "enough of the body".
const SKIP: u32 = 0x400;
/// White space before a field's value is kept, both ways.
const LEADING_SPACE: u32 = 0x10_0000;

/// A command that a filter may do without.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Command {
    Connect,
    Helo,
    Mail,
    Recipient,
    Body,
    Header,
    EndOfHeader,
    Data,
}

impl Command {
    const ALL: [Self; 8] = [
        Self::Connect,
        Self::Helo,
        Self::Mail,
        Self::Recipient,
        Self::Body,
        Self::Header,
        Self::EndOfHeader,
        Self::Data,
    ];

    /// Its letter, the bit by which a filter does without it, the bit by which a filter does not answer it.
    pub(super) const fn code(self) -> (u8, u32, u32) {
        match self {
            Self::Connect => (b'C', 0x01, 0x1000),
            Self::Helo => (b'H', 0x02, 0x2000),
            Self::Mail => (b'M', 0x04, 0x4000),
            Self::Recipient => (b'R', 0x08, 0x8000),
            Self::Body => (b'B', 0x10, 0x8_0000),
            Self::Header => (b'L', 0x20, 0x80),
            Self::EndOfHeader => (b'N', 0x40, 0x4_0000),
            Self::Data => (b'T', 0x200, 0x1_0000),
        }
    }
}

/// What was agreed on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    version: u32,
    protocol: u32,
}

impl Terms {
    fn offered() -> u32 {
        let of = |command: Command| command.code().1 | command.code().2;
        Command::ALL
            .into_iter()
            .map(of)
            .fold(SKIP | LEADING_SPACE | UNKNOWN_COMMANDS, |all, one| {
                all | one
            })
    }

    /// What the gateway offers.
    pub(super) fn offer() -> Vec<u8> {
        [VERSION, ACTIONS, Self::offered()]
            .map(u32::to_be_bytes)
            .concat()
    }

    /// What the filter answered. What was not offered to it means nothing: some ask for it all the same. Errors: a
    /// version that is not spoken here, or no terms.
    pub(super) fn agreed(answer: &[u8]) -> Result<Self, Failure> {
        let number = |at: usize| {
            let octets = answer.get(at * 4..at * 4 + 4)?;
            Some(u32::from_be_bytes(octets.try_into().ok()?))
        };
        let all = number(0).zip(number(2));
        let (version, protocol) =
            all.ok_or_else(|| Failure("the filter's terms are cut off".to_owned()))?;
        match (VERSION_MIN..=VERSION).contains(&version) {
            true => Ok(Self {
                version,
                protocol: protocol & Self::offered(),
            }),
            false => Err(Failure(format!("the filter wants version {version}"))),
        }
    }

    /// Whether the filter wants a command.
    pub(super) const fn wants(self, command: Command) -> bool {
        // DATA came with version 4.
        let known = !matches!(command, Command::Data) || self.version >= 4;
        known && self.protocol & command.code().1 == 0
    }

    /// Whether the filter answers a command.
    pub(super) const fn answers(self, command: Command) -> bool {
        self.protocol & command.code().2 == 0
    }

    pub(super) const fn may_skip(self) -> bool {
        self.protocol & SKIP != 0
    }

    pub(super) const fn keeps_leading_space(self) -> bool {
        self.protocol & LEADING_SPACE != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_gets_no_more_than_was_offered() {
        let answer = |numbers: [u32; 3]| Terms::agreed(&numbers.map(u32::to_be_bytes).concat());
        let terms = answer([6, 0x11, 0x01 | 0x80]).unwrap();
        assert!(!terms.wants(Command::Connect) && terms.wants(Command::Mail));
        assert!(!terms.answers(Command::Header) && terms.answers(Command::Body));
        assert!(!answer([2, 0, 0]).unwrap().wants(Command::Data));
        // As rspamd does: no answers to anything, of what may not be asked as well.
        let silent = answer([6, 0x3f, 0x800f_f080]).unwrap();
        assert!(!silent.answers(Command::Connect) && !silent.answers(Command::Body));
        assert!(answer([7, 0, 0]).is_err() && answer([1, 0, 0]).is_err());
        assert!(Terms::agreed(&[0; 11]).is_err());
    }
}

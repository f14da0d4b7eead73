//! What somebody who was offered a message said.

use std::fmt;

/// The most octets of an answer's text that are kept.
const TEXT_BYTES_MAX: usize = 1000;

/// An enhanced status code: class, subject, detail. Source: RFC 3463.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Enhanced(pub u8, pub u8, pub u8);

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// An answer to a command, or what stands for one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The reply code, 200 to 599; 0 when nobody answered.
    pub code: u16,
    /// The enhanced status code.
    pub status: Enhanced,
    /// The text, its lines joined, without control characters.
    pub text: String,
}

impl Answer {
    /// An answer. Control characters of the text become spaces, and too long a one is cut.
    pub fn new(code: u16, status: Enhanced, text: &str) -> Self {
        let mut clean = String::with_capacity(text.len().min(TEXT_BYTES_MAX));
        for character in text.trim().chars() {
            if clean.len() + character.len_utf8() > TEXT_BYTES_MAX {
                break;
            }
            clean.push(if character.is_control() {
                ' '
            } else {
                character
            });
        }
        Self {
            code,
            status,
            text: clean,
        }
    }

    /// An answer as it came: lines stay apart.
    pub(crate) const fn raw(code: u16, status: Enhanced, text: String) -> Self {
        Self { code, status, text }
    }

    /// The same answer as it may be kept and shown.
    pub(crate) fn clean(&self) -> Self {
        Self::new(self.code, self.status, &self.text)
    }

    /// What stands for an answer when nobody gave one.
    pub fn own(status: Enhanced, text: &str) -> Self {
        Self::new(0, status, text)
    }

    /// What the answer decides. What is no reply at all decides nothing.
    pub fn verdict(&self) -> Verdict {
        match self.code {
            200..=299 => Verdict::Delivered,
            500..=599 => Verdict::Failed,
            0 if self.status.0 == 5 => Verdict::Failed,
            0 if self.status.0 == 2 => Verdict::Delivered,
            _ => Verdict::Deferred,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.code != 0 {
            write!(f, "{} ", self.code)?;
        }
        write!(f, "{} {}", self.status, self.text)
    }
}

/// What becomes of a recipient.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Somebody else answers for it now.
    Delivered,
    /// It is tried again later.
    Deferred,
    /// It never will be.
    Failed,
}

/// What came of one recipient.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// What was said.
    pub answer: Answer,
    /// Whether whoever took it reports a delivery to the sender, as was asked for (RFC 3461 5.2).
    pub reports_success: bool,
}

impl Outcome {
    /// What was said, by somebody who reports nothing.
    pub const fn new(answer: Answer) -> Self {
        Self {
            answer,
            reports_success: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_decide_by_their_first_digit() {
        for (code, status, verdict) in [
            (250, Enhanced(2, 0, 0), Verdict::Delivered),
            (451, Enhanced(4, 0, 0), Verdict::Deferred),
            (550, Enhanced(5, 1, 1), Verdict::Failed),
            (0, Enhanced(4, 4, 1), Verdict::Deferred),
            (0, Enhanced(5, 4, 6), Verdict::Failed),
            (354, Enhanced::default(), Verdict::Deferred),
            (999, Enhanced(5, 0, 0), Verdict::Deferred),
        ] {
            assert_eq!(Answer::new(code, status, "x").verdict(), verdict, "{code}");
        }
    }

    #[test]
    fn texts_hold_no_control_characters_and_are_bounded() {
        let answer = Answer::new(550, Enhanced(5, 0, 0), "one\r\ntwo\0");
        assert_eq!(answer.text, "one  two ");
        let long = "ä".repeat(2000);
        assert_eq!(Answer::own(Enhanced(4, 0, 0), &long).text.len(), 1000);
    }
}

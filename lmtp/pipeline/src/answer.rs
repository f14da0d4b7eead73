//! What a client is told about a message that is not taken.

use std::fmt;

use crate::Failure;

/// The longest text of an answer, in octets (RFC 5321 4.5.3.1.5 has 512 for the line).
const TEXT_MAX: usize = 400;

/// A reply of one line: a code of 4xx or 5xx, an enhanced code (RFC 3463), a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer(String);

impl Answer {
    /// An answer with the code 550 or another; `text` begins with the enhanced code.
    pub fn new(code: u16, text: &str) -> Result<Self, Failure> {
        if !(400..600).contains(&code) {
            return Err(Failure(format!("{code} refuses nothing")));
        }
        // 421 ends a connection, and is about that (RFC 5321 4.2.3).
        let code = if code == 421 { 451 } else { code };
        let mut line: String = text
            .chars()
            .take_while(|one| !matches!(one, '\r' | '\n'))
            .map(|one| if matches!(one, ' '..='~') { one } else { '?' })
            .take(TEXT_MAX)
            .collect();
        let class = code / 100;
        let enhanced = line.split(' ').next().unwrap_or_default();
        let numbers: Vec<_> = enhanced.split('.').map(str::parse::<u16>).collect();
        let fits = numbers.len() == 3
            && numbers.iter().all(Result::is_ok)
            && numbers.first() == Some(&Ok(class));
        if !fits {
            line.insert_str(0, &format!("{class}.7.1 "));
        }
        Ok(Self(format!("{code} {}", line.trim_end())))
    }

    /// What is said when a step failed.
    pub(crate) fn later() -> Self {
        Self("451 4.7.1 the message cannot be checked now, try again later".to_owned())
    }

    /// A reply that another program gave, of one line or more. Errors: it refuses nothing, or is none.
    pub(crate) fn parse(reply: &str) -> Result<Self, Failure> {
        let none = || Failure("a reply that is none".to_owned());
        let (code, text) = reply.split_at_checked(3).ok_or_else(none)?;
        let code = code.parse().map_err(|_| none())?;
        match text.strip_prefix([' ', '-']) {
            Some(text) => Self::new(code, text),
            None if text.is_empty() => Self::new(code, "refused"),
            None => Err(none()),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_line_that_refuses() {
        for (reply, line) in [
            ("550 5.7.1 no", Some("550 5.7.1 no")),
            ("550 no", Some("550 5.7.1 no")),
            ("451 5.7.1 odd", Some("451 4.7.1 5.7.1 odd")),
            (
                "554-5.7.1 first\r\n554 5.7.1 second",
                Some("554 5.7.1 first"),
            ),
            ("550 5.7.1 a\r\n250 ok", Some("550 5.7.1 a")),
            ("550 gr\u{fc}n\u{0}", Some("550 5.7.1 gr?n?")),
            ("421 4.3.2 bye", Some("451 4.3.2 bye")),
            ("550", Some("550 5.7.1 refused")),
            ("250 ok", None),
            ("5500 x", None),
            ("x", None),
            ("", None),
        ] {
            let said = Answer::parse(reply).ok().map(|answer| answer.to_string());
            assert_eq!(said.as_deref(), line, "{reply:?}");
        }
        let long = Answer::new(550, &"x".repeat(9000)).unwrap().to_string();
        assert!(long.len() < 512, "{}", long.len());
    }
}

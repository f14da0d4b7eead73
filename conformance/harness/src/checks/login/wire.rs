//! The little of IMAP, POP3 and SMTP that tries one login, whatever becomes of it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::failure::{Outcome, failure};

/// How long an answer may take: guesses are slowed.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// What a client answers that was told why its token is not good. Source: RFC 7628 3.2.3.
const ACKNOWLEDGED: &str = "AQ==";

/// A protocol and the port of its listener.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service {
    /// As the log calls it.
    pub(super) name: &'static str,
    pub(super) port: u16,
}

/// What came of a login.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) accepted: bool,
    /// The last line.
    pub(super) line: String,
    /// The challenge before it, if there was one.
    pub(super) challenge: Option<String>,
}

impl Service {
    /// Tries a mechanism with an initial response in base64.
    pub(super) fn try_login(self, mechanism: &str, initial: &str) -> Outcome<Answer> {
        let mut writer = TcpStream::connect(("127.0.0.1", self.port))?;
        writer.set_read_timeout(Some(ANSWER_LIMIT))?;
        let mut reader = BufReader::new(writer.try_clone()?);
        line(&mut reader)?;
        if self.name == "smtp" {
            writer.write_all(b"EHLO client.example.org\r\n")?;
            while line(&mut reader)?.get(3..4) == Some("-") {}
        }
        let command = match self.name {
            "imap" => format!("a AUTHENTICATE {mechanism} {initial}\r\n"),
            _ => format!("AUTH {mechanism} {initial}\r\n"),
        };
        writer.write_all(command.as_bytes())?;
        let mut challenge = None;
        loop {
            let said = line(&mut reader)?;
            match said.strip_prefix("+ ").or(said.strip_prefix("334 ")) {
                Some(text) => {
                    challenge = Some(text.to_owned());
                    writer.write_all(format!("{ACKNOWLEDGED}\r\n").as_bytes())?;
                }
                None if said.starts_with("* ") => {}
                None => {
                    let accepted = ["a OK", "+OK", "235"];
                    return Ok(Answer {
                        accepted: accepted.iter().any(|start| said.starts_with(start)),
                        line: said,
                        challenge,
                    });
                }
            }
        }
    }
}

fn line(reader: &mut BufReader<TcpStream>) -> Outcome<String> {
    let mut line = String::new();
    match reader.read_line(&mut line)? {
        0 => failure("the server hung up"),
        _ => Ok(line.trim_end().to_owned()),
    }
}

//! The little of SMTP that hands a message to a mail server.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::failure::{Outcome, ensure, failure};
use crate::load::base64;
use crate::subject::Account;

/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// An SMTP connection that has said EHLO.
pub struct Smtp {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

impl Smtp {
    /// Connects to a loopback port.
    pub fn connect(port: u16) -> Outcome<Self> {
        let writer = TcpStream::connect(("127.0.0.1", port))?;
        writer.set_read_timeout(Some(ANSWER_LIMIT))?;
        let mut session = Self {
            reader: BufReader::new(writer.try_clone()?),
            writer,
        };
        session.expect("2")?;
        session.command("EHLO client.example.org", "2")?;
        Ok(session)
    }

    /// Connects to a loopback port and signs in by AUTH PLAIN.
    pub fn login(port: u16, account: &Account) -> Outcome<Self> {
        let mut session = Self::connect(port)?;
        let Account { address, password } = account;
        let response = base64(format!("\0{address}\0{password}").as_bytes(), 0);
        session.command(&format!("AUTH PLAIN {response}"), "2")?;
        Ok(session)
    }

    /// One transaction, and the end; `stuffed` is the message as DATA carries it.
    pub fn send(&mut self, from: &str, recipients: &[&str], stuffed: &[u8]) -> Outcome {
        self.transact(from, recipients, stuffed)?;
        self.command("QUIT", "2")
    }

    /// One transaction.
    pub fn transact(&mut self, from: &str, recipients: &[&str], stuffed: &[u8]) -> Outcome {
        self.command(&format!("MAIL FROM:<{from}> BODY=8BITMIME"), "2")?;
        for recipient in recipients {
            self.command(&format!("RCPT TO:<{recipient}>"), "2")?;
        }
        self.command("DATA", "3")?;
        self.writer.write_all(stuffed)?;
        self.expect("2")
    }

    fn command(&mut self, line: &str, class: &str) -> Outcome {
        self.writer.write_all(format!("{line}\r\n").as_bytes())?;
        self.expect(class)
    }

    fn expect(&mut self, class: &str) -> Outcome {
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line)? == 0 {
                return failure("SMTP connection closed");
            }
            ensure(line.starts_with(class), || line.clone())?;
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }
}

//! A raw POP3 client: whole answers, octet for octet.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::failure::{Context, Outcome, ensure, failure, shown};
use crate::subject::Account;

/// How long an answer may take before the check fails.
const ANSWER_LIMIT: Duration = Duration::from_secs(120);
/// Read buffer of a connection, in bytes.
const READ_BUFFER: usize = 1 << 17;
/// What ends an answer of several lines.
const END: &[u8] = b"\r\n.\r\n";

/// A connection.
pub struct Pop3 {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

impl Pop3 {
    /// Connects to a loopback port and reads the greeting.
    pub fn connect(port: u16) -> Outcome<Self> {
        let writer = TcpStream::connect(("127.0.0.1", port))?;
        writer.set_read_timeout(Some(ANSWER_LIMIT))?;
        writer.set_nodelay(true)?;
        let reader = BufReader::with_capacity(READ_BUFFER, writer.try_clone()?);
        let mut session = Self { reader, writer };
        session.answer()?;
        Ok(session)
    }

    /// Connects and logs in.
    pub fn login(port: u16, account: &Account) -> Outcome<Self> {
        let mut session = Self::connect(port)?;
        session.command(&format!("USER {}", account.address))?;
        session.command(&format!("PASS {}", account.password))?;
        Ok(session)
    }

    /// Sends a command and returns what follows `+OK`; anything else is a failure.
    pub fn command(&mut self, command: &str) -> Outcome<String> {
        self.writer.write_all(format!("{command}\r\n").as_bytes())?;
        self.answer().during(command)
    }

    /// Sends a command and returns the lines of its answer.
    pub fn lines(&mut self, command: &str) -> Outcome<Vec<String>> {
        let text = self.content(command)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// Sends a command and returns what follows its first line, without the dots of the protocol.
    pub fn content(&mut self, command: &str) -> Outcome<Vec<u8>> {
        self.command(command)?;
        let mut content = Vec::new();
        loop {
            let line = self.line()?;
            match line.strip_prefix(b".") {
                Some(b"\r\n") => return Ok(content),
                Some(rest) => content.extend_from_slice(rest),
                None => content.extend_from_slice(&line),
            }
        }
    }

    /// Sends a command and throws away what follows its first line; returns how many octets that were. Only for
    /// measurements: nothing may be sent before the answer is over.
    pub fn drain(&mut self, command: &str) -> Outcome<u64> {
        self.command(command)?;
        // The line before belongs to the end of an empty answer.
        let (mut tail, mut count) = (b"\r\n".to_vec(), 0);
        loop {
            let buffer = self.reader.fill_buf()?;
            ensure(!buffer.is_empty(), || "the server hung up".into())?;
            let length = buffer.len();
            tail.extend_from_slice(
                buffer
                    .get(length.saturating_sub(END.len())..)
                    .unwrap_or_default(),
            );
            tail.drain(..tail.len().saturating_sub(END.len()));
            self.reader.consume(length);
            count += length as u64;
            if tail == END {
                return Ok(count - 3);
            }
        }
    }

    fn answer(&mut self) -> Outcome<String> {
        let line = self.line()?;
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        match text.strip_prefix("+OK") {
            Some(rest) => Ok(rest.trim_start().to_owned()),
            None => failure(shown(&line, 200)),
        }
    }

    fn line(&mut self) -> Outcome<Vec<u8>> {
        let mut line = Vec::new();
        self.reader.read_until(b'\n', &mut line)?;
        ensure(line.ends_with(b"\n"), || "the server hung up".into())?;
        Ok(line)
    }
}

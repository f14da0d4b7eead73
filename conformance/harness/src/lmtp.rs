//! A raw LMTP client (RFC 2033): sends what it is told, right or wrong, and shows every reply.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::failure::{Context, Failure, Outcome, failure};

/// How long an answer may take before the check fails.
const ANSWER_LIMIT: Duration = Duration::from_secs(120);
/// The envelope sender where none matters.
pub const SENDER: &str = "sender@example.org";

/// One reply, all its lines.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The three digits.
    pub code: u16,
    /// Every line, as sent, joined by `\n`.
    pub text: String,
}

impl Reply {
    /// Whether the code begins with this digit.
    pub fn is(&self, class: u16) -> bool {
        self.code / 100 == class
    }

    /// Fails unless the code begins with this digit.
    pub fn expect(&self, class: u16) -> Outcome {
        if self.is(class) {
            Ok(())
        } else {
            failure(format!("expected {class}xx, got {}", self.text))
        }
    }
}

/// Every reply of one transaction.
#[derive(Debug)]
pub struct Delivery {
    /// To MAIL.
    pub mail: Reply,
    /// To each RCPT, in order.
    pub recipients: Vec<Reply>,
    /// To DATA.
    pub data: Reply,
    /// After the final dot: one per accepted recipient, none when DATA was refused.
    pub results: Vec<Reply>,
}

impl Delivery {
    /// Fails unless every recipient was accepted and every copy delivered.
    pub fn all_delivered(&self) -> Outcome {
        let complete = self.results.len() == self.recipients.len();
        if complete
            && !self.results.is_empty()
            && self.results.iter().all(|reply| reply.code == 250)
        {
            return Ok(());
        }
        failure(format!("not delivered: {self:?}"))
    }
}

/// An LMTP connection.
pub struct Lmtp {
    reader: BufReader<Box<dyn Read + Send>>,
    writer: Box<dyn Write + Send>,
    /// The greeting.
    pub banner: Reply,
    /// The answer to LHLO; the banner again before it.
    pub lhlo: Reply,
    /// Our port of a TCP connection; 0 on a Unix socket.
    pub local_port: u16,
}

impl Lmtp {
    /// Connects to a loopback port and says LHLO.
    pub fn connect(port: u16) -> Outcome<Self> {
        let mut session = Self::open(port)?;
        session.hello()?;
        Ok(session)
    }

    /// Connects and reads the banner only.
    pub fn open(port: u16) -> Outcome<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).during("LMTP connect")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        let local_port = stream.local_addr()?.port();
        let session = Self::over(Box::new(stream.try_clone()?), Box::new(stream))?;
        Ok(Self {
            local_port,
            ..session
        })
    }

    /// Connects to a Unix socket and says LHLO.
    pub fn connect_unix(path: &Path) -> Outcome<Self> {
        let stream = UnixStream::connect(path).during("LMTP connect to Unix socket")?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        let mut session = Self::over(Box::new(stream.try_clone()?), Box::new(stream))?;
        session.hello()?;
        Ok(session)
    }

    fn over(reader: Box<dyn Read + Send>, writer: Box<dyn Write + Send>) -> Outcome<Self> {
        let unanswered = Reply {
            code: 0,
            text: String::new(),
        };
        let mut session = Self {
            reader: BufReader::new(reader),
            writer,
            banner: unanswered.clone(),
            lhlo: unanswered,
            local_port: 0,
        };
        session.banner = session.reply().during("LMTP banner")?;
        session.banner.expect(2)?;
        session.lhlo = session.banner.clone();
        Ok(session)
    }

    fn hello(&mut self) -> Outcome {
        self.lhlo = self.command("LHLO client.example.org")?;
        self.lhlo.expect(2)
    }

    /// Whether LHLO advertised this keyword.
    pub fn advertises(&self, keyword: &str) -> bool {
        self.parameter(keyword).is_some()
    }

    /// What follows an advertised keyword (`SIZE 1000` gives `1000`).
    pub fn parameter(&self, keyword: &str) -> Option<&str> {
        self.lhlo
            .text
            .lines()
            .filter_map(|line| line.get(4..))
            .find_map(|line| {
                let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
                word.eq_ignore_ascii_case(keyword).then_some(rest)
            })
    }

    /// Reads one reply.
    pub fn reply(&mut self) -> Outcome<Reply> {
        let mut text = String::new();
        loop {
            let mut line = Vec::new();
            if self.reader.read_until(b'\n', &mut line)? == 0 {
                return failure(format!("LMTP connection closed {text:?}"));
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let last = line.as_bytes().get(3) != Some(&b'-');
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&line);
            if last {
                let code = line.get(..3).and_then(|digits| digits.parse().ok());
                let code = code.ok_or_else(|| Failure(format!("no LMTP reply: {line:?}")))?;
                return Ok(Reply { code, text });
            }
        }
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> Outcome {
        self.writer.write_all(bytes)?;
        self.writer.flush()?;
        Ok(())
    }

    /// Sends one command line and reads its reply.
    pub fn command(&mut self, line: &str) -> Outcome<Reply> {
        self.send(format!("{line}\r\n").as_bytes())?;
        self.reply().during(line)
    }

    /// One transaction, step by step, with the message dot-stuffed.
    pub fn deliver(
        &mut self,
        from: &str,
        recipients: &[&str],
        message: &[u8],
    ) -> Outcome<Delivery> {
        let mail = self.command(&format!("MAIL FROM:<{from}>"))?;
        let mut answers = Vec::new();
        for recipient in recipients {
            answers.push(self.command(&format!("RCPT TO:<{recipient}>"))?);
        }
        let data = self.command("DATA")?;
        let mut results = Vec::new();
        if data.code == 354 {
            self.send(&dot_stuffed(message))?;
            for _ in answers.iter().filter(|reply| reply.is(2)) {
                results.push(self.reply().during("reply after the final dot")?);
            }
        }
        Ok(Delivery {
            mail,
            recipients: answers,
            data,
            results,
        })
    }

    /// Delivers one message to one recipient, commands pipelined; fails unless it was accepted.
    pub fn deliver_pipelined(&mut self, from: &str, recipient: &str, stuffed: &[u8]) -> Outcome {
        if self.advertises("PIPELINING") {
            self.send(
                format!("MAIL FROM:<{from}>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n").as_bytes(),
            )?;
            for class in [2, 2, 3] {
                self.reply()?.expect(class)?;
            }
        } else {
            self.command(&format!("MAIL FROM:<{from}>"))?.expect(2)?;
            self.command(&format!("RCPT TO:<{recipient}>"))?.expect(2)?;
            self.command("DATA")?.expect(3)?;
        }
        self.send(stuffed)?;
        self.reply()?.expect(2)
    }
}

/// A message as DATA carries it: leading dots doubled after CRLF, and the final dot. Bare LF and bare CR end no
/// line (RFC 5321 2.3.8), so a dot behind them is left alone.
pub fn dot_stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 16);
    for (index, &byte) in message.iter().enumerate() {
        let line_start = index == 0
            || message
                .get(..index)
                .is_some_and(|before| before.ends_with(b"\r\n"));
        if byte == b'.' && line_start {
            out.push(b'.');
        }
        out.push(byte);
    }
    if !out.ends_with(b"\r\n") && !out.is_empty() {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::dot_stuffed;

    #[test]
    fn only_dots_behind_crlf_are_doubled() {
        assert_eq!(
            dot_stuffed(b".a\r\n.\r\nb\n.\nc\r.\rd"),
            b"..a\r\n..\r\nb\n.\nc\r.\rd\r\n.\r\n"
        );
        assert_eq!(dot_stuffed(b""), b".\r\n");
    }
}

//! A raw IMAP client: sends what it is told, right or wrong, and keeps every response whole, literals included.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::failure::{Context, Failure, Outcome, failure, shown};
use crate::fetch_items::{FetchItems, parse_fetch};
use crate::subject::Account;

/// How long an answer may take before the check fails.
const ANSWER_LIMIT: Duration = Duration::from_secs(120);
/// Read buffer of a connection, in bytes.
const READ_BUFFER: usize = 1 << 17;

/// What becomes of literals while responses are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literals {
    /// They stand in the response, behind their `{n}` CRLF.
    Keep,
    /// They are counted and thrown away (measurements).
    Skip,
}

/// Everything a command brought.
#[derive(Debug, Default)]
pub struct Answer {
    /// Untagged responses, whole, without the final CRLF.
    pub untagged: Vec<Vec<u8>>,
    /// The tagged response without its tag: `OK …`, `NO …` or `BAD …`.
    pub tagged: String,
}

impl Answer {
    /// The command succeeded.
    pub fn is_ok(&self) -> bool {
        self.tagged.starts_with("OK")
    }

    /// The command failed with NO.
    pub fn is_no(&self) -> bool {
        self.tagged.starts_with("NO")
    }

    /// The command was refused with BAD.
    pub fn is_bad(&self) -> bool {
        self.tagged.starts_with("BAD")
    }

    /// Fails unless the command succeeded.
    pub fn ok(self) -> Outcome<Self> {
        if self.is_ok() {
            Ok(self)
        } else {
            failure(self.tagged)
        }
    }

    /// Whether some response contains `needle`, the tagged one included; ASCII case is ignored.
    pub fn mentions(&self, needle: &str) -> bool {
        let contains = |hay: &[u8]| {
            hay.windows(needle.len())
                .any(|part| part.eq_ignore_ascii_case(needle.as_bytes()))
        };
        self.untagged.iter().any(|line| contains(line)) || contains(self.tagged.as_bytes())
    }

    /// The number after `name` in some response, as in `[UIDNEXT 7]` or `EXISTS` (which is preceded by it).
    pub fn number_after(&self, name: &str) -> Option<u64> {
        let lines = self
            .untagged
            .iter()
            .map(|line| String::from_utf8_lossy(line).into_owned());
        lines.chain([self.tagged.clone()]).find_map(|line| {
            let start = line.find(name)? + name.len();
            let digits: String = line
                .get(start..)?
                .chars()
                .skip_while(|c| *c == ' ' || *c == '(')
                .take_while(char::is_ascii_digit)
                .collect();
            digits.parse().ok()
        })
    }

    /// The last `n` of `* n EXISTS`.
    pub fn exists(&self) -> Option<u32> {
        self.untagged.iter().rev().find_map(|line| {
            let number = line.strip_prefix(b"* ")?.strip_suffix(b" EXISTS")?;
            std::str::from_utf8(number).ok()?.parse().ok()
        })
    }

    /// Every FETCH response, parsed.
    pub fn fetched(&self) -> Outcome<Vec<FetchItems>> {
        self.untagged
            .iter()
            .filter_map(|line| parse_fetch(line).transpose())
            .collect()
    }

    /// The numbers of `* SEARCH`.
    pub fn found(&self) -> Vec<u32> {
        let lines = self
            .untagged
            .iter()
            .filter_map(|line| line.strip_prefix(b"* SEARCH"));
        lines
            .flat_map(|line| {
                String::from_utf8_lossy(line)
                    .split_whitespace()
                    .filter_map(|n| n.parse().ok())
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

/// An IMAP connection.
#[derive(Debug)]
pub struct Imap {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    next_tag: u32,
    /// The greeting line.
    pub greeting: String,
    /// Capabilities last announced, upper case, separated by blanks.
    pub capabilities: String,
    /// Bytes received so far.
    pub received: u64,
}

impl Imap {
    /// Connects to a loopback port and reads the greeting.
    pub fn connect(port: u16) -> Outcome<Self> {
        let writer = TcpStream::connect(("127.0.0.1", port)).during("IMAP connect")?;
        writer.set_nodelay(true)?;
        writer.set_read_timeout(Some(ANSWER_LIMIT))?;
        let reader = BufReader::with_capacity(READ_BUFFER, writer.try_clone()?);
        let mut session = Self {
            reader,
            writer,
            next_tag: 0,
            greeting: String::new(),
            capabilities: String::new(),
            received: 0,
        };
        session.greeting = String::from_utf8_lossy(&session.response(Literals::Keep)?).into_owned();
        if !session.greeting.starts_with("* OK") {
            return failure(format!("greeting: {}", session.greeting));
        }
        Ok(session)
    }

    /// Connects and logs in.
    pub fn login(port: u16, account: &Account) -> Outcome<Self> {
        let mut session = Self::connect(port)?;
        session.authenticate(account)?;
        Ok(session)
    }

    /// LOGIN, then learns the capabilities.
    pub fn authenticate(&mut self, account: &Account) -> Outcome {
        let answer = self
            .command(&format!(
                "LOGIN \"{}\" \"{}\"",
                account.address, account.password
            ))?
            .ok()?;
        let announced = answer
            .tagged
            .split_once("[CAPABILITY ")
            .and_then(|(_, rest)| rest.split_once(']'));
        match announced {
            Some((list, _)) => self.capabilities = list.to_ascii_uppercase(),
            None => self.learn_capabilities()?,
        }
        Ok(())
    }

    /// CAPABILITY.
    pub fn learn_capabilities(&mut self) -> Outcome {
        let answer = self.command("CAPABILITY")?.ok()?;
        let line = answer
            .untagged
            .iter()
            .find_map(|line| line.strip_prefix(b"* CAPABILITY "));
        self.capabilities = String::from_utf8_lossy(line.unwrap_or_default()).to_ascii_uppercase();
        Ok(())
    }

    /// Whether this capability was announced.
    pub fn has(&self, capability: &str) -> bool {
        self.capabilities
            .split_whitespace()
            .any(|word| word.eq_ignore_ascii_case(capability))
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> Outcome {
        self.writer.write_all(bytes)?;
        Ok(())
    }

    /// Reads one response to its end, without the final CRLF.
    pub fn response(&mut self, literals: Literals) -> Outcome<Vec<u8>> {
        let mut out = Vec::new();
        self.read_response(&mut out, literals)?;
        Ok(out)
    }

    /// Reads one response into `out`, which is cleared first.
    pub fn read_response(&mut self, out: &mut Vec<u8>, literals: Literals) -> Outcome {
        out.clear();
        loop {
            let start = out.len();
            let count = self.reader.read_until(b'\n', out)?;
            if count == 0 {
                return failure("IMAP connection closed");
            }
            self.received += count as u64;
            let Some(length) = literal_length(out.get(start..).unwrap_or_default()) else {
                break;
            };
            self.received += length;
            match literals {
                Literals::Keep => {
                    let copied = (&mut self.reader).take(length).read_to_end(out)?;
                    if copied as u64 != length {
                        return failure("IMAP connection closed inside a literal");
                    }
                }
                Literals::Skip => self.skip(length)?,
            }
        }
        while matches!(out.last(), Some(b'\n' | b'\r')) {
            out.pop();
        }
        Ok(())
    }

    fn skip(&mut self, mut left: u64) -> Outcome {
        while left > 0 {
            let available = self.reader.fill_buf()?.len() as u64;
            if available == 0 {
                return failure("IMAP connection closed inside a literal");
            }
            let step = available.min(left);
            self.reader.consume(step as usize);
            left -= step;
        }
        Ok(())
    }

    /// A tag not used before on this connection.
    pub fn tag(&mut self) -> String {
        self.next_tag += 1;
        format!("a{}", self.next_tag)
    }

    /// Sends one command and collects its answer; NO and BAD are answers.
    pub fn command(&mut self, text: &str) -> Outcome<Answer> {
        self.command_bytes(text.as_bytes())
    }

    /// As `command`, for bytes that are not UTF-8.
    pub fn command_bytes(&mut self, text: &[u8]) -> Outcome<Answer> {
        let tag = self.tag();
        self.send(&[tag.as_bytes(), b" ", text, b"\r\n"].concat())?;
        self.finish(&tag).during(shown(text, 80))
    }

    /// Sends one command and fails on NO and BAD.
    pub fn expect_ok(&mut self, text: &str) -> Outcome<Answer> {
        self.command(text)?.ok().during(text)
    }

    /// Collects responses until the tagged one. A continuation request (`+`) is kept as an untagged response.
    pub fn finish(&mut self, tag: &str) -> Outcome<Answer> {
        let mut answer = Answer::default();
        loop {
            let line = self.response(Literals::Keep)?;
            let tagged = line
                .strip_prefix(tag.as_bytes())
                .and_then(|rest| rest.strip_prefix(b" "));
            if let Some(text) = tagged {
                answer.tagged = String::from_utf8_lossy(text).into_owned();
                return Ok(answer);
            }
            answer.untagged.push(line);
        }
    }

    /// Sends one command and gives every untagged response to `each` (literals skipped): no allocation per response.
    pub fn stream(&mut self, text: &str, each: &mut dyn FnMut(&[u8])) -> Outcome<String> {
        let tag = self.tag();
        self.send(format!("{tag} {text}\r\n").as_bytes())?;
        let mut line = Vec::new();
        loop {
            self.read_response(&mut line, Literals::Skip)?;
            if line.starts_with(b"* ") || line.starts_with(b"+") {
                each(&line);
                continue;
            }
            let text = String::from_utf8_lossy(&line).into_owned();
            return match text.strip_prefix(&format!("{tag} ")) {
                Some(rest) if rest.starts_with("OK") => Ok(rest.to_owned()),
                Some(rest) => failure(rest),
                None => failure(format!("unexpected response {}", shown(&line, 200))),
            };
        }
    }

    /// APPEND of one message; `options` is the flag list and date, or empty. NO and BAD are answers.
    pub fn append(&mut self, mailbox: &str, options: &str, message: &[u8]) -> Outcome<Answer> {
        let tag = self.tag();
        let gap = if options.is_empty() { "" } else { " " };
        let plus = if self.has("LITERAL+") { "+" } else { "" };
        let head = format!(
            "{tag} APPEND \"{mailbox}\"{gap}{options} {{{}{plus}}}\r\n",
            message.len()
        );
        if plus.is_empty() {
            self.send(head.as_bytes())?;
            let line = self.response(Literals::Keep)?;
            if !line.starts_with(b"+") {
                let text = String::from_utf8_lossy(&line).into_owned();
                let tagged = text.strip_prefix(&format!("{tag} ")).map(str::to_owned);
                return tagged
                    .map(|tagged| Answer {
                        untagged: Vec::new(),
                        tagged,
                    })
                    .ok_or(Failure(text));
            }
            self.send(message)?;
            self.send(b"\r\n")?;
        } else {
            self.send(&[head.as_bytes(), message, b"\r\n"].concat())?;
        }
        self.finish(&tag).during("APPEND")
    }

    /// SELECT; returns how many messages there are.
    pub fn select(&mut self, mailbox: &str) -> Outcome<u32> {
        let answer = self.expect_ok(&format!("SELECT \"{mailbox}\""))?;
        answer
            .exists()
            .ok_or_else(|| Failure("SELECT without EXISTS".into()))
    }

    /// Starts IDLE and reads its continuation; returns the tag that `idle_end` wants.
    pub fn idle_begin(&mut self) -> Outcome<String> {
        let tag = self.tag();
        self.send(format!("{tag} IDLE\r\n").as_bytes())?;
        loop {
            let line = self.response(Literals::Keep)?;
            if line.starts_with(b"+") {
                return Ok(tag);
            }
            if !line.starts_with(b"* ") {
                return failure(shown(&line, 200));
            }
        }
    }

    /// Ends IDLE.
    pub fn idle_end(&mut self, tag: &str) -> Outcome<Answer> {
        self.send(b"DONE\r\n")?;
        self.finish(tag)?.ok()
    }

    /// Every message of a mailbox as (UID, bytes), in UID order; nothing is marked as seen.
    pub fn all_messages(&mut self, mailbox: &str) -> Outcome<Vec<(u32, Vec<u8>)>> {
        if self.select(mailbox)? == 0 {
            return Ok(Vec::new());
        }
        let answer = self.expect_ok("UID FETCH 1:* (UID BODY.PEEK[])")?;
        let mut out = Vec::new();
        for items in answer.fetched()? {
            if let (Some(uid), Some(body)) = (items.number("UID"), items.bytes("BODY[]")) {
                out.push((uid as u32, body));
            }
        }
        out.sort();
        Ok(out)
    }

    /// Deletes every message of a mailbox.
    pub fn empty(&mut self, mailbox: &str) -> Outcome {
        if self.select(mailbox)? > 0 {
            self.expect_ok("STORE 1:* +FLAGS.SILENT (\\Deleted)")?;
            self.expect_ok("EXPUNGE")?;
        }
        Ok(())
    }

    /// Our port of the connection.
    pub fn local_port(&self) -> Outcome<u16> {
        Ok(self.writer.local_addr()?.port())
    }

    /// Gives up the read buffer and keeps the bare socket: for holding very many idle connections.
    pub fn into_socket(self) -> TcpStream {
        self.writer
    }

    /// Sets how long a read may block; `None` for ever.
    pub fn read_limit(&mut self, limit: Option<Duration>) -> Outcome {
        self.writer.set_read_timeout(limit)?;
        Ok(())
    }
}

/// The `n` of a line that ends in `{n}` or `{n+}` and CRLF.
fn literal_length(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"\n")?;
    let line = line
        .strip_suffix(b"\r")
        .unwrap_or(line)
        .strip_suffix(b"}")?;
    let open = line.iter().rposition(|byte| *byte == b'{')?;
    let digits = std::str::from_utf8(line.get(open + 1..)?).ok()?;
    digits.trim_end_matches('+').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::literal_length;

    #[test]
    fn literal_lengths_are_found_at_line_ends_only() {
        assert_eq!(literal_length(b"* 1 FETCH (BODY[] {12}\r\n"), Some(12));
        assert_eq!(literal_length(b"* 1 FETCH (BODY[] ~{3}\r\n"), Some(3));
        assert_eq!(literal_length(b"* OK {12} here\r\n"), None);
        assert_eq!(literal_length(b"* OK {x}\r\n"), None);
    }
}

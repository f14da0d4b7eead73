//! One message told to a filter, and what the filter wants done with it.

use std::net::IpAddr;

use account::mime::header;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    packet::{Packets, Said, lied},
    terms::{Command, Terms},
};
use crate::{Answer, Changes, Client, Failure, Passing, Verdict};

/// Octets of a body in one packet.
const CHUNK_BYTES: usize = 65_535;
/// Octets of a field's value that filters are told; longer ones are beyond what libmilter takes in one packet.
const VALUE_BYTES_MAX: usize = 60_000;
/// Changes that a filter may ask for in one message, and octets of all of them but of a new body.
const EDITS_MAX: usize = 300;
const EDITS_BYTES_MAX: usize = 1 << 20;

pub(super) struct Conversation<S> {
    packets: Packets<S>,
    terms: Terms,
    changes: Changes,
    new_body: Option<Vec<u8>>,
    body_bytes_max: usize,
}

/// What a command led to.
enum Next {
    GoOn,
    /// The filter has what it wants of the body.
    EndOfBody,
    Refused(Answer),
    Ended(Verdict),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Conversation<S> {
    /// Agrees on terms.
    pub(super) async fn begin(stream: S, body_bytes_max: usize) -> Result<Self, Failure> {
        let mut packets = Packets(stream);
        packets.send(b'O', &[&Terms::offer()]).await?;
        let (letter, answer) = packets.receive().await?;
        if letter != b'O' {
            return Err(lied("no terms"));
        }
        Ok(Self {
            packets,
            terms: Terms::agreed(&answer)?,
            changes: Changes::default(),
            new_body: None,
            body_bytes_max,
        })
    }

    /// Tells a message and gives the filter's verdict.
    pub(super) async fn tell(mut self, passing: &Passing) -> Result<Verdict, Failure> {
        let verdict = match self.envelope(passing).await? {
            Some(verdict) => verdict,
            None => match self.content(passing).await? {
                Some(verdict) => verdict,
                None => self.end(passing).await?,
            },
        };
        // A filter that has said its verdict may be gone.
        let _ = self.packets.send(b'Q', &[]).await;
        Ok(match verdict {
            Verdict::Pass => self.verdict(),
            verdict => verdict,
        })
    }

    fn verdict(self) -> Verdict {
        let mut changes = self.changes;
        changes.body = self.new_body.map(Into::into);
        match changes.is_empty() {
            true => Verdict::Pass,
            false => Verdict::Change(changes),
        }
    }

    async fn envelope(&mut self, passing: &Passing) -> Result<Option<Verdict>, Failure> {
        for step in [Command::Connect, Command::Helo, Command::Mail] {
            if let Some(ended) = self.introduce(step, passing).await?.ended() {
                return Ok(Some(ended));
            }
        }
        let added = passing.added.iter().map(|one| &one.address);
        let all = passing.recipients.iter().chain(added);
        let mut is_left = false;
        for recipient in all {
            self.macros(b'R', &[("{rcpt_addr}", recipient)]).await?;
            let to = nul(&format!("<{recipient}>"));
            match self.command(Command::Recipient, &to).await? {
                Next::Refused(answer) => self.changes.refuse.push((recipient.clone(), answer)),
                next => {
                    is_left = true;
                    if let Some(ended) = next.ended() {
                        return Ok(Some(ended));
                    }
                }
            }
        }
        // Without recipients there is no message.
        Ok((!is_left).then_some(Verdict::Pass))
    }

    /// Who hands the message in, and from whom it is.
    async fn introduce(&mut self, step: Command, passing: &Passing) -> Result<Next, Failure> {
        let client = &passing.client;
        let (kind, address) = place_of(client);
        let user = client.user.as_deref().unwrap_or_default();
        let of_user = |value| if user.is_empty() { None } else { Some(value) };
        let macros = match step {
            Command::Connect => vec![
                ("j", Some(passing.hostname.as_str())),
                ("{daemon_name}", Some("dragoman")),
                ("v", Some("Dragoman")),
                ("_", Some(address.as_str())),
                ("{client_addr}", Some(address.as_str())),
            ],
            Command::Helo => vec![("{tls_version}", client.is_encrypted.then_some("TLS"))],
            _ => vec![
                ("i", Some(passing.id.as_str())),
                ("{mail_addr}", Some(passing.sender.as_str())),
                ("{auth_authen}", of_user(user)),
                ("{auth_type}", of_user("SASL")),
            ],
        };
        let macros: Vec<_> = macros
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        self.macros(step.code().0, &macros).await?;
        let told = match step {
            Command::Connect => connect(kind, &address),
            Command::Helo => nul(&client.name),
            _ => nul(&format!("<{}>", passing.sender)),
        };
        self.command(step, &told).await
    }

    async fn content(&mut self, passing: &Passing) -> Result<Option<Verdict>, Failure> {
        self.macros(b'T', &[("i", &passing.id)]).await?;
        if let Some(ended) = self.command(Command::Data, &[]).await?.ended() {
            return Ok(Some(ended));
        }
        for field in header::fields(&passing.message.fields) {
            // A line without a colon is no field that could be told.
            if field.name.is_empty() {
                continue;
            }
            let told = self.field(&field);
            if let Some(ended) = self.command(Command::Header, &told).await?.ended() {
                return Ok(Some(ended));
            }
        }
        if let Some(ended) = self.command(Command::EndOfHeader, &[]).await?.ended() {
            return Ok(Some(ended));
        }
        let mut offset = 0;
        while self.terms.wants(Command::Body) {
            let read = passing.message.read_body(offset, CHUNK_BYTES).await;
            let chunk = read.map_err(|error| Failure(error.to_string()))?;
            if chunk.is_empty() {
                break;
            }
            offset += chunk.len() as u64;
            match self.command(Command::Body, &chunk).await? {
                Next::EndOfBody => break,
                next => {
                    if let Some(ended) = next.ended() {
                        return Ok(Some(ended));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Name and value as filters know them: lines within end with LF alone.
    fn field(&self, field: &header::Field<'_>) -> Vec<u8> {
        let mut value: Vec<u8> = field
            .value
            .iter()
            .copied()
            .filter(|one| !matches!(one, b'\r' | 0))
            .collect();
        if value.ends_with(b"\n") {
            value.pop();
        }
        let skipped = match self.terms.keeps_leading_space() {
            true => 0,
            false => value.len() - value.trim_ascii_start().len(),
        };
        let value = value.get(skipped..).unwrap_or_default();
        let value = value.get(..VALUE_BYTES_MAX).unwrap_or(value);
        // A NUL would make two texts of one.
        let name: Vec<u8> = field.name.iter().copied().filter(|one| *one != 0).collect();
        [&name[..], b"\0", value, b"\0"].concat()
    }

    /// The end of the message: now the filter says what it wants changed.
    async fn end(&mut self, passing: &Passing) -> Result<Verdict, Failure> {
        self.macros(b'E', &[("i", &passing.id)]).await?;
        self.packets.send(b'E', &[]).await?;
        let (mut edits, mut octets) = (0, 0);
        loop {
            let said = self.packets.hear(self.terms.keeps_leading_space()).await?;
            edits += 1;
            if edits > EDITS_MAX && !matches!(said, Said::Body(_) | Said::Progress) {
                return Err(lied("too many changes"));
            }
            octets += said.len();
            if octets > EDITS_BYTES_MAX {
                return Err(lied("changes that are too large"));
            }
            match said {
                Said::Continue | Said::Accept => return Ok(Verdict::Pass),
                Said::Refuse(answer) => return Ok(Verdict::Refuse(answer)),
                Said::Drop => return Ok(Verdict::Drop),
                Said::Progress => {}
                Said::Skip => return Err(lied("a word out of place")),
                Said::Header(edit) => self.changes.header.push(edit),
                Said::Sender(address) => self.changes.sender = Some(address),
                Said::AddRecipient(address) => {
                    self.changes.remove.retain(|one| *one != address);
                    self.changes.add.push(address);
                }
                Said::RemoveRecipient(address) => {
                    self.changes.add.retain(|one| *one != address);
                    self.changes.remove.push(address);
                }
                Said::Body(more) => {
                    let body = self.new_body.get_or_insert_default();
                    if body.len() + more.len() > self.body_bytes_max {
                        return Err(lied("a body that is too large"));
                    }
                    body.extend_from_slice(&more);
                }
            }
        }
    }

    async fn macros(&mut self, letter: u8, macros: &[(&str, &str)]) -> Result<(), Failure> {
        let mut words = vec![letter];
        for (name, value) in macros {
            words.extend(nul(name));
            words.extend(nul(value));
        }
        self.packets.send(b'D', &[&words]).await
    }

    /// One command, where the filter wants it, and its answer, where there is one.
    async fn command(&mut self, command: Command, octets: &[u8]) -> Result<Next, Failure> {
        if !self.terms.wants(command) {
            return Ok(Next::GoOn);
        }
        self.packets.send(command.code().0, &[octets]).await?;
        if !self.terms.answers(command) {
            return Ok(Next::GoOn);
        }
        loop {
            return Ok(
                match self.packets.hear(self.terms.keeps_leading_space()).await? {
                    Said::Progress => continue,
                    Said::Continue => Next::GoOn,
                    Said::Accept => Next::Ended(Verdict::Pass),
                    Said::Drop => Next::Ended(Verdict::Drop),
                    Said::Refuse(answer) => Next::Refused(answer),
                    Said::Skip if command == Command::Body && self.terms.may_skip() => {
                        Next::EndOfBody
                    }
                    _ => return Err(lied("a word out of place")),
                },
            );
        }
    }
}

impl Next {
    /// The verdict, if the message's way through the filter ends here.
    fn ended(self) -> Option<Verdict> {
        match self {
            Self::GoOn | Self::EndOfBody => None,
            Self::Refused(answer) => Some(Verdict::Refuse(answer)),
            Self::Ended(verdict) => Some(verdict),
        }
    }
}

/// A letter for the kind of a client's address, and the address.
fn place_of(client: &Client) -> (u8, String) {
    match client.address {
        Some(IpAddr::V4(address)) => (b'4', address.to_string()),
        Some(IpAddr::V6(address)) => (b'6', format!("IPv6:{address}")),
        None => (b'L', "localhost".to_owned()),
    }
}

/// What CONNECT says: the host, a letter for its kind of address, its port, the address. Filters trust the host's name,
/// so it is none that the client gives itself.
fn connect(kind: u8, address: &str) -> Vec<u8> {
    let host = match kind {
        b'L' => address.to_owned(),
        _ => format!("[{}]", address.trim_start_matches("IPv6:")),
    };
    let port = 0_u16.to_be_bytes();
    [&nul(&host)[..], &[kind], &port, &nul(address)].concat()
}

fn nul(text: &str) -> Vec<u8> {
    text.bytes().filter(|one| *one != 0).chain([0]).collect()
}

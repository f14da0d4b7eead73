//! One message over a connection: MAIL, RCPT, DATA or BDAT, and what the server says of each recipient.

use super::{
    Hop, Protocol,
    connection::{Connection, Fault},
};
use crate::{Answer, BodyKind, Enhanced, Envelope, Outcome, Recipient, Returned, content::Content};

/// Octets of a message read at a time.
const READ_BYTES: usize = 256 << 10;

/// A message for some of its recipients.
pub(crate) struct Mail<'a> {
    pub(crate) envelope: &'a Envelope,
    pub(crate) recipients: Vec<&'a Recipient>,
    pub(crate) content: &'a Content,
    /// Whether its header is ASCII.
    pub(crate) ascii_header: bool,
}

/// How a message got lost between here and the server.
#[derive(Debug)]
pub(crate) enum Lost {
    /// There is no connection to it.
    Connection(Answer),
    /// The connection broke before the message was out: it was not taken.
    Message(Answer),
    /// The connection broke after that: nobody knows.
    Answer(Answer),
}

impl Connection {
    /// Sends a message; one outcome for each recipient, in their order.
    pub(super) async fn transact(
        &mut self,
        hop: &Hop,
        mail: &Mail<'_>,
    ) -> Result<Vec<Outcome>, Lost> {
        if let Err(answer) = self.can_take(mail) {
            return Ok(vec![Outcome::new(answer); mail.recipients.len()]);
        }
        let before = |Fault(answer)| Lost::Message(answer);
        let by_chunk = mail.envelope.body == BodyKind::Binary;
        let answers = self.envelope(hop, mail, by_chunk).await.map_err(before)?;
        let mut outcomes = match answers {
            Said::Refused(answer) => return Ok(vec![Outcome::new(answer); mail.recipients.len()]),
            Said::Recipients(outcomes) => outcomes,
        };
        let accepted: Vec<usize> = (0..)
            .zip(&outcomes)
            .filter(|(_, outcome)| outcome.answer.code / 100 == 2)
            .map(|(at, _)| at)
            .collect();
        if accepted.is_empty() {
            return Ok(outcomes);
        }
        let sent = match by_chunk {
            true => self.chunk(mail.content).await,
            false => self.data(mail.content).await,
        };
        sent.map_err(|broken| match broken {
            Broken::Here => Lost::Message(Answer::own(
                Enhanced(4, 3, 0),
                "the message cannot be read from the queue",
            )),
            Broken::There(Fault(answer)) => Lost::Message(answer),
        })?;
        // From here on the server may have taken it.
        let after = |Fault(answer)| Lost::Answer(answer);
        self.flush().await.map_err(after)?;
        let mut last: Option<Answer> = None;
        for at in accepted {
            let answer = match (&last, hop.protocol) {
                (Some(answer), Protocol::Smtp) => answer.clone(),
                // One reply that is missing stands for all that come after it.
                (Some(answer), Protocol::Lmtp) if self.is_spent => answer.clone(),
                _ => match self.reply(hop.message_timeout).await {
                    Ok(answer) => answer,
                    Err(fault) if last.is_none() => return Err(after(fault)),
                    // RFC 2033: who was answered for before has it.
                    Err(Fault(answer)) => {
                        self.is_spent = true;
                        answer
                    }
                },
            };
            if let Some(outcome) = outcomes.get_mut(at) {
                outcome.answer = answer.clone();
                outcome.reports_success = self.offers.dsn;
            }
            last = Some(answer);
        }
        Ok(outcomes)
    }

    /// Whether the server can take the message at all.
    fn can_take(&self, mail: &Mail<'_>) -> Result<(), Answer> {
        let refuse = |status, text| Err(Answer::own(status, text));
        let offers = &self.offers;
        if offers.size_max.is_some_and(|max| mail.content.len() > max) {
            return refuse(
                Enhanced(5, 3, 4),
                "the message is larger than the next server takes",
            );
        }
        if mail.envelope.body == BodyKind::Binary && !(offers.binary && offers.chunking) {
            return refuse(
                Enhanced(5, 6, 1),
                "the next server takes no binary messages",
            );
        }
        if needs_utf8(mail) && !offers.utf8 {
            return refuse(
                Enhanced(5, 6, 7),
                "the next server takes no addresses or headers in UTF-8",
            );
        }
        if mail.envelope.require_tls && !(self.is_encrypted && offers.require_tls) {
            return refuse(
                Enhanced(5, 7, 30),
                "the next server does not support REQUIRETLS",
            );
        }
        Ok(())
    }

    /// MAIL and RCPT, up to where the message's octets come next.
    async fn envelope(
        &mut self,
        hop: &Hop,
        mail: &Mail<'_>,
        by_chunk: bool,
    ) -> Result<Said, Fault> {
        let pipelining = self.offers.pipelining;
        let from = self.mail_command(mail);
        self.queue(&from);
        if !pipelining {
            self.flush().await?;
            let answer = self.reply(hop.command_timeout).await?;
            if answer.code != 250 {
                return Ok(Said::Refused(self.back(answer).await));
            }
        }
        let mut answers = Vec::with_capacity(mail.recipients.len());
        for recipient in &mail.recipients {
            let to = self.recipient_command(recipient);
            self.queue(&to);
            if !pipelining {
                self.flush().await?;
                answers.push(self.reply(hop.command_timeout).await?);
            }
        }
        if pipelining {
            self.flush().await?;
            let sender = self.reply(hop.command_timeout).await?;
            for _ in &mail.recipients {
                match self.reply(hop.command_timeout).await {
                    Ok(answer) => answers.push(answer),
                    // A server that has refused may close at once.
                    Err(_) if sender.code != 250 => {
                        self.is_spent = true;
                        break;
                    }
                    Err(fault) => return Err(fault),
                }
            }
            if sender.code != 250 {
                return Ok(Said::Refused(self.back(sender).await));
            }
        }
        let outcomes: Vec<_> = answers.into_iter().map(Outcome::new).collect();
        let any = outcomes.iter().any(|one| one.answer.code / 100 == 2);
        if !any {
            self.begin_anew().await;
        } else if !by_chunk {
            let answer = self.ask("DATA").await?;
            if answer.code != 354 {
                return Ok(Said::Refused(self.back(answer).await));
            }
        }
        Ok(Said::Recipients(outcomes))
    }

    /// Takes back what was begun, so that the connection can be used again: what was said stands in any case.
    async fn back(&mut self, answer: Answer) -> Answer {
        if answer.code != 421 {
            self.begin_anew().await;
        }
        // What is neither yes nor no to these commands is no answer.
        match answer.code {
            400..=599 => answer,
            _ => Answer::own(
                Enhanced(4, 5, 0),
                "an answer that the protocol does not know",
            ),
        }
    }

    async fn begin_anew(&mut self) {
        if self.is_spent {
            return;
        }
        let answer = self.ask("RSET").await;
        self.is_spent = !answer.is_ok_and(|answer| answer.code == 250);
    }

    fn mail_command(&self, mail: &Mail<'_>) -> String {
        let (envelope, offers) = (mail.envelope, &self.offers);
        let mut command = format!("MAIL FROM:<{}>", envelope.sender);
        if offers.size {
            command += &format!(" SIZE={}", mail.content.len());
        }
        match envelope.body {
            BodyKind::Binary => command += " BODY=BINARYMIME",
            BodyKind::EightBit if offers.eight_bit => command += " BODY=8BITMIME",
            // A server that does not offer it hardly ever damages it, and a message that was signed must stay as it is.
            BodyKind::EightBit | BodyKind::SevenBit => {}
        }
        if needs_utf8(mail) {
            command += " SMTPUTF8";
        }
        if envelope.require_tls {
            command += " REQUIRETLS";
        }
        if offers.dsn {
            match envelope.returned {
                Returned::Unsaid => {}
                Returned::Header => command += " RET=HDRS",
                Returned::Full => command += " RET=FULL",
            }
            if let Some(id) = &envelope.envelope_id {
                command += &format!(" ENVID={}", xtext(id));
            }
        }
        command
    }

    fn recipient_command(&self, recipient: &Recipient) -> String {
        let mut command = format!("RCPT TO:<{}>", recipient.address);
        if self.offers.dsn {
            if let Some(keywords) = recipient.notify.keywords() {
                command += &format!(" NOTIFY={keywords}");
            }
            if let Some(original) = &recipient.original {
                let (kind, address) = original.split_once(';').unwrap_or(("rfc822", original));
                // RFC 6533 3: UTF-8 as it is, where SMTPUTF8 was said.
                command += &format!(" ORCPT={kind};{}", xtext(address));
            }
        }
        command
    }

    /// The message as DATA (RFC 5321 4.5.2): lines that begin with a dot get another one.
    async fn data(&mut self, content: &Content) -> Result<(), Broken> {
        let mut stuffing = Stuffing::default();
        let mut offset = 0;
        while offset < content.len() {
            let piece = content
                .read(offset, READ_BYTES)
                .await
                .map_err(|_| Broken::Here)?;
            offset += piece.len() as u64;
            let mut rest: &[u8] = &piece;
            while let Some((part, dot, after)) = stuffing.next(rest) {
                self.put(part).await?;
                if dot {
                    self.put(b".").await?;
                }
                rest = after;
            }
        }
        let end: &[u8] = if stuffing.at_line_start() {
            b".\r\n"
        } else {
            b"\r\n.\r\n"
        };
        self.put(end).await?;
        Ok(())
    }

    /// The message as one chunk (RFC 3030 2).
    async fn chunk(&mut self, content: &Content) -> Result<(), Broken> {
        self.queue(&format!("BDAT {} LAST", content.len()));
        let mut offset = 0;
        while offset < content.len() {
            let piece = content
                .read(offset, READ_BYTES)
                .await
                .map_err(|_| Broken::Here)?;
            offset += piece.len() as u64;
            self.put(&piece).await?;
        }
        Ok(())
    }
}

/// What came of an envelope.
enum Said {
    /// All recipients are refused.
    Refused(Answer),
    /// The answer to each.
    Recipients(Vec<Outcome>),
}

/// Why a message did not go out whole.
enum Broken {
    /// It cannot be read.
    Here,
    /// The connection broke.
    There(Fault),
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Self {
        Self::There(fault)
    }
}

/// Finds the places where a dot is to be doubled.
struct Stuffing {
    /// The last two octets are CRLF, or nothing came yet.
    line_start: bool,
    after_cr: bool,
}

impl Default for Stuffing {
    fn default() -> Self {
        Self {
            line_start: true,
            after_cr: false,
        }
    }
}

impl Stuffing {
    /// The next octets, whether a dot comes before those after them, and those. `None` when there are none.
    fn next<'a>(&mut self, octets: &'a [u8]) -> Option<(&'a [u8], bool, &'a [u8])> {
        let (first, _) = octets.split_first()?;
        if self.line_start && *first == b'.' {
            self.line_start = false;
            return Some((&[], true, octets));
        }
        let mut from = 0;
        if self.after_cr && *first == b'\n' {
            (self.after_cr, self.line_start) = (false, true);
            let (line, rest) = octets.split_at(1);
            return Some((line, false, rest));
        }
        while let Some(cr) = octets
            .get(from..)
            .and_then(|rest| memchr::memchr(b'\r', rest))
        {
            let lf = from + cr + 1;
            match octets.get(lf) {
                Some(b'\n') => {
                    (self.after_cr, self.line_start) = (false, true);
                    let (line, rest) = octets.split_at(lf + 1);
                    if rest.first().is_none_or(|first| *first == b'.') {
                        return Some((line, false, rest));
                    }
                    from = lf + 1;
                }
                Some(_) => from = lf,
                None => {
                    (self.after_cr, self.line_start) = (true, false);
                    return Some((octets, false, &[]));
                }
            }
        }
        (self.after_cr, self.line_start) = (false, false);
        Some((octets, false, &[]))
    }

    const fn at_line_start(&self) -> bool {
        self.line_start
    }
}

/// Whether the message can go only where UTF-8 is taken. Clients say SMTPUTF8 of anything.
fn needs_utf8(mail: &Mail<'_>) -> bool {
    let ascii =
        mail.envelope.sender.is_ascii() && mail.recipients.iter().all(|one| one.address.is_ascii());
    !ascii || (mail.envelope.utf8 && !mail.ascii_header)
}

/// A value of a parameter (RFC 3461 4).
fn xtext(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '!'..='*' | ','..='<' | '>'..='~' => encoded.push(character),
            _ if character.is_ascii() => encoded += &format!("+{:02X}", u32::from(character)),
            _ => encoded.push(character),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_are_encoded() {
        for (value, encoded) in [
            ("anna@example.test", "anna@example.test"),
            ("a+b=c d", "a+2Bb+3Dc+20d"),
            ("a\r\nb", "a+0D+0Ab"),
            ("ä@example.test", "ä@example.test"),
        ] {
            assert_eq!(xtext(value), encoded);
        }
    }

    /// The octets that go out for a message that comes in the given pieces, without the end.
    fn stuffed(pieces: &[&[u8]]) -> (Vec<u8>, bool) {
        let mut stuffing = Stuffing::default();
        let mut out = Vec::new();
        for piece in pieces {
            let mut rest = *piece;
            while let Some((part, dot, after)) = stuffing.next(rest) {
                out.extend_from_slice(part);
                if dot {
                    out.push(b'.');
                }
                rest = after;
            }
        }
        (out, stuffing.at_line_start())
    }

    /// The same, read from RFC 5321 4.5.2 word by word.
    fn by_the_book(octets: &[u8]) -> (Vec<u8>, bool) {
        let mut out = Vec::new();
        for (at, octet) in octets.iter().enumerate() {
            let line_start = at == 0 || octets[..at].ends_with(b"\r\n");
            if line_start && *octet == b'.' {
                out.push(b'.');
            }
            out.push(*octet);
        }
        (out, octets.is_empty() || octets.ends_with(b"\r\n"))
    }

    proptest! {
        #[test]
        fn dots_are_doubled_at_the_start_of_lines(
            octets in prop::collection::vec(prop::sample::select(b"\r\n.a".to_vec()), 0..40),
            split in 0_usize..40,
        ) {
            let (one, two) = octets.split_at(split.min(octets.len()));
            prop_assert_eq!(stuffed(&[one, two]), by_the_book(&octets));
        }
    }
}

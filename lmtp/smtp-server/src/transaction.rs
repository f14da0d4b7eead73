//! One mail transaction: the envelope, and which mailboxes its recipients stand for.

use account::{
    Copy, Error, MailboxId, Spool,
    envelope::{self, Envelope},
};

use crate::MailboxFull;
use crate::reply::Reply;

/// From MAIL to the replies after the message, or to RSET.
pub(crate) struct Transaction {
    /// From whom, and how; to whom only where mail is submitted.
    pub(crate) envelope: Envelope,
    /// The accepted recipients whose mailboxes are here, in order; only where mail is delivered.
    pub(crate) recipients: Vec<Recipient>,
    /// The message so far, when it comes by BDAT.
    pub(crate) chunks: Option<Body>,
}

/// An accepted recipient and its mailboxes (an alias may have several).
#[derive(Debug)]
pub(crate) struct Recipient {
    /// As the client spelled it.
    pub(crate) address: String,
    /// Where its mail goes.
    pub(crate) mailboxes: Vec<MailboxId>,
}

/// A message on its way in. A failed one is read to its end, for its octets must not be taken for commands.
pub(crate) struct Body {
    spool: Result<Spool, Error>,
    lines: LineEnds,
}

impl Body {
    pub(crate) fn new(spool: Spool) -> Self {
        Self {
            spool: Ok(spool),
            lines: LineEnds::default(),
        }
    }

    /// Takes octets; after a failure they are dropped.
    pub(crate) async fn write(&mut self, octets: &[u8]) {
        self.lines.feed(octets);
        if let Ok(spool) = &mut self.spool
            && let Err(error) = spool.write(octets).await
        {
            self.spool = Err(error);
        }
    }

    /// Whether some CR or LF stands alone: what two servers read differently is how messages are smuggled.
    pub(crate) const fn has_bare_line_end(&self) -> bool {
        self.lines.bare || self.lines.after_cr
    }

    pub(crate) fn finish(self) -> Result<Spool, Error> {
        self.spool
    }
}

/// Looks for a CR or LF that stands alone.
#[derive(Debug, Default)]
struct LineEnds {
    bare: bool,
    after_cr: bool,
}

impl LineEnds {
    fn feed(&mut self, octets: &[u8]) {
        let mut from = 0;
        if self.after_cr && !octets.is_empty() {
            self.bare |= octets.first() != Some(&b'\n');
            self.after_cr = false;
            from = 1;
        }
        while !self.bare
            && let Some(rest) = octets.get(from..)
            && let Some(at) = memchr::memchr2(b'\r', b'\n', rest)
        {
            match (rest.get(at), rest.get(at + 1)) {
                (Some(b'\r'), None) => self.after_cr = true,
                (Some(b'\r'), Some(b'\n')) => {}
                _ => self.bare = true,
            }
            from += at + 2;
        }
    }
}

impl Transaction {
    /// How many recipients were accepted.
    pub(crate) const fn count(&self) -> usize {
        self.recipients.len() + self.envelope.recipients.len()
    }

    /// Whether octets come that lines do not have.
    pub(crate) fn is_binary(&self) -> bool {
        self.envelope.body == envelope::BodyKind::Binary
    }

    pub(crate) const fn new(envelope: Envelope) -> Self {
        Self {
            envelope,
            recipients: Vec::new(),
            chunks: None,
        }
    }

    /// The copies to deliver: one a mailbox, however many recipients lead to it. `fields` gives the trace fields of
    /// the first recipient that does.
    pub(crate) fn copies<'a>(
        recipients: impl Iterator<Item = &'a Recipient>,
        fields: impl Fn(&str) -> String,
    ) -> Vec<Copy> {
        let mut copies: Vec<Copy> = Vec::new();
        for recipient in recipients {
            for mailbox in &recipient.mailboxes {
                if !copies.iter().any(|copy| copy.mailbox == *mailbox) {
                    let prefix = fields(&recipient.address).into_bytes().into();
                    copies.push(Copy {
                        mailbox: mailbox.clone(),
                        prefix,
                        once: None,
                    });
                }
            }
        }
        copies
    }
}

impl Recipient {
    /// What came of it. `copies` and `outcomes` belong together; with several mailboxes it has succeeded when all of
    /// them have.
    pub(crate) fn reply(
        &self,
        copies: &[Copy],
        outcomes: &[Result<(), Error>],
        full: MailboxFull,
    ) -> Reply {
        let outcome = |mailbox: &MailboxId| {
            let copy = copies.iter().position(|copy| copy.mailbox == *mailbox)?;
            let error = outcomes.get(copy)?.as_ref().err()?;
            Some(Reply::delivery(error, full))
        };
        let failed = self.mailboxes.iter().find_map(outcome);
        failed.unwrap_or(Reply::DELIVERED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_that_stand_alone_are_found_whatever_the_pieces() {
        for (octets, bare) in [
            ("", false),
            ("a\r\nb\r\n\r\n", false),
            ("a\nb", true),
            ("a\rb\r\n", true),
            ("\r\r\n", true),
            ("\r\n\n", true),
            ("a\r", true),
            ("\n", true),
        ] {
            for split in 0..=octets.len() {
                let (one, two) = octets.as_bytes().split_at(split);
                let mut lines = LineEnds::default();
                lines.feed(one);
                lines.feed(two);
                assert_eq!(lines.bare || lines.after_cr, bare, "{octets:?} at {split}");
            }
        }
    }
}

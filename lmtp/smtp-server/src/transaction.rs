//! One mail transaction: the envelope, and which mailboxes its recipients stand for.

use account::{Copy, Error, MailboxId, Spool};

use crate::reply::Reply;

/// From MAIL to the replies after the message, or to RSET.
pub(crate) struct Transaction {
    /// The reverse path; empty for a bounce.
    pub(crate) sender: String,
    /// Whether the client said SMTPUTF8 (RFC 6531 3.4).
    pub(crate) utf8: bool,
    /// The accepted recipients, in order.
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
pub(crate) struct Body(Result<Spool, Error>);

impl Body {
    pub(crate) fn new(spool: Spool) -> Self {
        Self(Ok(spool))
    }

    /// Takes octets; after a failure they are dropped.
    pub(crate) async fn write(&mut self, octets: &[u8]) {
        if let Ok(spool) = &mut self.0
            && let Err(error) = spool.write(octets).await
        {
            self.0 = Err(error);
        }
    }

    pub(crate) fn finish(self) -> Result<Spool, Error> {
        self.0
    }
}

impl Transaction {
    pub(crate) fn new(sender: String, utf8: bool) -> Self {
        Self {
            sender,
            utf8,
            recipients: Vec::new(),
            chunks: None,
        }
    }

    /// The copies to deliver: one a mailbox, however many recipients lead to it. `fields` gives the trace fields of
    /// the first recipient that does.
    pub(crate) fn copies(&self, fields: impl Fn(&str) -> String) -> Vec<Copy> {
        let mut copies: Vec<Copy> = Vec::with_capacity(self.recipients.len());
        for recipient in &self.recipients {
            for mailbox in &recipient.mailboxes {
                if !copies.iter().any(|copy| copy.mailbox == *mailbox) {
                    let prefix = fields(&recipient.address).into_bytes().into();
                    copies.push(Copy {
                        mailbox: mailbox.clone(),
                        prefix,
                    });
                }
            }
        }
        copies
    }

    /// One reply per recipient, in order (RFC 2033 4.2). `copies` and `outcomes` belong together. A recipient with
    /// several mailboxes has succeeded when all of them have.
    pub(crate) fn replies(&self, copies: &[Copy], outcomes: &[Result<(), Error>]) -> Vec<Reply> {
        let outcome = |mailbox: &MailboxId| {
            let copy = copies.iter().position(|copy| copy.mailbox == *mailbox)?;
            outcomes.get(copy)?.as_ref().err().map(Reply::delivery)
        };
        self.recipients
            .iter()
            .map(|recipient| {
                recipient
                    .mailboxes
                    .iter()
                    .find_map(outcome)
                    .unwrap_or(Reply::DELIVERED)
            })
            .collect()
    }
}

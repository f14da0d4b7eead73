//! Sending: what users submit goes into the outgoing queue, in a name they may use, with what a message must have.
//!
//! Source: RFC 6409 (message submission), RFC 5322 3.6 (fields every message has).

mod authors;
mod edit;
mod names;

use std::{
    io::{Cursor, Read},
    time::SystemTime,
};

use bytes::Bytes;
use directory::SendGrant;
use mapi_store::{Error, ErrorKind, Principal, Result};
use mapi_types::MailboxId;
use outbound::{Envelope, Purpose, Queue, QueueId, Recipient, Submission};

use self::edit::Edit;
use crate::{Accounts, Passage, Spooled};

/// A message that a user submits.
#[derive(Debug)]
pub struct Outgoing<'a> {
    /// Who has signed in.
    pub principal: &'a Principal,
    /// From whom, to whom, how; [`Envelope::submitter`] is filled in.
    pub envelope: Envelope,
    /// The message as it came.
    pub message: &'a Spooled,
    /// Header fields to put before it, each with its line end: Received.
    pub trace: Bytes,
    /// The name of this gateway, for a Message-ID.
    pub hostname: &'a str,
}

/// A message that may go out as it is now; see [`Accounts::ready`].
#[derive(Debug)]
pub struct Ready {
    /// From whom, to whom, how.
    pub envelope: Envelope,
    /// The message.
    pub message: Passage,
    trace: Bytes,
    /// The message as the user wrote it, and whose Sent Items get it.
    copy: (Passage, Vec<MailboxId>),
}

/// In which name a user may send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SendRight {
    /// The address is the user's own.
    Own,
    /// The address is another's, as whom the user may send.
    As,
    /// The address is another's, on whose behalf the user may send: From alone may name it, and Sender the user.
    OnBehalf,
    /// Not in this one.
    None,
}

/// Where mail for an address goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Destination {
    /// To a mailbox here.
    Here,
    /// To another mail system.
    Elsewhere,
    /// To another mail system, and no mail goes out of here.
    OutOfReach,
    /// Nowhere: the domain is served here, and nobody has the address.
    Nobody,
}

/// Why a message was not sent.
#[derive(Debug)]
pub enum SendError {
    /// The user may not send in a name that the header gives.
    Forged,
    /// The header is none that can be sent: why.
    Header(&'static str),
    /// The message has passed too many mail servers.
    Loop,
    /// The queue is full.
    Full,
    /// It could not be taken now.
    Failed(Error),
}

impl Accounts {
    /// Lets users send: what they submit goes into this queue. Only the first call counts.
    pub fn send_through(&self, queue: Queue) {
        // A second queue would be a second place to look for mail.
        let _ = self.queue.set(queue);
    }

    /// Whether a user may send in the name of an address. Errors: `Unavailable`.
    pub async fn send_right(&self, principal: &Principal, address: &str) -> Result<SendRight> {
        let own = |mailboxes: &[MailboxId]| matches!(mailboxes, [one] if one.0 == principal.user);
        let grant = || match self.directory.send_grant(address, &principal.user) {
            Some(SendGrant::As) => SendRight::As,
            Some(SendGrant::OnBehalf) => SendRight::OnBehalf,
            None => SendRight::None,
        };
        match self.backend.resolve(address).await {
            Ok(Some(mailboxes)) if own(&mailboxes) => Ok(SendRight::Own),
            // Whoever keeps these mailboxes gives rights in them.
            Ok(Some(_)) => Ok(SendRight::None),
            Ok(None) => match self.resolve_here(address) {
                Ok(mailboxes) if own(&mailboxes) => Ok(SendRight::Own),
                Ok(_) => Ok(grant()),
                Err(_) => Ok(SendRight::None),
            },
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Invalid) => {
                Ok(SendRight::None)
            }
            Err(error) => Err(error),
        }
    }

    /// Where mail for an address goes. Errors: `Unavailable`.
    pub async fn destination(&self, address: &str) -> Result<Destination> {
        match self.backend.resolve(address).await {
            Ok(Some(_)) => return Ok(Destination::Here),
            Ok(None) => {}
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(Destination::Nobody),
            Err(error) => return Err(error),
        }
        if self.directory.resolve(address).is_some() {
            return Ok(Destination::Here);
        }
        let domain = address.rsplit_once('@').map(|(_, domain)| domain);
        if domain.is_none_or(|domain| self.directory.serves(domain)) {
            return Ok(Destination::Nobody);
        }
        Ok(
            match self.queue.get().is_some_and(|queue| queue.relays(address)) {
                true => Destination::Elsewhere,
                false => Destination::OutOfReach,
            },
        )
    }

    /// A message as it may go out, in names that are the user's or that the user was given, with what RFC 6409 8 lets a
    /// server put right: a missing Date, Message-ID, From or Sender is added, and Bcc fields are removed.
    pub async fn ready(&self, outgoing: Outgoing<'_>) -> Result<Ready, SendError> {
        let mailbox = MailboxId(outgoing.principal.user.clone());
        // That the mailbox is not to be seen now keeps nobody from sending.
        let quota = self.quota(&mailbox).await.ok().flatten();
        if quota.is_some_and(|quota| quota.limits.send.is_exceeded(&quota.usage)) {
            let full = Error::new(ErrorKind::Quota, "the sender's mailbox is too full to send");
            return Err(SendError::Failed(full));
        }
        let mut message = outgoing
            .message
            .passage()
            .await
            .map_err(SendError::Failed)?;
        if message.empty_line.is_empty() && message.body_len() > 0 {
            return Err(SendError::Header(match message.is_cut {
                true => "the header is too large",
                false => "a line of the header is no field",
            }));
        }
        let reverse_path = &outgoing.envelope.sender;
        let authors = self
            .authors(outgoing.principal, &message.fields, reverse_path)
            .await?;
        let edit = Edit {
            hostname: outgoing.hostname,
            author: reverse_path,
            sender: authors.sender.as_deref(),
            now: SystemTime::now(),
        };
        let added = edit.missing(&message.fields).map_err(SendError::Failed)?;
        let written = [added.as_bytes(), &message.fields].concat();
        let copy = Passage {
            fields: written.into(),
            ..message.clone()
        };
        message.fields = edit::without_blind_copies(&copy.fields).into();
        let copies = self.copies(&outgoing.principal.user, authors.names);
        let envelope = Envelope {
            submitter: Some(outgoing.principal.user.clone()),
            sender: authors.reverse_path.unwrap_or(outgoing.envelope.sender),
            ..outgoing.envelope
        };
        Ok(Ready {
            envelope,
            message,
            trace: outgoing.trace,
            copy: (copy, copies),
        })
    }

    /// Whose Sent Items get a copy of a message: the sender's, and those of whom it is sent for, as they are configured.
    fn copies(&self, user: &str, names: Vec<MailboxId>) -> Vec<MailboxId> {
        let rules = &self.shared().options.copies;
        let sender = MailboxId(user.to_owned());
        let mut copies = Vec::new();
        if rules.rule(&sender).sent {
            copies.push(sender);
        }
        let names = names.into_iter();
        copies.extend(names.filter(|name| rules.rule(name).sent_by_others));
        copies
    }

    /// Sends a message: durable, and on its way, when this returns; copies for Sent Items, too.
    pub async fn send(&self, ready: Ready) -> Result<QueueId, SendError> {
        let queue = self.queue.get().ok_or_else(|| {
            SendError::Failed(Error::new(ErrorKind::Unsupported, "no mail is sent here"))
        })?;
        let content = Cursor::new(ready.trace).chain(ready.message.into_reader());
        let submission = Submission {
            envelope: ready.envelope,
            content: Box::new(content),
        };
        let (copy, mailboxes) = ready.copy;
        let copy = (!mailboxes.is_empty()).then(|| Submission {
            envelope: Envelope {
                purpose: Purpose::SentCopy,
                recipients: mailboxes
                    .into_iter()
                    .map(|mailbox| Recipient::new(mailbox.0))
                    .collect(),
                ..Envelope::default()
            },
            content: copy.into_reader(),
        });
        let sent = queue.submit_with_copy(submission, copy).await;
        sent.map_err(|error| match error.kind {
            outbound::ErrorKind::Full => SendError::Full,
            outbound::ErrorKind::Loop => SendError::Loop,
            outbound::ErrorKind::Invalid | outbound::ErrorKind::NotFound => {
                SendError::Header("the envelope cannot be sent")
            }
            outbound::ErrorKind::Unavailable => SendError::Failed(Error::with_source(
                ErrorKind::Unavailable,
                "the outgoing queue does not take the message",
                error,
            )),
        })
    }
}

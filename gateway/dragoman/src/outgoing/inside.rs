//! Mail that stays inside, and which mail goes out.

use std::{
    sync::{Arc, Weak},
    time::SystemTime,
};

use account::{Accounts, Copy, Destination, Error, ErrorKind, FileTime, MailboxId, Spooled};
use outbound::{
    Answer, Credentials, Enhanced, Origin, Outcome, Parcel, Purpose, Route, Router, Task,
};

use super::Ways;
use crate::config::quota::MailboxFull;

/// Octets of a message that go from the queue to the spool at a time.
const PIECE_BYTES: usize = 256 << 10;

/// The mailboxes here, as the outgoing queue sees them.
pub(super) struct Inside {
    /// They hold the queue.
    accounts: Weak<Accounts>,
    ways: Ways,
    full: MailboxFull,
}

impl Inside {
    pub(super) fn new(accounts: &Arc<Accounts>, ways: Ways, full: MailboxFull) -> Self {
        Self {
            accounts: Arc::downgrade(accounts),
            ways,
            full,
        }
    }

    async fn deliver_all(&self, parcel: &Parcel) -> Vec<Outcome> {
        let Some(accounts) = self.accounts.upgrade() else {
            return same(parcel, &later("shutting down"));
        };
        let message = match spooled(&accounts, parcel).await {
            Ok(message) => message,
            Err(error) => return same(parcel, &delivery(&error, self.full)),
        };
        if parcel.purpose == Purpose::SentCopy {
            return keep_all(&accounts, parcel, &message).await;
        }
        let mut found = Vec::with_capacity(parcel.recipients.len());
        let mut copies: Vec<Copy> = Vec::new();
        for address in &parcel.recipients {
            let mailboxes = accounts.resolve(address).await;
            for mailbox in mailboxes.as_ref().into_iter().flatten() {
                if !copies.iter().any(|copy| copy.mailbox == *mailbox) {
                    copies.push(Copy {
                        mailbox: mailbox.clone(),
                        prefix: prefix(&parcel.sender, address).into(),
                        once: Some(once(parcel)),
                    });
                }
            }
            found.push((address, mailboxes));
        }
        let received = FileTime::from(SystemTime::now());
        let outcomes = accounts.deliver(&message, &copies, received).await;
        let of = |mailbox: &MailboxId| {
            let at = copies.iter().position(|copy| copy.mailbox == *mailbox)?;
            let error = outcomes.get(at)?.as_ref().err()?;
            Some(delivery(error, self.full))
        };
        let mut answers = Vec::with_capacity(found.len());
        for (address, mailboxes) in found {
            let answer = match mailboxes {
                Ok(mailboxes) => mailboxes.iter().find_map(of).unwrap_or_else(delivered),
                Err(error) => self.unknown(&accounts, address, &error).await,
            };
            answers.push(Outcome::new(answer));
        }
        answers
    }

    /// What is said of an address that leads to no mailbox.
    async fn unknown(&self, accounts: &Accounts, address: &str, error: &Error) -> Answer {
        if error.kind != ErrorKind::NotFound {
            return later("the directory is not available");
        }
        match accounts.destination(address).await {
            Ok(Destination::Nobody) => Answer::own(Enhanced(5, 1, 1), "no such user here"),
            // It gets another way at the next attempt, or when somebody configures one.
            Ok(_) => Answer::own(
                Enhanced(4, 4, 4),
                "no mail server is configured for this address",
            ),
            Err(_) => later("the directory is not available"),
        }
    }
}

impl Router for Inside {
    fn route<'a>(&'a self, _: Origin<'a>, address: &'a str) -> Task<'a, Result<Route, Answer>> {
        Box::pin(async move {
            let Some(accounts) = self.accounts.upgrade() else {
                return Err(later("shutting down"));
            };
            let destination = accounts.destination(address).await;
            match destination.map_err(|_| later("the directory is not available"))? {
                // Each mailbox of an alias is a recipient of its own: one that is full must not have the others try again.
                Destination::Here => {
                    if let Some(hop) = self.ways.to_exchange(address) {
                        return Ok(Route::Hop(hop.clone()));
                    }
                    let mailboxes = accounts.resolve(address).await.unwrap_or_default();
                    let each = || mailboxes.iter().map(|mailbox| mailbox.0.clone()).collect();
                    Ok(match mailboxes.as_slice() {
                        // Exchange need not know the alias that leads there.
                        [one] if self.relays_inside(&one.0) => Route::Several(each()),
                        [] | [_] => Route::Inside,
                        _ => Route::Several(each()),
                    })
                }
                Destination::Nobody => Ok(Route::Inside),
                Destination::Elsewhere | Destination::OutOfReach => {
                    let hop = self.ways.of(address).cloned();
                    Ok(hop.map_or(Route::Inside, Route::Hop))
                }
            }
        })
    }

    fn relays(&self, address: &str) -> bool {
        self.ways.of(address).is_some()
    }

    fn relays_inside(&self, mailbox: &str) -> bool {
        self.ways.to_exchange(mailbox).is_some()
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Task<'a, Vec<Outcome>> {
        Box::pin(self.deliver_all(parcel))
    }

    fn credentials<'a>(&'a self, _: &'a str) -> Task<'a, Option<Credentials>> {
        // No mail server is spoken to in the name of a user.
        Box::pin(async { None })
    }
}

/// Puts copies of a sent message into Sent Items.
async fn keep_all(accounts: &Accounts, parcel: &Parcel, message: &Spooled) -> Vec<Outcome> {
    let sent = FileTime::from(parcel.arrived);
    let mut outcomes = Vec::with_capacity(parcel.recipients.len());
    for mailbox in &parcel.recipients {
        let mailbox = MailboxId(mailbox.clone());
        let kept = accounts.file_sent(&mailbox, message, sent).await;
        let answer = kept.map_or_else(
            |error| delivery(&error, MailboxFull::TryLater),
            |()| delivered(),
        );
        outcomes.push(Outcome::new(answer));
    }
    outcomes
}

async fn spooled(accounts: &Accounts, parcel: &Parcel) -> account::Result<Spooled> {
    let mut spool = accounts.spool();
    let mut offset = 0;
    while offset < parcel.content.len() {
        let read = parcel.content.read(offset, PIECE_BYTES).await;
        let piece = read.map_err(|error| {
            Error::with_source(
                ErrorKind::Unavailable,
                "a queued message cannot be read",
                error,
            )
        })?;
        offset += piece.len() as u64;
        spool.write(&piece).await?;
    }
    spool.finish().await
}

/// What a message in the queue has and no other one. Names begin anew with a new queue, times do not.
fn once(parcel: &Parcel) -> Box<str> {
    let arrived = FileTime::from(parcel.arrived);
    format!("{} {}", parcel.id, arrived.0).into()
}

/// The trace fields of a copy (RFC 5321 4.4). Addresses in the queue hold no control characters.
fn prefix(sender: &str, recipient: &str) -> String {
    format!("Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\n")
}

fn same(parcel: &Parcel, answer: &Answer) -> Vec<Outcome> {
    vec![Outcome::new(answer.clone()); parcel.recipients.len()]
}

fn delivered() -> Answer {
    Answer::own(Enhanced(2, 1, 5), "delivered")
}

fn later(why: &str) -> Answer {
    Answer::own(Enhanced(4, 3, 0), why)
}

/// What a failed delivery means for a recipient.
fn delivery(error: &Error, full: MailboxFull) -> Answer {
    match error.kind {
        ErrorKind::Quota if full == MailboxFull::Refuse => {
            Answer::own(Enhanced(5, 2, 2), "the mailbox is full")
        }
        ErrorKind::TooBig => Answer::own(Enhanced(5, 3, 4), "the message is too large"),
        ErrorKind::Quota => Answer::own(Enhanced(4, 2, 2), "the mailbox is full"),
        ErrorKind::NotFound => Answer::own(Enhanced(4, 2, 1), "the mailbox is not available"),
        _ => later("delivery failed"),
    }
}

//! Delivery: a message goes into the mailboxes of its recipients, and each has a reply of its own (RFC 2033 4.2).

use std::{io, time::SystemTime};

use account::{Error, FileTime, Spooled};
use pipeline::{Added, Direction, Outcome, Passing};

use crate::{
    connection::Connection,
    passing::Told,
    reply::Reply,
    session::{Next, Session},
    trace::Trace,
    transaction::{Body, Recipient, Transaction},
};

impl Session<'_> {
    /// Delivers to every recipient and queues their replies.
    pub(crate) async fn deliver(
        &self,
        transaction: Transaction,
        body: Body,
        connection: &mut Connection,
    ) -> io::Result<Next> {
        let now = FileTime::from(SystemTime::now());
        let told = match self.delivered(body, &transaction, now).await {
            Ok(told) => told,
            Err(error) => {
                tracing::warn!(connection = self.peer.id, %error, "message not taken");
                vec![Reply::delivery(&error).into(); transaction.recipients.len()]
            }
        };
        let delivered = told.iter().filter(|one| !one.is_error()).count();
        metrics::counter!("lmtp_recipients_delivered_total").increment(delivered as u64);
        metrics::counter!("lmtp_recipients_failed_total")
            .increment((told.len() - delivered) as u64);
        for one in told {
            one.queue(connection);
        }
        Ok(Next::Command)
    }

    async fn delivered(
        &self,
        body: Body,
        transaction: &Transaction,
        now: FileTime,
    ) -> Result<Vec<Told>, Error> {
        let message = body.finish()?.finish().await?;
        let id = self.transaction_id();
        let all = &transaction.recipients;
        if self.server.pipeline.is_empty(Direction::Delivery) {
            let trace = self.trace(
                (&transaction.envelope, &transaction.envelope.sender),
                &id,
                now,
            );
            let delivery = Delivery {
                message: &message,
                trace: &trace,
                added: &[],
            };
            return self
                .save(&delivery, all.iter().map(|one| (one, None)).collect())
                .await;
        }
        let mut passing = self.passing(
            Direction::Delivery,
            (&transaction.envelope, &id),
            (&message, message.passage().await?),
        );
        passing.recipients = all.iter().map(|one| one.address.clone()).collect();
        let told = |one: Told| Ok(vec![one; all.len()]);
        match self.server.pipeline.run(&mut passing).await {
            Outcome::Refused(answer) => return told(Told::Answer(answer)),
            Outcome::Dropped => return told(Reply::DELIVERED.into()),
            Outcome::Passed => {}
        }
        let message = match passing.is_changed {
            true => self.server.accounts.respool(&passing.message).await?,
            false => message,
        };
        let trace = self.trace((&transaction.envelope, &passing.sender), &id, now);
        let delivery = Delivery {
            message: &message,
            trace: &trace,
            added: &passing.added,
        };
        let recipients = all.iter().map(|one| (one, said_of(one, &passing)));
        self.save(&delivery, recipients.collect()).await
    }

    /// Saves a message for recipients; those of whom something was said already get it not.
    async fn save(
        &self,
        delivery: &Delivery<'_>,
        recipients: Vec<(&Recipient, Option<Told>)>,
    ) -> Result<Vec<Told>, Error> {
        let fields = |recipient: &str| delivery.trace.fields(recipient);
        let kept = recipients.iter().filter(|(_, said)| said.is_none());
        let mut further = Vec::new();
        for added in delivery.added {
            further.extend(self.further(added).await?);
        }
        let kept = kept.map(|(recipient, _)| *recipient);
        let needed = further.iter().map(|(recipient, _)| recipient);
        let copies = Transaction::copies(kept.chain(needed), fields);
        let accounts = &self.server.accounts;
        let outcomes = accounts
            .deliver(delivery.message, &copies, delivery.trace.now)
            .await;
        for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            let id = delivery.trace.id;
            tracing::warn!(connection = self.peer.id, id, %error, "delivery failed");
        }
        // Who hands a message in hears that it was not taken when a copy is missing without which it may not go on.
        let missing = further
            .iter()
            .filter(|(_, is_needed)| *is_needed)
            .map(|(recipient, _)| recipient.reply(&copies, &outcomes))
            .find(|reply| reply.is_error());
        Ok(recipients
            .into_iter()
            .map(|(recipient, said)| match (said, missing) {
                (Some(said), _) => said,
                (None, Some(missing)) => missing.into(),
                (None, None) => recipient.reply(&copies, &outcomes).into(),
            })
            .collect())
    }

    /// The mailboxes of a recipient that a step added, and whether they must get their copies.
    async fn further(&self, added: &Added) -> Result<Option<(Recipient, bool)>, Error> {
        match self.server.accounts.resolve(&added.address).await {
            Ok(mailboxes) => {
                let address = added.address.clone();
                Ok(Some((Recipient { address, mailboxes }, added.is_needed)))
            }
            Err(error) => {
                tracing::warn!(connection = self.peer.id, %error, "a recipient that a step added cannot be reached");
                match added.is_needed {
                    true => Err(error),
                    false => Ok(None),
                }
            }
        }
    }

    /// This transaction's name in the trace and in the log.
    pub(crate) fn transaction_id(&self) -> String {
        format!("{:x}-{:x}", self.peer.id, self.transactions)
    }

    /// What the trace fields tell of this message.
    pub(crate) fn trace<'a>(
        &'a self,
        (envelope, sender): (&'a account::envelope::Envelope, &'a str),
        id: &'a str,
        now: FileTime,
    ) -> Trace<'a> {
        Trace {
            sender,
            client_name: self.client_name.as_deref().unwrap_or_default(),
            client_addr: self.peer.addr,
            hostname: &self.server.config.hostname,
            protocol: self.protocol(envelope.utf8),
            id,
            now,
        }
    }
}

/// A message, and what its copies have in common.
struct Delivery<'a> {
    message: &'a Spooled,
    trace: &'a Trace<'a>,
    added: &'a [Added],
}

/// What the pipeline says of a recipient; `None`: it gets the message.
fn said_of(recipient: &Recipient, passing: &Passing) -> Option<Told> {
    let address = &recipient.address;
    if let Some((_, answer)) = passing
        .refused
        .iter()
        .find(|(refused, _)| refused == address)
    {
        return Some(Told::Answer(answer.clone()));
    }
    // One that was taken out: whoever did that answers for it.
    (!passing.recipients.contains(address)).then(|| Reply::DELIVERED.into())
}

//! Delivery: a message goes into the mailboxes of its recipients, and each has a reply of its own (RFC 2033 4.2).

use std::{io, time::SystemTime};

use account::{
    Copy, Error, FileTime, Spooled,
    envelope::{Envelope, Recipient as To},
    once_as_arrived,
};
use pipeline::{Added, Direction, Outcome, Passing};

use crate::{
    MailboxFull,
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
                vec![Reply::delivery(&error, self.full()).into(); transaction.recipients.len()]
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

    /// What mail for a mailbox that is full is told.
    fn full(&self) -> MailboxFull {
        self.server.config.mailbox_full
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
            let sender = &transaction.envelope.sender;
            let trace = self.trace((&transaction.envelope, sender), &id, now);
            let copies = Transaction::copies(all.iter(), |address| trace.fields(address));
            let outcomes = self.save(&message, &copies, &trace).await;
            let reply = |one: &Recipient| one.reply(&copies, &outcomes, self.full()).into();
            return Ok(all.iter().map(reply).collect());
        }
        let passage = message.passage().await?;
        let told = |one: Told| Ok(vec![one; all.len()]);
        if passage.is_cut {
            // What steps cannot see they cannot judge.
            return told(Reply::HEADER_TOO_BIG.into());
        }
        let mut passing = self.passing(
            Direction::Delivery,
            (&transaction.envelope, &id),
            (&message, passage),
            all.iter().map(|one| one.address.clone()).collect(),
        );
        match self.server.pipeline.run(&mut passing).await {
            Outcome::Refused(answer) => return told(Told::Answer(answer)),
            Outcome::Dropped => return told(Reply::DELIVERED.into()),
            Outcome::Passed => {}
        }
        let once = once_as_arrived(&message, &transaction.envelope.sender, now);
        let message = match passing.is_changed {
            true => self.server.accounts.respool(&passing.message).await?,
            false => message,
        };
        let trace = self.trace((&transaction.envelope, &passing.sender), &id, now);
        self.save_passed((&message, once), (&passing, all), &trace)
            .await
    }

    /// Saves copies, or hands them on to the mail servers of their mailboxes; one outcome each.
    async fn save(
        &self,
        message: &Spooled,
        copies: &[Copy],
        trace: &Trace<'_>,
    ) -> Vec<Result<(), Error>> {
        let accounts = &self.server.accounts;
        let is_relayed = |copy: &&Copy| accounts.is_relayed(&copy.mailbox);
        let (away, here): (Vec<_>, Vec<_>) = copies.iter().partition(is_relayed);
        let outcomes = if away.is_empty() {
            accounts.deliver(message, copies, trace.now).await
        } else {
            let here: Vec<Copy> = here.into_iter().cloned().collect();
            let mut saved = accounts
                .deliver(message, &here, trace.now)
                .await
                .into_iter();
            let mut outcomes = Vec::with_capacity(copies.len());
            let handed_on = self.hand_on(message, &away, trace).await;
            for copy in copies {
                outcomes.push(match (is_relayed(&copy), &handed_on) {
                    (false, _) => saved.next().unwrap_or(Ok(())),
                    (true, Ok(())) => Ok(()),
                    (true, Err(error)) => Err(Error::new(error.kind, error.to_string())),
                });
            }
            outcomes
        };
        for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            let id = trace.id;
            tracing::warn!(connection = self.peer.id, id, %error, "delivery failed");
        }
        outcomes
    }

    /// Hands a message on for mailboxes whose mail goes by a mail server: one entry of the queue for all of them.
    async fn hand_on(
        &self,
        message: &Spooled,
        copies: &[&Copy],
        trace: &Trace<'_>,
    ) -> Result<(), Error> {
        let to = |copy: &&Copy| To::new(copy.mailbox.0.clone());
        let envelope = Envelope {
            sender: trace.sender.to_owned(),
            utf8: trace.is_utf8,
            recipients: copies.iter().map(to).collect(),
            ..Envelope::default()
        };
        let accounts = &self.server.accounts;
        let received = trace.received().into();
        let queued = accounts.hand_on(message, received, envelope).await?;
        tracing::info!(connection = self.peer.id, id = trace.id, queue_id = %queued, "message handed on");
        Ok(())
    }

    /// Saves a message that has passed the pipeline, and says what came of each recipient. Without a copy that it may
    /// not go on without, it goes nowhere.
    async fn save_passed(
        &self,
        (message, once): (&Spooled, Option<Box<str>>),
        (passing, all): (&Passing, &[Recipient]),
        trace: &Trace<'_>,
    ) -> Result<Vec<Told>, Error> {
        let copies = |recipients: &[&Recipient]| {
            let fields = |address: &str| trace.fields(address);
            let copies = Transaction::copies(recipients.iter().copied(), fields);
            let with_key = copies.into_iter().map(|copy| Copy {
                once: once.clone(),
                ..copy
            });
            with_key.collect::<Vec<_>>()
        };
        let (mut needed, mut others) = (Vec::new(), Vec::new());
        for added in &passing.added {
            let list = if added.is_needed {
                &mut needed
            } else {
                &mut others
            };
            list.extend(self.further(added).await?);
        }
        let needed: Vec<_> = needed.iter().collect();
        let first = copies(&needed);
        let outcomes = self.save(message, &first, trace).await;
        // That a step's mailbox is full says nothing of the recipients' own: it passes.
        let replies = needed
            .iter()
            .map(|one| one.reply(&first, &outcomes, MailboxFull::TryLater));
        let missing = replies.into_iter().find(|reply| reply.is_error());
        let said: Vec<_> = all.iter().map(|one| said_of(one, passing)).collect();
        if let Some(missing) = missing {
            let refused = |said: Option<Told>| said.filter(Told::is_error);
            let told = said
                .into_iter()
                .map(|said| refused(said).unwrap_or(missing.into()));
            return Ok(told.collect());
        }
        let kept = all.iter().zip(&said).filter(|(_, said)| said.is_none());
        let kept: Vec<_> = kept.map(|(one, _)| one).chain(&others).collect();
        let is_new = |copy: &Copy| !first.iter().any(|one| one.mailbox == copy.mailbox);
        let mut rest = copies(&kept);
        rest.retain(is_new);
        let outcomes = self.save(message, &rest, trace).await;
        let told = all.iter().zip(said).map(|(one, said)| {
            said.unwrap_or_else(|| one.reply(&rest, &outcomes, self.full()).into())
        });
        Ok(told.collect())
    }

    /// The mailboxes of a recipient that a step added.
    async fn further(&self, added: &Added) -> Result<Option<Recipient>, Error> {
        match self.server.accounts.resolve(&added.address).await {
            Ok(mailboxes) => {
                let address = added.address.clone();
                Ok(Some(Recipient { address, mailboxes }))
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
            is_utf8: envelope.utf8,
            id,
            now,
        }
    }
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

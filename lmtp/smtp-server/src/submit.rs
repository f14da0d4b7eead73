//! Submission: a message goes into the outgoing queue, and one reply says so (RFC 6409).

use std::time::SystemTime;

use account::{
    Destination, FileTime, Outgoing, Ready, SendError, Spooled,
    envelope::{Notify, QueueId, Recipient},
};
use pipeline::{Added, Direction, Outcome};

use crate::{
    connection::Connection,
    passing::Told,
    reply::Reply,
    session::{Next, Session},
    transaction::{Body, Transaction},
};

impl Session<'_> {
    /// Sends a message and queues the reply.
    pub(crate) async fn submit(
        &mut self,
        transaction: Transaction,
        body: Body,
        connection: &mut Connection,
    ) -> Next {
        let recipients = transaction.envelope.recipients.len();
        match Box::pin(self.submitted(transaction, body)).await {
            Ok(Some(id)) => {
                tracing::info!(connection = self.peer.id, queue_id = %id, recipients, "message queued");
                metrics::counter!("submission_messages_total").increment(1);
                connection.text(&format!("250 2.0.0 queued as {id}\r\n"));
                Next::Command
            }
            Ok(None) => {
                metrics::counter!("submission_messages_total").increment(1);
                self.answer(Reply::OK, connection)
            }
            Err(told) => {
                metrics::counter!("submission_messages_refused_total").increment(1);
                self.told(&told, connection)
            }
        }
    }

    /// What a message became in the queue; `None` when a step of the pipeline dropped it.
    async fn submitted(
        &self,
        transaction: Transaction,
        body: Body,
    ) -> Result<Option<QueueId>, Told> {
        let principal = self.principal.as_ref().ok_or(Reply::LOGIN_FIRST)?;
        if body.has_bare_line_end() && !transaction.is_binary() {
            return Err(Reply::BARE_LINE_END.into());
        }
        let spooled = match body.finish() {
            Ok(spool) => spool.finish().await,
            Err(error) => Err(error),
        };
        let message = spooled.map_err(|error| self.not_taken(&error))?;
        let id = self.transaction_id();
        let now = FileTime::from(SystemTime::now());
        let envelope = &transaction.envelope;
        let trace = self
            .trace((envelope, &envelope.sender), &id, now)
            .received();
        let outgoing = Outgoing {
            principal,
            envelope: transaction.envelope,
            message: &message,
            trace: trace.into(),
            hostname: &self.server.config.hostname,
        };
        let accounts = &self.server.accounts;
        let ready = Box::pin(accounts.ready(outgoing)).await;
        let ready = ready.map_err(|error| self.not_sent(error))?;
        let Some(ready) = self.passed(ready, &message, &id).await? else {
            return Ok(None);
        };
        let sent = Box::pin(accounts.send(ready)).await;
        sent.map(Some).map_err(|error| self.not_sent(error).into())
    }

    /// The message after the pipeline; `None` when nothing of it is left.
    async fn passed(
        &self,
        mut ready: Ready,
        arrived: &Spooled,
        id: &str,
    ) -> Result<Option<Ready>, Told> {
        let pipeline = &self.server.pipeline;
        if pipeline.is_empty(Direction::Submission) {
            return Ok(Some(ready));
        }
        let recipients = ready.envelope.recipients.iter();
        let recipients = recipients.map(|one| one.address.clone()).collect();
        let mut passing = self.passing(
            Direction::Submission,
            (&ready.envelope, id),
            (arrived, ready.message),
            recipients,
        );
        match pipeline.run(&mut passing).await {
            Outcome::Refused(answer) => return Err(Told::Answer(answer)),
            Outcome::Dropped => return Ok(None),
            Outcome::Passed => {}
        }
        // One reply is for all of them: the client sends again without who is refused.
        if let Some((_, answer)) = passing.refused.into_iter().next() {
            return Err(Told::Answer(answer));
        }
        ready.message = passing.message;
        ready.envelope.sender = passing.sender;
        let left = &passing.recipients;
        let is_left = |one: &Recipient| left.contains(&one.address);
        ready.envelope.recipients.retain(is_left);
        for added in passing.added {
            ready.envelope.recipients.extend(self.reached(added).await?);
        }
        Ok((!ready.envelope.recipients.is_empty()).then_some(ready))
    }

    /// A recipient that a step added, if mail reaches it. What does not arrive is nothing to tell the sender of.
    async fn reached(&self, added: Added) -> Result<Option<Recipient>, Reply> {
        let destination = self.server.accounts.destination(&added.address).await;
        match destination.map_err(|error| self.not_taken(&error))? {
            Destination::Here | Destination::Elsewhere => Ok(Some(Recipient {
                notify: Notify::NEVER,
                ..Recipient::new(added.address)
            })),
            Destination::OutOfReach | Destination::Nobody => {
                tracing::warn!(
                    connection = self.peer.id,
                    "a recipient that a step added cannot be reached"
                );
                match added.is_needed {
                    true => Err(Reply::QUEUE_UNAVAILABLE),
                    false => Ok(None),
                }
            }
        }
    }

    fn not_sent(&self, error: SendError) -> Reply {
        match error {
            SendError::Forged => Reply::FORGED_FROM,
            SendError::Header(why) => {
                tracing::info!(connection = self.peer.id, why, "header refused");
                Reply::BAD_HEADER
            }
            SendError::Loop => Reply::LOOP,
            SendError::Full => Reply::QUEUE_FULL,
            SendError::Failed(error) => self.not_taken(&error),
        }
    }

    fn not_taken(&self, error: &account::Error) -> Reply {
        tracing::warn!(connection = self.peer.id, %error, "message not taken");
        match error.kind {
            account::ErrorKind::TooBig => Reply::TOO_BIG,
            account::ErrorKind::Quota => Reply::SENDER_FULL,
            _ => Reply::QUEUE_UNAVAILABLE,
        }
    }
}

//! Submission: a message goes into the outgoing queue, and one reply says so (RFC 6409).

use std::time::SystemTime;

use account::{FileTime, Outgoing, SendError, envelope::QueueId};

use crate::{
    connection::Connection,
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
            Ok(id) => {
                tracing::info!(connection = self.peer.id, queue_id = %id, recipients, "message queued");
                metrics::counter!("submission_messages_total").increment(1);
                connection.text(&format!("250 2.0.0 queued as {id}\r\n"));
                Next::Command
            }
            Err(reply) => {
                metrics::counter!("submission_messages_refused_total").increment(1);
                self.answer(reply, connection)
            }
        }
    }

    async fn submitted(&self, transaction: Transaction, body: Body) -> Result<QueueId, Reply> {
        let principal = self.principal.as_ref().ok_or(Reply::LOGIN_FIRST)?;
        if body.has_bare_line_end() && !transaction.is_binary() {
            return Err(Reply::BARE_LINE_END);
        }
        let spooled = match body.finish() {
            Ok(spool) => spool.finish().await,
            Err(error) => Err(error),
        };
        let message = spooled.map_err(|error| self.not_taken(&error))?;
        let id = self.transaction_id();
        let now = FileTime::from(SystemTime::now());
        let trace = self.trace(&transaction.envelope, &id, now).received();
        let outgoing = Outgoing {
            principal,
            envelope: transaction.envelope,
            message: &message,
            trace: trace.into(),
            hostname: &self.server.config.hostname,
        };
        let sent = Box::pin(self.server.accounts.send(outgoing)).await;
        sent.map_err(|error| match error {
            SendError::Forged => Reply::FORGED_FROM,
            SendError::Header(why) => {
                tracing::info!(connection = self.peer.id, why, "header refused");
                Reply::BAD_HEADER
            }
            SendError::Loop => Reply::LOOP,
            SendError::Full => Reply::QUEUE_FULL,
            SendError::Failed(error) => self.not_taken(&error),
        })
    }

    fn not_taken(&self, error: &account::Error) -> Reply {
        tracing::warn!(connection = self.peer.id, %error, "message not taken");
        match error.kind {
            account::ErrorKind::TooBig => Reply::TOO_BIG,
            _ => Reply::QUEUE_UNAVAILABLE,
        }
    }
}

//! Delivery: a message goes into the mailboxes of its recipients, and each has a reply of its own (RFC 2033 4.2).

use std::{io, time::SystemTime};

use account::{Error, FileTime};

use crate::{
    connection::Connection,
    reply::Reply,
    session::{Next, Session},
    trace::Trace,
    transaction::{Body, Transaction},
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
        let replies = match self.delivered(body, &transaction, now).await {
            Ok(replies) => replies,
            Err(error) => {
                tracing::warn!(connection = self.peer.id, %error, "message not taken");
                vec![Reply::delivery(&error); transaction.recipients.len()]
            }
        };
        let delivered = replies.iter().filter(|reply| !reply.is_error()).count();
        metrics::counter!("lmtp_recipients_delivered_total").increment(delivered as u64);
        metrics::counter!("lmtp_recipients_failed_total")
            .increment((replies.len() - delivered) as u64);
        for reply in replies {
            connection.reply(reply);
        }
        Ok(Next::Command)
    }

    async fn delivered(
        &self,
        body: Body,
        transaction: &Transaction,
        now: FileTime,
    ) -> Result<Vec<Reply>, Error> {
        let message = body.finish()?.finish().await?;
        let id = self.transaction_id();
        let trace = self.trace(&transaction.envelope, &id, now);
        let copies = transaction.copies(|recipient| trace.fields(recipient));
        let outcomes = self.server.accounts.deliver(&message, &copies, now).await;
        for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            tracing::warn!(connection = self.peer.id, id, %error, "delivery failed");
        }
        Ok(transaction.replies(&copies, &outcomes))
    }

    /// This transaction's name in the trace and in the log.
    pub(crate) fn transaction_id(&self) -> String {
        format!("{:x}-{:x}", self.peer.id, self.transactions)
    }

    /// What the trace fields tell of this message.
    pub(crate) fn trace<'a>(
        &'a self,
        envelope: &'a account::envelope::Envelope,
        id: &'a str,
        now: FileTime,
    ) -> Trace<'a> {
        Trace {
            sender: &envelope.sender,
            client_name: self.client_name.as_deref().unwrap_or_default(),
            client_addr: self.peer.addr,
            hostname: &self.server.config.hostname,
            protocol: self.protocol(envelope.utf8),
            id,
            now,
        }
    }
}

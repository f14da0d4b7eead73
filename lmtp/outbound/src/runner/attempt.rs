//! One attempt to hand a message on.

use std::{sync::Arc, time::SystemTime};

use super::settle::{Settled, Settlement};
use crate::{
    Answer, Authentication, Enhanced, Outcome, Parcel, QueueId, Recipient, Result,
    content::Content,
    hop::{Lost, Mail, Pool},
    journal::{self, Loaded, Waiting},
    queue::Shared,
};

pub(super) struct Attempt {
    pub(super) shared: Arc<Shared>,
    /// The mail server; `None`: inside.
    pub(super) pool: Option<Arc<Pool>>,
    pub(super) hop: String,
}

/// How an attempt ended for the lane.
pub(super) enum Ended {
    /// The other side was spoken to.
    Reached,
    /// There was nothing to say.
    Nothing,
    /// The mail server cannot be reached: why.
    Away(Answer),
    /// The queue cannot be read.
    Trouble,
}

impl Attempt {
    /// Tries a message's recipients who are due.
    pub(super) async fn make(self, id: QueueId) -> Ended {
        self.try_one(id).await.unwrap_or_else(|error| {
            tracing::error!(%error, queue_id = %id, "a queued message cannot be read");
            Ended::Trouble
        })
    }

    /// Gives all recipients of a message who are due the answer that nobody gave.
    pub(super) async fn give(&self, id: QueueId, answer: &Answer, now: SystemTime) -> Result<()> {
        let Some(loaded) = self.load(id, now).await? else {
            return Ok(());
        };
        let content = self.shared.open(&loaded.place, loaded.size)?;
        let outcomes = vec![Outcome::new(answer.clone()); loaded.waiting.len()];
        let settled = loaded
            .waiting
            .iter()
            .zip(outcomes)
            .map(|(waiting, outcome)| Settled {
                waiting,
                outcome,
                counts: false,
            });
        self.settle((&loaded, &content), settled.collect()).await;
        Ok(())
    }

    async fn load(&self, id: QueueId, now: SystemTime) -> Result<Option<Loaded>> {
        let hop = self.hop.clone();
        let journal = &self.shared.journal;
        journal
            .read(move |connection| journal::load(connection, id, (&hop, now)))
            .await
    }

    async fn try_one(&self, id: QueueId) -> Result<Ended> {
        let Some(loaded) = self.load(id, SystemTime::now()).await? else {
            return Ok(Ended::Nothing);
        };
        let content = match self.shared.open(&loaded.place, loaded.size) {
            Ok(content) => content,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // Without its octets it can only be given up, and its sender told.
                tracing::error!(queue_id = %id, "the file of a queued message is missing");
                let answer = Answer::own(Enhanced(5, 3, 0), "the message was damaged in the queue");
                self.refuse_all(&loaded, answer).await;
                return Ok(Ended::Nothing);
            }
            Err(error) => return Err(error.into()),
        };
        match &self.pool {
            None => {
                self.hand_over(&loaded, &content).await;
                Ok(Ended::Reached)
            }
            Some(pool) => self.relay(pool, (&loaded, &content)).await,
        }
    }

    async fn refuse_all(&self, loaded: &Loaded, answer: Answer) {
        let settled = loaded.waiting.iter().map(|waiting| Settled {
            waiting,
            outcome: Outcome::new(answer.clone()),
            counts: true,
        });
        let nothing = Content::memory(bytes::Bytes::new());
        self.settle((loaded, &nothing), settled.collect()).await;
    }

    async fn hand_over(&self, loaded: &Loaded, content: &Content) {
        let parcel = Parcel {
            id: loaded.id,
            purpose: loaded.envelope.purpose,
            sender: loaded.envelope.sender.clone(),
            submitter: loaded.envelope.submitter.clone(),
            utf8: loaded.envelope.utf8,
            body: loaded.envelope.body,
            arrived: loaded.arrived,
            recipients: addresses(&loaded.waiting),
            content: content.clone(),
        };
        let mut outcomes = self.shared.router.deliver(&parcel).await.into_iter();
        let unsaid = || Outcome::new(Answer::own(Enhanced(4, 3, 0), "no answer"));
        let settled = loaded.waiting.iter().map(|waiting| Settled {
            waiting,
            outcome: outcomes.next().unwrap_or_else(unsaid),
            counts: true,
        });
        let settled = settled.collect();
        self.settle((loaded, content), settled).await;
    }

    async fn relay(&self, pool: &Pool, (loaded, content): (&Loaded, &Content)) -> Result<Ended> {
        let header = content.read(0, crate::content::HEADER_BYTES_MAX).await?;
        let ascii_header = crate::content::header_of(&header).is_ascii();
        let credentials = match self.credentials(pool, loaded).await {
            Ok(credentials) => credentials,
            Err(answer) => {
                self.refuse_all(loaded, answer).await;
                return Ok(Ended::Nothing);
            }
        };
        let most = self.shared.options.recipients_per_transaction_max.max(1);
        for some in loaded.waiting.chunks(most) {
            let recipients: Vec<&Recipient> = some.iter().map(|one| &one.recipient).collect();
            let mail = Mail {
                envelope: &loaded.envelope,
                recipients,
                content,
                ascii_header,
            };
            let outcomes = match Box::pin(pool.send(&mail, credentials.as_ref())).await {
                Ok(outcomes) => outcomes,
                // Nothing was said of the message: it is not counted, and waits with all others.
                Err(Lost::Connection(answer)) => return Ok(Ended::Away(answer)),
                Err(Lost::Message(answer)) => vec![Outcome::new(answer); some.len()],
                Err(Lost::Answer(answer)) => {
                    metrics::counter!("outbound_answers_lost_total", "hop" => self.hop.clone())
                        .increment(1);
                    tracing::warn!(queue_id = %loaded.id, hop = self.hop, reason = %answer,
                        "the answer to a message was lost: it may arrive twice");
                    vec![Outcome::new(answer); some.len()]
                }
            };
            let settled = some.iter().zip(outcomes).map(|(waiting, outcome)| Settled {
                waiting,
                outcome,
                counts: true,
            });
            let settled = settled.collect();
            self.settle((loaded, content), settled).await;
        }
        Ok(Ended::Reached)
    }

    /// As whom to sign in. Errors: the answer for a submitter whose secret is not known now.
    async fn credentials(
        &self,
        pool: &Pool,
        loaded: &Loaded,
    ) -> Result<Option<crate::Credentials>, Answer> {
        if !matches!(pool.hop().authentication, Authentication::Submitter) {
            return Ok(None);
        }
        let Some(submitter) = &loaded.envelope.submitter else {
            return Ok(None);
        };
        let found = self.shared.router.credentials(submitter).await;
        found.map(Some).ok_or_else(|| {
            let text = "the sender has to sign in once more before this can be sent";
            Answer::own(Enhanced(4, 7, 0), text)
        })
    }

    async fn settle(&self, message: (&Loaded, &Content), settled: Vec<Settled<'_>>) {
        let host = self.pool.as_ref().map(|pool| pool.hop().host.as_str());
        let settlement = Settlement {
            shared: &self.shared,
            message,
            host,
        };
        settlement.write(settled).await;
    }
}

fn addresses(waiting: &[Waiting]) -> Vec<String> {
    let address = |one: &Waiting| one.recipient.address.clone();
    waiting.iter().map(address).collect()
}

//! Writing down what came of an attempt, together with the reports that this calls for.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::time::sleep;

use crate::{
    Answer, BodyKind, Envelope, Origin, Outcome, Purpose, Recipient, Result, Returned, Verdict,
    backoff,
    content::{Content, HEADER_BYTES_MAX, Taken, header_of},
    journal::{self, Ending, Loaded, New, RecipientRow, State, Waiting},
    queue::{INSIDE, Shared},
    report::{About, Action, Enclosed, Told, compose},
};

/// How long to wait before writing again what could not be written; each further time is twice as long.
const TROUBLE_WAIT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// What came of one recipient.
pub(super) struct Settled<'a> {
    pub(super) waiting: &'a Waiting,
    pub(super) outcome: Outcome,
    /// Whether it was an attempt.
    pub(super) counts: bool,
}

pub(super) struct Settlement<'a> {
    pub(super) shared: &'a Shared,
    pub(super) message: (&'a Loaded, &'a Content),
    /// The host that answered.
    pub(super) host: Option<&'a str>,
}

impl Settlement<'_> {
    /// Writes until it is written: what was delivered must not be tried again because a disk was full.
    pub(super) async fn write(&self, settled: Vec<Settled<'_>>) {
        let mut failures = 0;
        loop {
            match self.try_write(&settled).await {
                Ok(()) => return,
                Err(error) => {
                    failures += 1;
                    tracing::error!(%error, queue_id = %self.message.0.id, "what came of a message cannot be written yet");
                    sleep(backoff::wait(failures, TROUBLE_WAIT, fastrand::f64())).await;
                }
            }
        }
    }

    async fn try_write(&self, settled: &[Settled<'_>]) -> Result<()> {
        let now = SystemTime::now();
        let (loaded, _) = self.message;
        let mut rows = Vec::with_capacity(settled.len());
        let mut told = Vec::new();
        for one in settled {
            let (row, tell) = self.decide(one, now).await;
            rows.push(row);
            told.extend(tell);
        }
        let mut reports = Vec::new();
        // Nobody is told of a report, or loops begin (RFC 5321 4.5.5).
        if !told.is_empty() && !loaded.envelope.sender.is_empty() {
            reports.push(self.report(&told, now).await?);
        }
        let mut hops: Vec<String> = reports.iter().flat_map(|new| new.hops.clone()).collect();
        hops.extend(rows.iter().filter_map(|row| match &row.ending {
            Ending::Again { hop, .. } => hop.clone(),
            Ending::Over(_) => None,
        }));
        let lengths: Vec<u64> = reports.iter().map(|new| new.taken.len).collect();
        let id = loaded.id;
        let write = self
            .shared
            .journal
            .write(move |connection| journal::settle(connection, (id, now), &rows, &reports));
        let done = write.await?;
        if done.noted {
            lengths.into_iter().for_each(|len| self.shared.came(len));
        }
        if let Some(left) = &done.left {
            self.shared.left(left);
        }
        self.shared.wake(&hops);
        self.count(settled);
        Ok(())
    }

    /// What becomes of a recipient, and what its sender is told.
    async fn decide<'s>(
        &'s self,
        settled: &'s Settled<'_>,
        now: SystemTime,
    ) -> (RecipientRow, Option<Told<'s>>) {
        let (loaded, _) = self.message;
        let Settled { waiting, .. } = settled;
        let recipient = &waiting.recipient;
        let answer = settled.outcome.answer.clean();
        let tell = |action, until| Told {
            recipient,
            action,
            answer: answer.clone(),
            host: self.host,
            until,
        };
        let expired = now >= loaded.expires;
        let (ending, told) = match answer.verdict() {
            Verdict::Delivered => {
                let wanted = recipient.notify.of_success() && !settled.outcome.reports_success;
                let action = match self.host {
                    Some(_) => Action::Relayed,
                    None => Action::Delivered,
                };
                let told = wanted.then(|| tell(action, None));
                (Ending::Over(State::Delivered), told)
            }
            Verdict::Deferred if !expired => self.again(settled, now, tell).await,
            Verdict::Deferred | Verdict::Failed => {
                let wanted = recipient.notify.of_failure();
                if loaded.envelope.sender.is_empty() {
                    tracing::warn!(queue_id = %loaded.id, %answer, purpose = ?loaded.envelope.purpose,
                        "a report or a copy cannot be delivered, and is given up");
                }
                let told = wanted.then(|| tell(Action::Failed, None));
                (Ending::Over(State::Failed), told)
            }
        };
        let ordinal = waiting.ordinal;
        let row = RecipientRow {
            ordinal,
            answer,
            ending,
        };
        (row, told)
    }

    async fn again<'s>(
        &self,
        settled: &Settled<'_>,
        now: SystemTime,
        tell: impl FnOnce(Action, Option<SystemTime>) -> Told<'s>,
    ) -> (Ending, Option<Told<'s>>) {
        let (loaded, _) = self.message;
        let options = &self.shared.options;
        let Settled { waiting, .. } = settled;
        let attempts = waiting.attempts + u32::from(settled.counts);
        let bounds = (options.retry_after_min, options.retry_after_max);
        let due = match settled.counts {
            true => now + backoff::wait(attempts, bounds, fastrand::f64()),
            false => now,
        };
        let origin = origin(&loaded.envelope);
        // Where its mail goes may have changed; when that cannot be told, it stays.
        let hop = match loaded.envelope.purpose {
            Purpose::Mail => {
                let address = &waiting.recipient.address;
                self.shared.hop_for(origin, address).await.ok()
            }
            Purpose::SentCopy => None,
        };
        let late_since = loaded.expires - options.expires_after + options.delay_notice_after;
        let late = now >= late_since && !waiting.delay_told;
        let told = late && waiting.recipient.notify.of_delay();
        let ending = Ending::Again {
            due: due.min(loaded.expires),
            hop,
            attempts,
            delay_told: waiting.delay_told || late,
        };
        (
            ending,
            told.then(|| tell(Action::Delayed, Some(loaded.expires))),
        )
    }

    async fn report(&self, told: &[Told<'_>], now: SystemTime) -> Result<New> {
        let (loaded, content) = self.message;
        let envelope = &loaded.envelope;
        let options = &self.shared.options;
        let mut unique = [0; 16];
        getrandom::fill(&mut unique).map_err(std::io::Error::other)?;
        let about = About {
            id: loaded.id,
            envelope,
            arrived: loaded.arrived,
            hostname: &options.hostname,
            now,
            unique: &format!("{:032x}", u128::from_le_bytes(unique)),
        };
        let failed = told.iter().any(|one| one.action == Action::Failed);
        let whole = failed
            && envelope.returned == Returned::Full
            && envelope.body != BodyKind::Binary
            && content.len() <= options.returned_bytes_max;
        let enclosed = match whole {
            true => Enclosed::Whole(content.read(0, usize::MAX).await?),
            false => Enclosed::Header(header_of(&content.read(0, HEADER_BYTES_MAX).await?)),
        };
        let octets = compose(&about, told, &enclosed);
        let recipients = vec![Recipient::new(envelope.sender.clone())];
        let report = Envelope {
            utf8: !octets.is_ascii(),
            recipients,
            ..Envelope::default()
        };
        // In the row, whatever its size: it must come about with what it reports.
        let taken = Taken::in_row(Bytes::from(octets));
        let to_sender = self.shared.hop_for(origin(&report), &envelope.sender).await;
        Ok(New {
            envelope: report,
            hops: vec![to_sender.unwrap_or_else(|_| INSIDE.to_owned())],
            arrived: now,
            expires: now + options.expires_after,
            taken,
        })
    }

    fn count(&self, settled: &[Settled<'_>]) {
        let hop = self.host.unwrap_or("inside");
        for one in settled {
            let name = match one.outcome.answer.verdict() {
                Verdict::Delivered => "outbound_delivered_total",
                Verdict::Deferred => "outbound_deferred_total",
                Verdict::Failed => "outbound_failed_total",
            };
            metrics::counter!(name, "hop" => hop.to_owned()).increment(1);
            log(self.message.0, one, hop);
        }
    }
}

fn log(loaded: &Loaded, settled: &Settled<'_>, hop: &str) {
    let answer: Answer = settled.outcome.answer.clean();
    let (queue_id, ordinal) = (loaded.id, settled.waiting.ordinal);
    match answer.verdict() {
        Verdict::Delivered => tracing::info!(%queue_id, ordinal, hop, code = answer.code, "sent"),
        Verdict::Deferred => tracing::info!(%queue_id, ordinal, hop, %answer, "to be tried again"),
        Verdict::Failed => tracing::info!(%queue_id, ordinal, hop, %answer, "failed"),
    }
}

fn origin(envelope: &Envelope) -> Origin<'_> {
    Origin {
        sender: &envelope.sender,
        submitter: envelope.submitter.as_deref(),
    }
}

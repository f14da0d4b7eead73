//! The messages for one mail server, or for inside: which are tried now, and how many at once.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{
    sync::{Notify as Signal, watch},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::attempt::{Attempt, Ended};
use crate::{
    Answer, QueueId, Result, backoff,
    hop::Pool,
    journal,
    queue::{INSIDE, Shared},
};

/// Messages looked up at a time.
const READY_MAX: usize = 256;

/// Messages looked up at a time that wait too long.
const OVERDUE_MAX: u32 = 256;

/// How long to wait when the queue cannot be read.
const TROUBLE_WAIT: Duration = Duration::from_secs(5);

/// How often idle connections are looked at.
const TIDY_WAIT: Duration = Duration::from_secs(5);

pub(super) struct Lane {
    shared: Arc<Shared>,
    pool: Option<Arc<Pool>>,
    name: String,
    signal: Arc<Signal>,
    ready: VecDeque<QueueId>,
    in_flight: Vec<QueueId>,
    /// Connections that failed one after the other, and when the next is tried.
    failures: u32,
    away_until: Option<Instant>,
}

impl Lane {
    pub(super) fn new(shared: Arc<Shared>, pool: Option<Pool>) -> Self {
        let name = match &pool {
            Some(pool) => pool.hop().name.to_string(),
            None => INSIDE.to_owned(),
        };
        Self {
            signal: shared.signal(&name),
            shared,
            pool: pool.map(Arc::new),
            name,
            ready: VecDeque::new(),
            in_flight: Vec::new(),
            failures: 0,
            away_until: None,
        }
    }

    pub(super) async fn run(mut self, mut shutdown: watch::Receiver<bool>) {
        let mut attempts: JoinSet<Ended> = JoinSet::new();
        while !*shutdown.borrow() {
            let next = match self.begin(&mut attempts).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(%error, hop = self.name, "the outgoing queue cannot be read");
                    Some(Instant::now() + TROUBLE_WAIT)
                }
            };
            let tidy = Instant::now() + TIDY_WAIT;
            let wake = next.map_or(tidy, |next| next.min(tidy));
            tokio::select! {
                Some(ended) = attempts.join_next(), if !attempts.is_empty() => self.ended(ended).await,
                () = self.signal.notified() => {}
                () = sleep_until(wake) => self.tidy(false).await,
                _ = shutdown.changed() => {}
            }
        }
        while let Some(ended) = attempts.join_next().await {
            self.ended(ended).await;
        }
        self.tidy(true).await;
    }

    async fn tidy(&self, everything: bool) {
        if let Some(pool) = &self.pool {
            pool.tidy(everything).await;
        }
    }

    /// Begins attempts as far as there is room, and says when to look again although nothing happens.
    async fn begin(&mut self, attempts: &mut JoinSet<Ended>) -> Result<Option<Instant>> {
        let now = SystemTime::now();
        if let Some(until) = self.away_until {
            if Instant::now() < until {
                return Ok(Some(until));
            }
            self.away_until = None;
        }
        let room = self.at_once().saturating_sub(self.in_flight.len());
        for _ in 0..room {
            let Some(id) = self.next_ready(now).await? else {
                break;
            };
            self.in_flight.push(id);
            let attempt = Attempt {
                shared: Arc::clone(&self.shared),
                pool: self.pool.clone(),
                hop: self.name.clone(),
            };
            attempts.spawn(attempt.make(id));
        }
        if self.in_flight.len() >= self.at_once() {
            return Ok(None);
        }
        let name = self.name.clone();
        let due = self
            .shared
            .journal
            .read(move |connection| journal::next_due(connection, &name, now));
        let wait = due
            .await?
            .map(|due| due.duration_since(now).unwrap_or_default());
        Ok(wait.map(|wait| Instant::now() + wait))
    }

    /// While a server is away, one message tries whether it is back.
    fn at_once(&self) -> usize {
        let most = match &self.pool {
            Some(pool) => pool.hop().connections_max,
            None => self.shared.options.inside_concurrent_max,
        };
        if self.failures > 0 { 1 } else { most.max(1) }
    }

    async fn next_ready(&mut self, now: SystemTime) -> Result<Option<QueueId>> {
        loop {
            while let Some(id) = self.ready.pop_front() {
                if !self.in_flight.contains(&id) {
                    return Ok(Some(id));
                }
            }
            let (name, skip) = (self.name.clone(), self.in_flight.clone());
            let due = self
                .shared
                .journal
                .read(move |connection| journal::due(connection, (&name, now), &skip, READY_MAX));
            self.ready = due.await?.into();
            if self.ready.is_empty() {
                return Ok(None);
            }
        }
    }

    async fn ended(&mut self, ended: Result<Ended, tokio::task::JoinError>) {
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => {
                tracing::error!(%error, "an attempt to send a message ended");
                // Which one it was is not known: those that still run are skipped by their rows.
                self.in_flight.clear();
                return;
            }
        };
        self.in_flight.retain(|id| *id != ended.id);
        match ended.away {
            Some(answer) => self.is_away(answer).await,
            None if ended.reached && self.failures > 0 => {
                tracing::info!(hop = self.name, "the mail server is back");
                self.failures = 0;
                self.shared.note_hop(&self.name, 0, None);
            }
            None => {}
        }
    }

    async fn is_away(&mut self, answer: Answer) {
        if self.failures == 0 {
            tracing::warn!(hop = self.name, reason = %answer, "the mail server cannot be reached");
        }
        self.failures = self.failures.saturating_add(1);
        self.shared
            .note_hop(&self.name, self.failures, Some(&answer));
        let options = &self.shared.options;
        let bounds = (options.hop_retry_after_min, options.hop_retry_after_max);
        let wait = backoff::wait(self.failures, bounds, fastrand::f64());
        self.away_until = Some(Instant::now() + wait);
        self.ready.clear();
        if let Err(error) = self.tell_overdue(&answer).await {
            tracing::error!(%error, "messages that wait too long cannot be looked up");
        }
    }

    /// Those who wait because the server is away are told so, and given up when their time has come.
    async fn tell_overdue(&self, answer: &Answer) -> Result<()> {
        let now = SystemTime::now();
        let options = &self.shared.options;
        let late = options
            .expires_after
            .saturating_sub(options.delay_notice_after);
        loop {
            let name = self.name.clone();
            let overdue = self.shared.journal.read(move |connection| {
                journal::overdue(connection, (&name, now), late, OVERDUE_MAX)
            });
            let mut overdue = overdue.await?;
            overdue.retain(|id| !self.in_flight.contains(id));
            if overdue.is_empty() {
                return Ok(());
            }
            for id in overdue {
                let attempt = Attempt {
                    shared: Arc::clone(&self.shared),
                    pool: self.pool.clone(),
                    hop: self.name.clone(),
                };
                attempt.give(id, answer, now).await?;
            }
        }
    }
}

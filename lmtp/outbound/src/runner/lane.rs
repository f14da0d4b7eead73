//! The messages for one mail server, or for inside: which are tried now, and how many at once.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{
    sync::{Notify as Signal, watch},
    task::{Id, JoinError, JoinSet},
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

/// How long after a server took no more connections one more is tried.
const WIDEN_WAIT: Duration = Duration::from_secs(30);

/// How often idle connections are looked at.
const TIDY_WAIT: Duration = Duration::from_secs(5);

pub(super) struct Lane {
    shared: Arc<Shared>,
    pool: Option<Arc<Pool>>,
    name: String,
    signal: Arc<Signal>,
    ready: VecDeque<QueueId>,
    in_flight: Vec<(Id, QueueId)>,
    /// Messages on which an attempt broke down: they are left alone until the next start.
    broken: Vec<QueueId>,
    /// Connections that failed one after the other, and when the next is tried.
    failures: u32,
    away_until: Option<Instant>,
    /// Connections that the server takes at once, as far as it is known, and since when.
    room: usize,
    room_since: Instant,
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
            broken: Vec::new(),
            failures: 0,
            away_until: None,
            room: usize::MAX,
            room_since: Instant::now(),
        }
    }

    pub(super) async fn run(mut self, mut shutdown: watch::Receiver<bool>) {
        let mut attempts: JoinSet<Ended> = JoinSet::new();
        loop {
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
                Some(ended) = attempts.join_next_with_id(), if !attempts.is_empty() => self.ended(ended).await,
                () = self.signal.notified() => {}
                () = sleep_until(wake) => self.tidy(false).await,
                () = stopped(&mut shutdown) => break,
            }
        }
        while let Some(ended) = attempts.join_next_with_id().await {
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
            let task = attempts.spawn(self.attempt().make(id));
            self.in_flight.push((task.id(), id));
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

    fn attempt(&self) -> Attempt {
        Attempt {
            shared: Arc::clone(&self.shared),
            pool: self.pool.clone(),
            hop: self.name.clone(),
        }
    }

    /// The messages that nobody may begin with now.
    fn taken(&self) -> Vec<QueueId> {
        let in_flight = self.in_flight.iter().map(|(_, id)| *id);
        in_flight.chain(self.broken.iter().copied()).collect()
    }

    /// While a server is away, one message tries whether it is back.
    fn at_once(&self) -> usize {
        let most = match &self.pool {
            Some(pool) => pool.hop().connections_max,
            None => self.shared.options.inside_concurrent_max,
        };
        match self.failures {
            0 => most.min(self.room).max(1),
            _ => 1,
        }
    }

    async fn next_ready(&mut self, now: SystemTime) -> Result<Option<QueueId>> {
        let taken = self.taken();
        loop {
            while let Some(id) = self.ready.pop_front() {
                if !taken.contains(&id) {
                    return Ok(Some(id));
                }
            }
            let (name, skip) = (self.name.clone(), taken.clone());
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

    async fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let task = match &ended {
            Ok((task, _)) => *task,
            Err(error) => error.id(),
        };
        let at = self.in_flight.iter().position(|(one, _)| *one == task);
        let id = at.map(|at| self.in_flight.swap_remove(at).1);
        match ended {
            Ok((_, Ended::Away(answer))) => self.is_away(answer).await,
            Ok((_, Ended::Reached)) => self.is_reached(),
            Ok((_, Ended::Nothing)) => {}
            Ok((_, Ended::Trouble)) => self.away_until = Some(Instant::now() + TROUBLE_WAIT),
            Err(error) => {
                // To begin anew at once could send it over and over.
                tracing::error!(%error, queue_id = ?id, "an attempt to send a message broke down");
                self.broken.extend(id);
            }
        }
    }

    fn is_reached(&mut self) {
        self.away_until = None;
        if self.failures > 0 {
            tracing::info!(hop = self.name, "the mail server is back");
            self.failures = 0;
            self.room = usize::MAX;
            self.shared.note_hop(&self.name, 0, None);
        } else if self.room_since.elapsed() >= WIDEN_WAIT {
            self.room = self.room.saturating_add(1);
            self.room_since = Instant::now();
        }
    }

    async fn is_away(&mut self, answer: Answer) {
        if self.failures == 0 && !self.in_flight.is_empty() {
            // Others are being served, or are about to fail, too: it takes no more connections than these.
            tracing::debug!(hop = self.name, reason = %answer, "no further connection");
            self.room = self.in_flight.len();
            self.room_since = Instant::now();
            return;
        }
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
            let taken = self.taken();
            overdue.retain(|id| !taken.contains(id));
            if overdue.is_empty() {
                return Ok(());
            }
            for id in overdue {
                self.attempt().give(id, answer, now).await?;
            }
        }
    }
}

async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // An error means that nobody is left who could say so: then it is the end, too.
    let _ = shutdown.wait_for(|stop| *stop).await;
}

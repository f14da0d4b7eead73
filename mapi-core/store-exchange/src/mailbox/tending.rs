//! The task that keeps an open mailbox up to date: looks at once at what hints name, and polls for what they miss.
//!
//! It reads differences only. Folders that are to be read whole it leaves to [`filling`], so that news of other folders
//! does not wait for them.
//!
//! [`filling`]: super::filling

use std::{collections::HashMap, sync::Arc, time::Duration};

use mapi_store::{Error, ErrorKind, Result, Role};
use mapi_types::{FolderId, Version};
use mapi_wire::Id;
use tokio::{task::JoinSet, time::Instant};
use tracing::Instrument;

use super::{
    Circle, Mailbox, Work, filling,
    intents::Intents,
    keeper::{rest, retried},
    remote_id,
    sync::is_whole,
};
use crate::{fault::Fault, session::StoreName};

/// Messages that are verified at one time: what is new elsewhere must not wait long for them.
const VERIFY_AT_ONCE: u32 = 10;

/// How many polls trust what the server says of folders, before one looks at every folder: so long a change may stay
/// unseen of which the server told nothing, and which changes no count and no time.
const POLLS_BY_MARKS: u32 = 14;

/// How long to wait after a failure, at first.
pub(super) const RETRY_FIRST: Duration = Duration::from_secs(1);

/// The longest wait after failures.
pub(super) const RETRY_MAX: Duration = Duration::from_secs(120);

/// The longest wait while something waits for the server.
const RETRY_WAITING_MAX: Duration = Duration::from_secs(15);

/// Starts the tasks that keep a mirror like the server. They end when nobody has the mailbox open.
pub(super) fn start(circle: &Arc<Circle>) {
    let weak = Arc::downgrade(circle);
    tokio::spawn(async move {
        // Ends with this task.
        let mut filler = JoinSet::new();
        filler.spawn(filling::fill(weak.clone()));
        let mut pause = RETRY_FIRST;
        let mut turn = Turn::default();
        loop {
            let Some(circle) = weak.upgrade() else {
                return;
            };
            let feeders = circle.keepers();
            let Some(mailbox) = feeders.first().cloned() else {
                match circle.is_kept() {
                    true => continue,
                    false => return,
                }
            };
            mailbox.keeper.todo().tending = true;
            let span = tracing::trace_span!(target: "operation", "mirror", mailbox = mailbox.id.0);
            let outcome = round(&mailbox, &feeders, &mut turn).instrument(span).await;
            mailbox.keeper.todo().tending = matches!(outcome, Ok(true));
            let until = turn.poll_at.min(Instant::now() + mailbox.options.poll);
            drop((feeders, circle));
            match outcome {
                Ok(true) => pause = RETRY_FIRST,
                Ok(false) => {
                    pause = RETRY_FIRST;
                    rest(mailbox, |keeper| &keeper.tending, until).await;
                }
                Err(error) => {
                    pause = mailbox.failed(&error, pause);
                    drop(mailbox);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(RETRY_MAX);
                }
            }
        }
    });
}

/// What the task remembers from round to round.
struct Turn {
    poll_at: Instant,
    /// How many polls may still go by marks; none: the next one looks at every folder.
    by_marks: u32,
    /// Who fed the mirror last: others have to ask for notifications first, and may see other folders.
    fed_by: Vec<String>,
    /// Uploads that were broken off.
    intents: Intents,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            poll_at: Instant::now(),
            by_marks: 0,
            fed_by: Vec::new(),
            intents: Intents::default(),
        }
    }
}

/// Carries out what waits, looks at what hints named, and does one thing more; whether there may be more to do.
async fn round(mailbox: &Mailbox, feeders: &[Arc<Mailbox>], turn: &mut Turn) -> Result<bool> {
    mailbox.caught_up().await?;
    poll(mailbox, feeders, turn).await?;
    mailbox.name_hinted().await?;
    while let Some(folder) = mailbox.next_hinted() {
        let looked = mailbox.look(folder).await;
        retried(looked, || mailbox.keeper.doubt(folder))?;
    }
    if std::mem::take(&mut mailbox.keeper.todo().everything) {
        mailbox.keeper.todo().hierarchy = true;
        mailbox.doubt_all().await?;
    }
    if std::mem::take(&mut mailbox.keeper.todo().hierarchy) {
        for seat in feeders {
            let done = seat.feeding(seat.sync_hierarchy().await);
            retried(done, || mailbox.keeper.doubt_hierarchy())?;
        }
        mailbox.circle.ask_for_guests().await;
        mailbox.find_inbox().await?;
        mailbox.doubt_unindexed().await?;
        return Ok(true);
    }
    if std::mem::take(&mut mailbox.keeper.todo().verify) {
        let more = retried(mailbox.verify_some().await, || {
            mailbox.keeper.more_to_verify();
        })?;
        mailbox.keeper.todo().verify |= more;
        if more {
            return Ok(true);
        }
    }
    let Some(folder) = mailbox.next_doubted() else {
        return Ok(false);
    };
    let looked = mailbox.look(folder).await;
    retried(looked, || {
        mailbox.keeper.todo().folders.insert(folder);
    })?;
    Ok(true)
}

/// When it is time, or when others feed the mirror now: sees to it that the server tells of changes, and asks which
/// folders changed although it told nothing.
async fn poll(mailbox: &Mailbox, feeders: &[Arc<Mailbox>], turn: &mut Turn) -> Result<()> {
    let fed_by: Vec<_> = feeders.iter().map(|seat| seat.user().to_owned()).collect();
    let same = turn.fed_by == fed_by;
    let asked = std::mem::take(&mut mailbox.keeper.todo().poll);
    if same && !asked && Instant::now() < turn.poll_at {
        return Ok(());
    }
    turn.poll_at = Instant::now() + mailbox.options.poll;
    turn.fed_by = fed_by;
    for seat in feeders {
        let watched = seat.feeding(seat.watch().await);
        if watched
            .as_ref()
            .is_err_and(|error| error.kind.is_transient())
        {
            // Again as soon as the server is there, not with the next poll.
            turn.fed_by.clear();
        }
        watched?;
    }
    if same && turn.by_marks > 0 {
        turn.by_marks -= 1;
        mailbox.keeper.todo().hierarchy = true;
        let doubted = mailbox.doubt_by_marks().await;
        retried(doubted, || mailbox.keeper.todo().poll = true)?;
    } else {
        turn.by_marks = POLLS_BY_MARKS;
        mailbox.keeper.todo().everything = true;
    }
    match mailbox.is_whole {
        true => mailbox.settle_intents(&mut turn.intents).await,
        false => Ok(()),
    }
}

impl Mailbox {
    /// Takes note of a failure in the background; how long to wait now, where others would wait for `pause`.
    pub(super) fn failed(&self, error: &Error, pause: Duration) -> Duration {
        tracing::info!(mailbox = %self.id, %error, "the mirror could not be brought up to date");
        let server = self.options.name.clone();
        metrics::counter!("exchange_sync_failures_total", "server" => server).increment(1);
        match self.has_waiting() && error.kind.is_transient() {
            true => pause.min(RETRY_WAITING_MAX),
            false => pause,
        }
    }

    /// Brings what changed in a folder, or has it read whole.
    async fn look(&self, folder: FolderId) -> Result<()> {
        if self.waits_for_readers(folder).await? {
            return Ok(());
        }
        let done = match self.mirror.folder_sync(folder).await {
            Ok(sync) if is_whole(&sync) => {
                self.keeper.forget_writing(folder);
                self.keeper.read_whole(folder);
                return Ok(());
            }
            Ok(_) => self.sync_unless_written(folder).await,
            Err(error) => Err(error),
        };
        match done {
            // It is gone, or closed to this user: the tree will say so.
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied) => {
                self.keeper.forget_writing(folder);
                Ok(())
            }
            done => done,
        }
    }

    /// Brings what changed in a folder. While somebody writes to it, it is left for now, so that news of other folders
    /// do not wait for that; but not for ever.
    async fn sync_unless_written(&self, folder: FolderId) -> Result<()> {
        if !self.keeper.expect_end_of_writing(folder) {
            return self.sync_contents(folder).await;
        }
        let Some(writes) = self.try_turn(Work::Write(folder)) else {
            return Ok(());
        };
        self.keeper.forget_writing(folder);
        self.caught_up().await?;
        self.sync_contents_with(folder, Some(&writes)).await
    }

    /// Every folder is to be looked at: nobody knows what was missed.
    async fn doubt_all(&self) -> Result<()> {
        let folders = self.mirror.folders().await?;
        let mut todo = self.keeper.todo();
        todo.folders
            .extend(folders.into_iter().map(|(folder, _)| folder));
        todo.verify = true;
        drop(todo);
        self.keeper.more_to_render();
        Ok(())
    }

    /// Folders that the server says have changed are to be looked at, and those of which it does not say.
    ///
    /// What it said is older than what a look finds, so a change in between costs another look and is not missed.
    async fn doubt_by_marks(&self) -> Result<()> {
        let marks = match self.is_whole {
            true => self.remote.folder_marks().await?,
            false => Vec::new(),
        };
        let mut found = HashMap::with_capacity(marks.len());
        for (id, mark) in marks {
            found.insert(remote_id(self.remote.gid(id).await?), mark);
        }
        let folders = self.mirror.folders().await?;
        let mut todo = self.keeper.todo();
        for (folder, id) in folders {
            let changed = match found.get(&id) {
                Some(mark) => todo.marks.insert(folder, *mark) != Some(*mark),
                None => true,
            };
            if changed {
                todo.folders.insert(folder);
            }
        }
        Ok(())
    }

    /// Public folders are many: one is read when somebody opens it, and kept from then on.
    pub(super) async fn waits_for_readers(&self, folder: FolderId) -> Result<bool> {
        Ok(self.remote.store == StoreName::Public
            && !self.keeper.is_indexed(folder)
            && !self.mirror.folder_sync(folder).await?.indexed)
    }

    /// New folders are to be read.
    async fn doubt_unindexed(&self) -> Result<()> {
        for (folder, _) in self.mirror.folders().await? {
            if !self.keeper.is_indexed(folder) {
                self.keeper.todo().folders.insert(folder);
            }
        }
        Ok(())
    }

    /// Finds the folders that hints named. What cannot be found now is looked for again.
    async fn name_hinted(&self) -> Result<()> {
        let named: Vec<_> = std::mem::take(&mut self.keeper.todo().named)
            .into_iter()
            .collect();
        for (at, id) in named.iter().enumerate() {
            retried(self.name_one(*id).await, || {
                let rest = named.iter().skip(at);
                self.keeper.todo().named.extend(rest);
            })?;
        }
        Ok(())
    }

    async fn name_one(&self, id: Id) -> Result<()> {
        let found = match self.remote.gid(id).await {
            Ok(gid) => self.mirror.folder_of(&remote_id(gid)).await?,
            // It is gone again.
            Err(fault) if fault.is_refusal() => None,
            Err(Fault::Operation { code, .. }) => {
                tracing::debug!(mailbox = %self.id, code, "a folder that changed cannot be named");
                self.keeper.todo().poll = true;
                return Ok(());
            }
            Err(fault) => return Err(fault.into()),
        };
        let mut todo = self.keeper.todo();
        match found {
            Some(folder) => drop(todo.hinted.insert(folder)),
            // A folder that is new, or not one for people.
            None => todo.hierarchy |= self.options.poll > Duration::ZERO,
        }
        Ok(())
    }

    async fn find_inbox(&self) -> Result<()> {
        let tree = self.inner.hierarchy(Version(0)).await?;
        let mut folders = tree.changed.iter();
        let inbox = folders.find(|folder| folder.role == Some(Role::Inbox));
        self.keeper.todo().inbox = inbox.map(|folder| folder.id);
        Ok(())
    }

    /// A folder that a hint named; the Inbox goes before all others.
    fn next_hinted(&self) -> Option<FolderId> {
        let mut todo = self.keeper.todo();
        let inbox = todo.inbox;
        let next = inbox.and_then(|inbox| todo.hinted.take(&inbox));
        next.or_else(|| todo.hinted.pop_first())
    }

    /// A folder that is to be looked at without a hint.
    fn next_doubted(&self) -> Option<FolderId> {
        let mut todo = self.keeper.todo();
        let inbox = todo.inbox;
        let next = inbox.and_then(|inbox| todo.folders.take(&inbox));
        next.or_else(|| todo.folders.pop_first())
    }

    /// Verifies some messages of which clients have been served what may be outdated; whether there may be more.
    async fn verify_some(&self) -> Result<bool> {
        let session = &self.remote.sessions.back;
        for (folder, _) in self.mirror.folders().await? {
            if !self.may_read(folder) {
                continue;
            }
            let stale = self.mirror.stale(folder, VERIFY_AT_ONCE).await?;
            if !stale.is_empty() {
                self.verified(session, folder, &stale).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

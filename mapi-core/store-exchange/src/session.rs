//! Sessions: conversations with a server, and what keeps them going.
//!
//! [`Context`] is one session context, over MAPI/HTTP or over RPC. [`Session`] owns one after another: a task takes batches of ROPs
//! in order, connects and logs on when needed, begins anew when the context is lost, waits when the server is busy, and
//! hears notifications. A batch ([`Batch`]) is made anew for each attempt, for handles do not outlive their context.
//!
//! Source: MS-OXCMAPIHTTP 3.2.

mod actor;
mod answers;
mod batch;
mod context;
mod live;
mod mapi_http;
mod notify;
mod operation;
mod pace;
#[cfg(test)]
mod replay;
mod rpc_http;
mod waiting;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mapi_wire::Guid;
use tokio::sync::{broadcast, mpsc, oneshot};

pub(crate) use self::{
    answers::{Answers, expect_rop, unexpected},
    batch::Batch,
    context::{Context, Server},
    live::LoggedOn,
    mapi_http::MapiHttp,
    notify::{Event, Place, WANTED},
};
use crate::fault::{Fault, Result};

/// Batches that wait for their turn; further callers wait for a place.
const JOBS_MAX: usize = 64;

/// Events kept for a listener that lags; what it misses costs it a look at every folder.
const EVENTS_MAX: usize = 1024;

/// Which store of the server: a mailbox by its distinguished name, or the public folders.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum StoreName {
    /// The mailbox of whoever has the session, which connecting finds.
    Own,
    /// The mailbox with this legacy distinguished name.
    Mailbox(Arc<str>),
    /// The public folders.
    Public,
}

/// Whether a batch may be carried out twice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Repeat {
    /// It only reads, or says what shall be, so a lost answer is asked for again.
    Safe,
    /// It is not repeated once it may have been carried out.
    Never,
}

/// What a session hears of what the server tells by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Hearing {
    /// Nothing: no connection waits for it.
    Nothing,
    /// What stores with a registration tell of.
    Notifications,
}

/// Where a session gets its server from, and again when the mailbox has moved.
pub(crate) trait Locate: Send + Sync {
    /// Where the user's mailbox is. `anew`: the last answer was wrong.
    fn locate(&self, anew: bool) -> futures_util::future::BoxFuture<'_, Result<Located>>;

    /// The number of the credentials that [`Self::locate`] gives now; it ascends as others take their place.
    fn credentials(&self) -> u64 {
        0
    }

    /// The server has refused the credentials of this number. Whether there are others by now.
    fn refused(&self, _credentials: u64) -> bool {
        false
    }
}

/// Where a user's mailbox is.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    /// The server, and as whom to speak to it.
    pub(crate) server: Server,
    /// The user's distinguished name.
    pub(crate) user_dn: Arc<str>,
}

/// Times of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// How long a batch waits altogether for a busy server.
    pub(crate) busy_max: Duration,
    /// How long a context is kept that nobody uses and nobody listens to.
    pub(crate) unused_max: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            busy_max: Duration::from_secs(30),
            unused_max: Duration::from_secs(300),
        }
    }
}

/// A handle to a session's task; the task ends with the last one.
#[derive(Clone)]
pub(crate) struct Session {
    jobs: mpsc::Sender<Job>,
    events: broadcast::Sender<Event>,
    only: Option<Arc<Identity>>,
}

/// Which mailbox is meant, whatever a server has under its name.
#[derive(Debug)]
pub(crate) struct Identity(Mutex<Guid>);

impl Identity {
    pub(crate) const fn new(mailbox: Guid) -> Self {
        Self(Mutex::new(mailbox))
    }

    /// From now on it is another one.
    pub(crate) fn set(&self, mailbox: Guid) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = mailbox;
    }

    fn is(&self, mailbox: Guid) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) == mailbox
    }
}

/// Makes a batch for a store that has been logged on to.
type Build = Box<dyn Fn(&LoggedOn) -> Batch + Send + Sync>;

/// What a session's task is asked for.
enum Job {
    Batch(Asked),
    Release(Handles),
}

/// Handles that are of no more use.
struct Handles {
    store: StoreName,
    generation: u64,
    handles: Vec<u32>,
}

/// A batch, and who waits for its answers.
struct Asked {
    store: StoreName,
    /// The context whose handles it uses; `None`: none but the logon's.
    generation: Option<u64>,
    repeat: Repeat,
    build: Build,
    /// See [`Session::only`].
    only: Option<Arc<Identity>>,
    reply: oneshot::Sender<Result<Answers>>,
    /// What it is done for, as far as somebody traces.
    span: tracing::Span,
}

impl Session {
    /// Starts the task. It connects when the first batch comes.
    pub(crate) fn start(locator: Arc<dyn Locate>, times: Times, hearing: Hearing) -> Self {
        let (jobs, queue) = mpsc::channel(JOBS_MAX);
        let (events, _) = broadcast::channel(EVENTS_MAX);
        let task = actor::run(locator, (times, hearing), queue, events.clone());
        tokio::spawn(task);
        Self {
            jobs,
            events,
            only: None,
        }
    }

    /// A handle whose batches are for this mailbox alone: when a logon leads to another one, each is refused.
    pub(crate) fn only(&self, mailbox: Arc<Identity>) -> Self {
        Self {
            only: Some(mailbox),
            ..self.clone()
        }
    }

    /// Has a batch carried out that uses no handle but the logon's.
    ///
    /// A caller that goes away does not stop what the server has been sent. Errors: every [`Fault`].
    pub(crate) async fn run(
        &self,
        store: &StoreName,
        repeat: Repeat,
        build: impl Fn(&LoggedOn) -> Batch + Send + Sync + 'static,
    ) -> Result<Answers> {
        self.send(store, None, repeat, Box::new(build)).await
    }

    /// Has a batch carried out that uses handles of the context `generation`: see [`Answers::generation`].
    ///
    /// It is never repeated. Errors: every [`Fault`]; `Expired` when that context is gone.
    pub(crate) async fn go_on(
        &self,
        store: &StoreName,
        generation: u64,
        build: impl Fn(&LoggedOn) -> Batch + Send + Sync + 'static,
    ) -> Result<Answers> {
        self.send(store, Some(generation), Repeat::Never, Box::new(build))
            .await
    }

    /// [`Self::go_on`] without waiting for it; `None` when there is no place in the queue.
    pub(crate) fn ask(
        &self,
        store: &StoreName,
        generation: u64,
        build: impl Fn(&LoggedOn) -> Batch + Send + Sync + 'static,
    ) -> Option<Underway> {
        let (job, underway) = self.job(store, Some(generation), Repeat::Never, Box::new(build));
        self.jobs.try_send(job).ok().map(|()| underway)
    }

    /// What the server tells of, for stores with a registration.
    pub(crate) fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Has handles of the context `generation` released, children before parents, with the next batch for the store:
    /// that costs no request. When the queue is full they stay until the context ends.
    pub(crate) fn release_later(&self, store: &StoreName, generation: u64, handles: Vec<u32>) {
        let store = store.clone();
        let _ = self.jobs.try_send(Job::Release(Handles {
            store,
            generation,
            handles,
        }));
    }

    async fn send(
        &self,
        store: &StoreName,
        generation: Option<u64>,
        repeat: Repeat,
        build: Build,
    ) -> Result<Answers> {
        let (job, mut underway) = self.job(store, generation, repeat, build);
        self.jobs.send(job).await.map_err(|_| ended())?;
        underway.answers().await
    }

    fn job(
        &self,
        store: &StoreName,
        generation: Option<u64>,
        repeat: Repeat,
        build: Build,
    ) -> (Job, Underway) {
        let (reply, answer) = oneshot::channel();
        let job = Job::Batch(Asked {
            store: store.clone(),
            generation,
            repeat,
            build,
            only: self.only.clone(),
            reply,
            span: operation::current(),
        });
        (job, Underway(answer))
    }
}

/// A batch on its way.
pub(crate) struct Underway(oneshot::Receiver<Result<Answers>>);

impl Underway {
    /// Waits for the answers; they come once. Cancel safe. Errors: every [`Fault`].
    pub(crate) async fn answers(&mut self) -> Result<Answers> {
        (&mut self.0).await.map_err(|_| ended())?
    }
}

fn ended() -> Fault {
    Fault::Away("the session has ended".into())
}

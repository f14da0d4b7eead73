//! The task of a session: takes batches in order, and does what it takes to have each of them carried out.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use mapi_wire::{
    Guid,
    http::{Numbered, cookies::Cookies, emsmdb},
    rop::Response,
};
use tokio::{
    sync::{broadcast, mpsc},
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};
use tracing::Instrument;

use super::{
    Answers, Asked, Event, Handles, Hearing, Job, Locate, Repeat, StoreName, Times,
    live::{Live, busy},
    notify::{self, Place},
    waiting::{Wake, wait},
};
use crate::{
    fault::{Fault, Result},
    identity::new_guid,
};

/// How often a batch is tried again after its context was lost.
const CONTEXTS_MAX: u32 = 3;

/// The longest wait that a server may ask for at once.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(300);

/// How long saying goodbye may take.
const GOODBYE_MAX: Duration = Duration::from_secs(5);

/// Runs a session until all its handles are gone.
pub(super) async fn run(
    locator: Arc<dyn Locate>,
    (times, hearing): (Times, Hearing),
    queue: mpsc::Receiver<Job>,
    events: broadcast::Sender<Event>,
) {
    let (woken, wakes) = mpsc::channel(1);
    let mut actor = Actor {
        locator,
        times,
        hearing,
        events,
        client: new_guid(),
        contexts: 0,
        live: None,
        left: Cookies::default(),
        waiter: None,
        used: Instant::now(),
        located_anew: false,
        credentials: 0,
        woken,
    };
    actor.serve(queue, wakes).await;
    actor.goodbye().await;
}

struct Actor {
    locator: Arc<dyn Locate>,
    times: Times,
    hearing: Hearing,
    events: broadcast::Sender<Event>,
    /// Of X-ClientInfo.
    client: Guid,
    /// Contexts begun so far; the number of the latest is its generation.
    contexts: u64,
    live: Option<Live>,
    /// The cookies of a context whose state is unknown.
    left: Cookies,
    /// The task that waits for notifications.
    waiter: Option<AbortHandle>,
    /// When the context was last used.
    used: Instant,
    /// The next context asks anew where the mailbox is.
    located_anew: bool,
    /// The number of the credentials that the context began with, or the last attempt at one.
    credentials: u64,
    woken: mpsc::Sender<Wake>,
}

/// What a batch has used up of its patience.
#[derive(Default)]
struct Tries {
    contexts: u32,
    waited: Duration,
}

impl Tries {
    /// How long to wait before the next context; `None`: there have been enough.
    fn again(&mut self) -> Option<Duration> {
        self.contexts += 1;
        // The first time at once: most losses are of a connection alone.
        let pause = Duration::from_millis(200) * (self.contexts - 1);
        (self.contexts < CONTEXTS_MAX).then_some(pause)
    }
}

impl Actor {
    async fn serve(&mut self, mut queue: mpsc::Receiver<Job>, mut wakes: mpsc::Receiver<Wake>) {
        loop {
            let rest = self.live.as_ref().map_or(WAIT_MAX, Live::ping_after);
            tokio::select! {
                biased;
                job = queue.recv() => match job {
                    Some(Job::Batch(asked)) => self.answer(asked).await,
                    Some(Job::Release(handles)) => self.note_release(handles),
                    None => return,
                },
                Some(wake) = wakes.recv() => self.wake(wake).await,
                () = sleep(rest), if self.live.is_some() => self.rest().await,
            }
        }
    }

    fn note_release(&mut self, handles: Handles) {
        if let Some(live) = self
            .live
            .as_mut()
            .filter(|live| live.generation == handles.generation)
        {
            live.release_later(handles);
        }
    }

    /// Tries until there is an answer, a fault that no trying helps against, or nobody who waits for it.
    async fn answer(&mut self, job: Asked) {
        let mut tries = Tries::default();
        loop {
            let attempt = self.attempt(&job).instrument(job.span.clone());
            let fault = match attempt.await {
                Ok(answers) => {
                    // Whoever asked may have gone away.
                    let _ = job.reply.send(Ok(answers));
                    return;
                }
                Err(fault) => fault,
            };
            tracing::debug!(%fault, "a batch failed");
            if fault.ends_session() {
                self.leave_after(&fault);
            }
            // A refused request has had no effect, so with other credentials it may go out again.
            let others = matches!(fault, Fault::Unauthenticated(_))
                && self.locator.refused(self.credentials);
            let wait = match others && job.generation.is_none() {
                true => tries.again(),
                false => self.patience(&job, &fault, &mut tries),
            };
            match wait {
                Some(wait) if !job.reply.is_closed() => sleep(wait).await,
                _ => {
                    let _ = job.reply.send(Err(fault));
                    return;
                }
            }
        }
    }

    /// How long to wait before the next try; `None`: there is none.
    fn patience(&mut self, job: &Asked, fault: &Fault, tries: &mut Tries) -> Option<Duration> {
        match fault {
            Fault::Busy(wait) => {
                let wait = (*wait).min(WAIT_MAX);
                tries.waited += wait;
                (tries.waited <= self.times.busy_max).then_some(wait)
            }
            _ if job.generation.is_some() => None,
            Fault::Expired => tries.again().map(|_| Duration::ZERO),
            Fault::Moved => {
                self.leave();
                self.located_anew = true;
                tries.again()
            }
            Fault::Away(_) => tries.again(),
            Fault::Lost(_) | Fault::Malformed(_) if job.repeat == Repeat::Safe => tries.again(),
            _ => None,
        }
    }

    async fn attempt(&mut self, job: &Asked) -> Result<Answers> {
        if let Some(generation) = job.generation
            && self
                .live
                .as_ref()
                .is_none_or(|live| live.generation != generation)
        {
            return Err(Fault::Expired);
        }
        let live = self.connected().await?;
        let logon = live.logon(&job.store).await?;
        if let Some(only) = &job.only
            && !only.is(logon.mailbox_guid)
        {
            // The next context asks again whose mailbox it is.
            self.leave();
            return Err(Fault::Denied(
                "the server has another mailbox under this name by now: the mirror must be reset before it is served",
            ));
        }
        let batch = (job.build)(&logon);
        let batch = live.with_releases(&job.store, batch.into_buffer());
        let mut executed = live.execute(batch).await?;
        let generation = live.generation;
        self.used = Instant::now();
        self.hear(std::mem::take(&mut executed.unasked))?;
        match executed.responses.iter().find_map(busy) {
            // What came before it in the batch may have taken effect.
            Some(wait) if job.repeat == Repeat::Safe || executed.responses.len() == 1 => {
                Err(Fault::Busy(wait))
            }
            _ => Ok(Answers::new(executed, generation, logon)),
        }
    }

    async fn connected(&mut self) -> Result<&mut Live> {
        if self.live.is_none() {
            // Those that come meanwhile are newer than what is used, never older.
            self.credentials = self.locator.credentials();
            let located = self.locator.locate(self.located_anew).await?;
            self.located_anew = false;
            self.contexts += 1;
            let client = Numbered {
                guid: self.client,
                number: self.contexts,
            };
            let left = std::mem::take(&mut self.left);
            let live = Live::connect(located, new_guid(), client, left).await?;
            metrics::counter!("exchange_contexts_total").increment(1);
            if self.hearing == Hearing::Notifications {
                self.wait_for_notifications(&live);
            }
            self.live = Some(live);
            // Between two contexts nobody was told of anything; before the first nobody could miss it.
            if self.contexts > 1 {
                self.tell_all(Place::Anywhere);
            }
        }
        self.live.as_mut().ok_or(Fault::Expired)
    }

    /// Leaves a context after a fault. One that the server still has is ended by the next.
    fn leave_after(&mut self, fault: &Fault) {
        if let Some(live) = self
            .live
            .as_ref()
            .filter(|_| !matches!(fault, Fault::Expired))
        {
            self.left = live.context.cookies();
        }
        self.leave();
    }

    /// Leaves a context that is of no more use.
    fn leave(&mut self) {
        self.live = None;
        if let Some(waiter) = self.waiter.take() {
            waiter.abort();
        }
    }

    /// Takes in what the server said by itself; about how many messages.
    fn hear(&mut self, unasked: Vec<Response>) -> Result<usize> {
        let mut told: HashMap<StoreName, HashSet<Place>> = HashMap::new();
        let (mut busy, mut messages) = (None, HashSet::new());
        for response in unasked {
            match response {
                Response::Notify(notify) => {
                    messages.extend(notify::message(&notify));
                    let live = self.live.as_ref();
                    let places = notify::places(&notify);
                    if !places.is_empty()
                        && let Some(store) = live.and_then(|live| live.store(notify.logon_id))
                    {
                        told.entry(store.clone()).or_default().extend(places);
                    }
                }
                Response::Pending(_) => {
                    // One wake is enough, and if one is under way, it will do.
                    let _ = self.woken.try_send(None);
                }
                Response::Backoff(backoff) => {
                    let wait = Duration::from_millis(backoff.duration_ms.into());
                    busy.get_or_insert(Fault::Busy(wait));
                }
                _ => {}
            }
        }
        for (store, places) in told {
            // Without listeners there is nobody to tell.
            let _ = self.events.send(Event { store, places });
        }
        busy.map_or(Ok(messages.len()), Err)
    }

    fn tell_all(&self, place: Place) {
        // The store does not matter: every listener of this session may have missed something.
        let store = StoreName::Public;
        let places = HashSet::from([place]);
        let _ = self.events.send(Event { store, places });
    }

    async fn wake(&mut self, wake: Wake) {
        let collected = self.collect().await;
        if let Err(fault) = &collected {
            tracing::debug!(%fault, "notifications were not fetched");
            if fault.ends_session() {
                self.leave();
            }
        }
        if let Some(waits) = wake {
            // One that waited for a context which is gone has ended.
            let _ = waits.send(collected);
        }
    }

    /// Fetches notifications by an empty batch; about how many messages they were.
    async fn collect(&mut self) -> Result<usize> {
        let live = self.live.as_mut().ok_or(Fault::Expired)?;
        let executed = live.execute(empty()).await?;
        self.used = Instant::now();
        self.hear(executed.unasked)
    }

    /// Nothing has happened for a while: the context is kept alive, or ended if nobody needs it.
    async fn rest(&mut self) {
        let listened = self.events.receiver_count() > 0;
        if !listened && self.used.elapsed() >= self.times.unused_max {
            return self.goodbye().await;
        }
        let Some(live) = &mut self.live else { return };
        match live.context.ping().await {
            Ok(true) => {}
            // A batch keeps it alive, and may bring notifications.
            Ok(false) => self.wake(None).await,
            Err(fault) => {
                tracing::debug!(%fault, "the context was not kept alive");
                self.leave();
            }
        }
    }

    async fn goodbye(&mut self) {
        let live = self.live.take();
        self.leave();
        if let Some(mut live) = live {
            let goodbye = live.context.call(&emsmdb::Disconnect, None);
            // A server that does not answer will forget the context by itself.
            let _ = timeout(GOODBYE_MAX, goodbye).await;
        }
    }

    fn wait_for_notifications(&mut self, live: &Live) {
        let waiter = wait(live.context.beside(), self.woken.clone());
        self.waiter = Some(tokio::spawn(waiter).abort_handle());
    }
}

fn empty() -> mapi_wire::rop::RequestBuffer {
    mapi_wire::rop::RequestBuffer::default()
}

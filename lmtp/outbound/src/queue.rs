//! The queue as those see it who put messages in, and who look after it.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use tokio::{sync::Notify as Signal, task::spawn_blocking};

use crate::{
    Answer, Envelope, Error, ErrorKind, Filter, Hop, HopState, Listed, Options, Origin, Purpose,
    QueueId, Result, Route, Router, Runner, Shown, Totals,
    content::{Content, Files, Taken, TakenPlace},
    journal::{self, Journal, Left, Listing, New, Stored},
};

/// The name of the hop that is none: what stays inside.
pub(crate) const INSIDE: &str = "";

/// Messages in one answer of [`Queue::list`].
const LIST_MAX: u32 = 1000;

/// The outgoing queue. Cloning it is one reference count.
#[derive(Clone)]
pub struct Queue(pub(crate) Arc<Shared>);

/// What is put into the queue.
pub struct Submission {
    /// From whom, to whom, how.
    pub envelope: Envelope,
    /// The message; read to its end off the reactor.
    pub content: Box<dyn Read + Send>,
}

/// What the queue and its runner share.
pub(crate) struct Shared {
    pub(crate) journal: Journal,
    pub(crate) files: Files,
    pub(crate) options: Options,
    pub(crate) router: Arc<dyn Router>,
    /// Wakes the lane of a hop.
    signals: BTreeMap<String, Arc<Signal>>,
    totals: Mutex<Totals>,
    hops: Mutex<BTreeMap<String, HopState>>,
}

impl Queue {
    /// Opens or makes the queue in a folder, and gives the runner that works through it. Blocks.
    ///
    /// Errors: `Unavailable` (the disk, or a later program made the queue), `Invalid` (two hops of one name).
    pub fn open(
        folder: &Path,
        options: Options,
        hops: Vec<Hop>,
        router: Arc<dyn Router>,
    ) -> Result<(Self, Runner)> {
        fs::create_dir_all(folder)?;
        let files = Files::open(folder.join("messages"))?;
        let journal = Journal::open(&folder.join("queue.sqlite3"))?;
        let (known, totals) = journal
            .look(|connection| Ok((journal::files(connection)?, journal::totals(connection)?)))?;
        files.sweep(&known)?;
        let mut signals = BTreeMap::from([(INSIDE.to_owned(), Arc::default())]);
        for hop in &hops {
            if signals
                .insert(hop.name.to_string(), Arc::default())
                .is_some()
            {
                return Err(Error::new(ErrorKind::Invalid, "two hops have one name"));
            }
        }
        let shared = Arc::new(Shared {
            journal,
            files,
            options,
            router,
            signals,
            totals: Mutex::new(Totals {
                messages: totals.0,
                bytes: totals.1,
            }),
            hops: Mutex::default(),
        });
        shared.measure();
        Ok((Self(Arc::clone(&shared)), Runner::new(shared, hops)))
    }

    /// Takes a message. When this returns it is durable, and its recipients are as good as told.
    ///
    /// Two syncs for a message in a file, a share of one for others. Errors: `Invalid` (no recipients, or an address that
    /// no command can hold), `Full`, `Loop`, `Unavailable`.
    pub async fn submit(&self, submission: Submission) -> Result<QueueId> {
        self.submit_with_copy(submission, None).await
    }

    /// The same with a copy that is to be kept: both are taken, or neither is.
    pub async fn submit_with_copy(
        &self,
        submission: Submission,
        copy: Option<Submission>,
    ) -> Result<QueueId> {
        let shared = &self.0;
        let now = SystemTime::now();
        let (new, guard) = shared.take(submission, 0, now).await?;
        let (mut copies, mut guards) = (Vec::new(), vec![guard]);
        if let Some(copy) = copy {
            let (new, guard) = shared.take(copy, new.taken.len, now).await?;
            copies.push(new);
            guards.push(guard);
        }
        let id = shared.put(new, copies).await?;
        guards.into_iter().for_each(Unless::keep);
        Ok(id)
    }

    /// Messages after one, in the order they came; at most a thousand.
    pub async fn list(&self, filter: Filter, after: Option<QueueId>) -> Result<Vec<Listed>> {
        let page = Listing {
            after: after.unwrap_or(QueueId(0)),
            limit: LIST_MAX,
        };
        self.0
            .journal
            .read(move |connection| journal::list(connection, &filter, page))
            .await
    }

    /// One message. Errors: `NotFound`, `Unavailable`.
    pub async fn show(&self, id: QueueId) -> Result<Shown> {
        let shown = self
            .0
            .journal
            .read(move |connection| journal::recipients(connection, id));
        shown.await?.ok_or_else(no_such)
    }

    /// The octets of a message. Errors: `NotFound`, `Unavailable`.
    pub async fn content(&self, id: QueueId) -> Result<Content> {
        let found = self
            .0
            .journal
            .read(move |connection| journal::stored(connection, id));
        let (stored, size) = found.await?.ok_or_else(no_such)?;
        Ok(self.0.open(&stored, size)?)
    }

    /// Tries a message's recipients now. Errors: `NotFound` (also: it is held), `Unavailable`.
    pub async fn retry(&self, id: QueueId) -> Result<()> {
        let now = SystemTime::now();
        self.found(move |connection| journal::retry(connection, id, now))
            .await?;
        self.0.wake_all();
        Ok(())
    }

    /// Keeps a message until it is released. An attempt that is being made goes on.
    pub async fn hold(&self, id: QueueId) -> Result<()> {
        self.found(move |connection| journal::hold(connection, id))
            .await
    }

    /// Lets a held message go. Errors: `NotFound` (also: it is not held), `Unavailable`.
    pub async fn release(&self, id: QueueId) -> Result<()> {
        let now = SystemTime::now();
        self.found(move |connection| journal::release(connection, id, now))
            .await?;
        self.0.wake_all();
        Ok(())
    }

    /// Takes a message out of the queue, and tells nobody.
    pub async fn delete(&self, id: QueueId) -> Result<()> {
        let left = self
            .0
            .journal
            .write(move |connection| journal::remove(connection, id));
        let left = left.await?.ok_or_else(no_such)?;
        self.0.left(&left);
        Ok(())
    }

    async fn found(
        &self,
        change: impl FnOnce(&rusqlite::Connection) -> Result<bool> + Send + 'static,
    ) -> Result<()> {
        match self.0.journal.write(change).await? {
            true => Ok(()),
            false => Err(no_such()),
        }
    }

    /// Whether mail for an address that is not inside goes anywhere.
    pub fn relays(&self, address: &str) -> bool {
        self.0.router.relays(address)
    }

    /// Whether mail for a mailbox inside goes by a mail server.
    pub fn relays_inside(&self, mailbox: &str) -> bool {
        self.0.router.relays_inside(mailbox)
    }

    /// What is in the queue.
    pub fn totals(&self) -> Totals {
        *self.0.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the mail servers stand that were spoken to.
    pub fn hops(&self) -> Vec<HopState> {
        let hops = self.0.hops.lock().unwrap_or_else(PoisonError::into_inner);
        hops.values().cloned().collect()
    }
}

impl Shared {
    /// A message with the routes of its recipients. Errors: `Unavailable`, when a route cannot be told now.
    pub(crate) async fn prepare(
        &self,
        envelope: Envelope,
        taken: Taken,
        now: SystemTime,
    ) -> Result<New> {
        let origin = Origin {
            sender: &envelope.sender,
            submitter: envelope.submitter.as_deref(),
        };
        let unknown = |answer: Answer| {
            let what = "where a recipient's mail goes cannot be told";
            unavailable(what, answer.to_string())
        };
        let (mut recipients, mut hops) = (Vec::new(), Vec::new());
        for recipient in &envelope.recipients {
            if envelope.purpose == Purpose::SentCopy {
                hops.push(INSIDE.to_owned());
                recipients.push(recipient.clone());
                continue;
            }
            let route = self.router.route(origin, &recipient.address).await;
            let route = route.map_err(unknown)?;
            let Route::Several(addresses) = route else {
                hops.push(self.hop_of(&route));
                recipients.push(recipient.clone());
                continue;
            };
            for address in addresses {
                let hop = self.hop_for(origin, &address).await;
                hops.push(hop.map_err(unknown)?);
                recipients.push(recipient.instead(address));
            }
        }
        let envelope = Envelope {
            recipients,
            ..envelope
        };
        let begins = envelope.hold_until.unwrap_or(now).max(now);
        Ok(New {
            envelope,
            hops,
            arrived: now,
            expires: begins + self.options.expires_after,
            taken,
        })
    }

    /// The hop of a recipient. What goes to a server that is not there any more stays inside, and is refused there.
    pub(crate) async fn hop_for(
        &self,
        origin: Origin<'_>,
        address: &str,
    ) -> Result<String, Answer> {
        let route = self.router.route(origin, address).await?;
        Ok(self.hop_of(&route))
    }

    fn hop_of(&self, route: &Route) -> String {
        match route {
            Route::Hop(name) if self.signals.contains_key(&**name) => name.to_string(),
            Route::Hop(_) | Route::Inside | Route::Several(_) => INSIDE.to_owned(),
        }
    }

    /// Takes the octets of a message, of which `bytes` come before it.
    async fn take(
        self: &Arc<Self>,
        submission: Submission,
        bytes: u64,
        now: SystemTime,
    ) -> Result<(New, Unless<'_>)> {
        let Submission { envelope, content } = submission;
        valid(&envelope)?;
        self.room_for(bytes)?;
        let taking = Arc::clone(self);
        let taken = spawn_blocking(move || taking.files.take(content))
            .await
            .map_err(|error| unavailable("a message cannot be taken", error))??;
        let guard = Unless::new(self, &taken);
        self.room_for(bytes.saturating_add(taken.len))?;
        if received_fields(&taken.header) > self.options.received_fields_max {
            return Err(Error::new(
                ErrorKind::Loop,
                "the message has passed too many mail servers",
            ));
        }
        Ok((self.prepare(envelope, taken, now).await?, guard))
    }

    async fn put(&self, new: New, copies: Vec<New>) -> Result<QueueId> {
        let all = || std::iter::once(&new).chain(&copies);
        let lengths: Vec<_> = all().map(|new| new.taken.len).collect();
        let hops: Vec<_> = all().flat_map(|new| new.hops.clone()).collect();
        let insert = self.journal.write(move |connection| {
            let id = journal::insert(connection, &new)?;
            for copy in &copies {
                journal::insert(connection, copy)?;
            }
            Ok(id)
        });
        let id = insert.await?;
        lengths.into_iter().for_each(|len| self.came(len));
        self.wake(&hops);
        Ok(id)
    }

    /// Whether `bytes` more may come.
    fn room_for(&self, bytes: u64) -> Result<()> {
        let totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        let full = totals.messages >= self.options.messages_max
            || totals.bytes.saturating_add(bytes) > self.options.bytes_max;
        match full {
            true => Err(Error::new(ErrorKind::Full, "the outgoing queue is full")),
            false => Ok(()),
        }
    }

    pub(crate) fn came(&self, bytes: u64) {
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        totals.messages += 1;
        totals.bytes += bytes;
        drop(totals);
        self.measure();
    }

    pub(crate) fn left(&self, left: &Left) {
        if let Some(file) = &left.file {
            self.files.remove(file);
        }
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        totals.messages = totals.messages.saturating_sub(1);
        totals.bytes = totals.bytes.saturating_sub(left.size);
        drop(totals);
        self.measure();
    }

    fn measure(&self) {
        let totals = *self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        metrics::gauge!("outbound_queue_messages").set(totals.messages as f64);
        metrics::gauge!("outbound_queue_bytes").set(totals.bytes as f64);
    }

    pub(crate) fn open(&self, stored: &Stored, size: u64) -> std::io::Result<Content> {
        match stored {
            Stored::Row(octets) => Ok(Content::memory(octets.clone())),
            Stored::File(name) => Content::file(&self.files.path(name), size),
        }
    }

    pub(crate) fn signal(&self, hop: &str) -> Arc<Signal> {
        self.signals.get(hop).cloned().unwrap_or_default()
    }

    pub(crate) fn wake(&self, hops: &[String]) {
        for hop in hops {
            if let Some(signal) = self.signals.get(hop) {
                signal.notify_one();
            }
        }
    }

    fn wake_all(&self) {
        for signal in self.signals.values() {
            signal.notify_one();
        }
    }

    pub(crate) fn note_hop(&self, name: &str, failures: u32, reason: Option<&Answer>) {
        let up = metrics::gauge!("outbound_hop_up", "hop" => name.to_owned());
        up.set(if failures == 0 { 1.0 } else { 0.0 });
        let state = HopState {
            name: name.to_owned(),
            failures,
            reason: reason.map(Answer::to_string),
        };
        let mut hops = self.hops.lock().unwrap_or_else(PoisonError::into_inner);
        hops.insert(name.to_owned(), state);
    }
}

/// Removes the file of a message that did not get into the queue.
struct Unless<'a>(&'a Shared, Option<String>);

impl<'a> Unless<'a> {
    fn new(shared: &'a Shared, taken: &Taken) -> Self {
        let file = match &taken.place {
            TakenPlace::File(name) => Some(name.clone()),
            TakenPlace::Row(_) => None,
        };
        Self(shared, file)
    }

    fn keep(mut self) {
        self.1 = None;
    }
}

impl Drop for Unless<'_> {
    fn drop(&mut self) {
        if let Some(file) = &self.1 {
            self.0.files.remove(file);
        }
    }
}

/// What could end a command early, or begin another one, is no address.
fn valid(envelope: &Envelope) -> Result<()> {
    let good = !envelope.recipients.is_empty()
        && plain(&envelope.sender)
        && envelope
            .recipients
            .iter()
            .all(|one| !one.address.is_empty() && plain(&one.address));
    match good {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::Invalid, "an address that cannot be")),
    }
}

/// Whether an address stands between angle brackets as one (RFC 5321 4.1.2).
fn plain(address: &str) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for one in address.chars() {
        let bracket = matches!(one, '<' | '>' | ' ');
        if one.is_control() || (bracket && !quoted) {
            return false;
        }
        quoted ^= one == '"' && !escaped;
        escaped = one == '\\' && quoted && !escaped;
    }
    !quoted
}

/// Received fields of a header.
fn received_fields(header: &[u8]) -> usize {
    const NAME: &[u8] = b"received:";
    let mut count = 0;
    for line in header.split(|octet| *octet == b'\n') {
        let start = line.get(..NAME.len()).unwrap_or_default();
        count += usize::from(start.eq_ignore_ascii_case(NAME));
    }
    count
}

fn no_such() -> Error {
    Error::new(ErrorKind::NotFound, "no such message in the queue")
}

fn unavailable(
    what: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::with_source(ErrorKind::Unavailable, what, source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_end_where_their_brackets_do() {
        for (address, good) in [
            ("", true),
            ("bob@other.test", true),
            ("b\u{f6}b@other.test", true),
            ("\"john smith\"@other.test", true),
            ("\"a>b\"@other.test", true),
            ("\"a\\\"b> c\"@other.test", true),
            ("a>b@other.test", false),
            ("a b@other.test", false),
            ("a@other.test> NOTIFY=NEVER", false),
            ("\"a@other.test", false),
            ("\"a\r\nb\"@other.test", false),
        ] {
            assert_eq!(plain(address), good, "{address:?}");
        }
    }
}

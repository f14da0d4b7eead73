//! An open mailbox: its mirror, the way to its server, and the task that keeps the one like the other.
//!
//! Everybody who opened the mailbox has one, with a session of their own; what they share is their [`circle`]'s. Reads
//! are served by the mirror; [`sync`] fills it, [`render`] makes the bytes of messages when somebody asks for them, and
//! both are done in the background, woken by notifications: see [`keeper`]. What a [`guest`] may do, the server decides.

mod circle;
mod fetch;
mod filling;
mod guest;
mod intents;
mod keeper;
mod kept;
mod prepare;
mod queue;
mod render;
mod sent_log;
mod state;
mod sync;
mod tending;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use mapi_store::{Error, ErrorKind, PropName, Result, Store};
use mapi_types::{AttachmentData, Draft, FolderId, MailboxId, MessageTree};
use mapi_wire::{Gid, Guid, Id};
use store_openchange::{Mirror, RemoteId};
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard},
    time::Instant,
};

use self::fetch::Refusals;
pub use self::keeper::Progress;
pub(crate) use self::{
    circle::Circle,
    guest::{About, Guest},
    keeper::Keeper,
    queue::{is_outage, stand_in},
    sent_log::{Stage, SubmissionKey},
};
use crate::{
    Options,
    backend::People,
    remote::Remote,
    values::{Names, wire_name},
};

/// How long a session feeds nothing after the server refused it.
const OUT_FOR: Duration = Duration::from_secs(60);

/// A mailbox as somebody has it open.
pub(crate) struct Mailbox {
    pub(crate) circle: Arc<Circle>,
    /// Somebody else's mailbox, then who this is; the owner may do everything here.
    pub(crate) guest: Option<Arc<Guest>>,
    /// Whether this session sees every folder there is, so that what it does not see is gone.
    pub(crate) is_whole: bool,
    pub(crate) id: MailboxId,
    pub(crate) mirror: Mirror,
    /// The mirror as its owner sees it.
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) remote: Remote,
    pub(crate) people: Arc<People>,
    pub(crate) options: Options,
    /// Local ids of named properties.
    pub(crate) names: Arc<AsyncMutex<Names>>,
    pub(crate) keeper: Arc<Keeper>,
    /// The session context in which the server was asked to tell of changes.
    watched: AsyncMutex<Option<u64>>,
    /// Until when the session is of no use, because the server refused it.
    out_until: Mutex<Option<Instant>>,
    namespace: Arc<AsyncMutex<Option<Guid>>>,
    locks: Arc<Locks>,
    /// Messages that the server did not give this session.
    refusals: Mutex<Refusals>,
}

/// How somebody sees a mailbox.
pub(crate) struct View {
    /// See [`Mailbox::guest`].
    pub(crate) guest: Option<Arc<Guest>>,
    /// See [`Mailbox::is_whole`].
    pub(crate) is_whole: bool,
    /// Who is who.
    pub(crate) people: Arc<People>,
}

/// What is done by one at a time.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Work {
    /// Synchronizing the folder tree.
    Hierarchy,
    /// Synchronizing a folder.
    Contents(FolderId),
    /// Making bytes of messages of a folder.
    Render(FolderId),
    /// Writing to a folder.
    Write(FolderId),
    /// Noting who may do what.
    Rights,
    /// Sending.
    Submit,
    /// Carrying out what waited.
    Replay,
}

/// A turn at some work, until it is dropped.
pub(crate) struct Turn {
    lock: Option<OwnedMutexGuard<()>>,
    work: Work,
    keeper: Arc<Keeper>,
}

impl Drop for Turn {
    /// Who left a folder because somebody wrote to it comes back, and must find nobody there.
    fn drop(&mut self) {
        drop(self.lock.take());
        if let Work::Write(folder) = self.work {
            self.keeper.wrote(folder);
        }
    }
}

#[derive(Default)]
pub(crate) struct Locks(Mutex<HashMap<Work, Arc<AsyncMutex<()>>>>);

impl Locks {
    fn of(&self, work: Work) -> Arc<AsyncMutex<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Locks that nobody holds are forgotten when the map would grow.
        if locks.len() == locks.capacity() {
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        }
        Arc::clone(locks.entry(work).or_default())
    }
}

impl Mailbox {
    /// A mailbox as somebody opens it. [`Circle::join`] makes it one of those who keep the mirror up to date.
    pub(crate) fn new(circle: &Arc<Circle>, remote: Remote, view: View) -> Arc<Self> {
        let mirror = circle.mirror.clone();
        Arc::new(Self {
            circle: Arc::clone(circle),
            guest: view.guest,
            is_whole: view.is_whole,
            id: mirror.id().clone(),
            inner: mirror.store(),
            mirror,
            remote,
            people: view.people,
            options: circle.options.clone(),
            names: Arc::clone(&circle.names),
            keeper: Arc::clone(&circle.keeper),
            watched: AsyncMutex::default(),
            out_until: Mutex::default(),
            namespace: Arc::clone(&circle.namespace),
            locks: Arc::clone(&circle.locks),
            refusals: Mutex::default(),
        })
    }

    /// As whom the session speaks.
    pub(crate) fn user(&self) -> &str {
        match &self.guest {
            Some(guest) => &guest.principal.user,
            None => &self.id.0,
        }
    }

    /// Whether the server refuses this session, so that others feed the mirror meanwhile.
    pub(crate) fn is_out(&self) -> bool {
        let out_until = self
            .out_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        out_until.is_some_and(|until| Instant::now() < until)
    }

    /// Takes note of what became of feeding the mirror.
    fn feeding<T>(&self, done: Result<T>) -> Result<T> {
        let refused = done.as_ref().is_err_and(|error| {
            matches!(error.kind, ErrorKind::Unauthenticated | ErrorKind::Denied)
        });
        let mut out_until = self
            .out_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *out_until = refused.then(|| Instant::now() + OUT_FOR);
        done
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for its turn at some work.
    pub(crate) async fn turn(&self, work: Work) -> Turn {
        let lock = self.locks.of(work).lock_owned().await;
        self.has_turn(work, lock)
    }

    /// A turn at some work, if nobody else has one.
    fn try_turn(&self, work: Work) -> Option<Turn> {
        let lock = self.locks.of(work).try_lock_owned().ok()?;
        Some(self.has_turn(work, lock))
    }

    fn has_turn(&self, work: Work, lock: OwnedMutexGuard<()>) -> Turn {
        Turn {
            lock: Some(lock),
            work,
            keeper: Arc::clone(&self.keeper),
        }
    }

    /// The namespace of this mirror's own changes: made once, kept in the mirror for ever. Source: MS-OXCFXICS 3.3.5.2.1.
    pub(crate) async fn namespace(&self) -> Result<Guid> {
        let mut known = self.namespace.lock().await;
        if let Some(namespace) = *known {
            return Ok(namespace);
        }
        let kept = self.mirror.session_data().await?;
        let namespace = match kept.first_chunk::<16>() {
            Some(octets) => Guid(*octets),
            None => {
                let mut octets = [0; 16];
                getrandom::fill(&mut octets)
                    .map_err(|_| Error::new(ErrorKind::Unavailable, "there is no randomness"))?;
                let data = Bytes::copy_from_slice(&octets);
                self.mirror.set_session_data(data).await?;
                Guid(octets)
            }
        };
        *known = Some(namespace);
        Ok(namespace)
    }

    /// The name of a named property by its local id.
    pub(crate) async fn name_of(&self, id: u16) -> Option<PropName> {
        self.names.lock().await.name(id)
    }

    /// The names of the named properties in a draft, and in all it contains.
    pub(crate) async fn names_of(&self, draft: &Draft) -> HashMap<u16, PropName> {
        let names = self.names.lock().await;
        let mut ids: HashSet<_> = draft.props.iter().map(|(tag, _)| tag.id()).collect();
        collect_ids(&draft.message.tree, &mut ids);
        ids.into_iter()
            .filter(|id| *id >= 0x8000)
            .filter_map(|id| Some((id, names.name(id)?)))
            .collect()
    }

    /// Local ids of named properties, which are known from then on.
    pub(crate) async fn property_ids(
        &self,
        names: &[PropName],
        create: bool,
    ) -> Result<Vec<Option<u16>>> {
        let mut known = self.names.lock().await;
        let ids = self.inner.named_properties(names, create).await?;
        for (name, id) in names.iter().zip(&ids) {
            if let Some(id) = id {
                known.learn(wire_name(name), *id);
            }
        }
        Ok(ids)
    }

    /// Sees to it that the server tells of changes.
    pub(crate) async fn watch(&self) -> Result<()> {
        let mut watched = self.watched.lock().await;
        *watched = Some(self.remote.watch(*watched).await?);
        Ok(())
    }

    /// The lasting name of a folder. Errors: `NotFound`.
    pub(crate) async fn folder_gid(&self, folder: FolderId) -> Result<Gid> {
        let id = self.mirror.remote_of(folder).await?;
        id.and_then(|id| Gid::from_bytes(&id.0))
            .ok_or_else(|| Error::new(ErrorKind::NotFound, "no such folder on the server"))
    }

    /// The id of a folder in ROPs. Errors: `NotFound`, those of the server.
    pub(crate) async fn folder_fid(&self, folder: FolderId) -> Result<Id> {
        let gid = self.folder_gid(folder).await?;
        Ok(self.remote.id(gid).await?)
    }
}

impl Drop for Mailbox {
    /// Whoever worked for it may have nobody left to work for.
    fn drop(&mut self) {
        self.keeper.wake();
    }
}

/// A lasting name as the mirror writes it.
pub(crate) fn remote_id(gid: Gid) -> RemoteId {
    RemoteId(gid.to_bytes().into())
}

/// The ids of all properties of a message and of all it contains.
fn collect_ids(tree: &MessageTree, ids: &mut HashSet<u16>) {
    let attachments = tree.attachments.iter().map(|one| &one.props);
    let bags = std::iter::once(&tree.props)
        .chain(&tree.recipients)
        .chain(attachments);
    for bag in bags {
        ids.extend(bag.iter().map(|(tag, _)| tag.id()));
    }
    for attachment in &tree.attachments {
        if let AttachmentData::Message(embedded) = &attachment.data {
            collect_ids(embedded, ids);
        }
    }
}

//! Everybody who has a mailbox open: each with a session of their own, all with one mirror.
//!
//! The mirror is fed by whoever sees the mailbox whole. When nobody does, those who see a part of it feed what they see:
//! they add folders and never remove any, for they cannot tell what is gone from what is hidden from them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use mapi_store::{Error, ErrorKind, Principal, Result};
use mapi_types::FolderId;
use mapi_wire::Guid;
use store_openchange::Mirror;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::{
    Keeper, Locks, Mailbox, Progress, Work,
    guest::{About, Guest},
    keeper,
    queue::Queue,
    tending,
};
use crate::{Options, backend::Queues, session::Identity, values::Names};

/// What all who have a mailbox open share.
pub(crate) struct Circle {
    pub(super) mirror: Mirror,
    /// Which mailbox is mirrored.
    pub(crate) identity: Arc<Identity>,
    pub(super) options: Options,
    pub(super) names: Arc<AsyncMutex<Names>>,
    pub(super) keeper: Arc<Keeper>,
    pub(super) namespace: Arc<AsyncMutex<Option<Guid>>>,
    pub(super) locks: Arc<Locks>,
    /// Counts the occasions on which what was known of rights may have become wrong.
    doubts: AtomicU64,
    /// What waits for the server.
    pub(super) queue: Queue,
    /// Who did not log in.
    nobody: Arc<Guest>,
    seats: Mutex<Seats>,
}

#[derive(Default)]
struct Seats {
    /// By user.
    taken: BTreeMap<String, Weak<Mailbox>>,
    /// Whether the task runs that keeps the mirror like the server.
    kept: bool,
}

impl Circle {
    /// Nobody has the mailbox open yet. The mirror is of `identity`; `queues` knows what waits in others.
    pub(crate) fn new(
        (mirror, identity): (Mirror, Guid),
        options: Options,
        queues: &Arc<Queues>,
    ) -> Arc<Self> {
        let nobody = Principal {
            user: String::new(),
        };
        Arc::new(Self {
            mirror,
            identity: Arc::new(Identity::new(identity)),
            options,
            names: Arc::default(),
            keeper: Arc::default(),
            namespace: Arc::default(),
            locks: Arc::default(),
            doubts: AtomicU64::default(),
            queue: Queue::new(Arc::downgrade(queues)),
            nobody: Arc::new(Guest::new(nobody)),
            seats: Mutex::default(),
        })
    }

    /// The mailbox as somebody has it open.
    pub(crate) fn seat(&self, user: &str) -> Option<Arc<Mailbox>> {
        self.seats().taken.get(user).and_then(Weak::upgrade)
    }

    /// Takes somebody in who has just opened the mailbox; of two that do so at once, the first stays.
    pub(crate) fn join(self: &Arc<Self>, user: &str, mailbox: Arc<Mailbox>) -> Arc<Mailbox> {
        let mut seats = self.seats();
        if let Some(first) = seats.taken.get(user).and_then(Weak::upgrade) {
            return first;
        }
        seats.taken.retain(|_, seat| seat.strong_count() > 0);
        seats
            .taken
            .insert(user.to_owned(), Arc::downgrade(&mailbox));
        keeper::listen(&mailbox);
        self.keeper.wake();
        if !seats.kept {
            seats.kept = true;
            tending::start(self);
        }
        mailbox
    }

    /// Who did not log in, as a guest.
    pub(crate) fn nobody(&self) -> Arc<Guest> {
        Arc::clone(&self.nobody)
    }

    /// Who sees the mailbox whole, with a session that works: its owner before others.
    pub(crate) fn whole(&self) -> Option<Arc<Mailbox>> {
        let mut wholes = self.all();
        wholes.retain(|seat| seat.is_whole && !seat.is_out());
        wholes.into_iter().min_by_key(|seat| seat.guest.is_some())
    }

    /// The owner, who has the mailbox open.
    pub(crate) fn owner(&self) -> Option<Arc<Mailbox>> {
        self.all().into_iter().find(|seat| seat.guest.is_none())
    }

    /// Those who feed the mirror: one who sees it whole, or all whose sessions work, or whoever there is.
    pub(super) fn feeders(&self) -> Vec<Arc<Mailbox>> {
        if let Some(whole) = self.whole() {
            return vec![whole];
        }
        let (out, working): (Vec<_>, Vec<_>) =
            self.all().into_iter().partition(|seat| seat.is_out());
        match working.is_empty() {
            true => out,
            false => working,
        }
    }

    /// One who may read a folder.
    pub(super) fn reader(&self, folder: FolderId) -> Option<Arc<Mailbox>> {
        let mut feeders = self.feeders().into_iter();
        feeders.find(|seat| seat.may_read(folder))
    }

    /// Those on whose behalf the mirror is to be kept like the server; when there is nobody left, this is the end.
    pub(super) fn keepers(&self) -> Vec<Arc<Mailbox>> {
        let feeders = self.feeders();
        if feeders.is_empty() {
            let mut seats = self.seats();
            // Somebody may have come in between.
            seats.kept = seats.taken.values().any(|seat| seat.strong_count() > 0);
        }
        feeders
    }

    /// Whether somebody came after [`Self::keepers`] found nobody.
    pub(super) fn is_kept(&self) -> bool {
        self.seats().kept
    }

    /// The tree may have changed.
    pub(crate) fn doubt_tree(&self) {
        self.keeper.doubt_hierarchy();
    }

    /// What is known of rights may be wrong from now on.
    pub(crate) fn doubt_rights(&self) {
        self.doubts.fetch_add(1, Ordering::AcqRel);
    }

    /// How often [`Self::doubt_rights`] has been called.
    pub(super) fn doubts(&self) -> u64 {
        self.doubts.load(Ordering::Acquire)
    }

    /// Whether the mirror is like the server, as far as anybody has heard.
    pub(crate) fn is_up_to_date(&self) -> bool {
        self.keeper.is_idle()
    }

    /// Has it asked which folders changed.
    pub(crate) fn poll(&self) {
        self.keeper.poll();
    }

    /// Makes a folder like the server's. Errors: those of [`Mailbox::sync_contents`].
    pub(crate) async fn synchronize(&self, folder: FolderId) -> Result<()> {
        match self.reader(folder) {
            Some(reader) => reader.sync_contents(folder).await,
            None => Err(unread()),
        }
    }

    /// Makes the folder tree like the server's. Errors: those of [`Mailbox::sync_hierarchy`].
    pub(crate) async fn synchronize_tree(&self) -> Result<()> {
        for seat in self.feeders() {
            seat.sync_hierarchy().await?;
        }
        Ok(())
    }

    /// How far the folders are whose index is being read.
    pub(crate) fn in_progress(&self) -> Vec<(FolderId, Progress)> {
        self.keeper.in_progress()
    }

    /// Keeps everybody from making the tree like the server's, as long as it is held: what was asked for before the mirror
    /// is dropped is not to be put into it afterwards.
    pub(crate) async fn hold_tree(&self) -> OwnedMutexGuard<()> {
        self.locks.of(Work::Hierarchy).lock_owned().await
    }

    /// What was in the mirror has been dropped: everything is to be read again, the tree at once, for without it there
    /// is not even an Inbox.
    pub(crate) async fn begin_anew(&self) -> Result<()> {
        self.keeper.begin_anew();
        self.doubt_rights();
        self.queue_changed().await;
        for seat in self.feeders() {
            seat.sync_hierarchy().await?;
        }
        Ok(())
    }

    /// Asks what those may do now who have somebody else's mailbox open: what changed is told to whoever listens.
    pub(super) async fn ask_for_guests(&self) {
        for seat in self.all() {
            let Some(guest) = &seat.guest else { continue };
            // Their next call asks again, and says what is wrong.
            if let Err(error) = seat.learn_rights(guest, About::Everything).await {
                tracing::debug!(%error, "rights were not asked for in advance");
            }
        }
    }

    /// In the order of the users' names.
    fn all(&self) -> Vec<Arc<Mailbox>> {
        let seats = self.seats();
        seats.taken.values().filter_map(Weak::upgrade).collect()
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody who has the mailbox open may read the folder.
pub(super) fn unread() -> Error {
    Error::new(
        ErrorKind::Denied,
        "nobody who has the mailbox open may read the folder",
    )
}

//! An open mailbox: its mirror, the way to its server, and the task that keeps the one like the other.
//!
//! Everybody who opened the mailbox shares one. Reads are served by the mirror; [`sync`] fills it, [`render`] makes the
//! bytes of messages when somebody asks for them, [`keeper`] does both in the background, woken by notifications.

mod keeper;
mod render;
mod state;
mod sync;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use mapi_store::{Error, ErrorKind, PropName, Result, Store};
use mapi_types::{FolderId, MailboxId, MessageTree, PropBag};
use mapi_wire::{Gid, Guid, Id};
use store_openchange::{Mirror, RemoteId};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

pub(crate) use self::keeper::Keeper;
pub use self::keeper::Progress;
use crate::{Options, remote::Remote, values::Names};

/// A mailbox that is open.
pub(crate) struct Mailbox {
    pub(crate) id: MailboxId,
    pub(crate) mirror: Mirror,
    /// The mirror as its owner sees it.
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) remote: Remote,
    pub(crate) options: Options,
    /// Local ids of named properties.
    pub(crate) names: AsyncMutex<Names>,
    pub(crate) keeper: Keeper,
    /// The session context in which the server was asked to tell of changes.
    watched: AsyncMutex<Option<u64>>,
    namespace: AsyncMutex<Option<Guid>>,
    locks: Locks,
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
}

#[derive(Default)]
struct Locks(Mutex<HashMap<Work, Arc<AsyncMutex<()>>>>);

impl Mailbox {
    /// A mailbox whose mirror is open. [`keeper::start`] starts what keeps it up to date.
    pub(crate) fn new(mirror: Mirror, remote: Remote, options: Options) -> Arc<Self> {
        let mailbox = Arc::new(Self {
            id: mirror.id().clone(),
            inner: mirror.store(),
            mirror,
            remote,
            options,
            names: AsyncMutex::default(),
            keeper: Keeper::default(),
            watched: AsyncMutex::default(),
            namespace: AsyncMutex::default(),
            locks: Locks::default(),
        });
        keeper::start(&mailbox);
        mailbox
    }

    /// Waits for its turn at some work.
    pub(crate) async fn turn(&self, work: Work) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.locks.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Locks that nobody holds are forgotten when the map would grow.
            if locks.len() == locks.capacity() {
                locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            }
            Arc::clone(locks.entry(work).or_default())
        };
        lock.lock_owned().await
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

    /// The names of the named properties in a draft.
    pub(crate) async fn names_of(
        &self,
        props: &PropBag,
        tree: &MessageTree,
    ) -> HashMap<u16, PropName> {
        let names = self.names.lock().await;
        let tags = props
            .iter()
            .chain(tree.props.iter())
            .map(|(tag, _)| tag.id());
        tags.filter(|id| *id >= 0x8000)
            .filter_map(|id| Some((id, names.name(id)?)))
            .collect()
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

/// A lasting name as the mirror writes it.
pub(crate) fn remote_id(gid: Gid) -> RemoteId {
    RemoteId(gid.to_bytes().into())
}

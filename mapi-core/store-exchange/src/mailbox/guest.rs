//! Somebody in a mailbox of another: what the server lets them do, folder by folder, asked as them.
//!
//! The answers are rows of the mirror's permission tables, where they are enforced. They hold for [`AGE_MAX`], or until
//! permissions are changed here or the folder tree changes; then the next call asks again before it is answered.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mapi_store::{Error, ErrorKind, Principal, Result, Rights};
use mapi_types::FolderId;
use mapi_wire::{Gid, Id};
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

use super::{Mailbox, Work};
use crate::remote::RIGHTS_FOLDERS_MAX;

/// How long an answer holds.
const AGE_MAX: Duration = Duration::from_secs(60);

/// How long an answer holds while the server is out of reach: what it would refuse, it cannot say then.
const AGE_WITHOUT_SERVER_MAX: Duration = Duration::from_secs(15 * 60);

/// How often it is asked again because permissions were changed while the server answered.
const TRIES_MAX: u32 = 3;

/// Somebody in a mailbox of another.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) principal: Principal,
    known: Mutex<HashMap<FolderId, Known>>,
    /// One asks at a time.
    asking: AsyncMutex<()>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    rights: Rights,
    at: Instant,
    /// See [`super::circle::Circle::doubts`].
    doubts: u64,
}

/// About which folders rights are asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum About {
    /// This one; others may come along.
    Folder(FolderId),
    /// Every folder.
    Everything,
}

impl Guest {
    /// Nothing is known yet.
    pub(crate) fn new(principal: Principal) -> Self {
        Self {
            principal,
            known: Mutex::default(),
            asking: AsyncMutex::default(),
        }
    }

    /// What was said last; nothing where nobody asked.
    pub(super) fn rights(&self, folder: FolderId) -> Rights {
        let known = self.known().get(&folder).map(|known| known.rights);
        known.unwrap_or(Rights::NONE)
    }

    fn holds(&self, folder: FolderId, doubts: u64) -> bool {
        let known = self.known();
        let known = known.get(&folder);
        known.is_some_and(|known| known.doubts == doubts && known.at.elapsed() < AGE_MAX)
    }

    /// Whether what was said last may stand in while the server is away.
    fn stands_in(&self, folder: FolderId) -> bool {
        let known = self.known();
        let known = known.get(&folder);
        known.is_some_and(|known| known.at.elapsed() < AGE_WITHOUT_SERVER_MAX)
    }

    fn learn(&self, rights: &[(FolderId, Rights)], doubts: u64) {
        let at = Instant::now();
        let mut known = self.known();
        for (folder, rights) in rights {
            let new = Known {
                rights: *rights,
                at,
                doubts,
            };
            known.insert(*folder, new);
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<FolderId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mailbox {
    /// Sees to it that the mirror knows what a guest may do. No request while earlier answers hold.
    ///
    /// Errors: `Unavailable`, `Throttled` when the server cannot say and has not for long.
    pub(crate) async fn learn_rights(&self, guest: &Guest, about: About) -> Result<()> {
        if let About::Folder(folder) = about
            && guest.holds(folder, self.circle.doubts())
        {
            return Ok(());
        }
        let _asking = guest.asking.lock().await;
        for _ in 0..TRIES_MAX {
            let doubts = self.circle.doubts();
            let folders = self.to_ask(guest, about, doubts).await?;
            if folders.is_empty() {
                return Ok(());
            }
            let asked = match self.ask_rights(guest, &folders).await {
                Ok(rights) => rights,
                Err(error) if error.kind.is_transient() => {
                    let known = folders.iter().all(|(folder, _)| guest.stands_in(*folder));
                    return if known { Ok(()) } else { Err(error) };
                }
                Err(error) => return Err(error),
            };
            let rights: Vec<_> = folders
                .iter()
                .map(|(folder, _)| *folder)
                .zip(asked)
                .collect();
            let _turn = self.turn(Work::Rights).await;
            if self.circle.doubts() == doubts {
                self.mirror
                    .set_rights(&guest.principal, rights.clone())
                    .await?;
                guest.learn(&rights, doubts);
                if matches!(about, About::Folder(_)) {
                    return Ok(());
                }
            }
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            "permissions change faster than the server can be asked",
        ))
    }

    /// The folders of which it is not known what the guest may do: what is wanted first, and then as many as one
    /// request takes, or all of them.
    async fn to_ask(
        &self,
        guest: &Guest,
        about: About,
        doubts: u64,
    ) -> Result<Vec<(FolderId, Gid)>> {
        let wanted = |folder| about == About::Folder(folder);
        if let About::Folder(folder) = about
            && guest.holds(folder, doubts)
        {
            return Ok(Vec::new());
        }
        let all = self.mirror.folders().await?;
        let mut folders: Vec<_> = all
            .into_iter()
            .filter(|(folder, _)| !guest.holds(*folder, doubts))
            .filter_map(|(folder, id)| Some((folder, Gid::from_bytes(&id.0)?)))
            .collect();
        if let About::Folder(_) = about {
            folders.sort_by_key(|(folder, _)| !wanted(*folder));
            folders.truncate(RIGHTS_FOLDERS_MAX);
        }
        Ok(folders)
    }

    async fn ask_rights(&self, guest: &Guest, folders: &[(FolderId, Gid)]) -> Result<Vec<Rights>> {
        let mut ids: Vec<Id> = Vec::with_capacity(folders.len());
        for (_, gid) in folders {
            ids.push(self.remote.id(*gid).await?);
        }
        match guest.principal.user.is_empty() {
            true => Ok(self.remote.anonymous_rights(&ids).await?),
            false => Ok(self.remote.rights(&ids).await?),
        }
    }

    /// Whether this session reads a folder whole.
    pub(super) fn may_read(&self, folder: FolderId) -> bool {
        match &self.guest {
            Some(guest) => guest.rights(folder).allow(Rights::READ_ANY),
            None => true,
        }
    }
}

//! A mailbox on the server, in terms of what a mirror needs of it: each method is a batch or a download.
//!
//! Nothing here knows of the mirror. Ids on this side are those of the logon ([`Id`]) where a ROP wants them, and source
//! keys ([`Gid`]) where they must outlive it.

mod bodies;
mod contents;
mod copy;
mod download;
mod folder_marks;
mod folder_write;
mod folders;
mod hierarchy;
mod marks;
mod messages;
mod names;
mod part;
pub(crate) mod permissions;
mod replicas;
mod rights;
mod submit;
mod transfer;
mod upload;
mod upload_new;
mod watch;
mod whole;
mod write;

use std::sync::Arc;

use tokio::sync::Mutex;

pub(crate) use self::{
    contents::{ContentsPart, IndexRow},
    download::Download,
    folder_marks::FolderMark,
    folder_write::Deleting,
    folders::SpecialFolders,
    hierarchy::{FolderRow, HierarchyPart},
    messages::{Fetched, MESSAGES_MAX},
    rights::FOLDERS_MAX as RIGHTS_FOLDERS_MAX,
    submit::Standing,
    transfer::{AT_ONCE, Fate, Transferring, Transfers, Way},
    upload::{Chosen, Upload, following},
    write::{ChangeKeys, PropsChange},
};
use self::{names::IndexNames, replicas::Replicas};
use crate::session::{Hearing, Identity, Session, StoreName};

/// The most folders of a mailbox.
const FOLDERS_MAX: usize = 50_000;

/// How often what takes several requests is begun, when contexts are lost on the way.
const STARTS_MAX: u32 = 3;

/// The sessions of one user: what people wait for does not stand behind what keeps the mirror up to date, and neither
/// behind a long download.
#[derive(Clone)]
pub(crate) struct Sessions {
    /// For what somebody waits for.
    pub(crate) front: Session,
    /// For notifications, and for what they tell of.
    pub(crate) back: Session,
    /// For whole folders, and bodies in advance.
    pub(crate) fill: Session,
}

impl Sessions {
    /// Three sessions. Each connects when it is first used.
    pub(crate) fn new(start: impl Fn(Hearing) -> Session) -> Self {
        Self {
            front: start(Hearing::Nothing),
            back: start(Hearing::Notifications),
            fill: start(Hearing::Nothing),
        }
    }
}

/// A mailbox on the server, as one user may use it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Remote {
    pub(crate) sessions: Sessions,
    pub(crate) store: StoreName,
    known: Arc<Known>,
}

/// What has been learnt about the mailbox and does not change.
#[derive(Default)]
struct Known {
    replicas: Mutex<Replicas>,
    names: Mutex<Option<IndexNames>>,
    reserved: upload::Reservation,
}

impl Remote {
    /// Nothing is asked of the server yet.
    pub(crate) fn new(sessions: Sessions, store: StoreName) -> Self {
        Self {
            sessions,
            store,
            known: Arc::default(),
        }
    }

    /// The same, for this mailbox alone: see [`Session::only`].
    pub(crate) fn only(mut self, mailbox: &Arc<Identity>) -> Self {
        self.sessions = Sessions {
            front: self.sessions.front.only(Arc::clone(mailbox)),
            back: self.sessions.back.only(Arc::clone(mailbox)),
            fill: self.sessions.fill.only(Arc::clone(mailbox)),
        };
        self
    }
}

//! `dragoman mapi watch`: what changes, as it happens.
//!
//! Notices are hints: each has the changes of its folder read from the log, from where this watch was. When hints were
//! lost, every folder is looked at.

use std::collections::{BTreeMap, BTreeSet};

use account::{FolderId, FolderInfo, ItemNumber, Version};
use mapi_store::{Changes, ErrorKind, Notice};
use mapi_types::Row;
use serde_json::json;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{
    moment::{self, Moment},
    output::{Output, plain},
    rows,
    session::{Session, path_of},
};
use crate::failure::{Doing, Failure, Result};

/// Changes read at a time.
const PAGE: u32 = 256;

/// A folder that is watched.
struct Watched {
    path: String,
    /// What has been told.
    since: Version,
    /// Numbers from here on are new.
    next: ItemNumber,
}

/// Tells what changes until nobody reads any more.
pub(super) async fn watch(session: &Session, folder: Option<&str>, out: &Output) -> Result<()> {
    // Listen first and look after: nothing falls between.
    let mut notices = session.store.notices();
    let only = match folder {
        Some(path) => Some(session.folder(path).await?.id),
        None => None,
    };
    let mut watched = BTreeMap::new();
    renew(session, only, &mut watched).await?;
    let count = watched.len();
    out.say(
        || format!("watching {count} folders of {}", session.mailbox),
        || json!({"watching": count, "mailbox": session.mailbox.0}),
    )
    .await?;
    loop {
        let Hints { folders, tree } = hints(&mut notices).await?;
        if tree {
            renew(session, only, &mut watched).await?;
        }
        let ids: Vec<_> = match folders {
            Some(folders) => folders.into_iter().collect(),
            None => watched.keys().copied().collect(),
        };
        for id in ids {
            let told = match watched.get_mut(&id) {
                Some(folder) => tell(session, (id, folder), out).await?,
                None => true,
            };
            if !told {
                watched.remove(&id);
            }
        }
    }
}

/// What is to be looked at.
#[derive(Default)]
struct Hints {
    /// These folders; `None`: all.
    folders: Option<BTreeSet<FolderId>>,
    /// The tree as well.
    tree: bool,
}

/// Waits for a hint, and takes those that are there as well.
async fn hints(notices: &mut Receiver<Notice>) -> Result<Hints> {
    let mut folders = BTreeSet::new();
    let mut hints = Hints::default();
    let mut next = Some(notices.recv().await);
    let mut all = false;
    while let Some(notice) = next {
        match notice {
            Ok(Notice::Folder(folder, _)) => {
                folders.insert(folder);
            }
            Ok(Notice::Hierarchy) => hints.tree = true,
            Err(RecvError::Lagged(_)) => (all, hints.tree) = (true, true),
            Err(RecvError::Closed) => return Err(Failure::new("the mailbox is closed")),
        }
        // What has come meanwhile.
        next = match notices.is_empty() {
            true => None,
            false => Some(notices.recv().await),
        };
    }
    if !all {
        hints.folders = Some(folders);
    }
    Ok(hints)
}

/// Begins to watch folders that are new, and forgets those that are gone.
async fn renew(
    session: &Session,
    only: Option<FolderId>,
    watched: &mut BTreeMap<FolderId, Watched>,
) -> Result<()> {
    let folders = session.folders().await?;
    watched.retain(|id, _| folders.iter().any(|folder| folder.id == *id));
    for folder in &folders {
        if only.is_some_and(|only| only != folder.id) {
            continue;
        }
        let path = path_of(&folders, folder);
        match watched.get_mut(&folder.id) {
            Some(known) => known.path = path,
            None => {
                watched.insert(folder.id, begin(folder, path));
            }
        }
    }
    Ok(())
}

fn begin(folder: &FolderInfo, path: String) -> Watched {
    Watched {
        path,
        since: folder.version,
        next: folder.next_number,
    }
}

/// Tells what changed in a folder; whether it is still there.
async fn tell(
    session: &Session,
    (id, folder): (FolderId, &mut Watched),
    out: &Output,
) -> Result<bool> {
    loop {
        let columns = rows::light_columns();
        let changes = session.store.changes(id, folder.since, columns, PAGE).await;
        let changes = match changes {
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied) => {
                return Ok(false);
            }
            changes => changes.doing(|| folder.path.clone())?,
        };
        let Changes::Delta(delta) = changes else {
            let now = session
                .store
                .folder(id)
                .await
                .doing(|| folder.path.clone())?;
            *folder = begin(&now, std::mem::take(&mut folder.path));
            say(folder, "renewed", None, out).await?;
            return Ok(true);
        };
        for number in &delta.removed {
            say(folder, "gone", Some(Subject::Gone(*number)), out).await?;
        }
        for row in delta.rows.rows() {
            let number = rows::number(row).unwrap_or(ItemNumber(0));
            let what = match number >= folder.next {
                true => "new",
                false => "changed",
            };
            folder.next = folder.next.max(ItemNumber(number.0.saturating_add(1)));
            say(folder, what, Some(Subject::There(row)), out).await?;
        }
        folder.since = delta.to;
        if !delta.more {
            return Ok(true);
        }
    }
}

/// What is told of.
enum Subject<'a> {
    There(Row<'a>),
    Gone(ItemNumber),
}

async fn say(
    folder: &Watched,
    what: &'static str,
    subject: Option<Subject<'_>>,
    out: &Output,
) -> Result<()> {
    let now = moment::text(Moment::now().time());
    let mut object = json!({"time": now, "folder": folder.path, "change": what});
    let mut line = format!("{now}  {what:<7}  {}", plain(&folder.path));
    match subject {
        Some(Subject::There(row)) => {
            object["item"] = rows::as_json(row);
            line.push_str("  ");
            line.push_str(&rows::as_cells(row).join("  "));
        }
        Some(Subject::Gone(number)) => {
            object["item"] = json!({"number": number.0});
            line.push_str(&format!("  {}", number.0));
        }
        None => {}
    }
    out.say(|| line, || object).await
}

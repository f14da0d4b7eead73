//! `dragoman mapi watch`: what changes, as it happens.
//!
//! Notices are hints: each has the changes of its folder read from the log, from where this watch was. When hints were
//! lost, every folder is looked at. What cannot be looked at now is looked at later: a watch outlives a server that is
//! away for a while, and folders that go.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use account::{FolderId, FolderInfo, FolderTree, ItemNumber, Version};
use mapi_store::{Changes, Error, ErrorKind, Notice};
use mapi_types::Row;
use serde_json::json;
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::timeout,
};

use super::{
    moment::{self, Moment},
    output::{Output, plain},
    rows,
    session::Session,
};
use crate::{
    failure::{Doing, Failure, Result},
    folder_path,
};

/// Changes read at a time.
const PAGE: u32 = 256;

/// How long until what could not be looked at is looked at again, unless there is news before.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// A folder that is watched.
struct Watched {
    path: String,
    /// What has been told.
    since: Version,
    /// Numbers from here on are new.
    next: ItemNumber,
}

/// What is to be looked at.
#[derive(Default)]
struct Look {
    /// These folders.
    folders: BTreeSet<FolderId>,
    /// All folders.
    all: bool,
    /// The tree as well.
    tree: bool,
}

/// How telling of a folder ended.
enum Told {
    /// Everything is told.
    All,
    /// The rest later.
    Some,
    /// The folder is gone, or may not be looked at any more.
    Gone,
}

/// Tells what changes, until nobody reads any more or the one folder is gone.
pub(super) async fn watch(session: &Session, folder: Option<&str>, out: &Output) -> Result<()> {
    // Listen first and look after: nothing falls between.
    let mut notices = session.store.notices();
    let only = match folder {
        Some(path) => Some(session.folder(path).await?.id),
        None => None,
    };
    let mut watched = BTreeMap::new();
    renew(&session.folders().await?, only, &mut watched);
    let count = watched.len();
    out.say(
        || format!("watching {count} folders of {}", session.mailbox),
        || json!({"watching": count, "mailbox": session.mailbox.0}),
    )
    .await?;
    let mut look = Look::default();
    while only.is_none() || !watched.is_empty() {
        hear(&mut notices, &mut look).await?;
        look = follow(session, only, (&mut watched, look), out).await?;
    }
    Ok(())
}

/// Waits for a hint, and takes those that are there as well. What is to be looked at anyway is not waited for long.
async fn hear(notices: &mut Receiver<Notice>, look: &mut Look) -> Result<()> {
    let mut next = match look.is_nothing() {
        true => notices.recv().await,
        false => match timeout(LOOK_AGAIN, notices.recv()).await {
            Ok(notice) => notice,
            Err(_) => return Ok(()),
        },
    };
    loop {
        match next {
            Ok(Notice::Folder(folder, _)) => {
                look.folders.insert(folder);
            }
            Ok(Notice::Hierarchy) => look.tree = true,
            Err(RecvError::Lagged(_)) => (look.all, look.tree) = (true, true),
            Err(RecvError::Closed) => return Err(Failure::new("the mailbox is closed")),
        }
        if notices.is_empty() {
            return Ok(());
        }
        next = notices.recv().await;
    }
}

/// Looks, and tells what there is. Returns what could not be looked at.
async fn follow(
    session: &Session,
    only: Option<FolderId>,
    (watched, look): (&mut BTreeMap<FolderId, Watched>, Look),
    out: &Output,
) -> Result<Look> {
    let mut left = Look::default();
    if look.tree {
        match session.tree().await {
            Ok(tree) => {
                for gone in renew(&tree, only, watched) {
                    say(&gone, REMOVED, None, out).await?;
                }
            }
            Err(error) if error.kind.is_transient() => left.tree = true,
            Err(error) => return Err(error).doing(|| "reading the folders".to_owned()),
        }
    }
    let ids: Vec<_> = match look.all {
        true => watched.keys().copied().collect(),
        false => look.folders.into_iter().collect(),
    };
    for id in ids {
        let Some(folder) = watched.get_mut(&id) else {
            continue;
        };
        match tell(session, (id, folder), out).await? {
            Told::All => {}
            Told::Some => {
                left.folders.insert(id);
            }
            Told::Gone => {
                say(folder, REMOVED, None, out).await?;
                watched.remove(&id);
            }
        }
    }
    Ok(left)
}

/// Begins to watch folders that are new, and forgets those that are gone, which it returns.
fn renew(
    tree: &FolderTree,
    only: Option<FolderId>,
    watched: &mut BTreeMap<FolderId, Watched>,
) -> Vec<Watched> {
    let gone: Vec<_> = watched
        .extract_if(.., |id, _| tree.get(*id).is_none())
        .map(|(_, folder)| folder)
        .collect();
    for folder in tree.iter() {
        if only.is_some_and(|only| only != folder.id) {
            continue;
        }
        let path = folder_path::of(tree, folder.id);
        match watched.get_mut(&folder.id) {
            Some(known) => known.path = path,
            None => {
                watched.insert(folder.id, begin(folder, path));
            }
        }
    }
    gone
}

fn begin(folder: &FolderInfo, path: String) -> Watched {
    Watched {
        path,
        since: folder.version,
        next: folder.next_number,
    }
}

/// Tells what changed in a folder.
async fn tell(
    session: &Session,
    (id, folder): (FolderId, &mut Watched),
    out: &Output,
) -> Result<Told> {
    loop {
        let columns = rows::light_columns();
        let changes = session.store.changes(id, folder.since, columns, PAGE).await;
        let changes = match changes {
            Ok(changes) => changes,
            Err(error) => return told(error, folder),
        };
        let Changes::Delta(delta) = changes else {
            let now = match session.store.folder(id).await {
                Ok(now) => now,
                Err(error) => return told(error, folder),
            };
            *folder = begin(&now, std::mem::take(&mut folder.path));
            say(folder, "renewed", None, out).await?;
            return Ok(Told::All);
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
            return Ok(Told::All);
        }
    }
}

/// What becomes of a folder that cannot be read.
fn told(error: Error, folder: &Watched) -> Result<Told> {
    match error.kind {
        ErrorKind::NotFound | ErrorKind::Denied => Ok(Told::Gone),
        kind if kind.is_transient() => Ok(Told::Some),
        _ => Err(error).doing(|| folder.path.clone()),
    }
}

/// What is said of a folder that is gone.
const REMOVED: &str = "removed";

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

impl Look {
    fn is_nothing(&self) -> bool {
        self.folders.is_empty() && !self.all && !self.tree
    }
}

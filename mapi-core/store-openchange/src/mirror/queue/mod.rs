//! What was asked for while the remote was away: done here at once, there in the same order when it is back.
//!
//! One transaction changes the mirror and puts the operation down. An item that the remote has not yet is named by a
//! stand-in, which the client of the remote makes up; the operation that makes the item gives it its id, here and in all
//! that waits about it. Carrying an operation out is the client's business: it takes [`Mirror::queue_next`], writes down
//! the ids that it chooses ([`Mirror::queue_give`]) before it uses them, and says what came of it.
//!
//! As long as something waits, nothing may be applied that the remote said of these items: it knows nothing of it.

mod done;
mod put;
mod refuse;
mod rows;
mod types;

use std::sync::Arc;

use mapi_store::{Deletion, Expected, Result, Saved, Transfer, Transferred, Updated};
use mapi_types::{
    Change, Draft, FolderId, ItemNumber, Message, MessageTree, PropTag, changes_content,
};
use rusqlite::{OptionalExtension, params};

pub(super) use self::rows::status;
use self::rows::{ItemOfOperation, OperationRow, kind};
pub use self::types::{
    Given, QueueOutcome, QueueStatus, QueueTerms, QueuedItem, QueuedOperation, QueuedTask,
    RefusedDraft,
};
use super::{Begun, Mirror, Moved, Pending, PendingItem, pending, pending_list};
use crate::{
    codec::decode_change,
    fail::{self, Fail},
    hot::{HOT_COLUMNS, HOT_TAGS, Hot},
    read::Snapshot,
    segments::Segments,
};

/// What a queue that came from elsewhere may not say.
fn damaged() -> Fail {
    Fail::corrupt("an operation that waits makes no sense")
}

impl Mirror {
    /// Makes items of drafts under stand-ins, which have no change key, and puts their uploads down, one answer each.
    ///
    /// Errors: `NotFound` (folder), `Invalid`, `TooBig`, `Unsupported` (a draft without original), `Unavailable` (there is
    /// no room).
    pub async fn queue_drafts(
        &self,
        folder: FolderId,
        drafts: &[Pending],
        terms: QueueTerms,
    ) -> Result<Vec<Saved>> {
        let inline_max = self.mailbox.shared.options.inline_bytes_max;
        let (prepared, contents) = pending::prepare(drafts, inline_max)?;
        self.write(contents, move |tx| {
            let begun = pending::begin(tx, folder, &prepared)?;
            put::save(tx, folder, &begun, &terms)
        })
        .await
    }

    /// The same for drafts that were begun ([`Self::begin_save`]) under ids of the remote: an upload may have got there.
    ///
    /// Errors: `NotFound` (the folder, or a draft that was not begun), `Unsupported` (a draft without original),
    /// `Unavailable` (there is no room).
    pub async fn queue_begun(
        &self,
        folder: FolderId,
        begun: Vec<Begun>,
        terms: QueueTerms,
    ) -> Result<Vec<Saved>> {
        self.write(Vec::new(), move |tx| put::save(tx, folder, &begun, &terms))
            .await
    }

    /// Changes properties of items, and puts that down. Only marks: what changes the content of one of them is refused.
    ///
    /// Errors: `NotFound` (folder), `Invalid`, `Unsupported` (a change of content, or a large value), `Unavailable` (there
    /// is no room).
    pub async fn queue_update(
        &self,
        folder: FolderId,
        items: Vec<Expected>,
        change: Change,
        terms: QueueTerms,
    ) -> Result<Updated> {
        self.write(Vec::new(), move |tx| {
            put::update(tx, folder, (&items, &change), &terms)
        })
        .await
    }

    /// Deletes items, and puts that down. Of messages that the remote refused nothing is left. Returns those that were
    /// there. Errors: `NotFound` (folder), `Unavailable` (there is no room).
    pub async fn queue_removal(
        &self,
        folder: FolderId,
        (items, how): (Vec<ItemNumber>, Deletion),
        terms: QueueTerms,
    ) -> Result<Vec<ItemNumber>> {
        self.write(Vec::new(), move |tx| {
            put::remove(tx, folder, (&items, how), &terms)
        })
        .await
    }

    /// Copies or moves items to stand-ins, and puts that down; to an id of the remote where one was given, and an attempt
    /// may have got there. Items that are gone are left out.
    ///
    /// Errors: `NotFound` (a folder), `Invalid`, `Unavailable` (there is no room, or one is a message that the remote
    /// refused).
    pub async fn queue_transfer(
        &self,
        from: FolderId,
        to: FolderId,
        (items, how): (Vec<(Moved, Option<Given>)>, Transfer),
        terms: QueueTerms,
    ) -> Result<Vec<Transferred>> {
        self.write(Vec::new(), move |tx| {
            put::transfer(tx, (from, to), (&items, how), &terms)
        })
        .await
    }

    /// The operation whose turn it is; `None`: nothing waits. Errors: `Corrupt` (it makes no sense, see
    /// [`Self::queue_set_aside`]).
    pub async fn queue_next(&self) -> Result<Option<QueuedOperation>> {
        let segments = Arc::clone(&self.mailbox.shared.segments);
        self.read(move |at| match OperationRow::first(at.conn)? {
            Some(row) => operation(at, &segments, row).map(Some),
            None => Ok(None),
        })
        .await
    }

    /// An operation as it is now; `None`: it is out of the queue.
    pub async fn queue_operation(&self, op: u64) -> Result<Option<QueuedOperation>> {
        let segments = Arc::clone(&self.mailbox.shared.segments);
        self.read(move |at| match OperationRow::find(at.conn, op as i64)? {
            Some(row) => operation(at, &segments, row).map(Some),
            None => Ok(None),
        })
        .await
    }

    /// Writes down the ids that were chosen for what an operation makes, by the positions of its items. One that has an
    /// id keeps it.
    pub async fn queue_give(&self, op: u64, given: Vec<(u32, Given)>) -> Result<()> {
        self.write(Vec::new(), move |tx| {
            let mut update = tx.conn.prepare_cached(
                "UPDATE remote_queue_items SET given = ?3, given_key = ?4
                 WHERE op = ?1 AND position = ?2 AND given IS NULL",
            )?;
            for (position, given) in &given {
                let (id, key) = (&given.id.0, &given.change_key.0);
                update.execute(params![op as i64, position, id, key])?;
            }
            Ok(())
        })
        .await
    }

    /// Takes out what was done, item by item; an operation goes with its last item, and its tries are counted anew.
    /// Errors: `NotFound`, `Invalid`.
    pub async fn queue_done(&self, op: u64, outcomes: Vec<(u32, QueueOutcome)>) -> Result<()> {
        self.write(Vec::new(), move |tx| done::done(tx, op, &outcomes))
            .await
    }

    /// Gives items of an operation up, and says why. A message that was to be saved stays, and its operation too, until
    /// [`Self::queue_retry`]. What was to be moved is where it was, a copy goes. Where only the remote can tell what is
    /// so, the folder is to be read anew, as by [`Self::restart`]; returns those folders. Errors: `NotFound`.
    pub async fn queue_refused(
        &self,
        op: u64,
        items: Vec<u32>,
        reason: String,
    ) -> Result<Vec<FolderId>> {
        self.write(Vec::new(), move |tx| {
            refuse::refuse(tx, op, &items, &reason)
        })
        .await
    }

    /// Sets the operation aside whose turn it is, whatever it says, and says why: it stays as it is, until
    /// [`Self::queue_retry`], and others have their turn.
    pub async fn queue_set_aside(&self, reason: String) -> Result<()> {
        self.write(Vec::new(), move |tx| {
            if let Some(first) = OperationRow::first(tx.conn)? {
                refuse::note(tx.conn, first.id, &reason)?;
            }
            Ok(())
        })
        .await
    }

    /// The folder of a message that is to be saved is gone: it goes to another one. Errors: `NotFound`.
    pub async fn queue_rehomed(&self, op: u64, folder: FolderId) -> Result<()> {
        self.write(Vec::new(), move |tx| refuse::rehome(tx, op, folder))
            .await
    }

    /// Counts one more try of an operation that failed for a reason that may pass. Returns how many there were.
    pub async fn queue_tried(&self, op: u64) -> Result<u32> {
        self.write(Vec::new(), move |tx| {
            let mut update = tx.conn.prepare_cached(
                "UPDATE remote_queue SET tries = tries + 1 WHERE id = ?1 RETURNING tries",
            )?;
            Ok(update.query_row([op as i64], |row| row.get(0))?)
        })
        .await
    }

    /// Lets everything wait again that the remote refused. Returns how much that is.
    pub async fn queue_retry(&self) -> Result<u64> {
        self.write(Vec::new(), |tx| {
            let again = tx.conn.execute(
                "UPDATE remote_queue SET refused = NULL, tries = 0 WHERE refused IS NOT NULL",
                [],
            )?;
            Ok(again as u64)
        })
        .await
    }

    /// The messages that the remote refused, the oldest first. They are read as they are used.
    pub async fn queue_refused_drafts(&self) -> Result<Vec<PendingItem>> {
        let segments = Arc::clone(&self.mailbox.shared.segments);
        self.read(move |at| pending_list::refused(at, &segments))
            .await
    }

    /// What waits.
    pub async fn queue_status(&self) -> Result<QueueStatus> {
        self.read(|at| status(at.conn)).await
    }
}

fn operation(
    at: &Snapshot<'_>,
    segments: &Arc<Segments>,
    row: OperationRow,
) -> fail::Result<QueuedOperation> {
    let items = ItemOfOperation::all(at.conn, row.id)?;
    let target = || {
        let target = row.target.ok_or_else(damaged)?;
        Ok::<_, Fail>(FolderId(target as u64))
    };
    let task = match row.kind {
        kind::SAVE => {
            let item = items.first().ok_or_else(damaged)?;
            let stand_in = item.becomes.as_deref().ok_or_else(damaged)?;
            let mut draft = pending_list::queued(at, segments, (item.folder, stand_in))?;
            draft.draft = with_marks(at, (item.folder, stand_in), draft.draft)?;
            QueuedTask::Save(Box::new(draft))
        }
        kind::UPDATE => {
            let change = row.change.as_deref().ok_or_else(damaged)?;
            QueuedTask::Update(decode_change(change)?)
        }
        kind::DELETE => QueuedTask::Delete,
        kind::COPY => QueuedTask::Transfer(Transfer::Copy, target()?),
        kind::MOVE => QueuedTask::Transfer(Transfer::Move, target()?),
        _ => return Err(damaged()),
    };
    Ok(QueuedOperation {
        id: row.id as u64,
        task,
        items: items.iter().map(ItemOfOperation::told).collect(),
        user: row.user,
        tries: row.tries,
    })
}

/// A draft with the marks that its item has by now, if that is where it was put.
fn with_marks(
    at: &Snapshot<'_>,
    (folder, stand_in): (i64, &[u8]),
    draft: Draft,
) -> fail::Result<Draft> {
    let mut select = at.conn.prepare_cached(&format!(
        "SELECT {HOT_COLUMNS} FROM items WHERE id = (SELECT id FROM remote_items WHERE folder = ?1 AND remote = ?2)"
    ))?;
    let hot = select
        .query_row(params![folder, stand_in], |row| Hot::read(row, 0))
        .optional()?;
    let Some(hot) = hot else { return Ok(draft) };
    let is_mark = |tag: &PropTag| !changes_content(hot.class(), *tag);
    let marks = hot.owned();
    let set: Vec<_> = marks.into_iter().filter(|(tag, _)| is_mark(tag)).collect();
    let gone = HOT_TAGS.iter().copied().filter(is_mark);
    let gone: Vec<_> = gone.filter(|tag| hot.value(*tag).is_none()).collect();
    let tree = &draft.message.tree;
    let message = Message {
        tree: MessageTree {
            props: tree.props.with(&set, &gone),
            ..tree.clone()
        },
        ..(*draft.message).clone()
    };
    Ok(Draft {
        message: Arc::new(message),
        ..draft
    })
}

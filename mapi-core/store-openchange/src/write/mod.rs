//! Changing a mailbox: what runs inside a write transaction.

mod delete;
mod draft;
mod folder_row;
pub(crate) mod item_row;
mod recover;
mod save;
mod transfer;
mod tree;
mod update;

use mapi_store::{Error, ErrorKind, Notice};
use mapi_types::Content;
use rusqlite::Connection;
use tokio::sync::oneshot;

pub(crate) use delete::delete;
pub(crate) use draft::Prepared;
pub(crate) use folder_row::FolderRow;
pub(crate) use item_row::with_key;
pub(crate) use recover::{is_purge_due, purge, purge_older, recover};
pub(crate) use save::{
    Birth, free_key, insert_rows, put_derived, put_facts, replace, save, save_beyond_quota,
};
pub(crate) use transfer::{copy_rows, transfer};
pub(crate) use tree::{
    bump, create_folder, delete_folder, drop_folder, drop_items, empty_bag, encode_inline,
    insert_folder, insert_special, move_folder, put_permissions, set_folder_props,
    set_mailbox_props, set_permissions, touch_trees,
};
pub(crate) use update::update;

use crate::{
    fail::{Fail, Result},
    mailbox::Mailbox,
    segments::Pins,
};

/// A transaction as an operation sees it.
pub(crate) struct Tx<'c> {
    pub(crate) conn: &'c Connection,
    pub(crate) mailbox: &'c Mailbox,
    notices: Vec<Notice>,
}

impl<'c> Tx<'c> {
    pub(crate) fn new(conn: &'c Connection, mailbox: &'c Mailbox) -> Self {
        Self {
            conn,
            mailbox,
            notices: Vec::new(),
        }
    }

    /// To be sent after the commit.
    pub(crate) fn notify(&mut self, notice: Notice) {
        self.notices.push(notice);
    }
}

/// An operation that shares a transaction.
pub(crate) trait Grouped: Send {
    /// The contents that must be durable before it is run.
    fn take_contents(&mut self) -> Vec<Content>;

    /// They are, or why not.
    fn contents_stored(&mut self, stored: Result<Pins>);

    /// Does the work; says whether it succeeded.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;

    /// Tells the caller, after the commit or what went wrong with it.
    fn answer(self: Box<Self>, committed: Result<(), Error>);
}

/// An operation with the way back to its caller.
pub(crate) struct Write<T, F> {
    contents: Vec<Content>,
    /// Kept until after the commit.
    pins: Option<Pins>,
    work: F,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<Result<T, Error>>,
}

impl<T, F> Write<T, F>
where
    T: Send + 'static,
    F: FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
{
    pub(crate) fn boxed(
        contents: Vec<Content>,
        work: F,
        reply: oneshot::Sender<Result<T, Error>>,
    ) -> Box<dyn Grouped> {
        Box::new(Self {
            contents,
            pins: None,
            work,
            outcome: None,
            reply,
        })
    }
}

impl<T, F> Grouped for Write<T, F>
where
    T: Send,
    F: FnMut(&mut Tx<'_>) -> Result<T> + Send,
{
    fn take_contents(&mut self) -> Vec<Content> {
        std::mem::take(&mut self.contents)
    }

    fn contents_stored(&mut self, stored: Result<Pins>) {
        match stored {
            Ok(pins) => self.pins = Some(pins),
            Err(fail) => self.outcome = Some(Err(fail)),
        }
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        if self.outcome.is_some() {
            return false;
        }
        let outcome = (self.work)(tx);
        self.outcome.insert(outcome).is_ok()
    }

    fn answer(self: Box<Self>, committed: Result<(), Error>) {
        let answer = match (self.outcome, committed) {
            (Some(Err(fail)), _) => Err(Error::from(fail)),
            (_, Err(error)) => Err(error),
            (Some(Ok(done)), Ok(())) => Ok(done),
            (None, Ok(())) => Err(Error::new(ErrorKind::Internal, "the operation was not run")),
        };
        // The caller may have gone away; what it asked for is done all the same.
        let _ = self.reply.send(answer);
    }
}

/// Runs operations in one transaction; one that fails undoes only itself. What is returned is to be told after it.
pub(crate) fn commit(
    conn: &Connection,
    mailbox: &Mailbox,
    ops: &mut [Box<dyn Grouped>],
) -> Result<Vec<Notice>> {
    run_sql(conn, "BEGIN IMMEDIATE")?;
    let done = run_all(conn, mailbox, ops);
    if done.is_err() && !conn.is_autocommit() {
        run_sql(conn, "ROLLBACK")?;
    }
    done
}

fn run_all(
    conn: &Connection,
    mailbox: &Mailbox,
    ops: &mut [Box<dyn Grouped>],
) -> Result<Vec<Notice>> {
    let mut tx = Tx::new(conn, mailbox);
    let shared = ops.len() > 1;
    let mut succeeded = false;
    for op in ops {
        let before = tx.notices.len();
        if shared {
            run_sql(conn, "SAVEPOINT op")?;
        }
        let done = op.run(&mut tx);
        if conn.is_autocommit() {
            // SQLite gave the whole transaction up: disk full, or worse.
            return Err(Fail::new(
                ErrorKind::Unavailable,
                "the transaction was given up",
            ));
        }
        succeeded |= done;
        if !done {
            tx.notices.truncate(before);
        }
        match (shared, done) {
            (true, true) => run_sql(conn, "RELEASE op")?,
            (true, false) => {
                run_sql(conn, "ROLLBACK TO op")?;
                run_sql(conn, "RELEASE op")?;
            }
            (false, _) => {}
        }
    }
    run_sql(conn, if succeeded { "COMMIT" } else { "ROLLBACK" })?;
    Ok(tx.notices)
}

fn run_sql(conn: &Connection, sql: &str) -> Result<()> {
    conn.prepare_cached(sql)?.execute([])?;
    Ok(())
}

//! The thread that writes: what waits when it comes to it is committed, and synced, at once.

use std::thread;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::{Error, ErrorKind, Result};

/// Changes that wait for the thread; who comes later waits in line.
const WAITING_MAX: usize = 1024;

/// Changes in one transaction.
const TOGETHER_MAX: usize = 128;

/// Does one change within the transaction, and gives what tells its caller how it ended.
type Job = Box<dyn FnOnce(&Connection) -> Tell + Send>;

/// Told whether the transaction was committed.
type Tell = Box<dyn FnOnce(bool) + Send>;

pub(super) struct Writer(mpsc::Sender<Job>);

impl Writer {
    /// Starts the thread. It ends when the writer is dropped and what waits is done.
    pub(super) fn start(connection: Connection) -> Result<Self> {
        let (jobs, mut waiting) = mpsc::channel::<Job>(WAITING_MAX);
        let work = move || {
            while let Some(first) = waiting.blocking_recv() {
                let mut together = vec![first];
                while together.len() < TOGETHER_MAX
                    && let Ok(job) = waiting.try_recv()
                {
                    together.push(job);
                }
                commit(&connection, together);
            }
        };
        thread::Builder::new()
            .name("outbound-writer".to_owned())
            .spawn(work)?;
        Ok(Self(jobs))
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (job, answered) = job(work);
        self.0.send(job).await.map_err(|_| not_written())?;
        answered.await.map_err(|_| not_written())?
    }
}

/// A change, and where its answer comes; it is dropped when the change was not even tried.
fn job<T: Send + 'static>(
    work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
) -> (Job, oneshot::Receiver<Result<T>>) {
    let (answer, answered) = oneshot::channel();
    let job: Job = Box::new(move |connection| {
        let done = within_savepoint(connection, work);
        Box::new(move |committed| {
            let told = match (done, committed) {
                (Ok(_), false) => Err(not_written()),
                (done, _) => done,
            };
            // Nobody may be waiting any more; it happened all the same.
            let _ = answer.send(told);
        })
    });
    (job, answered)
}

fn commit(connection: &Connection, together: Vec<Job>) {
    if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
        tracing::error!(%error, "the outgoing queue cannot be written");
        // Without a transaction each change fails by itself: `SAVEPOINT` would begin one.
        return;
    }
    let mut tells: Vec<Tell> = Vec::with_capacity(together.len());
    for job in together {
        tells.push(job(connection));
        if connection.is_autocommit() {
            // SQLite gave the whole transaction up: nothing of it happened, and what is left must not begin another.
            break;
        }
    }
    let committed = connection.execute_batch("COMMIT");
    if let Err(error) = &committed {
        tracing::error!(%error, "the outgoing queue cannot be written");
        if !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
    for tell in tells {
        tell(committed.is_ok());
    }
}

fn within_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T>,
) -> Result<T> {
    connection.execute_batch("SAVEPOINT change")?;
    let done = work(connection);
    let end = match done {
        Ok(_) => "RELEASE change",
        Err(_) => "ROLLBACK TO change; RELEASE change",
    };
    match connection.execute_batch(end) {
        Ok(()) => done,
        Err(error) => done.and(Err(error.into())),
    }
}

fn not_written() -> Error {
    Error::new(ErrorKind::Unavailable, "the queue cannot be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_what_happened() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE one (value)")
            .unwrap();
        let insert = |connection: &Connection| {
            connection.execute("INSERT INTO one VALUES (1)", [])?;
            Ok(())
        };
        let count = || -> i64 {
            let count = "SELECT count(*) FROM one";
            connection.query_row(count, [], |row| row.get(0)).unwrap()
        };
        let fail = |_: &Connection| -> Result<()> { Err(not_written()) };
        let (jobs, told): (Vec<_>, Vec<_>) =
            [job(insert), job(fail), job(insert)].into_iter().unzip();
        commit(&connection, jobs);
        let told: Vec<_> = told
            .into_iter()
            .map(|told| told.blocking_recv().unwrap().is_ok())
            .collect();
        assert_eq!((told, count()), (vec![true, false, true], 2));

        // As SQLite does when the disk is full.
        let give_up = |connection: &Connection| Ok(connection.execute_batch("ROLLBACK")?);
        let (jobs, told): (Vec<_>, Vec<_>) =
            [job(insert), job(give_up), job(insert)].into_iter().unzip();
        commit(&connection, jobs);
        let told: Vec<_> = told
            .into_iter()
            .map(|told| matches!(told.blocking_recv(), Ok(Ok(()))))
            .collect();
        assert_eq!((told, count()), (vec![false; 3], 2));
    }
}

//! The one thread that writes, and group commit.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::DatabaseError;
use crate::commit_times::{CommitTimes, Counts};

/// Works that may wait for the writer before their callers wait instead.
const QUEUE: usize = 256;
/// Works committed together at the most.
const GROUP: usize = 64;

/// One caller's work: runs inside a savepoint, or hears why there is no transaction to run in, and
/// gives back what tells the caller of the commit.
type Work = Box<dyn FnOnce(Result<&Connection, DatabaseError>) -> Answer + Send>;
/// Told whether the group was committed.
type Answer = Box<dyn FnOnce(Result<(), DatabaseError>) + Send>;

#[derive(Debug)]
pub(crate) struct Writer {
    works: Option<mpsc::Sender<Work>>,
    thread: Option<JoinHandle<()>>,
    times: Arc<Counts>,
}

impl Writer {
    pub(crate) fn start(connection: Connection) -> Self {
        let (works, queue) = mpsc::channel(QUEUE);
        let times = Arc::new(Counts::default());
        let counted = Arc::clone(&times);
        let thread = std::thread::Builder::new()
            .name("database".into())
            .spawn(move || work_off(&connection, queue, &counted))
            .expect("the system gives a thread to a program that is starting");
        Self { works: Some(works), thread: Some(thread), times }
    }

    pub(crate) fn times(&self) -> CommitTimes {
        self.times.read()
    }

    pub(crate) async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let result = match connection {
                Ok(connection) => in_savepoint(connection, work),
                Err(error) => Err(error.into()),
            };
            Box::new(move |committed| {
                // The caller may have gone away; what it asked for is done all the same.
                let _ = tell.send(match committed {
                    Ok(()) => result,
                    Err(error) => Err(error.into()),
                });
            })
        });
        let works = self.works.as_ref().ok_or(DatabaseError::Closed)?;
        works.send(work).await.map_err(|_| DatabaseError::Closed)?;
        told.await.map_err(|_| DatabaseError::Closed)?
    }
}

impl Drop for Writer {
    /// Waits until everything that was queued is on disk.
    fn drop(&mut self) {
        drop(self.works.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the database writer panicked");
        }
    }
}

fn work_off(connection: &Connection, mut queue: mpsc::Receiver<Work>, times: &Counts) {
    let mut group = Vec::with_capacity(GROUP);
    while let Some(first) = queue.blocking_recv() {
        group.push(first);
        while group.len() < GROUP
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
        let started = Instant::now();
        commit(connection, &mut group);
        times.add(started.elapsed());
    }
}

fn commit(connection: &Connection, group: &mut Vec<Work>) {
    if let Err(error) = run(connection, "BEGIN IMMEDIATE") {
        tracing::error!(%error, "no transaction could be started");
        for work in group.drain(..) {
            work(Err(again(&error)))(Ok(()));
        }
        return;
    }
    let mut ended = None;
    let mut answers: Vec<Answer> = Vec::with_capacity(group.len());
    for work in group.drain(..) {
        answers.push(match &ended {
            None => work(Ok(connection)),
            Some(error) => work(Err(again(error))),
        });
        // Where there is no room or no memory, SQLite rolls back everything by itself, the works
        // before this one, too; the next ones would each be a transaction of their own.
        if ended.is_none() && connection.is_autocommit() {
            ended = Some(full());
        }
    }
    let committed = match ended {
        None => run(connection, "COMMIT"),
        Some(error) => Err(error),
    };
    if let Err(error) = &committed {
        tracing::error!(%error, "a commit failed");
        // After a failed commit the transaction may still be open; ending it twice does no harm.
        let _ = connection.execute_batch("ROLLBACK");
    }
    for answer in answers {
        answer(match &committed {
            Ok(()) => Ok(()),
            Err(error) => Err(again(error)),
        });
    }
}

/// One statement of those that each work needs: planned once.
fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// What ends a transaction before its time; <https://sqlite.org/lang_transaction.html>.
fn full() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None)
}

/// The same error for another caller.
fn again(error: &rusqlite::Error) -> DatabaseError {
    match error {
        rusqlite::Error::SqliteFailure(code, text) => {
            rusqlite::Error::SqliteFailure(*code, text.clone()).into()
        }
        _ => DatabaseError::Closed,
    }
}

fn in_savepoint<T, E, F>(connection: &Connection, work: F) -> Result<T, E>
where
    F: FnOnce(&Connection) -> Result<T, E>,
    E: From<DatabaseError>,
{
    let run = |sql| run(connection, sql).map_err(|error| E::from(error.into()));
    run("SAVEPOINT work")?;
    let done = work(connection);
    if done.is_err() {
        run("ROLLBACK TO work")?;
    }
    run("RELEASE work")?;
    done
}

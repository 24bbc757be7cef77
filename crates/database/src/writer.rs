//! The one thread that writes, and group commit.

use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::DatabaseError;

/// Works that may wait for the writer before their callers wait instead.
const QUEUE: usize = 256;
/// Works committed together at the most.
const GROUP: usize = 64;

/// One caller's work: runs inside a savepoint and gives back what tells the caller of the commit.
type Work = Box<dyn FnOnce(&Connection) -> Answer + Send>;
/// Told whether the group was committed.
type Answer = Box<dyn FnOnce(Result<(), DatabaseError>) + Send>;

#[derive(Debug)]
pub(crate) struct Writer {
    works: Option<mpsc::Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(connection: Connection) -> Self {
        let (works, queue) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("database".into())
            .spawn(move || work_off(&connection, queue))
            .expect("the system gives a thread to a program that is starting");
        Self { works: Some(works), thread: Some(thread) }
    }

    pub(crate) async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let result = in_savepoint(connection, work);
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

fn work_off(connection: &Connection, mut queue: mpsc::Receiver<Work>) {
    let mut group = Vec::with_capacity(GROUP);
    while let Some(first) = queue.blocking_recv() {
        group.push(first);
        while group.len() < GROUP
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
        commit(connection, &mut group);
    }
}

fn commit(connection: &Connection, group: &mut Vec<Work>) {
    if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
        // Dropping a work tells its caller `Closed`; the reason is in the log.
        tracing::error!(%error, "no transaction could be started");
        group.clear();
        return;
    }
    let answers: Vec<Answer> = group.drain(..).map(|work| work(connection)).collect();
    let committed = connection.execute_batch("COMMIT");
    if let Err(error) = &committed {
        tracing::error!(%error, "a commit failed");
        // After a failed commit the transaction may still be open; ending it twice does no harm.
        let _ = connection.execute_batch("ROLLBACK");
    }
    for answer in answers {
        answer(match &committed {
            Ok(()) => Ok(()),
            Err(rusqlite::Error::SqliteFailure(code, text)) => {
                Err(rusqlite::Error::SqliteFailure(*code, text.clone()).into())
            }
            Err(_) => Err(DatabaseError::Closed),
        });
    }
}

fn in_savepoint<T, E, F>(connection: &Connection, work: F) -> Result<T, E>
where
    F: FnOnce(&Connection) -> Result<T, E>,
    E: From<DatabaseError>,
{
    let run = |sql| connection.execute_batch(sql).map_err(|error| E::from(error.into()));
    run("SAVEPOINT work")?;
    match work(connection) {
        Ok(value) => {
            run("RELEASE work")?;
            Ok(value)
        }
        Err(error) => {
            run("ROLLBACK TO work; RELEASE work")?;
            Err(error)
        }
    }
}

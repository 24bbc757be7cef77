//! SQLite opened the one way that loses nothing, for the engine's queue and for the server's tables.
//!
//! Owns: the connection settings, the one writer thread that also does every checkpoint, group
//! commit, the readers. Must not know: any table, any policy.
//!
//! One writing connection is a matter of safety, not only of order: every SQLite before 3.51.3 can
//! lose committed transactions when two connections write and checkpoint at the same time
//! (<https://sqlite.org/wal.html>, the WAL-reset bug), so [`Database::open`] also refuses older ones.

mod commit_times;
mod open;
mod readers;
mod salvage;
mod snapshot;
mod writer;

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
pub use rusqlite_migration::{M, Migrations};

pub use crate::commit_times::CommitTimes;
use crate::readers::Readers;
pub use crate::salvage::{Salvaged, Wreck};
pub use crate::snapshot::snapshot;
use crate::writer::Writer;

/// What can go wrong between a caller and its database.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The SQLite that was linked has the WAL-reset bug.
    #[error("SQLite {found} can lose committed data; 3.51.3 or newer is needed")]
    SqliteTooOld {
        /// Its version, as it names itself.
        found: &'static str,
    },
    /// An older program has written this file. It was not touched.
    #[error("the database is of an older version; start the server once, it brings it up to date")]
    OlderSchema,
    /// A newer program has written this file. It was not touched.
    #[error("the database was written by a newer version of this program")]
    NewerSchema,
    /// `PRAGMA quick_check` found damage. The file was not touched.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// The file system refused.
    #[error("the database folder cannot be used")]
    Folder(#[source] std::io::Error),
    /// A migration failed; the file is as it was before.
    #[error("the database could not be brought to this version")]
    Migration(#[source] rusqlite_migration::Error),
    /// A statement failed.
    #[error("the database refused a statement")]
    Sqlite(#[from] rusqlite::Error),
    /// A guarded update met another state than the one it was made for.
    #[error("the row changed meanwhile")]
    Stale,
    /// The writer thread is gone: the process is shutting down.
    #[error("the database is closed")]
    Closed,
}

/// Between two looks whether a database is still in use.
const CLOSING_LOOK: std::time::Duration = std::time::Duration::from_millis(10);

/// A handle on one database file. Cloning is cheap; the writer ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Database {
    writer: Arc<Writer>,
    readers: Arc<Readers>,
}

impl DatabaseError {
    /// Whether there was no room to write. What was to be written is not there; what was there is.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Sqlite(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            Self::Folder(error) => error.kind() == std::io::ErrorKind::StorageFull,
            _ => false,
        }
    }

    /// Whether the file is damaged: some of it may still be readable by a [`Wreck`]. A value that is
    /// none of its column's is damage, too: nothing but this program writes there.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        use rusqlite::Error as Sqlite;
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        use rusqlite_migration::Error as Migration;
        let of = |error: &Sqlite| match error {
            Sqlite::FromSqlConversionFailure(..)
            | Sqlite::IntegralValueOutOfRange(..)
            | Sqlite::InvalidColumnType(..)
            | Sqlite::Utf8Error(..) => true,
            other => {
                matches!(other.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
            }
        };
        match self {
            Self::Damaged(_) => true,
            Self::Sqlite(error) => of(error),
            Self::Migration(Migration::RusqliteError { err, .. }) => of(err),
            _ => false,
        }
    }
}

impl Database {
    /// Opens or creates the file, checks it, and applies what is missing of `migrations`.
    ///
    /// # Errors
    /// [`DatabaseError::NewerSchema`] and [`DatabaseError::Damaged`] leave the file untouched.
    pub fn open(path: &Path, migrations: &Migrations<'_>) -> Result<Self, DatabaseError> {
        open::writer(path, migrations, open::Check::Whole).map(|writer| Self::of(writer, path))
    }

    /// The same without the check, which takes long on a large file: [`Self::check`] it while it is
    /// in use.
    ///
    /// # Errors
    /// As [`Self::open`]; damage is only found where it is met.
    pub fn open_unchecked(path: &Path, migrations: &Migrations<'_>) -> Result<Self, DatabaseError> {
        open::writer(path, migrations, open::Check::None).map(|writer| Self::of(writer, path))
    }

    /// Checks the whole file for damage while others work with it. What is too big for the cache is
    /// read from the disk.
    ///
    /// # Errors
    /// [`DatabaseError::Damaged`].
    pub async fn check(&self) -> Result<(), DatabaseError> {
        self.read(open::check).await
    }

    fn of(writer: Connection, path: &Path) -> Self {
        Self {
            writer: Arc::new(Writer::start(writer)),
            readers: Arc::new(Readers::new(path.to_owned())),
        }
    }

    /// Opens a file that another process may be working with, which is of just this version. Makes
    /// nothing, migrates nothing, and leaves the check for damage to whoever owns the file.
    ///
    /// # Errors
    /// Where there is no such file, or one of another version or kind. It is left untouched.
    pub fn open_existing(path: &Path, migrations: &Migrations<'_>) -> Result<Self, DatabaseError> {
        open::beside(path, migrations).map(|writer| Self::of(writer, path))
    }

    /// Runs `work` in a transaction of its own and returns once that is on disk.
    ///
    /// Works that wait together are committed together; one that fails is rolled back alone.
    ///
    /// # Errors
    /// What `work` returned, or [`DatabaseError`] of the commit.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        self.writer.run(work).await
    }

    /// Waits until no clone is left and everything is on disk, for `patience` at the most.
    pub async fn close(self, patience: std::time::Duration) {
        let alone = async {
            while Arc::strong_count(&self.writer) > 1 {
                tokio::time::sleep(CLOSING_LOOK).await;
            }
        };
        if tokio::time::timeout(patience, alone).await.is_err() {
            tracing::warn!("somebody still works with a database that is closed");
        }
        // The last one waits for the writer's thread.
        if tokio::task::spawn_blocking(move || drop(self)).await.is_err() {
            tracing::error!("a database could not be closed in order");
        }
    }

    /// How long commits have taken since the database was opened.
    #[must_use]
    pub fn commit_times(&self) -> CommitTimes {
        self.writer.times()
    }

    /// Runs `work` on a connection that cannot write.
    ///
    /// # Errors
    /// What `work` returned, or [`DatabaseError`] where no reader could be opened.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DatabaseError> + Send + 'static,
    {
        let readers = Arc::clone(&self.readers);
        let place = readers.place().await?;
        tokio::task::spawn_blocking(move || readers.run(place, work))
            .await
            .unwrap_or_else(|_| Err(DatabaseError::Closed.into()))
    }
}

/// Asserts that a guarded `UPDATE` or `DELETE` changed the one row it was made for.
///
/// # Errors
/// [`DatabaseError::Stale`] for any other count.
pub fn exactly_one(changed: usize) -> Result<(), DatabaseError> {
    if changed == 1 { Ok(()) } else { Err(DatabaseError::Stale) }
}

#[cfg(test)]
mod tests;

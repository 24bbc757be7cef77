//! Opening the queue's file and looking after it: whether it is damaged, and backups of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dailies_database::{Database, DatabaseError};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Notify;

use crate::store::{Rebuilt, Reserve, SCHEMAS, Store, backup, migrations, rebuild};
use crate::transfer::Timestamp;

/// A file up to this size is checked before it is used: that takes a tenth of a second.
const CHECKED_AT_ONCE: u64 = 32 << 20;
/// How long whoever still works with a queue that is closed is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

impl Store {
    /// Opens or creates the queue's file. One that is damaged is put aside, kept, and made anew. A
    /// large one is checked only by [`Self::check`], while it is in use. Blocks.
    ///
    /// # Errors
    /// As [`Database::open`]; [`DatabaseError::NewerSchema`] leaves everything as it is.
    pub fn open_or_rebuild(
        path: &Path,
        now: Timestamp,
    ) -> Result<(Self, Option<Rebuilt>), DatabaseError> {
        let size = std::fs::metadata(path).map_or(0, |file| file.len());
        let opened = back_up_before_moving_on(path, now).and_then(|()| {
            if size > CHECKED_AT_ONCE {
                Database::open_unchecked(path, &migrations())
            } else {
                Database::open(path, &migrations())
            }
        });
        match opened {
            Ok(database) => Ok((Self::of(database, path), None)),
            Err(error) if error.is_damage() => {
                tracing::error!(%error, "the queue is damaged; it is made anew");
                Self::rebuild(path, now).map(|(store, rebuilt)| (store, Some(rebuilt)))
            }
            Err(error) => Err(error),
        }
    }

    /// Makes a damaged queue anew, which nobody works with any more, and opens it. Blocks.
    ///
    /// # Errors
    /// Where nothing can be written.
    pub fn rebuild(path: &Path, now: Timestamp) -> Result<(Self, Rebuilt), DatabaseError> {
        let rebuilt = rebuild::rebuild(path, now)?;
        tracing::warn!(
            kept = %rebuilt.kept.display(),
            uploads = rebuilt.uploads,
            from_backup = rebuilt.from_backup,
            some_lost = rebuilt.some_lost,
            "the damaged queue was made anew"
        );
        Ok((Self::open(path)?, rebuilt))
    }

    /// Opens or creates the queue's file, and checks all of it. Blocks.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        Ok(Self::of(Database::open(path, &migrations())?, path))
    }

    fn of(database: Database, path: &Path) -> Self {
        let (damage, reserve) = (Arc::new(Notify::new()), Reserve::of(path));
        Self { database, path: path.into(), damage, reserve }
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks the whole file; damage is told to whoever waits in [`Self::damaged`].
    pub async fn check(&self) {
        match self.database.check().await {
            Ok(()) => {}
            Err(error) if error.is_damage() => self.note(&error),
            Err(error) => tracing::warn!(%error, "the queue could not be checked"),
        }
    }

    /// Waits until damage is met, by a check or by any other call.
    pub async fn damaged(&self) {
        self.damage.notified().await;
    }

    /// Keeps room on the disk for what is under way, or tries to once more after it was given up;
    /// whether it is kept.
    pub async fn keep_room(&self) -> bool {
        let reserve = self.reserve.clone();
        match tokio::task::spawn_blocking(move || reserve.keep()).await {
            Ok(Ok(kept)) => kept,
            Ok(Err(error)) => {
                tracing::debug!(%error, "no room is kept for the queue");
                false
            }
            Err(_) => false,
        }
    }

    /// Waits until the room that was kept is given up.
    pub async fn room_given_up(&self) {
        self.reserve.given_up().await;
    }

    /// Refuses what is new while the disk has room only for what is under way.
    pub(super) fn has_room(&self) -> Result<(), DatabaseError> {
        match self.reserve.is_spent() {
            true => Err(DatabaseError::Folder(std::io::ErrorKind::StorageFull.into())),
            false => Ok(()),
        }
    }

    /// Copies the queue if it has changed since its last copy, which is at least `age` old. Not to a
    /// full disk, where what is under way needs the room.
    ///
    /// # Errors
    /// Of the disk.
    pub async fn back_up(&self, now: Timestamp, age: Duration) -> Result<(), DatabaseError> {
        self.has_room()?;
        let path = Arc::clone(&self.path);
        let copy = move || match backup::is_due(&path, now, age) {
            true => backup::take(&path, now),
            false => Ok(()),
        };
        let copied = tokio::task::spawn_blocking(copy).await;
        let copied = copied.unwrap_or(Err(DatabaseError::Closed));
        if let Err(error) = &copied {
            self.note(error);
        }
        copied
    }

    /// Whether a copy of it takes no time worth telling.
    #[must_use]
    pub fn is_small(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|file| file.len() <= CHECKED_AT_ONCE)
    }

    /// Waits until nobody works with it any more, a few seconds at the most.
    pub async fn close(self) {
        self.database.close(PATIENCE).await;
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.database.read(work).await.inspect_err(|error| self.note(error))
    }

    /// Runs `work` in a transaction; once more where there was no room for it and some is made.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, DatabaseError> + Send + Sync + 'static,
    ) -> Result<T, DatabaseError> {
        let work = Arc::new(work);
        let once = || {
            let work = Arc::clone(&work);
            self.database.write(move |connection| work(connection))
        };
        let mut written = once().await;
        if written.as_ref().is_err_and(DatabaseError::is_full) && self.make_room().await {
            written = once().await;
        }
        written.inspect_err(|error| self.note(error))
    }

    async fn make_room(&self) -> bool {
        let reserve = self.reserve.clone();
        tokio::task::spawn_blocking(move || reserve.give_up()).await.unwrap_or(false)
    }

    fn note(&self, error: &DatabaseError) {
        if error.is_damage() {
            tracing::error!(%error, "the queue's file is damaged");
            self.damage.notify_one();
        }
    }
}

/// A queue that an older program wrote is copied before it is moved to this version.
fn back_up_before_moving_on(path: &Path, now: Timestamp) -> Result<(), DatabaseError> {
    if !path.exists() {
        return Ok(());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    drop(connection);
    match usize::try_from(version) {
        Ok(version) if (1..SCHEMAS.len()).contains(&version) => backup::take(path, now),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "care_tests.rs"]
mod tests;

//! A queue whose file is damaged: the file is put aside and kept, and the queue is made anew out of
//! what can be read of it and, where that is not all, of the newest backup.

use std::path::{Path, PathBuf};

use dailies_database::{Database, DatabaseError, Wreck};
use rusqlite::Connection;

use crate::store::{
    SCHEMAS, backup, downloads, folder_files, folders, history, migrations, parts, receipts,
    uploads,
};
use crate::transfer::Timestamp;

/// What was made of a damaged queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Where the damaged file is kept.
    pub kept: PathBuf,
    /// Uploads in the queue now.
    pub uploads: u64,
    /// Those of them that only a backup still had, as they were then.
    pub from_backup: u64,
    /// Something could be read neither there nor there, or was read but makes no sense.
    pub some_lost: bool,
}

/// Makes a queue anew. Until it is whole nothing takes the damaged file's place, so that this may
/// be ended at any time and begun again. Nobody has the file open. Blocks.
///
/// # Errors
/// Where nothing can be written.
pub(super) fn rebuild(path: &Path, now: Timestamp) -> Result<Rebuilt, DatabaseError> {
    let kept = keep_aside(path, now).map_err(DatabaseError::Folder)?;
    let new = path.with_extension("rebuilt");
    remove_with_journal(&new).map_err(DatabaseError::Folder)?;
    let rebuilt = fill(&kept, path, &new)?;
    // Beside another file than its own, a journal would be played into that.
    for journal in journals(path) {
        remove(&journal).map_err(DatabaseError::Folder)?;
    }
    std::fs::rename(&new, path).map_err(DatabaseError::Folder)?;
    backup::sync_folder(path).map_err(DatabaseError::Folder)?;
    Ok(Rebuilt { kept, ..rebuilt })
}

fn fill(kept: &Path, path: &Path, new: &Path) -> Result<Rebuilt, DatabaseError> {
    let mut connection = Connection::open(new)?;
    let known = migrations();
    let count = |connection: &Connection| -> Result<u64, DatabaseError> {
        let count: i64 =
            connection.query_row("SELECT count(*) FROM uploads", [], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    };
    let wreck = Wreck::open(kept).and_then(|wreck| Ok((wreck.version()?, wreck)));
    let mut some_lost = true;
    if let Ok((version, wreck)) = wreck
        && (1..=SCHEMAS.len()).contains(&version)
    {
        known.to_version(&mut connection, version).map_err(DatabaseError::Migration)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let work = connection.unchecked_transaction()?;
        some_lost = wreck.copy(&work)?.some_lost;
        work.commit()?;
    }
    known.to_latest(&mut connection).map_err(DatabaseError::Migration)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    some_lost |= sift(&connection)?;
    let read = count(&connection)?;
    if some_lost && let Some(backup) = backup::newest(path) {
        // Its copy may be changed, to be of this version.
        let copy = new.with_extension("backup");
        remove_with_journal(&copy).map_err(DatabaseError::Folder)?;
        std::fs::copy(&backup, &copy).map_err(DatabaseError::Folder)?;
        let taken = Database::open(&copy, &known).map(drop).and_then(|()| Wreck::open(&copy));
        if let Ok(taken) = taken {
            let work = connection.unchecked_transaction()?;
            taken.copy(&work)?;
            work.commit()?;
            sift(&connection)?;
        }
        remove_with_journal(&copy).map_err(DatabaseError::Folder)?;
    }
    let uploads = count(&connection)?;
    connection.close().map_err(|(_, error)| error)?;
    std::fs::File::open(new).and_then(|file| file.sync_all()).map_err(DatabaseError::Folder)?;
    let from_backup = uploads.saturating_sub(read);
    Ok(Rebuilt { kept: PathBuf::new(), uploads, from_backup, some_lost })
}

/// Removes rows that were read but make no sense; whether there were any.
fn sift(connection: &Connection) -> Result<bool, DatabaseError> {
    let work = connection.unchecked_transaction()?;
    let removed = uploads::sift(&work)?
        + parts::sift(&work)?
        + history::sift(&work)?
        + receipts::sift(&work)?
        + folders::sift(&work)?
        + folder_files::sift(&work)?
        + downloads::sift(&work)?;
    work.commit()?;
    Ok(removed > 0)
}

/// Gives the damaged file and its journal second names, in a folder for what is damaged.
fn keep_aside(path: &Path, now: Timestamp) -> std::io::Result<PathBuf> {
    let folder = path.with_file_name("damaged").join(now.0.to_string());
    std::fs::create_dir_all(&folder)?;
    let name = path.file_name().unwrap_or_default();
    let kept = folder.join(name);
    let [journal, _] = journals(path);
    let [kept_journal, _] = journals(&kept);
    for (from, to) in [(path, &kept), (&*journal, &kept_journal)] {
        remove(to)?;
        // Not every file system knows second names.
        let linked = std::fs::hard_link(from, to).or_else(|_| std::fs::copy(from, to).map(drop));
        match linked {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(kept)
}

/// What SQLite has beside a file: <https://sqlite.org/walformat.html>.
fn journals(path: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|end| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        name.into()
    })
}

fn remove_with_journal(path: &Path) -> std::io::Result<()> {
    journals(path).iter().try_for_each(|journal| remove(journal))?;
    remove(path)
}

/// Removes a file that there need not be.
fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

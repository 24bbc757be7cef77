//! `team.db` as a backup has it: a file that no server is using.

use std::path::Path;

use dailies_database::DatabaseError;
use rusqlite::{Connection, OpenFlags};

use super::videos::{Original, transitions};

/// Writes what the database of a server, which may be running, holds to the new file `to`.
pub(crate) fn take(from: &Path, to: &Path) -> Result<(), DatabaseError> {
    dailies_database::snapshot(from, to)
}

/// Keys of the originals that videos cannot be without.
pub(crate) fn originals(snapshot: &Path) -> Result<Vec<String>, DatabaseError> {
    let connection = Connection::open_with_flags(snapshot, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = connection
        .prepare("SELECT original FROM videos WHERE status IN ('processing', 'ready')")?;
    let mut keys = Vec::new();
    for original in statement.query_map([], |row| row.get(0))? {
        match original? {
            Original::Stored(key) => keys.push(key),
            // With the media engine alone; it comes into a backup with that, or not at all.
            Original::Direct(_) => {}
        }
    }
    Ok(keys)
}

/// Has every video made playable again, because its renditions are not there.
pub(crate) fn make_media_again(snapshot: &Path) -> Result<(), DatabaseError> {
    let connection = Connection::open_with_flags(snapshot, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    transitions::make_media_again(&connection)?;
    Ok(())
}

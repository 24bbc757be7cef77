//! A copy of a database that others go on writing to.

use std::path::Path;

use crate::{DatabaseError, open};

/// Writes what `from` holds at one moment to the new file `to`, and to disk.
///
/// `from` may be in use by any process; nothing is written to it, also no checkpoint. The copy has
/// no journal beside it.
///
/// # Errors
/// [`DatabaseError`] if `from` cannot be read, or `to` is there already or cannot be written.
pub fn snapshot(from: &Path, to: &Path) -> Result<(), DatabaseError> {
    let name = to.to_str().ok_or_else(|| {
        DatabaseError::Folder(std::io::Error::other("the name of the copy is no UTF-8"))
    })?;
    open::reader(from)?.execute("VACUUM INTO ?1", [name])?;
    // SQLite leaves it to the system when these bytes reach the disk.
    let written = std::fs::File::options().write(true).open(to);
    written.and_then(|file| file.sync_all()).map_err(DatabaseError::Folder)
}

//! Uploads of files that are still being written: their size is said once it is known.

use dailies_database::DatabaseError;
use rusqlite::{Connection, params};

use super::stored;

/// Says something only of an open multipart upload. `file_size` is what is promised to the file so
/// far, so that its parts count against the team's quota before they are there.
pub(crate) const ADD: &str = "
    ALTER TABLE videos ADD COLUMN grows INTEGER NOT NULL DEFAULT 0 CHECK (grows IN (0, 1))";

/// Promises an upload room for so many bytes, if it has less. Nothing where it does not grow any
/// more: then it has room for all of its file.
pub(crate) fn promise(
    connection: &Connection,
    id: &str,
    upload_id: &str,
    size: u64,
) -> Result<(), DatabaseError> {
    connection.execute(
        "UPDATE videos SET file_size = ?3
         WHERE id = ?1 AND multipart_upload_id = ?2 AND grows AND file_size < ?3",
        params![id, upload_id, stored(size)],
    )?;
    Ok(())
}

/// Gives an upload that grew its size and the number of its parts. Nothing where it has them.
pub(crate) fn set_size(
    connection: &Connection,
    id: &str,
    upload_id: &str,
    size: u64,
    part_count: u32,
) -> Result<(), DatabaseError> {
    connection.execute(
        "UPDATE videos SET file_size = ?3, part_count = ?4, grows = 0
         WHERE id = ?1 AND multipart_upload_id = ?2 AND grows",
        params![id, upload_id, stored(size), part_count],
    )?;
    Ok(())
}

//! How values that are no SQL values of their own stand in columns.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use dailies_database::DatabaseError;
use rusqlite::types::Type;
use rusqlite::{Connection, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A unit variant's serde name.
pub(super) fn name<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Ok(name),
        Ok(_) => Err(unreadable(0, "no plain name")),
        Err(error) => Err(unreadable(0, error)),
    }
}

/// The unit variant of a serde name.
pub(super) fn named<T: DeserializeOwned>(column: usize, name: String) -> rusqlite::Result<T> {
    serde_json::from_value(serde_json::Value::String(name)).map_err(|e| unreadable(column, e))
}

/// A value as JSON.
pub(super) fn json<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| unreadable(0, error))
}

/// A value from JSON.
pub(super) fn from_json<T: DeserializeOwned>(column: usize, text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| unreadable(column, error))
}

/// A column that holds none of its type's values.
pub(super) fn unreadable(
    column: usize,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
}

/// Removes rows that a table takes but that cannot be read, or whose first column is not the name
/// that was read: what is asked for by its name must have just that name. How many there were.
pub(super) fn sift_named<Id: ToString>(
    connection: &Connection,
    table: &str,
    columns: &str,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<Id>,
) -> Result<usize, DatabaseError> {
    let mut statement =
        connection.prepare(&format!("SELECT {columns}, rowid AS stands_at FROM {table}"))?;
    let mut rows = statement.query([])?;
    let mut senseless = Vec::new();
    while let Some(row) = rows.next()? {
        let named = |id: Id| row.get_ref(0).is_ok_and(|text| text.as_str() == Ok(&id.to_string()));
        if !read(row).is_ok_and(named) {
            senseless.push(row.get::<_, i64>("stands_at")?);
        }
    }
    let mut remove = connection.prepare(&format!("DELETE FROM {table} WHERE rowid = ?1"))?;
    for rowid in &senseless {
        remove.execute([rowid])?;
    }
    Ok(senseless.len())
}

/// A path, which need not be Unicode, byte for byte.
#[cfg(unix)]
pub(super) fn path_bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(unix)]
pub(super) fn bytes_path(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(bytes).into()
}

#[cfg(windows)]
pub(super) fn path_bytes(path: &Path) -> Vec<u8> {
    use std::os::windows::ffi::OsStrExt;
    path.as_os_str().encode_wide().flat_map(u16::to_le_bytes).collect()
}

#[cfg(windows)]
pub(super) fn bytes_path(bytes: Vec<u8>) -> PathBuf {
    use std::os::windows::ffi::OsStringExt;
    let wide: Vec<u16> =
        bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    OsString::from_wide(&wide).into()
}

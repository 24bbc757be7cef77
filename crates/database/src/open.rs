//! Opening: the settings, the checks, the migrations.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{Error as MigrationError, MigrationDefinitionError, Migrations};

use crate::DatabaseError;

/// The first SQLite without the WAL-reset bug.
const OLDEST_SAFE_SQLITE: i32 = 3_051_003;

/// How long a reader waits for a checkpoint to let it in.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Statements that stay planned: about as many as a program has. SQLite's wrapper would keep 16 of them.
const PLANS: usize = 64;

/// How much of a file is checked for damage before it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Whole,
    None,
}

/// The writing connection of `path`, checked and migrated.
pub(crate) fn writer(
    path: &Path,
    migrations: &Migrations<'_>,
    check: Check,
) -> Result<Connection, DatabaseError> {
    if rusqlite::version_number() < OLDEST_SAFE_SQLITE {
        return Err(DatabaseError::SqliteTooOld { found: rusqlite::version() });
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(DatabaseError::Folder)?;
    }
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    if check == Check::Whole {
        self::check(&connection)?;
    }
    settings(&connection)?;
    migrations.to_latest(&mut connection).map_err(|error| match error {
        MigrationError::MigrationDefinition(MigrationDefinitionError::DatabaseTooFarAhead) => {
            DatabaseError::NewerSchema
        }
        other => DatabaseError::Migration(other),
    })?;
    keep_copies_in_memory(&connection)?;
    Ok(connection)
}

/// A writing connection beside another process's. Two of them are safe since SQLite 3.51.3.
pub(crate) fn beside(
    path: &Path,
    migrations: &Migrations<'_>,
) -> Result<Connection, DatabaseError> {
    if rusqlite::version_number() < OLDEST_SAFE_SQLITE {
        return Err(DatabaseError::SqliteTooOld { found: rusqlite::version() });
    }
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    match migrations.pending_migrations(&connection) {
        Ok(0) => {}
        Ok(1..) => return Err(DatabaseError::OlderSchema),
        Ok(_) => return Err(DatabaseError::NewerSchema),
        Err(error) => return Err(DatabaseError::Damaged(error.to_string())),
    }
    settings(&connection)?;
    keep_copies_in_memory(&connection)?;
    Ok(connection)
}

/// A connection of `path` that cannot write.
pub(crate) fn reader(path: &Path) -> Result<Connection, DatabaseError> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    keep_plans(&connection)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    Ok(connection)
}

pub(crate) fn check(connection: &Connection) -> Result<(), DatabaseError> {
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .or_else(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
                Ok(error.to_string())
            }
            _ => Err(error),
        })?;
    if verdict == "ok" { Ok(()) } else { Err(DatabaseError::Damaged(verdict)) }
}

/// Lets no statement be planned anew because many others were, or because another value stands for a
/// parameter: SQLite does that for every LIMIT.
/// <https://sqlite.org/c3ref/c_dbconfig_defensive.html#sqlitedbconfigenableqpsg>
fn keep_plans(connection: &Connection) -> Result<(), DatabaseError> {
    connection.set_prepared_statement_cache_capacity(PLANS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Pages as they were before a savepoint stay in memory: beyond 64 KiB of them, each group of commits would else write
/// a file of its own. Not for migrations, which sort whole tables.
fn keep_copies_in_memory(connection: &Connection) -> Result<(), DatabaseError> {
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

fn settings(connection: &Connection) -> Result<(), DatabaseError> {
    keep_plans(connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // A commit that was acknowledged survives a power cut; on macOS only with the full fsync.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // A mapped file turns an I/O error into a signal that ends the process.
    connection.pragma_update(None, "mmap_size", 0)?;
    Ok(())
}

//! Table `jobs`: the work that each asset still needs.
//!
//! `pending → running → syncing → done`. The asset is ready from `syncing` on: its files are whole,
//! but a power cut could still take them, so the input is kept until they are known to be on disk.

use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, OptionalExtension};

pub(super) const SCHEMA: &str = "
CREATE TABLE jobs (
    asset TEXT PRIMARY KEY REFERENCES assets (id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'syncing', 'done')),
    input TEXT,
    starts INTEGER NOT NULL DEFAULT 0 CHECK (starts >= 0),
    CHECK ((state = 'done') = (input IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_not_done ON jobs (state, asset) WHERE state <> 'done';
";

/// A job that was just taken. Its input is presigned: no `Debug`.
#[derive(Clone)]
pub(in crate::media) struct Job {
    /// Whose.
    pub(in crate::media) asset: String,
    /// Address of the original.
    pub(in crate::media) input: String,
    /// How often it was started, this time included.
    pub(in crate::media) starts: u32,
}

/// Adds a job to do.
pub(in crate::media) fn insert(
    connection: &Connection,
    asset: &str,
    input: &str,
) -> Result<(), DatabaseError> {
    connection.execute(
        "INSERT INTO jobs (asset, state, input) VALUES (?1, 'pending', ?2)",
        [asset, input],
    )?;
    Ok(())
}

/// Takes the oldest pending job, which is running from then on.
pub(in crate::media) fn take(connection: &Connection) -> Result<Option<Job>, DatabaseError> {
    let sql = "UPDATE jobs SET state = 'running', starts = starts + 1
               WHERE state = 'pending'
                 AND asset = (SELECT min(asset) FROM jobs WHERE state = 'pending')
               RETURNING asset, input, starts";
    Ok(connection
        .query_row(sql, [], |row| {
            Ok(Job { asset: row.get(0)?, input: row.get(1)?, starts: row.get(2)? })
        })
        .optional()?)
}

/// The result is there, but not yet known to be on disk.
pub(in crate::media) fn syncing(connection: &Connection, asset: &str) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE jobs SET state = 'syncing' WHERE asset = ?1 AND state = 'running'",
        [asset],
    )?)
}

/// Nothing is left to do; the input is forgotten.
pub(in crate::media) fn done(connection: &Connection, asset: &str) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE jobs SET state = 'done', input = NULL
         WHERE asset = ?1 AND state IN ('running', 'syncing')",
        [asset],
    )?)
}

/// The files of a ready asset did not survive: they are made again.
pub(in crate::media) fn again(connection: &Connection, asset: &str) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE jobs SET state = 'pending' WHERE asset = ?1 AND state = 'syncing'",
        [asset],
    )?)
}

/// At start: what was running when the process ended is to be done again.
pub(in crate::media) fn resume(connection: &Connection) -> Result<usize, DatabaseError> {
    Ok(connection.execute("UPDATE jobs SET state = 'pending' WHERE state = 'running'", [])?)
}

/// Assets whose files are not known to be on disk.
pub(in crate::media) fn unsynced(connection: &Connection) -> Result<Vec<String>, DatabaseError> {
    let mut statement = connection.prepare("SELECT asset FROM jobs WHERE state = 'syncing'")?;
    let assets = statement.query_map([], |row| row.get(0))?;
    Ok(assets.collect::<Result<_, _>>()?)
}

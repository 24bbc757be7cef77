//! How much work waits, across tables.

use dailies_database::DatabaseError;
use rusqlite::Connection;

/// Work that is not done.
#[derive(Clone, Debug)]
pub(crate) struct Backlog {
    /// By state.
    pub(crate) jobs: Vec<(String, i64)>,
    /// Events that the receiver has not confirmed.
    pub(crate) deliveries: i64,
}

/// Counts it. Jobs that are done are left out: they are all there ever were.
pub(in crate::media) fn count(connection: &Connection) -> Result<Backlog, DatabaseError> {
    let mut jobs = connection
        .prepare_cached("SELECT state, count(*) FROM jobs WHERE state <> 'done' GROUP BY state")?;
    let jobs = jobs.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let jobs = jobs.collect::<Result<_, _>>()?;
    let deliveries =
        connection.query_row("SELECT count(*) FROM deliveries", [], |row| row.get(0))?;
    Ok(Backlog { jobs, deliveries })
}

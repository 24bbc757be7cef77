//! `sweeps`: when each background job is due next, and how far it came. What a restart needs to know
//! so that it neither skips a job nor starts all of them at once.

use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, OptionalExtension as _, params};

pub(crate) const CREATE: &str = "
    CREATE TABLE sweeps (
        name TEXT PRIMARY KEY,
        next_due INTEGER NOT NULL,
        cursor TEXT,
        last_run INTEGER,
        last_error TEXT
    ) STRICT, WITHOUT ROWID";

/// A job that is due.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) name: String,
    /// Where the run before it stopped; `None`: it begins.
    pub(crate) cursor: Option<String>,
}

/// Makes the job known; one that is known keeps its time.
pub(crate) fn plan(connection: &Connection, name: &str, due: i64) -> Result<(), DatabaseError> {
    connection.execute(
        "INSERT INTO sweeps (name, next_due) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
        params![name, due],
    )?;
    Ok(())
}

/// Takes the job that has been due longest. It is due again at `again`, should this run not end.
pub(crate) fn take(
    connection: &Connection,
    now: i64,
    again: i64,
) -> Result<Option<Due>, DatabaseError> {
    Ok(connection
        .prepare_cached(
            "UPDATE sweeps SET next_due = ?2, last_run = ?1
             WHERE name = (SELECT name FROM sweeps WHERE next_due <= ?1
                 ORDER BY next_due, name LIMIT 1)
             RETURNING name, cursor",
        )?
        .query_row([now, again], |row| Ok(Due { name: row.get(0)?, cursor: row.get(1)? }))
        .optional()?)
}

/// Notes how a run ended.
pub(crate) fn ended(
    connection: &Connection,
    name: &str,
    next_due: i64,
    cursor: Option<&str>,
    error: Option<&str>,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE sweeps SET next_due = ?2, cursor = ?3, last_error = ?4 WHERE name = ?1",
        params![name, next_due, cursor, error],
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::tests::scratch;

    #[tokio::test]
    async fn a_job_is_taken_once_and_a_known_one_keeps_its_time() {
        let (_folder, database) = scratch();
        database
            .write::<_, DatabaseError, _>(|connection| {
                plan(connection, "a", 100)?;
                plan(connection, "b", 50)?;
                plan(connection, "a", 0)?;
                assert!(take(connection, 49, 1000)?.is_none());
                let names = [take(connection, 100, 1000)?, take(connection, 100, 1000)?];
                let names = names.map(|due| due.map(|due| due.name));
                assert_eq!(names, [Some("b".into()), Some("a".into())], "the longest due first");
                assert!(take(connection, 999, 2000)?.is_none(), "each once");
                ended(connection, "a", 300, Some("k"), None)?;
                let due = take(connection, 300, 1000)?.expect("due again");
                assert_eq!((due.name.as_str(), due.cursor.as_deref()), ("a", Some("k")));
                Ok(())
            })
            .await
            .expect("plain statements");
    }
}

//! The table of team servers that were connected.

use dailies_database::DatabaseError;
use rusqlite::{Connection, OptionalExtension as _};

/// What is remembered of a team server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// What it said of itself when it answered last, as JSON.
    pub known: Option<String>,
    /// The project that new files go to, where somebody chose one.
    pub project_id: Option<String>,
}

pub(super) fn get(connection: &Connection, server: &str) -> Result<Remembered, DatabaseError> {
    let remembered = connection
        .query_row("SELECT known, project_id FROM connections WHERE server = ?1", [server], |row| {
            Ok(Remembered { known: row.get(0)?, project_id: row.get(1)? })
        })
        .optional()?;
    Ok(remembered.unwrap_or_default())
}

pub(super) fn know(
    connection: &Connection,
    server: &str,
    known: &str,
) -> Result<(), DatabaseError> {
    keep(connection, "known", server, known)
}

pub(super) fn choose(
    connection: &Connection,
    server: &str,
    project_id: &str,
) -> Result<(), DatabaseError> {
    keep(connection, "project_id", server, project_id)
}

fn keep(
    connection: &Connection,
    column: &'static str,
    server: &str,
    value: &str,
) -> Result<(), DatabaseError> {
    connection.execute(
        &format!(
            "INSERT INTO connections (server, {column}) VALUES (?1, ?2)
             ON CONFLICT (server) DO UPDATE SET {column} = excluded.{column}"
        ),
        (server, value),
    )?;
    Ok(())
}

/// Servers to which uploads go that have not ended. Reads one row for each.
pub(super) fn needed(connection: &Connection) -> Result<Vec<String>, DatabaseError> {
    let mut next = connection.prepare_cached(
        "SELECT min(server) FROM uploads INDEXED BY uploads_by_server
         WHERE list <> 'done' AND server > ?1",
    )?;
    let (mut servers, mut last) = (Vec::new(), String::new());
    while let Some(server) = next.query_row([&last], |row| row.get::<_, Option<String>>(0))? {
        last.clone_from(&server);
        servers.push(server);
    }
    Ok(servers)
}

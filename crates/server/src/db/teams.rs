//! `teams`: who owns projects and videos.

use dailies_database::DatabaseError;
use rusqlite::{Connection, params};

pub(crate) const CREATE: &str = "
    CREATE TABLE teams (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL CHECK (name <> ''),
        slug TEXT NOT NULL UNIQUE CHECK (slug <> ''),
        created_at INTEGER NOT NULL
    ) STRICT";

/// A team to be.
pub(crate) struct NewTeam<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    /// Names the team in addresses; unique.
    pub(crate) slug: &'a str,
}

pub(crate) fn insert(
    connection: &Connection,
    team: &NewTeam<'_>,
    now: i64,
) -> Result<(), DatabaseError> {
    connection.execute(
        "INSERT INTO teams (id, name, slug, created_at) VALUES (?1, ?2, ?3, ?4)",
        params![team.id, team.name, team.slug, now],
    )?;
    Ok(())
}

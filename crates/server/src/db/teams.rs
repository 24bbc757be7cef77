//! `teams`: who owns projects and videos.

use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, OptionalExtension as _, params};

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

/// A team's row.
#[derive(Clone, Debug)]
pub(crate) struct TeamRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) slug: String,
    /// Milliseconds since 1970.
    pub(crate) created_at: i64,
}

pub(crate) fn get(connection: &Connection, id: &str) -> Result<Option<TeamRow>, DatabaseError> {
    one(connection, "SELECT * FROM teams WHERE id = ?1", id)
}

pub(crate) fn by_slug(
    connection: &Connection,
    slug: &str,
) -> Result<Option<TeamRow>, DatabaseError> {
    one(connection, "SELECT * FROM teams WHERE slug = ?1", slug)
}

pub(crate) fn rename(connection: &Connection, id: &str, name: &str) -> Result<(), DatabaseError> {
    exactly_one(connection.execute("UPDATE teams SET name = ?2 WHERE id = ?1", [id, name])?)
}

/// Every team, in the order in which they came.
pub(crate) fn list(connection: &Connection) -> Result<Vec<TeamRow>, DatabaseError> {
    let mut statement = connection.prepare_cached("SELECT * FROM teams ORDER BY created_at, id")?;
    let teams = statement.query_map([], team_row)?;
    Ok(teams.collect::<Result<_, _>>()?)
}

fn one(connection: &Connection, sql: &str, value: &str) -> Result<Option<TeamRow>, DatabaseError> {
    Ok(connection.prepare_cached(sql)?.query_row([value], team_row).optional()?)
}

fn team_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<TeamRow> {
    Ok(TeamRow {
        id: row.get("id")?,
        name: row.get("name")?,
        slug: row.get("slug")?,
        created_at: row.get("created_at")?,
    })
}

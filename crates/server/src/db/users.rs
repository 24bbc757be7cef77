//! `users`: people, in any number of teams.

use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

pub(crate) const CREATE: &str = "
    CREATE TABLE users (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL CHECK (name <> ''),
        created_at INTEGER NOT NULL
    ) STRICT";

/// People whom an identity provider knows, and people who have gone. A row is never deleted: videos
/// say whose they are.
pub(crate) const KNOWN_ELSEWHERE: &str = "
    ALTER TABLE users ADD COLUMN email TEXT;
    ALTER TABLE users ADD COLUMN email_verified INTEGER NOT NULL DEFAULT 0
        CHECK (email_verified IN (0, 1));
    ALTER TABLE users ADD COLUMN removed_at INTEGER;
    CREATE INDEX users_by_email ON users (lower(email)) WHERE email IS NOT NULL";

/// Somebody, as lists show them.
#[derive(Clone, Debug)]
pub(crate) struct UserRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) created_at: i64,
}

/// An e-mail address, and whether somebody vouches that it is the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Email {
    pub(crate) address: String,
    pub(crate) verified: bool,
}

pub(crate) fn insert(
    connection: &Connection,
    id: &str,
    name: &str,
    now: i64,
) -> Result<(), DatabaseError> {
    connection.execute(
        "INSERT INTO users (id, name, created_at) VALUES (?1, ?2, ?3)",
        params![id, name, now],
    )?;
    Ok(())
}

/// What people call the user.
pub(crate) fn name(connection: &Connection, id: &str) -> Result<String, DatabaseError> {
    Ok(connection
        .prepare_cached("SELECT name FROM users WHERE id = ?1")?
        .query_row([id], |row| row.get(0))?)
}

/// A user who has not gone.
pub(crate) fn get(connection: &Connection, id: &str) -> Result<Option<UserRow>, DatabaseError> {
    Ok(connection
        .prepare_cached("SELECT * FROM users WHERE id = ?1 AND removed_at IS NULL")?
        .query_row([id], user_row)
        .optional()?)
}

/// Everybody who has not gone, in the order in which they came.
pub(crate) fn list(connection: &Connection) -> Result<Vec<UserRow>, DatabaseError> {
    let mut statement = connection
        .prepare_cached("SELECT * FROM users WHERE removed_at IS NULL ORDER BY created_at, id")?;
    let users = statement.query_map([], user_row)?;
    Ok(users.collect::<Result<_, _>>()?)
}

/// Users whose address this is for certain, in any case of its letters.
pub(crate) fn by_verified_email(
    connection: &Connection,
    address: &str,
) -> Result<Vec<String>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM users
         WHERE lower(email) = lower(?1) AND email_verified = 1 AND removed_at IS NULL",
    )?;
    let ids = statement.query_map([address], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

pub(crate) fn rename(connection: &Connection, id: &str, name: &str) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE users SET name = ?2 WHERE id = ?1 AND removed_at IS NULL",
        params![id, name],
    )?)
}

/// Keeps the user's address, unless it would take the place of one that is verified with one that
/// is not.
pub(crate) fn set_email(
    connection: &Connection,
    id: &str,
    email: &Email,
) -> Result<(), DatabaseError> {
    connection.execute(
        "UPDATE users SET email = ?2, email_verified = ?3
         WHERE id = ?1 AND removed_at IS NULL AND (?3 OR NOT email_verified)",
        params![id, email.address, email.verified],
    )?;
    Ok(())
}

/// From now on nobody is let in as this user.
pub(crate) fn remove(connection: &Connection, id: &str, now: i64) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE users SET removed_at = ?2 WHERE id = ?1 AND removed_at IS NULL",
        params![id, now],
    )?)
}

fn user_row(row: &Row<'_>) -> rusqlite::Result<UserRow> {
    Ok(UserRow {
        id: row.get("id")?,
        name: row.get("name")?,
        email: row.get("email")?,
        created_at: row.get("created_at")?,
    })
}

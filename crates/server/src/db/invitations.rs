//! `invitations`: who may become a member, by a token of which only the SHA-256 is stored.

use dailies_api::projects::Role;
use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{parsed, text};
use crate::random;

/// One for an address in a team: a second invitation takes the place of the first.
pub(crate) const CREATE: &str = "
    CREATE TABLE invitations (
        id TEXT PRIMARY KEY,
        hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
        team_id TEXT NOT NULL REFERENCES teams (id),
        email TEXT NOT NULL CHECK (email <> ''),
        role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
        inviter_id TEXT NOT NULL REFERENCES users (id),
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        UNIQUE (team_id, email)
    ) STRICT";

/// How long an invitation holds, milliseconds.
const HOLDS: i64 = 7 * 24 * 60 * 60 * 1000;

/// An invitation that was not accepted yet.
#[derive(Clone, Debug)]
pub(crate) struct InvitationRow {
    pub(crate) id: String,
    pub(crate) team_id: String,
    pub(crate) email: String,
    pub(crate) role: Role,
    pub(crate) inviter_id: String,
    pub(crate) inviter_name: String,
    /// Milliseconds since 1970.
    pub(crate) created_at: i64,
    /// The same.
    pub(crate) expires_at: i64,
}

/// An invitation to be.
pub(crate) struct NewInvitation<'a> {
    pub(crate) team_id: &'a str,
    pub(crate) email: &'a str,
    pub(crate) role: Role,
    pub(crate) inviter_id: &'a str,
}

/// Invites, in place of an earlier invitation of the same address.
pub(crate) fn insert(
    connection: &Connection,
    token: &str,
    invitation: &NewInvitation<'_>,
    now: i64,
) -> Result<(), DatabaseError> {
    connection.execute(
        "DELETE FROM invitations WHERE (team_id = ?1 AND email = ?2) OR expires_at <= ?3",
        params![invitation.team_id, invitation.email, now],
    )?;
    connection.execute(
        "INSERT INTO invitations
             (id, hash, team_id, email, role, inviter_id, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            random::id(),
            random::hash(token),
            invitation.team_id,
            invitation.email,
            text(invitation.role),
            invitation.inviter_id,
            now,
            now + HOLDS,
        ],
    )?;
    Ok(())
}

/// The invitation that a token opens, while it holds.
pub(crate) fn by_token(
    connection: &Connection,
    token: &str,
    now: i64,
) -> Result<Option<InvitationRow>, DatabaseError> {
    Ok(connection
        .prepare_cached(
            "SELECT i.*, u.name AS inviter_name FROM invitations i JOIN users u ON u.id = i.inviter_id
             WHERE i.hash = ?1 AND i.expires_at > ?2",
        )?
        .query_row(params![random::hash(token), now], invitation)
        .optional()?)
}

/// Those of a team that hold, oldest first.
pub(crate) fn of_team(
    connection: &Connection,
    team_id: &str,
    now: i64,
) -> Result<Vec<InvitationRow>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT i.*, u.name AS inviter_name FROM invitations i JOIN users u ON u.id = i.inviter_id
         WHERE i.team_id = ?1 AND i.expires_at > ?2 ORDER BY i.created_at, i.id",
    )?;
    let rows = statement.query_map(params![team_id, now], invitation)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Takes an invitation away, by whoever accepted or revoked it.
pub(crate) fn delete(connection: &Connection, id: &str) -> Result<(), DatabaseError> {
    exactly_one(connection.execute("DELETE FROM invitations WHERE id = ?1", [id])?)
}

fn invitation(row: &Row<'_>) -> rusqlite::Result<InvitationRow> {
    Ok(InvitationRow {
        id: row.get("id")?,
        team_id: row.get("team_id")?,
        email: row.get("email")?,
        role: parsed(row, "role")?,
        inviter_id: row.get("inviter_id")?,
        inviter_name: row.get("inviter_name")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
    })
}

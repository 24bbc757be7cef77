//! `members`: what a user may do in a team.

use dailies_api::projects::Role;
use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{parsed, text};

pub(crate) const CREATE: &str = "
    CREATE TABLE members (
        team_id TEXT NOT NULL REFERENCES teams (id),
        user_id TEXT NOT NULL REFERENCES users (id),
        role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
        PRIMARY KEY (team_id, user_id)
    ) STRICT, WITHOUT ROWID";

/// A user who is no API key is in any number of teams.
pub(crate) const BY_USER: &str = "CREATE INDEX members_by_user ON members (user_id)";

pub(crate) fn insert(
    connection: &Connection,
    team_id: &str,
    user_id: &str,
    role: Role,
) -> Result<(), DatabaseError> {
    connection.execute(
        "INSERT INTO members (team_id, user_id, role) VALUES (?1, ?2, ?3)",
        params![team_id, user_id, text(role)],
    )?;
    Ok(())
}

/// The ids of the teams that the user is in.
pub(crate) fn teams_of(
    connection: &Connection,
    user_id: &str,
) -> Result<Vec<String>, DatabaseError> {
    let mut statement = connection
        .prepare_cached("SELECT team_id FROM members WHERE user_id = ?1 ORDER BY team_id")?;
    let teams = statement.query_map([user_id], |row| row.get(0))?;
    Ok(teams.collect::<Result<_, _>>()?)
}

/// The user's role in the team; `None` for a stranger.
pub(crate) fn role(
    connection: &Connection,
    team_id: &str,
    user_id: &str,
) -> Result<Option<Role>, DatabaseError> {
    Ok(connection
        .prepare_cached("SELECT role FROM members WHERE team_id = ?1 AND user_id = ?2")?
        .query_row([team_id, user_id], |row| parsed(row, "role"))
        .optional()?)
}

/// A member, with what people call them.
#[derive(Clone, Debug)]
pub(crate) struct MemberRow {
    pub(crate) user_id: String,
    pub(crate) name: String,
    pub(crate) role: Role,
}

/// A team's members, by name.
pub(crate) fn of_team(
    connection: &Connection,
    team_id: &str,
) -> Result<Vec<MemberRow>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT m.user_id, u.name, m.role FROM members m JOIN users u ON u.id = m.user_id
         WHERE m.team_id = ?1 ORDER BY u.name, m.user_id",
    )?;
    let members = statement.query_map([team_id], |row| {
        let role = parsed(row, "role")?;
        Ok(MemberRow { user_id: row.get("user_id")?, name: row.get("name")?, role })
    })?;
    Ok(members.collect::<Result<_, _>>()?)
}

/// Whether anyone but `user_id` owns the team.
pub(crate) fn other_owner(
    connection: &Connection,
    team_id: &str,
    user_id: &str,
) -> Result<bool, DatabaseError> {
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM members
             WHERE team_id = ?1 AND user_id <> ?2 AND role = 'owner')",
        )?
        .query_row([team_id, user_id], |row| row.get(0))?)
}

/// From the role that was read to another.
pub(crate) fn set_role(
    connection: &Connection,
    team_id: &str,
    user_id: &str,
    (from, to): (Role, Role),
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE members SET role = ?4 WHERE team_id = ?1 AND user_id = ?2 AND role = ?3",
        params![team_id, user_id, text(from), text(to)],
    )?)
}

/// Takes the user out of the team, and with that every key of theirs there.
pub(crate) fn delete(
    connection: &Connection,
    team_id: &str,
    user_id: &str,
) -> Result<(), DatabaseError> {
    exactly_one(
        connection.execute(
            "DELETE FROM members WHERE team_id = ?1 AND user_id = ?2",
            [team_id, user_id],
        )?,
    )
}

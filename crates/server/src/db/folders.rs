//! Projects by their names: where a path leads in a team.

use dailies_database::DatabaseError;
use rusqlite::{Connection, OptionalExtension as _, params};

/// The team's first project: where a video goes that no project was named for.
pub(crate) fn first(
    connection: &Connection,
    team_id: &str,
) -> Result<Option<String>, DatabaseError> {
    Ok(connection
        .prepare_cached(
            "SELECT id FROM projects WHERE team_id = ?1
             ORDER BY parent_id IS NOT NULL, created_at, id LIMIT 1",
        )?
        .query_row([team_id], |row| row.get(0))
        .optional()?)
}

/// The project of this name below `parent`, or at the team's top; the oldest of several.
pub(crate) fn named(
    connection: &Connection,
    team_id: &str,
    parent: Option<&str>,
    name: &str,
) -> Result<Option<String>, DatabaseError> {
    Ok(connection
        .prepare_cached(
            "SELECT id FROM projects WHERE team_id = ?1 AND parent_id IS ?2 AND name = ?3
             ORDER BY created_at, id LIMIT 1",
        )?
        .query_row(params![team_id, parent, name], |row| row.get(0))
        .optional()?)
}

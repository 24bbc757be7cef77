//! The tree of a team's projects: levels, ancestors, what lies within.

use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::DEEPEST;

/// One project of the tree.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    pub(crate) id: String,
    pub(crate) team_id: String,
    pub(crate) parent_id: Option<String>,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// Milliseconds since 1970.
    pub(crate) created_at: i64,
}

/// What a project has in it, not counting what its projects have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    /// Of versions, only the latest counts.
    pub(crate) videos: u32,
    /// Milliseconds since 1970.
    pub(crate) last_uploaded_at: Option<i64>,
    pub(crate) projects: u32,
}

pub(crate) fn get(connection: &Connection, id: &str) -> Result<Option<Folder>, DatabaseError> {
    Ok(connection
        .prepare_cached("SELECT * FROM projects WHERE id = ?1")?
        .query_row([id], folder)
        .optional()?)
}

/// One level: the projects in `parent_id`, or the topmost ones.
pub(crate) fn level(
    connection: &Connection,
    team_id: &str,
    parent_id: Option<&str>,
) -> Result<Vec<Folder>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM projects WHERE team_id = ?1 AND parent_id IS ?2 ORDER BY created_at, id",
    )?;
    let folders = statement.query_map([Some(team_id), parent_id], folder)?;
    Ok(folders.collect::<Result<_, _>>()?)
}

pub(crate) fn counts(connection: &Connection, id: &str) -> Result<Counts, DatabaseError> {
    Ok(connection
        .prepare_cached(
            "SELECT count(*) AS videos, max(created_at) AS last,
                 (SELECT count(*) FROM projects WHERE parent_id = ?1) AS projects
             FROM videos WHERE project_id = ?1 AND superseded = 0",
        )?
        .query_row([id], |row| {
            Ok(Counts {
                videos: row.get("videos")?,
                last_uploaded_at: row.get("last")?,
                projects: row.get("projects")?,
            })
        })?)
}

/// The project and what it lies in, topmost first.
pub(crate) fn path(connection: &Connection, id: &str) -> Result<Vec<Folder>, DatabaseError> {
    let mut path = Vec::new();
    let mut next = Some(id.to_owned());
    while let Some(id) = next.take()
        && path.len() <= DEEPEST as usize
        && let Some(folder) = get(connection, &id)?
    {
        next.clone_from(&folder.parent_id);
        path.push(folder);
    }
    path.reverse();
    Ok(path)
}

/// The project and all within it, with how many levels each lies below it; the deepest first.
pub(crate) fn within(
    connection: &Connection,
    id: &str,
) -> Result<Vec<(String, u32)>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE within (id, level) AS (
             SELECT ?1, 0 UNION ALL
             SELECT p.id, w.level + 1 FROM projects p JOIN within w ON p.parent_id = w.id
             WHERE w.level < ?2)
         SELECT id, level FROM within ORDER BY level DESC, id",
    )?;
    let rows = statement.query_map(params![id, DEEPEST], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Changes what people read; `None` leaves it.
pub(crate) fn describe(
    connection: &Connection,
    id: &str,
    name: Option<&str>,
    description: Option<&str>,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE projects SET name = coalesce(?2, name),
             description = nullif(coalesce(?3, description), '') WHERE id = ?1",
        params![id, name, description],
    )?)
}

/// The caller has seen to it that this makes no cycle.
pub(crate) fn set_parent(
    connection: &Connection,
    id: &str,
    parent_id: Option<&str>,
) -> Result<(), DatabaseError> {
    exactly_one(
        connection
            .execute("UPDATE projects SET parent_id = ?2 WHERE id = ?1", params![id, parent_id])?,
    )
}

/// An empty project; with anything in it the database refuses.
pub(crate) fn delete(connection: &Connection, id: &str) -> Result<(), DatabaseError> {
    exactly_one(connection.execute("DELETE FROM projects WHERE id = ?1", [id])?)
}

fn folder(row: &Row<'_>) -> rusqlite::Result<Folder> {
    Ok(Folder {
        id: row.get("id")?,
        team_id: row.get("team_id")?,
        parent_id: row.get("parent_id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        created_at: row.get("created_at")?,
    })
}

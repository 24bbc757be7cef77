//! `projects`: folders of a team, nested by their parent.

pub(crate) mod tree;

use std::collections::HashMap;

use dailies_database::DatabaseError;
use rusqlite::{Connection, params};

pub(crate) const CREATE: &str = "
    CREATE TABLE projects (
        id TEXT PRIMARY KEY,
        team_id TEXT NOT NULL REFERENCES teams (id),
        parent_id TEXT REFERENCES projects (id),
        name TEXT NOT NULL CHECK (name <> ''),
        created_at INTEGER NOT NULL,
        CHECK (parent_id IS NOT id)
    ) STRICT;
    CREATE INDEX projects_by_team ON projects (team_id)";

/// What a project says of itself; its level is looked up by team and parent.
pub(crate) const TREE: &str = "
    ALTER TABLE projects ADD COLUMN description TEXT;
    CREATE INDEX projects_by_parent ON projects (team_id, parent_id)";

/// Levels of projects, which no project is created or moved below. Also bounds what a query walks: a
/// cycle, which nothing should write, must not hang it.
pub(crate) const DEEPEST: u32 = 32;

/// A project to be.
pub(crate) struct NewProject<'a> {
    pub(crate) id: &'a str,
    pub(crate) team_id: &'a str,
    pub(crate) parent_id: Option<&'a str>,
    pub(crate) name: &'a str,
}

/// A project with its team's names.
#[derive(Debug)]
pub(crate) struct ProjectRow {
    pub(crate) id: String,
    pub(crate) parent_id: Option<String>,
    pub(crate) name: String,
    /// With its parents' names: `Campaign / Rushes`.
    pub(crate) path: String,
    pub(crate) team_name: String,
    pub(crate) team_slug: String,
}

pub(crate) fn insert(
    connection: &Connection,
    project: &NewProject<'_>,
    now: i64,
) -> Result<(), DatabaseError> {
    connection.execute(
        "INSERT INTO projects (id, team_id, parent_id, name, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![project.id, project.team_id, project.parent_id, project.name, now],
    )?;
    Ok(())
}

/// A team's projects, by path.
pub(crate) fn of_team(
    connection: &Connection,
    team_id: &str,
) -> Result<Vec<ProjectRow>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT p.id, p.parent_id, p.name, t.name AS team_name, t.slug AS team_slug
         FROM projects p JOIN teams t ON t.id = p.team_id WHERE p.team_id = ?1",
    )?;
    let rows = statement
        .query_map([team_id], |row| {
            Ok(ProjectRow {
                id: row.get("id")?,
                parent_id: row.get("parent_id")?,
                name: row.get("name")?,
                path: String::new(),
                team_name: row.get("team_name")?,
                team_slug: row.get("team_slug")?,
            })
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let names: HashMap<String, (String, Option<String>)> = rows
        .iter()
        .map(|project| (project.id.clone(), (project.name.clone(), project.parent_id.clone())))
        .collect();
    let mut projects: Vec<ProjectRow> =
        rows.into_iter().map(|project| with_path(project, &names)).collect();
    projects.sort_by(|a, b| a.path.cmp(&b.path).then_with(|| a.id.cmp(&b.id)));
    Ok(projects)
}

fn with_path(
    mut project: ProjectRow,
    names: &HashMap<String, (String, Option<String>)>,
) -> ProjectRow {
    let mut path = Vec::new();
    let mut next = Some(project.id.clone());
    while let Some((name, parent)) = next.and_then(|id| names.get(&id)) {
        if path.len() == DEEPEST as usize {
            break;
        }
        path.push(name.as_str());
        next = parent.clone();
    }
    path.reverse();
    project.path = path.join(" / ");
    project
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::teams::{self, NewTeam};
    use crate::db::tests::scratch;

    #[tokio::test]
    async fn a_path_names_the_parents() {
        let (_folder, database) = scratch();
        let paths: Vec<String> = database
            .write::<_, DatabaseError, _>(|connection| {
                teams::insert(connection, &NewTeam { id: "t", name: "T", slug: "t" }, 0)?;
                let project =
                    |id, parent_id, name| NewProject { id, team_id: "t", parent_id, name };
                insert(connection, &project("a", None, "Campaign"), 0)?;
                insert(connection, &project("b", Some("a"), "Rushes"), 0)?;
                insert(connection, &project("c", Some("b"), "Day 1"), 0)?;
                Ok(of_team(connection, "t")?.into_iter().map(|project| project.path).collect())
            })
            .await
            .expect("four rows");
        assert_eq!(paths, ["Campaign", "Campaign / Rushes", "Campaign / Rushes / Day 1"]);
    }
}

//! Where a video goes that no project was named for by its id.

use dailies_api::error::ErrorCode;
use dailies_api::projects::Role;
use rusqlite::Connection;

use super::caller::Principal;
use super::error::Refusal;
use super::roles;
use crate::clock::now_millis;
use crate::db::folders;
use crate::db::projects::{self, NewProject};
use crate::random;

/// What a path may begin with: the team's own top.
const TOP: &str = "root";
/// Levels of a path at the most.
const DEEPEST: usize = 32;
/// Characters of a project's name.
const LONGEST_NAME: usize = 255;

/// Names of projects, each within the one before; empty for the team's first project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FolderPath(Vec<String>);

impl FolderPath {
    /// Reads `root/my-folder`.
    pub(crate) fn parse(path: &str) -> Result<Self, Refusal> {
        let refused = |message: String| Err(Refusal::argument("folder", message));
        if path.is_empty() {
            return refused("say a folder, such as root/my-folder".into());
        }
        let mut names = Vec::new();
        for (level, name) in path.split('/').enumerate() {
            if level > DEEPEST {
                return refused(format!("a path has at most {DEEPEST} levels below root"));
            }
            if name.trim().is_empty() {
                return refused("a folder's name is missing: no slash first, last or twice".into());
            }
            if name == "." || name == ".." {
                return refused(format!("`{name}` is no folder's name"));
            }
            if name.chars().any(char::is_control) {
                return refused("a folder's name has no control characters".into());
            }
            if name.chars().count() > LONGEST_NAME {
                return refused(format!("a folder's name has at most {LONGEST_NAME} characters"));
            }
            if level > 0 || name != TOP {
                names.push(name.to_owned());
            }
        }
        if names.len() > DEEPEST {
            return refused(format!("a path has at most {DEEPEST} levels below root"));
        }
        Ok(Self(names))
    }

    /// The project that the path leads to; what is missing of it is made.
    pub(crate) fn project(
        &self,
        connection: &Connection,
        team_id: &str,
    ) -> Result<String, Refusal> {
        let mut parent: Option<String> = None;
        for name in &self.0 {
            let found = folders::named(connection, team_id, parent.as_deref(), name)?;
            parent = Some(match found {
                Some(id) => id,
                None => make(connection, team_id, parent.as_deref(), name)?,
            });
        }
        match parent {
            Some(id) => Ok(id),
            None => first_project(connection, team_id),
        }
    }
}

/// The team that a caller uploads to who names none: the key's, or the first in which the user is a
/// member.
pub(crate) fn team(connection: &Connection, user: &Principal) -> Result<String, Refusal> {
    if let Some((team_id, _)) = roles::teams(connection, user, Role::Member)?.into_iter().next() {
        return Ok(team_id);
    }
    if roles::teams(connection, user, Role::Viewer)?.is_empty() {
        return Err(Refusal::new(ErrorCode::NotFound, "you are in no team"));
    }
    Err(Refusal::new(ErrorCode::Forbidden, "requires the role member or higher"))
}

/// The team's first project.
pub(crate) fn first_project(connection: &Connection, team_id: &str) -> Result<String, Refusal> {
    match folders::first(connection, team_id)? {
        Some(id) => Ok(id),
        None => make(connection, team_id, None, "Uploads"),
    }
}

fn make(
    connection: &Connection,
    team_id: &str,
    parent_id: Option<&str>,
    name: &str,
) -> Result<String, Refusal> {
    let id = random::id();
    projects::insert(connection, &NewProject { id: &id, team_id, parent_id, name }, now_millis())?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str) -> Option<Vec<String>> {
        FolderPath::parse(path).ok().map(|path| path.0)
    }

    #[test]
    fn a_path_begins_at_the_teams_top() {
        assert_eq!(names("root"), Some(vec![]));
        assert_eq!(names("root/my-folder"), Some(vec!["my-folder".into()]));
        assert_eq!(names("my-folder/Day 1"), Some(vec!["my-folder".into(), "Day 1".into()]));
        assert_eq!(names("root/root"), Some(vec!["root".into()]));
        assert_eq!(names(&format!("root{}", "/a".repeat(32))).map(|names| names.len()), Some(32));
        assert_eq!(names(&"ä".repeat(255)).map(|names| names.len()), Some(1));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        let deep = format!("root{}", "/a".repeat(33));
        let deep_without_root = vec!["a"; 33].join("/");
        let long = "a".repeat(256);
        for path in [
            "",
            "/",
            "/root",
            "root/",
            "root//a",
            "root/ /a",
            "..",
            "root/../a",
            "root/.",
            "a\0b",
            "root/a\n",
            &deep,
            &deep_without_root,
            &long,
        ] {
            assert_eq!(names(path), None, "{path:?}");
        }
    }
}

//! To which project a file of a watched folder goes, where its subfolder names it.
//!
//! A project is looked for in what the team says, and made where it has none of that name: one at a
//! time, and never before the team was asked anew. What was made and not heard of, because of a
//! crash or a lost answer, is found so. Should the call still be under way, its key says that it is
//! the same one.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dailies_api::projects::UploadTarget;

use crate::error::{Code, EngineError};
use crate::folders::Question;
use crate::handle::{Command, EngineHandle};
use crate::source::Crc64;
use crate::store::{Destination, Folder};
use crate::team::Team;
use crate::view::DestinationView;

/// What a team said of its projects holds for so long.
const FRESH: Duration = Duration::from_secs(60);
/// Projects of one name that may have been made and removed again within the time for which the team
/// knows keys.
const REMOVED: u32 = 8;

/// What teams said of their projects, by server. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProjectLists(Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<Said>>>>>);

/// What one team server said. Whoever holds it may make a project.
#[derive(Debug, Default)]
struct Said {
    targets: Vec<UploadTarget>,
    at: Option<Instant>,
    /// Names that it made no projects of, and why.
    refused: HashMap<String, (Instant, EngineError)>,
}

impl ProjectLists {
    fn of(&self, server: &str) -> Arc<tokio::sync::Mutex<Said>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(server.to_owned()).or_default())
    }
}

impl EngineHandle {
    /// Where a file of a watched folder goes.
    ///
    /// # Errors
    /// [`Code::NotConnected`] and [`Code::Unreachable`] while the team is away, [`Code::Refused`] for a
    /// name that no project can have, and whatever the team says against a new one.
    pub(super) async fn destination_in(
        &self,
        folder: &Folder,
        inside: &Path,
    ) -> Result<Destination, EngineError> {
        let own = folder.destination.clone();
        let name = folder.rules.projects.name_for(inside);
        let name = name.map_err(|error| EngineError::new(Code::Refused, error.to_string()))?;
        let Some(name) = name else { return Ok(own) };
        let said = self.projects.of(&own.server);
        let mut said = said.lock().await;
        let is_fresh = |at: Instant| at.elapsed() < FRESH;
        let found =
            said.at.filter(|at| is_fresh(*at)).and_then(|_| find(&said.targets, &own, name));
        let target = match (found, said.refused.get(name)) {
            (Some(target), _) => target,
            (None, Some((at, why))) if is_fresh(*at) => return Err(why.clone()),
            (None, _) => {
                let team = self.team_at(&own.server).await?;
                said.project(&team, &own, name).await?
            }
        };
        let DestinationView { project_id, project, team } = target.into();
        Ok(Destination { project_id, project, team, ..own })
    }

    /// The team that a folder's files go to.
    pub(super) async fn team_at(&self, server: &str) -> Result<Arc<Team>, EngineError> {
        let server = server.to_owned();
        let team = self.ask(|done| Command::Folders(Question::Team(server, done))).await?;
        team.ok_or_else(|| {
            EngineError::new(Code::NotConnected, "the team of this folder is not connected")
        })
    }
}

impl Said {
    /// Asks the team for its project of this name, and makes it where there is none.
    async fn project(
        &mut self,
        team: &Team,
        own: &Destination,
        name: &str,
    ) -> Result<UploadTarget, EngineError> {
        self.ask(team).await?;
        if let Some(target) = find(&self.targets, own, name) {
            return Ok(target);
        }
        let team_id = team_id(&self.targets, own)?.to_owned();
        for removed in 0..REMOVED {
            let key = key(&team_id, name, removed);
            let id = match team.make_project(&team_id, name, &key).await {
                Ok(id) => id,
                Err(error) => {
                    if error.code != Code::Unreachable {
                        self.refused.insert(name.to_owned(), (Instant::now(), error.clone()));
                    }
                    return Err(error);
                }
            };
            self.ask(team).await?;
            // A key that is known is answered as it was before, also of what was removed since.
            if let Some(target) = self.targets.iter().find(|target| target.project_id == id) {
                return Ok(target.clone());
            }
        }
        let words = format!("the team says that it made the project {name}, and does not list it");
        Err(EngineError::new(Code::UnexpectedAnswer, words))
    }

    async fn ask(&mut self, team: &Team) -> Result<(), EngineError> {
        self.targets = team.ask_for_targets().await?;
        self.at = Some(Instant::now());
        Ok(())
    }
}

/// The project of this name in the team of a folder's own; of several, the topmost.
fn find(targets: &[UploadTarget], own: &Destination, name: &str) -> Option<UploadTarget> {
    let team_id = team_id(targets, own).ok()?;
    let called = |target: &&UploadTarget| target.team_id == team_id && target.project_name == name;
    let place = |target: &&UploadTarget| (target.project_path.len(), target.project_id.clone());
    targets.iter().filter(called).min_by_key(place).cloned()
}

fn team_id<'a>(targets: &'a [UploadTarget], own: &Destination) -> Result<&'a str, EngineError> {
    let target = targets.iter().find(|target| target.project_id == own.project_id);
    target.map(|target| &*target.team_id).ok_or_else(|| {
        let words = format!("the folder's own project {} is not there any more", own.project);
        EngineError::new(Code::NotFound, words)
    })
}

/// The same for the same project, whoever makes it.
fn key(team_id: &str, name: &str, removed: u32) -> String {
    let mut named = Crc64::digest();
    for part in [team_id, "\0", name] {
        named.update(part.as_bytes());
    }
    format!("project-{:016x}-{removed}", named.finish().to_column().cast_unsigned())
}

#[cfg(test)]
mod tests {
    use dailies_api::projects::Role;

    use super::*;

    fn target(id: &str, team: &str, path: &str) -> UploadTarget {
        UploadTarget {
            project_id: id.into(),
            project_name: path.rsplit(" / ").next().unwrap().into(),
            project_path: path.into(),
            team_id: team.into(),
            team_name: team.into(),
            team_slug: team.into(),
            role: Role::Member,
        }
    }

    #[test]
    fn the_topmost_of_the_same_team_is_found() {
        let own = Destination {
            server: "http://team/".into(),
            project_id: "own".into(),
            project: "Own".into(),
            team: "a".into(),
            version_of: None,
            visibility: None,
        };
        let targets = [
            target("1", "b", "Day"),
            target("2", "a", "Old / Day"),
            target("own", "a", "Own"),
            target("4", "a", "Day"),
            target("3", "a", "Day"),
        ];
        let found = |name| find(&targets, &own, name).map(|target| target.project_id);
        assert_eq!(found("Day").as_deref(), Some("3"));
        assert_eq!(found("day"), None);
        assert_eq!(find(&targets[..2], &own, "Day"), None, "whose team is it?");
    }

    #[test]
    fn a_key_is_of_one_project() {
        assert_eq!(key("a", "day", 0), key("a", "day", 0));
        let others = [key("a", "day", 1), key("b", "day", 0), key("ad", "ay", 0)];
        assert!(!others.contains(&key("a", "day", 0)), "{others:?}");
    }
}

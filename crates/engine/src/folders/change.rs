//! Other rules for a folder that is watched already.

use tokio::sync::oneshot;

use crate::engine::Engine;
use crate::error::{Code, EngineError};
use crate::folders::standing::Standing;
use crate::folders::{FolderView, Question, can_do, filter, no_such_folder, versions, was_there};
use crate::handle::{Command, EngineHandle, Goes, stopped};
use crate::store::{Folder, Seen};
use crate::view::News;
use crate::watch::{Existing, FolderId, Rules};

/// What is wanted of a folder from now on.
#[derive(Debug)]
pub(crate) struct Change {
    folder: FolderId,
    project: Option<String>,
    rules: Rules,
    /// Files that the rules take only now, and that are to stay here.
    there: Vec<Seen>,
}

impl EngineHandle {
    /// Changes what is wanted of a watched folder. Its files go to `project`, or where they went
    /// before. Files that only the new rules take are new, or were there before, as these say.
    ///
    /// # Errors
    /// [`Code::NotFound`] (the folder, the project), [`Code::Refused`] of a team that cannot do what
    /// the rules want, [`Code::SourceMissing`] where the folder is not there to be looked at; it can
    /// be paused all the same.
    pub async fn change_folder(
        &self,
        id: FolderId,
        project: Option<String>,
        rules: Rules,
    ) -> Result<FolderView, EngineError> {
        let kept = self.kept_folders().await?.into_iter().find(|folder| folder.id == id);
        let folder = kept.ok_or_else(|| no_such_folder(id))?;
        let there = newly_taken(folder, rules.clone()).await?;
        let change = Box::new(Change { folder: id, project, rules, there });
        self.ask(|done| Command::Folders(Question::Change(change, done))).await?
    }
}

/// The files that stay here though only the new rules take them.
async fn newly_taken(folder: Folder, rules: Rules) -> Result<Vec<Seen>, EngineError> {
    let (new, old) = (filter(&rules)?, filter(&folder.rules)?);
    let as_before = Rules { paused: folder.rules.paused, ..rules.clone() } == folder.rules;
    if as_before || rules.existing == Existing::Send {
        return Ok(Vec::new());
    }
    let looking = tokio::task::spawn_blocking(move || {
        if !folder.path.is_dir() {
            let words = format!("{} is not there", folder.path.display());
            return Err(EngineError::new(Code::SourceMissing, words));
        }
        versions(&folder.path, &new, Some(&old))
    });
    Ok(was_there(looking.await.map_err(|_| stopped())??))
}

impl Engine {
    pub(super) async fn change_folder(
        &mut self,
        change: Change,
        done: oneshot::Sender<Result<FolderView, EngineError>>,
    ) {
        // An asker that has gone away is not waited for.
        let _ = done.send(self.changed_folder(change).await);
    }

    async fn changed_folder(&mut self, change: Change) -> Result<FolderView, EngineError> {
        let Change { folder: id, project, rules, there } = change;
        let kept = self.store.folders().await?.into_iter().find(|folder| folder.id == id);
        let kept = kept.ok_or_else(|| no_such_folder(id))?;
        let destination = match project {
            Some(project) if project != kept.destination.project_id => {
                self.destination(Goes::To { project_id: project })?
            }
            _ => kept.destination.clone(),
        };
        if let Some(connected) = self.connections.get(&destination.server) {
            can_do(&connected.team, &rules)?;
        }
        let folder = Folder { destination, rules, ..kept };
        self.store.keep_folder(folder.clone(), there).await?;
        self.folders.send_replace(());
        self.publish(News::Folders);
        Ok(FolderView::new(folder, Standing::default()))
    }
}

//! Watched folders: watched for as long as the app runs, and chosen by the system's dialog.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use dailies_engine::EngineHandle;
use dailies_engine::error::{Code, EngineError};
use dailies_engine::folders::{FolderNews, FolderView, Preview};
use dailies_engine::watch::{FolderId, Pattern, Rules, Template};
use tauri::{AppHandle, Runtime};

use crate::choose;
use crate::view::{ChosenFolder, RuleFaults};

/// Watches what is kept, until the engine ends.
pub(crate) async fn run(engine: EngineHandle) {
    let Ok(mut watching) = engine.watch(None).await else { return };
    while let Some(news) = watching.next().await {
        match news {
            // The change feed tells of it.
            FolderNews::Health { .. } => {}
            FolderNews::Same { path, of, .. } => {
                tracing::info!(path = %path.display(), %of, "the team has this file already");
            }
            FolderNews::Waits { path, why, .. } => {
                tracing::warn!(path = %path.display(), why, "a finished file cannot be sent now");
            }
            FolderNews::PutAside { path, .. } => {
                tracing::info!(path = %path.display(), "a file that the team has was put aside");
            }
            FolderNews::NotPutAside { path, why, .. } => {
                tracing::warn!(path = %path.display(), why, "a file could not be put aside");
            }
        }
    }
}

/// The folder that somebody has chosen and that is not watched yet. The page knows none by its
/// path: it says "the chosen one".
#[derive(Default)]
pub(crate) struct Chosen(Mutex<Option<PathBuf>>);

impl Chosen {
    /// Lets somebody choose one; `None` when they chose none.
    pub(crate) async fn choose<R: Runtime>(
        &self,
        app: &AppHandle<R>,
        engine: &EngineHandle,
    ) -> Result<Option<ChosenFolder>, EngineError> {
        let Some(path) = choose::folder(app).await else { return Ok(None) };
        let path = tokio::fs::canonicalize(&path).await.unwrap_or(path);
        let words = path.to_string_lossy().into_owned();
        let known = engine.folders().await?.into_iter().find(|folder| folder.path == words);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(path);
        Ok(Some(ChosenFolder { path: words, id: known.map(|folder| folder.id) }))
    }

    /// Has it watched from now on.
    pub(crate) async fn add(
        &self,
        engine: &EngineHandle,
        project: Option<String>,
        rules: Rules,
    ) -> Result<FolderView, EngineError> {
        engine.add_folder(self.path()?, project, rules).await
    }

    /// What would become of its files.
    pub(crate) async fn preview(
        &self,
        engine: &EngineHandle,
        rules: Rules,
    ) -> Result<Preview, EngineError> {
        engine.preview(self.path()?, rules).await
    }

    fn path(&self) -> Result<PathBuf, EngineError> {
        let chosen = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        chosen.ok_or_else(|| EngineError::new(Code::WrongState, "no folder was chosen"))
    }
}

/// What would become of the files in a watched folder, or in the chosen one.
pub(crate) async fn preview(
    engine: &EngineHandle,
    chosen: &Chosen,
    id: Option<FolderId>,
    rules: Rules,
) -> Result<Preview, EngineError> {
    match id {
        Some(id) => engine.preview_folder(id, rules).await,
        None => chosen.preview(engine, rules).await,
    }
}

/// What of somebody's words makes no rule.
#[must_use]
pub(crate) fn faults(patterns: Vec<String>, title: &str) -> RuleFaults {
    let is_none = |text: &String| text.parse::<Pattern>().is_err();
    RuleFaults {
        patterns: patterns.into_iter().filter(is_none).collect(),
        title: title.parse::<Template>().is_err(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_make_no_rule_are_named() {
        let words = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let none = RuleFaults { patterns: Vec::new(), title: false };
        assert_eq!(faults(words(&["*.mov", "a/**"]), "{date} {name}"), none);
        let both = RuleFaults { patterns: words(&["a[", "{b"]), title: true };
        assert_eq!(faults(words(&["a[", "*.mov", "{b"]), "{title}"), both);
    }

    #[test]
    fn without_a_choice_there_is_nothing_to_watch() {
        assert_eq!(Chosen::default().path().unwrap_err().code, Code::WrongState);
    }
}

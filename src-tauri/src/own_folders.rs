//! The folders that the app works in itself, by their names: the page knows no path.

use std::path::PathBuf;

use dailies_engine::error::{Code, EngineError};
use serde::Deserialize;

use crate::view::ServerFolder;

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub(crate) enum OwnFolder {
    /// Of the logs.
    Logs,
    /// Of the team server on this computer.
    Server,
}

/// Where they are.
#[derive(Clone, Debug)]
pub(crate) struct OwnFolders {
    pub(crate) logs: PathBuf,
    pub(crate) server: PathBuf,
}

impl OwnFolders {
    /// Where one is.
    #[must_use]
    pub(crate) fn path(&self, folder: OwnFolder) -> PathBuf {
        match folder {
            OwnFolder::Logs => self.logs.clone(),
            OwnFolder::Server => self.server.clone(),
        }
    }

    /// The one of the team server on this computer, with its size.
    ///
    /// # Errors
    /// [`Code::LocalStorage`].
    pub(crate) async fn server(&self) -> Result<ServerFolder, EngineError> {
        let (folder, path) = (self.server.clone(), self.server.to_string_lossy().into_owned());
        // Of many files this takes its time.
        let counted = tokio::task::spawn_blocking(move || {
            let entries = walkdir::WalkDir::new(folder).into_iter().flatten();
            let files = entries.filter(|entry| entry.file_type().is_file());
            // One that goes meanwhile has no size any more.
            files.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
        });
        let broke =
            |error: tokio::task::JoinError| EngineError::new(Code::LocalStorage, error.to_string());
        Ok(ServerFolder { path, bytes: counted.await.map_err(broke)? })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn what_is_in_a_folder_is_added_up() {
        let folder = tempfile::tempdir().unwrap();
        let server = folder.path().join("server");
        let folders = OwnFolders { logs: folder.path().join("logs"), server: server.clone() };
        assert_eq!(folders.server().await.unwrap().bytes, 0, "it was never started");
        fs::create_dir_all(server.join("objects/a")).unwrap();
        fs::write(server.join("team.db"), [0; 40]).unwrap();
        fs::write(server.join("objects/a/b"), [0; 2]).unwrap();
        assert_eq!(folders.server().await.unwrap().bytes, 42);
    }
}

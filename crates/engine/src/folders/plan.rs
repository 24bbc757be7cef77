//! What would become of the files in a folder, if it were watched now.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::folders::{filter, whole};
use crate::handle::{EngineHandle, stopped};
use crate::store::{Fate, Seen};
use crate::watch::{
    Container, Content, Entry, Existing, Filter, Rules, Skip, Version, content_of,
    is_named_like_a_video, scan,
};

/// A file, and what would become of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// Inside the folder, lossy where it is no Unicode.
    pub path: String,
    /// What would become of it.
    #[serde(flatten)]
    pub plan: Plan,
    /// The name of the project that its subfolder stands for, where each has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub project: Option<String>,
}

/// What would become of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "plan", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Plan {
    /// It would be sent, unless the team has its content under another name.
    Send {
        /// Bytes.
        #[cfg_attr(feature = "typescript", ts(type = "number"))]
        size: u64,
        /// It is a video by its content alone: its name is none of a video.
        #[serde(default)]
        by_content: bool,
    },
    /// The rules do not take it.
    Skip {
        /// Why.
        why: Skip,
    },
    /// It is there already, and only new files are wanted.
    WasThere,
    /// It was sent.
    Sent,
    /// It is not finished: it would wait until it is.
    Unfinished,
}

impl EngineHandle {
    /// What would become of the files in a folder now: by `rules`, or by its own if it is watched.
    ///
    /// # Errors
    /// [`Code::NotFound`](crate::error::Code::NotFound) where there is no such folder.
    pub async fn dry_run(
        &self,
        path: PathBuf,
        rules: Option<Rules>,
    ) -> Result<Vec<Planned>, EngineError> {
        let folders = self.kept_folders().await?;
        let whole = tokio::task::spawn_blocking(move || whole(&path));
        let path = whole.await.map_err(|_| stopped())??;
        let kept = folders.into_iter().find(|folder| folder.path == path);
        let seen = match &kept {
            Some(folder) => self.seen(folder.id).await?,
            None => HashMap::new(),
        };
        let before = kept.as_ref().map(|folder| filter(&folder.rules)).transpose()?;
        let rules = rules.or(kept.map(|folder| folder.rules)).unwrap_or_default();
        let planning =
            tokio::task::spawn_blocking(move || plan(&path, &rules, &seen, before.as_ref()));
        planning.await.map_err(|_| stopped())?
    }
}

/// Files that were not taken `before`, and that the rules take, are there already.
fn plan(
    root: &Path,
    rules: &Rules,
    seen: &HashMap<PathBuf, Seen>,
    before: Option<&Filter>,
) -> Result<Vec<Planned>, EngineError> {
    let filter = filter(rules)?;
    let leaves = |path: &Path, version: Version| {
        let took = before.is_some_and(|before| before.takes_all_of(path, version.size));
        rules.existing == Existing::Leave && !took
    };
    let mut planned = Vec::new();
    let scanned = scan(root, root, &filter, |entry| {
        if let Entry::File(path, judged) = entry {
            let plan = match judged {
                Err(why) => Plan::Skip { why },
                Ok(version) => {
                    let seen = seen.get(&path).filter(|seen| seen.version.is_like(&version));
                    let leaves = leaves(&path, version);
                    one(root, &path, version, seen.map(|seen| seen.fate), leaves)
                }
            };
            let project = rules.projects.name_for(&path).ok().flatten().map(str::to_owned);
            let path = path.to_string_lossy().into_owned();
            planned.push(Planned { path, plan, project });
        }
        std::ops::ControlFlow::Continue(())
    });
    let code = crate::error::Code::SourceUnreadable;
    scanned.map_err(|error| EngineError::new(code, format!("{}: {error}", root.display())))?;
    planned.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(planned)
}

/// What would become of a file that the rules take by its name and place.
fn one(root: &Path, path: &Path, version: Version, seen: Option<Fate>, leaves: bool) -> Plan {
    let was_there = match seen {
        Some(Fate::Sent(_) | Fate::Same(_)) => return Plan::Sent,
        Some(Fate::WasThere) => true,
        None => leaves,
    };
    let named = is_named_like_a_video(path);
    // What was there is not opened only to say so of it.
    if was_there && named {
        return Plan::WasThere;
    }
    match content_of(&root.join(path), version.size) {
        Ok(Content::Other) if named => Plan::Skip { why: Skip::NoVideoInside },
        Ok(Content::Other) => Plan::Skip { why: Skip::NoVideo },
        Ok(Content::Video(_)) if was_there => Plan::WasThere,
        Ok(Content::Video(Container::Incomplete)) | Err(_) => Plan::Unfinished,
        Ok(Content::Video(Container::Complete | Container::OpenEnded | Container::Untold)) => {
            Plan::Send { size: version.size, by_content: !named }
        }
    }
}

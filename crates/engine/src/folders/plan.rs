//! What would become of the files in a folder, if it were watched now.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::folders::{filter, whole};
use crate::handle::{EngineHandle, stopped};
use crate::store::{Fate, Seen};
use crate::watch::{Container, Entry, Existing, Filter, Rules, Skip, Version, inspect, scan};

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
}

/// What would become of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "plan", rename_all = "snake_case")]
pub enum Plan {
    /// It would be sent, unless the team has its content under another name.
    Send {
        /// Bytes.
        #[cfg_attr(feature = "typescript", ts(type = "number"))]
        size: u64,
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
        if let Entry::File(inside, judged) = entry {
            let plan = match judged {
                Err(why) => Plan::Skip { why },
                Ok(version) => {
                    match seen.get(&inside).filter(|seen| seen.version.is_like(&version)) {
                        Some(Seen { fate: Fate::WasThere, .. }) => Plan::WasThere,
                        Some(_) => Plan::Sent,
                        None if leaves(&inside, version) => Plan::WasThere,
                        None => finished(&root.join(&inside), version),
                    }
                }
            };
            planned.push(Planned { path: inside.to_string_lossy().into_owned(), plan });
        }
        std::ops::ControlFlow::Continue(())
    });
    let code = crate::error::Code::SourceUnreadable;
    scanned.map_err(|error| EngineError::new(code, format!("{}: {error}", root.display())))?;
    planned.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(planned)
}

fn finished(path: &Path, version: Version) -> Plan {
    match File::open(path).and_then(|mut file| inspect(&mut file, version.size)) {
        Ok(Container::Incomplete) | Err(_) => Plan::Unfinished,
        Ok(Container::Complete | Container::OpenEnded | Container::Untold) => {
            Plan::Send { size: version.size }
        }
    }
}

//! A dry run as a screen shows it: all of it counted, and as much of it told as somebody reads.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::folders::{Plan, Planned, no_such_folder};
use crate::handle::EngineHandle;
use crate::watch::{FolderId, Rules};

/// Files that are told of one by one, of those that would be sent and of the others.
const TOLD: usize = 200;

/// What would become of the files in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Files that would be sent.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub goes: u64,
    /// Their bytes.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub bytes: u64,
    /// Files that would not be, or not yet.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub stays: u64,
    /// The first of both, by their paths.
    pub files: Vec<Planned>,
}

impl Preview {
    fn of(planned: Vec<Planned>) -> Self {
        let mut preview = Self::default();
        for file in planned {
            let count = if let Plan::Send { size, .. } = file.plan {
                preview.bytes += size;
                &mut preview.goes
            } else {
                &mut preview.stays
            };
            *count += 1;
            if usize::try_from(*count).is_ok_and(|count| count <= TOLD) {
                preview.files.push(file);
            }
        }
        preview
    }
}

impl EngineHandle {
    /// What would become of the files in a folder that is not watched yet.
    ///
    /// # Errors
    /// As [`Self::dry_run`].
    pub async fn preview(&self, path: PathBuf, rules: Rules) -> Result<Preview, EngineError> {
        self.dry_run(path, Some(rules)).await.map(Preview::of)
    }

    /// The same for one that is watched.
    ///
    /// # Errors
    /// As [`Self::dry_run`].
    pub async fn preview_folder(&self, id: FolderId, rules: Rules) -> Result<Preview, EngineError> {
        let kept = self.kept_folders().await?.into_iter().find(|folder| folder.id == id);
        self.preview(kept.ok_or_else(|| no_such_folder(id))?.path, rules).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Skip;

    #[test]
    fn everything_is_counted_and_the_first_of_both_kinds_is_told() {
        let planned = (0..1000).map(|number| {
            let sent = number >= 600;
            let plan = if sent {
                Plan::Send { size: 3, by_content: false }
            } else {
                Plan::Skip { why: Skip::NoVideo }
            };
            Planned { path: format!("{number:04}"), plan, project: None }
        });
        let preview = Preview::of(planned.collect());
        assert_eq!((preview.goes, preview.bytes, preview.stays), (400, 1200, 600));
        let paths: Vec<_> = preview.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths.len(), 2 * TOLD);
        assert_eq!((paths[0], paths[TOLD - 1], paths[TOLD]), ("0000", "0199", "0600"));
    }
}

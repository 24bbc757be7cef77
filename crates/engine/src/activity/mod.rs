//! What has ended, for people to look through and to take along.

mod export;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use export::Form;

use crate::error::{Code, EngineError};
use crate::handle::EngineHandle;
use crate::ledger::ReceiptView;
use crate::store::{Ended, EndedBefore, Search};
use crate::transfer::{Hold, Timestamp, UploadId};
use crate::view::DestinationView;

/// The longest page.
const PAGE: usize = 100;
/// Rows that an export reads at once.
const EXPORTED: usize = 500;

/// An upload that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct EndedView {
    /// Its name.
    pub upload_id: UploadId,
    /// What people see of the video; its file's name, once the upload is off the list.
    pub title: String,
    /// Where the file lay, for reading only: lossy where it is no Unicode.
    pub path: String,
    /// The team server's address.
    pub server: String,
    /// Team and project, in words.
    pub destination: DestinationView,
    /// Bytes.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub size: u64,
    /// In what way it ended.
    pub ending: Ending,
    /// When it was added.
    pub added_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// It is still on the list.
    pub listed: bool,
    /// What proves that its bytes are with its team, where they are.
    pub receipt: Option<ReceiptView>,
}

/// In what way an upload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ending {
    /// All its bytes are with its team.
    Uploaded,
    /// Somebody cancelled it.
    Cancelled,
    /// It was given up; it can be tried again.
    Failed {
        /// Why.
        code: Code,
    },
}

impl EndedView {
    /// `None` for an upload of which nothing is known any more.
    fn of(Ended { id, at, upload, receipt }: Ended) -> Option<Self> {
        let (path, destination, size, added_at) = match (&upload, &receipt) {
            (Some(upload), _) => {
                (&upload.path, &upload.destination, upload.fingerprint.size, upload.added_at)
            }
            (None, Some(receipt)) => {
                (&receipt.path, &receipt.destination, receipt.size, receipt.added_at)
            }
            (None, None) => return None,
        };
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let ending = match upload.as_ref().map(|upload| upload.state.hold) {
            Some(Hold::Failed { code }) => Ending::Failed { code },
            Some(Hold::Cancelled) if receipt.is_none() => Ending::Cancelled,
            _ => Ending::Uploaded,
        };
        Some(Self {
            upload_id: id,
            title: upload.as_ref().map_or_else(|| file.into_owned(), |row| row.title.clone()),
            path: path.to_string_lossy().into_owned(),
            server: destination.server.clone(),
            destination: DestinationView {
                project_id: destination.project_id.clone(),
                project: destination.project.clone(),
                team: destination.team.clone(),
            },
            size,
            ending,
            added_at,
            ended_at: at,
            listed: upload.is_some(),
            receipt: receipt.map(ReceiptView::from),
        })
    }

    fn place(&self) -> EndedBefore {
        EndedBefore { ended_at: self.ended_at, upload_id: self.upload_id }
    }
}

impl EngineHandle {
    /// What has ended and has every word of `search` in it, newest end first, at most 100 after
    /// `before`; none where there is no more.
    ///
    /// # Errors
    /// [`Code::LocalStorage`].
    pub async fn activity(
        &self,
        search: &str,
        before: Option<EndedBefore>,
    ) -> Result<Vec<EndedView>, EngineError> {
        // Read here: a search through a long past is nothing for the loop to wait for.
        let store = self.store().await?;
        let ended = store.ended(Search::of(search), before, PAGE).await?;
        Ok(ended.into_iter().filter_map(EndedView::of).collect())
    }

    /// Writes the same, all of it, to a file, which is replaced only once it is whole. How many
    /// uploads are in it.
    ///
    /// # Errors
    /// [`Code::LocalStorage`].
    pub async fn export_activity(
        &self,
        search: &str,
        form: Form,
        path: PathBuf,
    ) -> Result<u64, EngineError> {
        let (store, search) = (self.store().await?, Search::of(search));
        let mut sheet = export::write(move || export::Sheet::begin(path, form)).await?;
        let (mut before, mut rows) = (None, 0);
        loop {
            let ended = store.ended(search.clone(), before, EXPORTED).await?;
            let page: Vec<_> = ended.into_iter().filter_map(EndedView::of).collect();
            let Some(last) = page.last() else { break };
            before = Some(last.place());
            rows += page.len() as u64;
            sheet = export::write(move || sheet.add(&page)).await?;
        }
        export::write(move || sheet.end()).await?;
        Ok(rows)
    }
}

#[cfg(test)]
mod tests;

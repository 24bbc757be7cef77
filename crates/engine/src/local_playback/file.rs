//! The file of an upload, as far as it may be played: in the version that was added.

use crate::error::{Code, EngineError};
use crate::handle::{EngineHandle, no_such_upload};
use crate::source::{Source, SourceError};
use crate::store::Upload;
use crate::transfer::{Growth, UploadId};

/// It is open, and was the right one when it was opened.
#[derive(Debug)]
pub(super) struct LocalFile {
    pub(super) source: Source,
    /// Bytes; of one that is still written, those that it has now.
    pub(super) size: u64,
    /// Media type, by its content.
    pub(super) content_type: String,
    /// Seconds, where the team has said.
    pub(super) duration: Option<f64>,
}

impl LocalFile {
    /// Opens the file of an upload that is in the queue.
    ///
    /// # Errors
    /// [`Code::NotFound`], and those of [`refusal`].
    pub(super) async fn of(engine: &EngineHandle, id: UploadId) -> Result<Self, EngineError> {
        let row = engine.store().await?.uploads(vec![id]).await?.pop();
        let (row, _) = row.ok_or_else(|| no_such_upload(id))?;
        let opened = tokio::task::spawn_blocking(move || Self::open(row)).await;
        opened
            .map_err(|error| EngineError::new(Code::SourceUnreadable, error.to_string()))?
            .map_err(|error| refusal(&error))
    }

    fn open(row: Upload) -> Result<Self, SourceError> {
        let source = match row.growth {
            Some(Growth::Growing) => Source::open_growing(&row.path)?,
            Some(Growth::Grown) | None => Source::open(&row.path, &row.fingerprint)?,
        };
        let size = source.size()?;
        Ok(Self { source, size, content_type: row.content_type, duration: row.duration })
    }
}

/// Why a file is not played.
fn refusal(error: &SourceError) -> EngineError {
    let code = match error {
        SourceError::Missing => Code::SourceMissing,
        SourceError::NotAFile | SourceError::Changed => Code::SourceChanged,
        SourceError::Read { .. } => Code::SourceUnreadable,
    };
    EngineError::new(code, error.to_string())
}

//! Why a function refused, as the caller sees it.

use dailies_api::error::{ErrorCode, ErrorData};
use dailies_database::DatabaseError;

use crate::db::quota;
use crate::ingest::IngestError;
use crate::mux_client::MuxError;
use crate::storage::StorageError;

/// A refusal: a stable code, words for people, and the argument that was wrong.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub(crate) struct Refusal(pub(crate) ErrorData);

impl Refusal {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(ErrorData { code, message: message.into(), field: None })
    }

    /// An argument is wrong: the message says how, the field says which.
    pub(crate) fn argument(field: &str, message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidArgument, message).at(field)
    }

    /// Names the argument.
    pub(crate) fn at(mut self, field: &str) -> Self {
        self.0.field = Some(field.to_owned());
        self
    }

    pub(crate) fn no_video() -> Self {
        Self::new(ErrorCode::NotFound, "no such video, or none of your team's").at("videoId")
    }

    /// The team's storage has only so many bytes left.
    pub(crate) fn over_quota(free: u64) -> Self {
        let message =
            format!("the team's storage has {free} bytes left; remove something or ask for more");
        Self::new(ErrorCode::QuotaExceeded, message).at("fileSize")
    }

    pub(crate) fn internal() -> Self {
        Self::new(ErrorCode::Internal, "the server failed; try again")
    }
}

impl From<DatabaseError> for Refusal {
    fn from(error: DatabaseError) -> Self {
        if let Some(free) = quota::exceeded(&error) {
            return Self::over_quota(free);
        }
        if matches!(error, DatabaseError::Stale) {
            return Self::new(ErrorCode::WrongState, "the video changed meanwhile; look again");
        }
        tracing::error!(error = &error as &dyn std::error::Error, "the database failed");
        if error.is_full() {
            let message = "the server's disk is full; nothing was lost, try again later";
            return Self::new(ErrorCode::DiskFull, message);
        }
        Self::internal()
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::NoSuchUpload => {
                Self::new(ErrorCode::NoUpload, "no upload is open; initiate it again")
            }
            StorageError::BadParts { code } => Self::argument(
                "parts",
                format!("the storage refused the parts ({code}); what arrived is kept"),
            ),
            StorageError::Unavailable(_) => {
                tracing::warn!(%error, "the storage failed");
                Self::new(ErrorCode::StorageUnavailable, "the storage did not answer; try again")
            }
        }
    }
}

impl From<MuxError> for Refusal {
    fn from(error: MuxError) -> Self {
        tracing::warn!(%error, "the media engine failed");
        Self::new(ErrorCode::MediaUnavailable, "the media engine did not answer; try again")
    }
}

impl From<IngestError> for Refusal {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Database(error) => error.into(),
            IngestError::Storage(error) => error.into(),
            IngestError::Mux(_) => Self::new(
                ErrorCode::MediaUnavailable,
                "the media engine did not answer; the original is safe, try again",
            ),
        }
    }
}

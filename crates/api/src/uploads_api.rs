//! The Uploads API: one form per video, and its status.

use serde::{Deserialize, Serialize};

/// What the addresses begin with.
pub const BASE: &str = "/api/client/v1";

/// Where an upload stands. Ours says one of these; another server may say others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadCode {
    /// It is there and waits for the media engine.
    Pending,
    /// The media engine works on it.
    Processing,
    /// It is on its way to the storage.
    Uploading,
    /// It can be played.
    Completed,
    /// It will not become playable.
    Failed,
}

impl UploadCode {
    /// `status` and `status_text`.
    #[must_use]
    pub fn on_the_wire(self) -> (u16, &'static str) {
        match self {
            Self::Pending => (1, "pending"),
            Self::Processing => (3, "processing"),
            Self::Uploading => (5, "uploading"),
            Self::Completed => (6, "completed"),
            Self::Failed => (7, "failed"),
        }
    }

    /// The reverse; `None` for a code that this version does not know.
    #[must_use]
    pub fn of(status: u16) -> Option<Self> {
        [Self::Pending, Self::Processing, Self::Uploading, Self::Completed, Self::Failed]
            .into_iter()
            .find(|code| code.on_the_wire().0 == status)
    }
}

/// Answer of `POST /uploads`, with 202.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Accepted {
    /// For people.
    pub message: String,
    /// The upload, for asking about it.
    pub data: AcceptedUpload,
}

/// An upload that was just taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AcceptedUpload {
    /// Its name.
    pub id: String,
    /// See [`UploadCode`].
    pub status: u16,
    /// The same in a word.
    pub status_text: String,
}

/// Answer of `GET /uploads`: the newest first, fifty at the most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Uploads {
    /// The uploads.
    pub data: Vec<Upload>,
}

/// Answer of `GET /uploads/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OneUpload {
    /// The upload.
    pub data: Upload,
}

/// An upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Upload {
    /// Its name.
    pub id: String,
    /// What the file was called.
    pub filename: String,
    /// See [`UploadCode`].
    pub status: u16,
    /// The same in a word.
    pub status_text: String,
    /// ISO 8601, UTC. Not every server says it of a single upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// ISO 8601, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_document() {
        let known: Vec<u16> = (0..10).filter(|code| UploadCode::of(*code).is_some()).collect();
        assert_eq!(known, [1, 3, 5, 6, 7]);
        assert_eq!(UploadCode::of(6).map(UploadCode::on_the_wire), Some((6, "completed")));
    }
}

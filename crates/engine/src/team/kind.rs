//! The kinds of servers that uploads may go to.

use serde::{Deserialize, Serialize};

/// Which upload API a connection uses. A server may offer several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ProtocolKind {
    /// The team API's `videoActions`, in either dialect.
    VideoActions,
    /// A Serverpod deployment's `videoUpload`.
    ChunkedSessions,
    /// An HTTP action that opens Mux direct uploads.
    MuxDirect,
    /// One form per video.
    UploadsApi,
}

impl ProtocolKind {
    /// All of them, the one that does most for an upload first.
    pub const ALL: [Self; 4] =
        [Self::VideoActions, Self::ChunkedSessions, Self::MuxDirect, Self::UploadsApi];

    /// What people call it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::VideoActions => "video actions",
            Self::ChunkedSessions => "chunked upload sessions",
            Self::MuxDirect => "Mux direct uploads",
            Self::UploadsApi => "the Uploads API",
        }
    }
}

//! Direct uploads: an application's `/upload` route, behind which the bytes go to the media engine
//! itself, by a resumable PUT.
//!
//! `POST /upload` answers `id` and `url`, as the guide has it:
//! <https://www.mux.com/docs/guides/upload-files-directly>. What is asked of an upload afterwards, and
//! every field besides, is ours.

use serde::{Deserialize, Serialize};

use crate::number;
use crate::videos::VideoStatus;

/// The route.
pub const PATH: &str = "/upload";

/// Bytes of a request are a multiple of this, but for the last one's.
pub const GRANULE: u64 = 256 << 10;

/// Body of `POST /upload`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateDirectUpload {
    /// Where the video goes.
    pub project_id: String,
    /// What people see.
    pub title: String,
    /// What people may read besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The file's own name.
    pub filename: String,
    /// Bytes; none of a file that grows, where the server says that it takes such (see
    /// [`About::growing_files`](crate::about::About::growing_files)).
    #[serde(
        default,
        deserialize_with = "number::whole_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub file_size: Option<u64>,
    /// Media type.
    pub content_type: String,
}

/// Body of `POST /upload/{id}`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReopenDirectUpload {
    /// The `uploadId` whose address was found to lead nowhere any more: it is not answered again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<String>,
    /// Bytes of the file as far as they are known by now. Of one that grows, room for those that are
    /// sent next is asked for by this; at its end, it is its size.
    #[serde(
        default,
        deserialize_with = "number::whole_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub file_size: Option<u64>,
}

/// Where the direct upload of a video stands. Its address lets anyone send: no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum DirectUpload {
    /// It waits for bytes.
    Waiting {
        /// The video.
        id: String,
        /// The media engine's name for the upload.
        upload_id: String,
        /// Where the bytes go, whole or in order; what is there, `bytes */{total}` asks it.
        url: String,
        /// Bytes of a request that suit the server; a multiple of [`GRANULE`].
        chunk_size: u64,
    },
    /// None is open: `POST /upload/{id}` opens another.
    Ended {
        /// The video.
        id: String,
    },
    /// All bytes are there.
    Uploaded {
        /// The video.
        id: String,
        /// Where it stands.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        status: VideoStatus,
        /// Seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration: Option<f64>,
        /// Why it failed, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
}

//! `videos:…`: what a team uploaded.

use serde::{Deserialize, Serialize};

use crate::number;
use crate::projects::Role;

/// Where a video stands on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VideoStatus {
    /// Registered; its bytes are not all there.
    Uploading,
    /// The bytes are there; the media engine works.
    Processing,
    /// It can be played.
    Ready,
    /// It will not become playable without somebody's doing.
    Failed,
}

/// Who may watch without being of the team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Whoever knows the public id.
    Public,
    /// Nobody.
    Private,
}

/// Arguments of `videos:create`; the answer is the video's id.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateVideo {
    /// Where it goes.
    pub project_id: String,
    /// What people see.
    pub title: String,
    /// What people may read besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Bytes.
    #[serde(
        default,
        deserialize_with = "number::whole_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub file_size: Option<u64>,
    /// Media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

/// Arguments of `videos:get` and of every function that takes only a video.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VideoArgs {
    /// Which.
    pub video_id: String,
}

/// Arguments of `videos:list`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListVideos {
    /// Whose videos.
    pub project_id: String,
    /// Which of them.
    pub pagination_opts: PaginationOpts,
}

/// An order of `videos:list`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VideoOrder {
    /// The newest first.
    #[default]
    LastUploaded,
    /// By title.
    Alphabetical,
}

/// Convex's cursor pagination.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaginationOpts {
    /// Rows at the most.
    #[serde(deserialize_with = "number::whole")]
    pub num_items: u64,
    /// `continueCursor` of the page before; null for the first.
    pub cursor: Option<String>,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoPage {
    /// The rows.
    pub page: Vec<Video>,
    /// No page follows.
    pub is_done: bool,
    /// For the next call.
    pub continue_cursor: String,
}

/// A video's row, as `videos:get` and `videos:list` show it. More fields may come with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Video {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: String,
    /// Milliseconds since 1970, by the server's clock.
    #[serde(rename = "_creationTime")]
    pub creation_time: f64,
    /// Where it is.
    pub project_id: String,
    /// What people see.
    pub title: String,
    /// What people may read besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The name of who uploaded it.
    #[serde(default)]
    pub uploader_name: String,
    /// Who uploaded it, as the identity provider knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploaded_by_clerk_id: Option<String>,
    /// Names the video in public addresses.
    pub public_id: String,
    /// Who may watch.
    pub visibility: Visibility,
    /// Where it stands.
    pub status: VideoStatus,
    /// Why it failed, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_error: Option<String>,
    /// Bytes.
    #[serde(
        default,
        deserialize_with = "number::whole_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub file_size: Option<u64>,
    /// Media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The original's key in the object storage, once an upload was initiated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_key: Option<String>,
    /// The open multipart upload. Absent after it was completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_multipart_upload_id: Option<String>,
    /// CRC-64/NVME of the whole original, base64 of its big-endian bytes. Only our server says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc64nvme: Option<String>,
    /// Seconds, once the media engine knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// The media engine's name for it, for signed playback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mux_playback_id: Option<String>,
    /// The versions of one video have this in common; absent where there is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_stack_id: Option<String>,
    /// From 1.
    #[serde(
        default,
        deserialize_with = "number::whole_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub version_number: Option<u64>,
    /// Whether no later version took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_latest_version: Option<bool>,
    /// The caller's role; only in `videos:get`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// Arguments of `videos:createVersion`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateVersion {
    /// Any version of the video.
    pub source_video_id: String,
    /// Bytes.
    #[serde(
        default,
        deserialize_with = "number::whole_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub file_size: Option<u64>,
    /// Media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The title of the version before it, unless said. Only our server knows this argument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// Answer of `videos:createVersion`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedVersion {
    /// The new version: a video of its own, to be uploaded like any other.
    pub video_id: String,
    /// What the versions have in common.
    pub version_stack_id: String,
    /// From 1.
    #[serde(deserialize_with = "number::count")]
    pub version_number: u32,
}

/// Arguments of `videos:setVisibility`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetVisibility {
    /// Any version; all are changed.
    pub video_id: String,
    /// Who may watch from now on.
    pub visibility: Visibility,
}

/// Arguments of `videos:update`. What is absent stays.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateVideo {
    /// Which.
    pub video_id: String,
    /// What people see from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What people may read besides; an empty text takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Arguments of `videos:move`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MoveVideo {
    /// Any version; all are moved.
    pub video_id: String,
    /// Where it goes: a project of the same team.
    pub project_id: String,
}

/// Answer of `videos:remove`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovedVideo {
    /// The version that is there instead; null where there is none.
    pub replacement_video_id: Option<String>,
}

/// One version, as `videos:listVersions` shows it. Newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// A video of its own.
    #[serde(rename = "_id")]
    pub id: String,
    /// Where it is.
    pub project_id: String,
    /// What people see.
    pub title: String,
    /// Where it stands.
    pub status: VideoStatus,
    /// From 1.
    #[serde(deserialize_with = "number::count")]
    pub version_number: u32,
    /// Whether no later version took its place.
    pub is_latest_version: bool,
    /// Milliseconds since 1970, by the server's clock.
    pub created_at: f64,
}

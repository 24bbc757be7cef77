//! Chunked upload sessions: the `videoUpload` endpoint of a Serverpod deployment.
//!
//! Field names, ids as whole numbers and absent fields omitted: as Serverpod's generated models
//! write them. `chunkSize`, `projectId`, `videoId` and `publicId` are ours; others ignore them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::number;

/// What `className` says in a refusal.
pub const EXCEPTION: &str = "VideoUploadException";

/// Arguments of `initializeVideoUpload`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct InitializeVideoUpload {
    /// The file's name.
    pub file_name: String,
    /// Media type.
    pub mime_type: String,
    /// Bytes.
    #[serde(deserialize_with = "number::whole")]
    pub total_size: u64,
    /// Seconds, where the client knows.
    #[serde(
        default,
        deserialize_with = "number::whole_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub duration_seconds: Option<u64>,
    /// Where the video goes; without it the first project of the caller's team. Ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_id: Option<String>,
}

/// Arguments of the methods that name only a session.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct SessionArgs {
    /// Which.
    pub upload_session_id: i64,
}

/// Arguments of `getChunkUploadUrl`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChunkArgs {
    /// Which session.
    pub upload_session_id: i64,
    /// From zero.
    pub chunk_index: i64,
}

/// Arguments of `confirmChunkUpload`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ConfirmChunk {
    /// Which session.
    pub upload_session_id: i64,
    /// From zero.
    pub chunk_index: i64,
    /// Bytes that were sent.
    #[serde(deserialize_with = "number::whole")]
    pub chunk_size: u64,
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum SessionStatus {
    /// Nothing is confirmed.
    Initialized,
    /// Some chunks are.
    Uploading,
    /// All chunks are; they become one file when `completeVideoUpload` is called.
    Assembling,
    /// The file is there.
    Completed,
    /// It will not come to anything; `errorMessage` says why.
    Failed,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChunkedUploadSession {
    /// Names it in every other call.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// The media file that comes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_file_id: Option<i64>,
    /// A name that nobody can guess.
    pub file_id: String,
    /// Made safe: no path, no white space, lower case.
    pub file_name: String,
    /// Media type.
    pub mime_type: String,
    /// Bytes.
    pub total_size: u64,
    /// The object's key.
    pub storage_key: String,
    /// How many chunks.
    pub total_chunks: u32,
    /// How many are confirmed.
    pub uploaded_chunks: u32,
    /// Their bytes.
    pub uploaded_bytes: u64,
    /// Where it stands.
    pub status: SessionStatus,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// ISO 8601, UTC.
    pub expires_at: String,
    /// ISO 8601, UTC.
    pub created_at: String,
    /// ISO 8601, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// ISO 8601, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// Bytes of every chunk but the last. Ours; 5 MiB where it is missing.
    #[serde(
        default,
        deserialize_with = "number::whole_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub chunk_size: Option<u64>,
}

/// Where a chunk is sent to. No `Debug`: the address opens something.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChunkUploadUrl {
    /// From zero.
    pub chunk_index: u32,
    /// Presigned PUT.
    pub upload_url: String,
    /// To be sent with it, and no others.
    pub upload_headers: BTreeMap<String, String>,
    /// ISO 8601, UTC.
    pub expires_at: String,
}

/// How far a session is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChunkUploadProgress {
    /// Which.
    pub upload_session_id: i64,
    /// Confirmed chunks.
    pub uploaded_chunks: u32,
    /// All chunks.
    pub total_chunks: u32,
    /// Confirmed bytes.
    pub uploaded_bytes: u64,
    /// All bytes.
    pub total_bytes: u64,
    /// Confirmed bytes of all, 0 to 1.
    pub progress: f64,
    /// After `confirmChunkUpload`: every chunk is confirmed. After `getUploadProgress`: completed.
    pub is_complete: bool,
    /// Only in `getUploadProgress`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<SessionStatus>,
}

/// What came of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct MediaFile {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// The session's `fileId`.
    pub file_name: String,
    /// What the file was called, made safe.
    pub original_file_name: String,
    /// Media type.
    pub mime_type: String,
    /// Bytes.
    pub file_size: u64,
    /// The object's key.
    pub storage_key: String,
    /// Where it lies.
    pub storage_bucket: String,
    /// Always `video`.
    pub media_type: String,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<u64>,
    /// `pending`, `processing`, `ready` or `failed`.
    pub status: String,
    /// ISO 8601, UTC.
    pub created_at: String,
    /// The video's id in the team API. Ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video_id: Option<String>,
    /// The video's name in public addresses. Ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_id: Option<String>,
}

/// A refusal, as Serverpod writes an exception that its protocol knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Exception {
    /// [`EXCEPTION`].
    pub class_name: String,
    /// What is wrong.
    pub data: ExceptionData,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExceptionData {
    /// For programs.
    pub code: ExceptionCode,
    /// For people.
    pub message: String,
}

/// All codes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExceptionCode {
    /// No key or token came.
    Unauthenticated,
    /// The caller is a member of no team.
    UserNotFound,
    /// The type is none of the team's.
    InvalidType,
    /// Larger than the team allows, or empty.
    FileTooLarge,
    /// The team's storage is full.
    QuotaExceeded,
    /// No such session, or none of the caller's.
    SessionNotFound,
    /// The caller may not do this.
    AccessDenied,
    /// The session's day is over.
    SessionExpired,
    /// There is no such chunk, or it has another size.
    InvalidChunk,
    /// The chunk is not in the storage.
    ChunkNotFound,
    /// Not every chunk is confirmed.
    Incomplete,
    /// A confirmed chunk is gone from the storage.
    ChunkMissing,
    /// The media file was removed.
    MediaNotFound,
    /// A code that this version does not know.
    #[serde(other)]
    Unknown,
}

//! Error codes of the team API, stable and closed.

use serde::{Deserialize, Serialize};

/// Why the team server refused, in `errorData.code` and in the body of a non-200 answer.
///
/// A deployment that is not ours may send none or others: those read as [`ErrorCode::Unknown`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// No key or token came with the call, and the function needs one.
    Unauthenticated,
    /// The key or token is wrong, revoked or expired.
    BadCredentials,
    /// The caller's role in the video's team does not allow this.
    Forbidden,
    /// No such thing, or none that the caller may know of.
    NotFound,
    /// No function of that name.
    FunctionNotFound,
    /// An argument is missing, unknown or of the wrong type.
    InvalidArgument,
    /// The type is none of the team's.
    UnsupportedType,
    /// Larger than the team allows.
    FileTooLarge,
    /// The team's storage is full.
    QuotaExceeded,
    /// The video is in a state in which this cannot be done.
    WrongState,
    /// The stored object has another size than the video was registered with.
    SizeMismatch,
    /// A part or the object has another checksum than was said.
    ChecksumMismatch,
    /// No upload is open for this video.
    NoUpload,
    /// The video cannot be played yet.
    NotReady,
    /// The object storage did not do what was asked.
    StorageUnavailable,
    /// The media engine did not do what was asked.
    MediaUnavailable,
    /// The body is larger than the endpoint takes.
    BodyTooLarge,
    /// The request's headers are more, or longer, than the server takes.
    HeadersTooLarge,
    /// The request came too slowly, or its answer took too long.
    RequestTimeout,
    /// Too many calls of one key or from one address; `Retry-After` says when to come again.
    RateLimited,
    /// The server's disk is full. Nothing was lost; it goes on when there is room.
    DiskFull,
    /// A fault of the server.
    Internal,
    /// A code that this version does not know.
    #[serde(other)]
    Unknown,
}

/// What a refused call carries: `errorData` of a function, or the body of a non-200 answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorData {
    /// Stable, for programs.
    pub code: ErrorCode,
    /// For people; says what to do where something can be done.
    pub message: String,
    /// The argument that was wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

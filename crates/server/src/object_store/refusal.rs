//! Why the store does not do what it was asked, and how S3 says so.

use std::io;

use dailies_database::DatabaseError;
use http::header::{CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use rusqlite::ErrorCode;
use s3s::{S3Error, S3ErrorCode};

/// A reason not to do what a request asks.
///
/// Codes and statuses are those of
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the specified bucket does not exist")]
    NoSuchBucket,
    #[error("the specified key does not exist")]
    NoSuchKey,
    #[error("the specified upload does not exist; it may have been aborted or completed")]
    NoSuchUpload,
    #[error("your previous request to create the named bucket succeeded and you already own it")]
    BucketAlreadyOwnedByYou,
    #[error("the bucket you tried to delete is not empty")]
    BucketNotEmpty,
    #[error("one or more of the specified parts could not be found")]
    InvalidPart,
    #[error("the list of parts was not in ascending order")]
    InvalidPartOrder,
    #[error("your proposed upload is smaller than the minimum allowed size")]
    EntityTooSmall,
    #[error("your proposed upload exceeds the maximum allowed size")]
    EntityTooLarge,
    #[error("you must provide the Content-Length HTTP header")]
    MissingContentLength,
    #[error("you did not provide the number of bytes specified by the Content-Length HTTP header")]
    IncompleteBody,
    #[error("the request body did not arrive in time")]
    RequestTimeout,
    #[error("the {0} you specified did not match what we received")]
    BadDigest(&'static str),
    #[error("the {0} you specified is not valid")]
    InvalidDigest(&'static str),
    #[error("the provided x-amz-content-sha256 header does not match what was computed")]
    ContentSha256Mismatch,
    #[error("a chunk of the body is not signed as it should be")]
    ChunkSignature,
    #[error("at least one of the preconditions you specified did not hold")]
    PreconditionFailed,
    #[error("the object was not modified")]
    NotModified,
    #[error("the requested range is not satisfiable")]
    InvalidRange {
        /// Bytes of the object.
        size: u64,
    },
    #[error("the requested part number is not satisfiable")]
    InvalidPartNumber,
    #[error("your metadata headers exceed the maximum allowed metadata size")]
    MetadataTooLarge,
    #[error("the XML you provided was not well formed or did not validate")]
    MalformedXml,
    #[error("{0}")]
    InvalidArgument(&'static str),
    #[error("{0}")]
    InvalidRequest(&'static str),
    #[error("{0} is not implemented")]
    NotImplemented(&'static str),
    #[error("the disk of this storage is full")]
    DiskFull,
    #[error("the storage could not reach its files")]
    Files(#[source] io::Error),
    #[error("the storage could not reach its index")]
    Index(#[source] DatabaseError),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Files(error),
        }
    }
}

impl From<DatabaseError> for Refusal {
    fn from(error: DatabaseError) -> Self {
        match &error {
            DatabaseError::Sqlite(inner)
                if inner.sqlite_error_code() == Some(ErrorCode::DiskFull) =>
            {
                Self::DiskFull
            }
            _ => Self::Index(error),
        }
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        DatabaseError::from(error).into()
    }
}

impl Refusal {
    fn code(&self) -> S3ErrorCode {
        match self {
            Self::NoSuchBucket => S3ErrorCode::NoSuchBucket,
            Self::NoSuchKey => S3ErrorCode::NoSuchKey,
            Self::NoSuchUpload => S3ErrorCode::NoSuchUpload,
            Self::BucketAlreadyOwnedByYou => S3ErrorCode::BucketAlreadyOwnedByYou,
            Self::BucketNotEmpty => S3ErrorCode::BucketNotEmpty,
            Self::InvalidPart => S3ErrorCode::InvalidPart,
            Self::InvalidPartOrder => S3ErrorCode::InvalidPartOrder,
            Self::EntityTooSmall => S3ErrorCode::EntityTooSmall,
            Self::EntityTooLarge => S3ErrorCode::EntityTooLarge,
            Self::MissingContentLength => S3ErrorCode::MissingContentLength,
            Self::IncompleteBody => S3ErrorCode::IncompleteBody,
            Self::RequestTimeout => S3ErrorCode::RequestTimeout,
            Self::BadDigest(_) => S3ErrorCode::BadDigest,
            Self::InvalidDigest(_) => S3ErrorCode::InvalidDigest,
            Self::ContentSha256Mismatch => S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into()),
            Self::ChunkSignature => S3ErrorCode::SignatureDoesNotMatch,
            Self::PreconditionFailed => S3ErrorCode::PreconditionFailed,
            Self::NotModified => S3ErrorCode::NotModified,
            Self::InvalidRange { .. } => S3ErrorCode::InvalidRange,
            Self::InvalidPartNumber => S3ErrorCode::Custom("InvalidPartNumber".into()),
            Self::MetadataTooLarge => S3ErrorCode::MetadataTooLarge,
            Self::MalformedXml => S3ErrorCode::MalformedXML,
            Self::InvalidArgument(_) => S3ErrorCode::InvalidArgument,
            Self::InvalidRequest(_) => S3ErrorCode::InvalidRequest,
            Self::NotImplemented(_) => S3ErrorCode::NotImplemented,
            Self::DiskFull => S3ErrorCode::Custom("InsufficientStorage".into()),
            Self::Files(_) | Self::Index(_) => S3ErrorCode::InternalError,
        }
    }
}

impl From<Refusal> for S3Error {
    fn from(refusal: Refusal) -> Self {
        let mut error = Self::with_message(refusal.code(), refusal.to_string());
        match &refusal {
            Refusal::InvalidRange { size } => {
                let mut headers = HeaderMap::new();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
                if let Ok(range) = HeaderValue::try_from(format!("bytes */{size}")) {
                    headers.insert(CONTENT_RANGE, range);
                }
                error.set_headers(headers);
            }
            Refusal::InvalidPartNumber => {
                error.set_status_code(StatusCode::RANGE_NOT_SATISFIABLE);
            }
            Refusal::ContentSha256Mismatch => error.set_status_code(StatusCode::BAD_REQUEST),
            Refusal::DiskFull => {
                tracing::error!(target: super::LOG, event = "disk_full", "the disk is full");
                error.set_status_code(StatusCode::INSUFFICIENT_STORAGE);
            }
            Refusal::Files(source) => {
                tracing::error!(target: super::LOG, event = "files_failed", error = %source, "{refusal}");
            }
            Refusal::Index(source) => {
                tracing::error!(target: super::LOG, event = "index_failed", error = ?source, "{refusal}");
            }
            _ => {}
        }
        error
    }
}

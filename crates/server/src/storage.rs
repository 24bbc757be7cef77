//! The team's originals in an object storage, whichever S3 it is.
//!
//! Owns: the `aws-sdk-s3` clients, presigning, what of S3's errors matters here. Must not know:
//! that a storage may be inside this very process; videos.

mod emptying;
mod incoming;
mod inventory;
mod presigned;
mod probe;

pub(crate) use self::incoming::Incoming;
pub(crate) use self::inventory::Stored;
pub(crate) use self::presigned::{CHUNK, GetAs, PART, PartToSign};
pub(crate) use self::probe::Probe;

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart,
};
use secrecy::ExposeSecret as _;

use crate::config::{S3Config, StorageChecksum};

/// A request that does little.
const SHORT: Duration = Duration::from_secs(20);
/// Completing may copy, in a storage that is not ours: AWS says it can take minutes.
const LONG: Duration = Duration::from_mins(5);

/// What a storage did not do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StorageError {
    /// The multipart upload was completed, aborted, or never was.
    #[error("the storage knows no such upload")]
    NoSuchUpload,
    /// A part is missing, has another ETag or checksum, or is too small. The others are kept.
    #[error("the storage refused the list of parts ({code})")]
    BadParts {
        /// S3's code.
        code: String,
    },
    /// Anything else; the code or class of the failure, never an address.
    #[error("the storage failed ({0})")]
    Unavailable(String),
}

/// The storage's word on an object.
#[derive(Clone, Debug)]
pub(crate) struct ObjectHead {
    /// Bytes.
    pub(crate) size: u64,
    pub(crate) content_type: Option<String>,
    /// Base64 of eight big-endian bytes, where the storage keeps it.
    pub(crate) crc64nvme: Option<String>,
}

/// A part that arrived.
#[derive(Clone, Debug)]
pub(crate) struct StoredPart {
    pub(crate) number: u32,
    pub(crate) etag: String,
    /// Bytes.
    pub(crate) size: u64,
    pub(crate) crc64nvme: Option<String>,
}

/// One bucket.
#[derive(Clone, Debug)]
pub(crate) struct OriginalStorage {
    client: Client,
    /// Signs for the address that others reach the storage by.
    public: Client,
    bucket: String,
    checksum: StorageChecksum,
}

impl OriginalStorage {
    pub(crate) fn new(config: &S3Config) -> Self {
        Self {
            client: client(config, config.endpoint.as_str()),
            public: client(config, config.public_endpoint.as_str()),
            bucket: config.bucket.clone(),
            checksum: config.checksum,
        }
    }

    /// Whether parts can be signed with their checksum.
    pub(crate) fn checks_parts(&self) -> bool {
        self.checksum == StorageChecksum::Crc64Nvme
    }

    /// `None` where there is no such object.
    pub(crate) async fn head(&self, key: &str) -> Result<Option<ObjectHead>, StorageError> {
        let mut head = self.client.head_object().bucket(&self.bucket).key(key);
        if self.checks_parts() {
            head = head.checksum_mode(ChecksumMode::Enabled);
        }
        match Box::pin(head.send()).await {
            Ok(head) => Ok(Some(ObjectHead {
                size: head.content_length().unwrap_or_default().unsigned_abs(),
                content_type: head.content_type().map(str::to_owned),
                crc64nvme: head.checksum_crc64_nvme().map(str::to_owned),
            })),
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// Answers the upload's id.
    pub(crate) async fn create_multipart(
        &self,
        key: &str,
        content_type: &str,
    ) -> Result<String, StorageError> {
        let mut create = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type);
        if self.checks_parts() {
            create = create
                .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme)
                .checksum_type(ChecksumType::FullObject);
        }
        let created = Box::pin(create.send()).await.map_err(|error| unavailable(&error))?;
        created.upload_id.ok_or_else(|| StorageError::Unavailable("an upload without an id".into()))
    }

    /// Aborts every multipart upload whose key begins like this but one.
    pub(crate) async fn abort_others(
        &self,
        prefix: &str,
        kept: Option<&str>,
    ) -> Result<(), StorageError> {
        // One page has a thousand of them; there is hardly ever one.
        let list = self.client.list_multipart_uploads().bucket(&self.bucket).prefix(prefix);
        let listed = Box::pin(list.send()).await.map_err(|error| unavailable(&error))?;
        for upload in listed.uploads() {
            if let (Some(key), Some(id)) = (upload.key(), upload.upload_id())
                && Some(id) != kept
            {
                self.abort_multipart(key, id).await?;
            }
        }
        Ok(())
    }

    /// Every part that arrived, in order.
    pub(crate) async fn parts(
        &self,
        key: &str,
        upload_id: &str,
    ) -> Result<Vec<StoredPart>, StorageError> {
        let mut pages = self
            .client
            .list_parts()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload_id)
            .into_paginator()
            .send();
        let mut parts = Vec::new();
        while let Some(page) = Box::pin(pages.next()).await {
            let page = page.map_err(|error| upload_error(&error))?;
            parts.extend(page.parts().iter().filter_map(stored_part));
        }
        Ok(parts)
    }

    /// One part, if it arrived.
    pub(crate) async fn part(
        &self,
        key: &str,
        upload_id: &str,
        number: u32,
    ) -> Result<Option<StoredPart>, StorageError> {
        // The marker is the number before the first that is listed.
        let list = self
            .client
            .list_parts()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload_id)
            .max_parts(1)
            .part_number_marker(number.saturating_sub(1).to_string());
        let listed = Box::pin(list.send()).await.map_err(|error| upload_error(&error))?;
        Ok(listed.parts().iter().filter_map(stored_part).find(|part| part.number == number))
    }

    /// The bucket's name.
    pub(crate) fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Makes the parts one object.
    pub(crate) async fn complete_multipart(
        &self,
        key: &str,
        upload_id: &str,
        parts: Vec<CompletedPart>,
    ) -> Result<(), StorageError> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload_id)
            .multipart_upload(parts)
            .customize()
            .config_override(aws_sdk_s3::Config::builder().timeout_config(timeouts(LONG)));
        Box::pin(complete.send()).await.map(drop).map_err(|error| upload_error(&error))
    }

    /// Drops the parts. An upload that is gone already is no error.
    pub(crate) async fn abort_multipart(
        &self,
        key: &str,
        upload_id: &str,
    ) -> Result<(), StorageError> {
        let abort =
            self.client.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload_id);
        match Box::pin(abort.send()).await.map_err(|error| upload_error(&error)) {
            Ok(_) | Err(StorageError::NoSuchUpload) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Deletes the object. One that is not there is no error.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), StorageError> {
        let delete = self.client.delete_object().bucket(&self.bucket).key(key);
        match Box::pin(delete.send()).await {
            Ok(_) => Ok(()),
            Err(error) if status(&error) == Some(404) => Ok(()),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

fn stored_part(part: &aws_sdk_s3::types::Part) -> Option<StoredPart> {
    Some(StoredPart {
        number: u32::try_from(part.part_number()?).ok()?,
        etag: part.e_tag()?.to_owned(),
        size: part.size().unwrap_or_default().unsigned_abs(),
        crc64nvme: part.checksum_crc64_nvme().map(str::to_owned),
    })
}

fn client(config: &S3Config, endpoint: &str) -> Client {
    let credentials = Credentials::new(
        &config.access_key_id,
        config.secret_access_key.expose_secret(),
        None,
        None,
        "configuration",
    );
    Client::from_conf(
        aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(endpoint.trim_end_matches('/'))
            .region(Region::new(config.region.clone()))
            .credentials_provider(credentials)
            .force_path_style(true)
            // By itself the SDK adds a CRC32 to whatever it signs, which no other client would send.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .timeout_config(timeouts(SHORT))
            .build(),
    )
}

fn timeouts(operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_timeout(operation)
        .build()
}

fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

fn upload_error<E: ProvideErrorMetadata>(error: &SdkError<E>) -> StorageError {
    match error.code() {
        Some("NoSuchUpload" | "NoSuchKey") => StorageError::NoSuchUpload,
        Some(
            code @ ("InvalidPart" | "InvalidPartOrder" | "EntityTooSmall" | "BadDigest"
            | "InvalidRequest" | "MalformedXML"),
        ) => StorageError::BadParts { code: code.to_owned() },
        _ => unavailable(error),
    }
}

fn unavailable<E: ProvideErrorMetadata>(error: &SdkError<E>) -> StorageError {
    let class = match error {
        SdkError::TimeoutError(_) => "timeout".to_owned(),
        SdkError::DispatchFailure(_) => "unreachable".to_owned(),
        _ => match (error.code(), status(error)) {
            (Some(code), _) => code.to_owned(),
            (None, Some(status)) => format!("status {status}"),
            (None, None) => "no answer that can be read".to_owned(),
        },
    };
    StorageError::Unavailable(class)
}

//! An object that arrives through this server, stored while it does: in parts of a fixed size, two
//! of them on their way at the most, so that memory stays the same whatever the object's size.

use std::collections::BTreeMap;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::CompletedPart;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use tokio::task::JoinSet;

use super::{LONG, OriginalStorage, StorageError, timeouts, unavailable, upload_error};

/// Parts on their way at the most.
const IN_FLIGHT: usize = 2;

/// An object that is not whole yet. [`Incoming::abort`] removes it; dropped, it is left for a
/// background job to find.
pub(crate) struct Incoming {
    storage: OriginalStorage,
    key: String,
    content_type: String,
    /// Bytes of a part.
    part_size: usize,
    buffer: BytesMut,
    /// Opened with the first part; small objects are one PUT.
    upload_id: Option<String>,
    sending: JoinSet<Result<(i32, String), StorageError>>,
    sent: BTreeMap<i32, String>,
    parts: i32,
}

impl Incoming {
    pub(crate) fn new(
        storage: OriginalStorage,
        key: String,
        content_type: String,
        part_size: usize,
    ) -> Self {
        Self {
            storage,
            key,
            content_type,
            part_size,
            buffer: BytesMut::with_capacity(part_size),
            upload_id: None,
            sending: JoinSet::new(),
            sent: BTreeMap::new(),
            parts: 0,
        }
    }

    /// Bytes that one more write may bring before a part has to be sent.
    pub(crate) fn room(&self) -> usize {
        self.part_size - self.buffer.len()
    }

    /// Takes at most [`Self::room`] bytes.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        debug_assert!(bytes.len() <= self.room(), "the caller asked for the room");
        self.buffer.extend_from_slice(bytes);
    }

    /// Sends what was taken as one part; waits while two are on their way.
    pub(crate) async fn send(&mut self) -> Result<(), StorageError> {
        let upload_id = match &self.upload_id {
            Some(id) => id.clone(),
            None => {
                let id = self.storage.create_multipart(&self.key, &self.content_type).await?;
                self.upload_id.insert(id).clone()
            }
        };
        while self.sending.len() >= IN_FLIGHT {
            self.sent_one().await?;
        }
        self.parts += 1;
        let bytes =
            std::mem::replace(&mut self.buffer, BytesMut::with_capacity(self.part_size)).freeze();
        let (storage, key, number) = (self.storage.clone(), self.key.clone(), self.parts);
        self.sending.spawn(async move {
            let etag = Box::pin(storage.upload_part(&key, &upload_id, number, bytes)).await?;
            Ok((number, etag))
        });
        Ok(())
    }

    /// Makes what was taken one object.
    pub(crate) async fn finish(&mut self) -> Result<(), StorageError> {
        if self.upload_id.is_none() {
            let bytes = std::mem::take(&mut self.buffer).freeze();
            return self.storage.put(&self.key, &self.content_type, bytes).await;
        }
        if !self.buffer.is_empty() {
            self.send().await?;
        }
        while !self.sending.is_empty() {
            self.sent_one().await?;
        }
        let parts = std::mem::take(&mut self.sent)
            .into_iter()
            .map(|(number, etag)| CompletedPart::builder().part_number(number).e_tag(etag).build())
            .collect();
        let upload_id = self.upload_id.clone().unwrap_or_default();
        self.storage.complete_multipart(&self.key, &upload_id, parts).await
    }

    /// Removes whatever was stored.
    pub(crate) async fn abort(mut self) -> Result<(), StorageError> {
        self.sending.shutdown().await;
        if let Some(upload_id) = &self.upload_id {
            self.storage.abort_multipart(&self.key, upload_id).await?;
        }
        // It may have become an object whose answer was lost.
        self.storage.delete(&self.key).await
    }

    async fn sent_one(&mut self) -> Result<(), StorageError> {
        match self.sending.join_next().await {
            None => Ok(()),
            Some(Ok(Ok((number, etag)))) => {
                self.sent.insert(number, etag);
                Ok(())
            }
            Some(Ok(Err(error))) => Err(error),
            Some(Err(_)) => Err(StorageError::Unavailable("a part was not sent".into())),
        }
    }
}

impl OriginalStorage {
    async fn upload_part(
        &self,
        key: &str,
        upload_id: &str,
        number: i32,
        bytes: Bytes,
    ) -> Result<String, StorageError> {
        let checksum = self.checks_parts().then(|| crc64nvme(&bytes));
        let put = self
            .client
            .upload_part()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload_id)
            .part_number(number)
            .set_checksum_crc64_nvme(checksum)
            .body(ByteStream::from(bytes))
            .customize()
            .disable_payload_signing()
            .config_override(aws_sdk_s3::Config::builder().timeout_config(timeouts(LONG)));
        let put = Box::pin(put.send()).await.map_err(|error| upload_error(&error))?;
        put.e_tag.ok_or_else(|| StorageError::Unavailable("a part without an ETag".into()))
    }

    async fn put(&self, key: &str, content_type: &str, bytes: Bytes) -> Result<(), StorageError> {
        let checksum = self.checks_parts().then(|| crc64nvme(&bytes));
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            .set_checksum_crc64_nvme(checksum)
            .body(ByteStream::from(bytes))
            .customize()
            .disable_payload_signing()
            .config_override(aws_sdk_s3::Config::builder().timeout_config(timeouts(LONG)));
        Box::pin(put.send()).await.map(drop).map_err(|error| unavailable(&error))
    }
}

/// As S3 writes it.
fn crc64nvme(bytes: &[u8]) -> String {
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, bytes);
    STANDARD.encode(crc.to_be_bytes())
}

//! Addresses that carry their own permission, for a while.
//!
//! Whatever is signed must be sent, and nothing else of `x-amz-*` may be: the answers say which
//! headers a PUT carries besides `Content-Type`.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;

use super::{OriginalStorage, StorageError};

/// A single PUT's address.
const PUT: Duration = Duration::from_hours(1);
/// A part's address: as long as an upload may lie idle.
pub(crate) const PART: Duration = Duration::from_hours(24);
/// A chunk's address: its client asks for one at a time.
pub(crate) const CHUNK: Duration = Duration::from_mins(30);
/// An original's address, for people.
const GET: Duration = Duration::from_mins(10);
/// An original's address, for the media engine, which may have a queue.
const INGEST: Duration = Duration::from_hours(24);

/// A part to be signed.
pub(crate) struct PartToSign<'a> {
    pub(crate) number: u32,
    /// Bytes; a body of any other length is refused.
    pub(crate) length: u64,
    /// Base64; a body with any other checksum is refused.
    pub(crate) crc64nvme: Option<&'a str>,
    /// How long its address opens.
    pub(crate) lifetime: Duration,
}

/// How a browser should take an original.
pub(crate) struct GetAs<'a> {
    pub(crate) content_type: Option<&'a str>,
    /// `Content-Disposition`.
    pub(crate) disposition: Option<&'a str>,
}

impl OriginalStorage {
    /// One PUT of just `length` bytes, if that is known. The caller's `Content-Type` is not signed:
    /// clients of either dialect send the file's own, and completing looks at what was stored.
    pub(crate) async fn sign_put(
        &self,
        key: &str,
        length: Option<u64>,
    ) -> Result<String, StorageError> {
        let put = self
            .public
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .set_content_length(length.map(signed_length));
        let signed = put.presigned(lifetime(PUT)).await.map_err(|error| unsigned(&error))?;
        Ok(signed.uri().to_owned())
    }

    pub(crate) async fn sign_part(
        &self,
        key: &str,
        upload_id: &str,
        part: &PartToSign<'_>,
    ) -> Result<String, StorageError> {
        let put = self
            .public
            .upload_part()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload_id)
            .part_number(i32::try_from(part.number).unwrap_or(i32::MAX))
            .content_length(signed_length(part.length))
            .set_checksum_crc64_nvme(part.crc64nvme.map(str::to_owned));
        let signed =
            put.presigned(lifetime(part.lifetime)).await.map_err(|error| unsigned(&error))?;
        Ok(signed.uri().to_owned())
    }

    pub(crate) async fn sign_get(
        &self,
        key: &str,
        how: &GetAs<'_>,
    ) -> Result<String, StorageError> {
        let get = self
            .public
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .set_response_content_type(how.content_type.map(str::to_owned))
            .set_response_content_disposition(how.disposition.map(str::to_owned));
        let signed = get.presigned(lifetime(GET)).await.map_err(|error| unsigned(&error))?;
        Ok(signed.uri().to_owned())
    }

    /// For the media engine; `nearby` where it runs beside the storage.
    pub(crate) async fn sign_ingest(
        &self,
        key: &str,
        nearby: bool,
    ) -> Result<String, StorageError> {
        let client = if nearby { &self.client } else { &self.public };
        let get = client.get_object().bucket(&self.bucket).key(key);
        let signed = get.presigned(lifetime(INGEST)).await.map_err(|error| unsigned(&error))?;
        Ok(signed.uri().to_owned())
    }
}

fn lifetime(lifetime: Duration) -> PresigningConfig {
    PresigningConfig::expires_in(lifetime).expect("every lifetime here is below S3's seven days")
}

fn signed_length(length: u64) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn unsigned<E>(_: &aws_sdk_s3::error::SdkError<E>) -> StorageError {
    StorageError::Unavailable("an address could not be signed".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{S3Config, StorageChecksum};

    fn storage() -> OriginalStorage {
        OriginalStorage::new(&S3Config {
            endpoint: "http://127.0.0.1:9".parse().expect("an address"),
            public_endpoint: "https://files.test:8443".parse().expect("an address"),
            region: "eu-test-1".into(),
            bucket: "originals".into(),
            access_key_id: "id".into(),
            secret_access_key: "secret".into(),
            checksum: StorageChecksum::Crc64Nvme,
        })
    }

    fn signed_headers(url: &str) -> String {
        let url = url::Url::parse(url).expect("a signed address is an address");
        assert_eq!(url.host_str(), Some("files.test"));
        assert_eq!(url.port(), Some(8443));
        url.query_pairs()
            .find(|(name, _)| name == "X-Amz-SignedHeaders")
            .map(|(_, value)| value.into_owned())
            .expect("a signed address names its headers")
    }

    #[tokio::test]
    async fn a_put_is_signed_with_its_length_and_nothing_a_client_would_not_send() {
        let storage = storage();
        let url = storage.sign_put("videos/a/b", Some(7)).await.expect("signing needs no network");
        assert_eq!(signed_headers(&url), "content-length;host");
        let url = storage.sign_put("videos/a/b", None).await.expect("signing needs no network");
        assert_eq!(signed_headers(&url), "host");
    }

    #[tokio::test]
    async fn a_part_is_signed_with_its_checksum_as_a_header() {
        let part =
            PartToSign { number: 3, length: 9, crc64nvme: Some("AAAAAAAAAAA="), lifetime: PART };
        let url = storage().sign_part("k", "u", &part).await.expect("signing needs no network");
        assert_eq!(signed_headers(&url), "content-length;host;x-amz-checksum-crc64nvme");
        assert!(!url.contains("AAAAAAAAAAA"));
        let part = PartToSign { crc64nvme: None, ..part };
        let url = storage().sign_part("k", "u", &part).await.expect("signing needs no network");
        assert_eq!(signed_headers(&url), "content-length;host");
    }
}

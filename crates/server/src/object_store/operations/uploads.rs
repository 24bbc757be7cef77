//! Multipart uploads: begun, listed, aborted.

use s3s::S3Request;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, CommonPrefix,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, MultipartUpload,
};

use super::write::attributes;
use super::{encoded, page_size};
use crate::object_store::LOG;
use crate::object_store::checksums::Algorithm;
use crate::object_store::index::uploads::{self, After, Listed, Upload};
use crate::object_store::index::{Moment, buckets};
use crate::object_store::refusal::Refusal;
use crate::object_store::store::Store;
use crate::object_store::values::UploadId;

impl Store {
    pub(super) async fn begin_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> Result<CreateMultipartUploadOutput, Refusal> {
        let mut input = request.input;
        let checksum_algorithm = match &input.checksum_algorithm {
            Some(name) => Some(
                Algorithm::from_name(name.as_str())
                    .ok_or(Refusal::InvalidRequest("the checksum algorithm is not known"))?,
            ),
            None => None,
        };
        let attributes = attributes!(input)?;
        let bucket = input.bucket.clone();
        self.index.read(move |connection| buckets::require(connection, &bucket)).await?;

        // Made now, so that no part has to make it: parts come at the same time.
        let files = self.files.clone();
        let created = tokio::task::spawn_blocking(move || files.create());
        let (file, _) = created.await.map_err(std::io::Error::other)??;
        let upload = Upload {
            id: UploadId::fresh(),
            bucket: input.bucket,
            key: input.key,
            attributes,
            checksum_algorithm,
            file: file.name(),
            unit: None,
            created: Moment::now(),
        };
        let upload = self
            .commit(move |connection, _| {
                uploads::insert(connection, &upload)?;
                file.recorded();
                Ok(upload)
            })
            .await?;
        tracing::info!(
            target: LOG, event = "upload_begun", bucket = upload.bucket, key = upload.key,
            upload_id = %upload.id, "began an upload"
        );
        Ok(CreateMultipartUploadOutput {
            bucket: Some(upload.bucket),
            key: Some(upload.key),
            upload_id: Some(upload.id.to_string()),
            checksum_algorithm: input.checksum_algorithm,
            checksum_type: input.checksum_type,
            ..Default::default()
        })
    }

    pub(super) async fn abort_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> Result<AbortMultipartUploadOutput, Refusal> {
        let AbortMultipartUploadInput { bucket, key, upload_id, .. } = request.input;
        let id = UploadId::parse(&upload_id)?;
        self.commit(move |connection, released| {
            let upload = uploads::require(connection, &bucket, &key, id)?;
            uploads::remove(connection, &upload, released)
        })
        .await?;
        tracing::info!(target: LOG, event = "upload_aborted", upload_id = %id, "aborted an upload");
        Ok(AbortMultipartUploadOutput::default())
    }

    pub(super) async fn page_of_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> Result<ListMultipartUploadsOutput, Refusal> {
        let input = request.input;
        let limit = page_size(input.max_uploads)?;
        let bucket = input.bucket.clone();
        let prefix = input.prefix.clone().unwrap_or_default();
        let delimiter = input.delimiter.clone().filter(|delimiter| !delimiter.is_empty());
        let after = After {
            key: input.key_marker.clone().unwrap_or_default(),
            // Without a key the id has no meaning.
            id: input.upload_id_marker.clone().filter(|_| input.key_marker.is_some()),
        };
        let mut found = self
            .index
            .read(move |connection| {
                buckets::require(connection, &bucket)?;
                let folding = (&*prefix, delimiter.as_deref());
                uploads::list(connection, &bucket, folding, &after, limit + 1)
            })
            .await?;
        let is_truncated = found.len() > limit;
        found.truncate(limit);
        let encode = |text: &str| encoded(text, input.encoding_type.as_ref());
        let (next_key, next_id) = match found.last().filter(|_| is_truncated) {
            Some(Listed::Upload(upload)) => {
                (Some(encode(&upload.key)), Some(upload.id.to_string()))
            }
            Some(Listed::CommonPrefix(prefix)) => (Some(encode(prefix)), None),
            None => (None, None),
        };
        let (mut uploads, mut common_prefixes) = (Vec::new(), Vec::new());
        for listed in found {
            match listed {
                Listed::Upload(upload) => uploads.push(MultipartUpload {
                    key: Some(encode(&upload.key)),
                    upload_id: Some(upload.id.to_string()),
                    initiated: Some(upload.created.timestamp()),
                    checksum_algorithm: upload
                        .checksum_algorithm
                        .map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
                    ..Default::default()
                }),
                Listed::CommonPrefix(prefix) => {
                    common_prefixes.push(CommonPrefix { prefix: Some(encode(&prefix)) });
                }
            }
        }
        Ok(ListMultipartUploadsOutput {
            bucket: Some(input.bucket),
            prefix: input.prefix.as_deref().map(encode),
            key_marker: Some(encode(input.key_marker.as_deref().unwrap_or_default())),
            upload_id_marker: input.upload_id_marker,
            max_uploads: i32::try_from(limit).ok(),
            is_truncated: Some(is_truncated),
            next_key_marker: next_key,
            next_upload_id_marker: next_id,
            delimiter: input.delimiter.as_deref().map(encode),
            common_prefixes: Some(common_prefixes),
            uploads: Some(uploads),
            encoding_type: input.encoding_type.clone(),
            ..Default::default()
        })
    }
}

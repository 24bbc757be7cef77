//! `PutObject`.

use s3s::S3Request;
use s3s::dto::{PutObjectInput, PutObjectOutput};

use super::conditions::WriteConditions;
use super::{echo, etag, full_object, signed};
use crate::object_store::LOG;
use crate::object_store::checksums::{Algorithm, Computed, Promise, Proven};
use crate::object_store::index::objects::{self, NewObject};
use crate::object_store::index::{Attributes, buckets};
use crate::object_store::intake::Intake;
use crate::object_store::refusal::Refusal;
use crate::object_store::store::Store;
use crate::object_store::values::{Extent, MOST_BODY_BYTES};

/// User metadata an object may have, in bytes of names and values.
const MOST_METADATA_BYTES: usize = 2048;

/// What `PutObject`, `CreateMultipartUpload` and `CopyObject` say about the object to be.
macro_rules! attributes {
    ($input:ident) => {
        $crate::object_store::operations::write::checked($crate::object_store::index::Attributes {
            content_type: $input.content_type.take(),
            content_disposition: $input.content_disposition.take(),
            content_encoding: $crate::object_store::operations::write::lasting(
                $input.content_encoding.take(),
            ),
            content_language: $input.content_language.take(),
            cache_control: $input.cache_control.take(),
            expires: $input.expires.take(),
            metadata: $input.metadata.take().unwrap_or_default(),
        })
    };
}
pub(super) use attributes;

/// # Errors
/// [`Refusal::MetadataTooLarge`].
pub(super) fn checked(attributes: Attributes) -> Result<Attributes, Refusal> {
    let bytes: usize =
        attributes.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MOST_METADATA_BYTES { Err(Refusal::MetadataTooLarge) } else { Ok(attributes) }
}

/// The encoding of the object, without that of its way here.
pub(super) fn lasting(encoding: Option<String>) -> Option<String> {
    let codings: Vec<String> = encoding?
        .split(',')
        .map(|coding| coding.trim().to_owned())
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    (!codings.is_empty()).then(|| codings.join(","))
}

/// The length of a body, which S3 wants to know before it.
pub(super) fn body_length(content_length: Option<i64>) -> Result<u64, Refusal> {
    let length = content_length.ok_or(Refusal::MissingContentLength)?;
    let length = u64::try_from(length).map_err(|_| Refusal::MissingContentLength)?;
    if length > MOST_BODY_BYTES { Err(Refusal::EntityTooLarge) } else { Ok(length) }
}

impl Store {
    pub(super) async fn write_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> Result<PutObjectOutput, Refusal> {
        let promise = Promise::of(&request.headers, request.trailing_headers)?;
        let mut input = request.input;
        let length = body_length(input.content_length)?;
        let mut new = NewObject {
            attributes: attributes!(input)?,
            bucket: input.bucket,
            key: input.key,
            ..NewObject::default()
        };
        let conditions =
            WriteConditions { if_match: input.if_match, if_none_match: input.if_none_match };
        self.admit_object(&new, conditions.clone()).await?;

        let files = self.files.clone();
        let created =
            tokio::task::spawn_blocking(move || Ok((files.room_for(length)?, files.create()?)));
        let created: std::io::Result<_> = created.await.map_err(std::io::Error::other)?;
        let (_room, (file, handle)) = created?;
        let name = file.name();
        let intake = Intake::new(handle, 0, promise.digests(), file);
        let (computed, file) = intake.receive(input.body, length).await?;
        let proven = promise.check(&computed)?;

        new.extents = Extent::merged([Extent { file: name, start: 0, length }]);
        new.crc64 = computed.crc64;
        new.etag = computed.etag(length);
        new.proven = proven.clone().filter(|proven| proven.algorithm != Algorithm::Crc64Nvme);
        let new = self
            .commit(move |connection, released| {
                conditions.check(objects::find(connection, &new.bucket, &new.key)?.as_ref())?;
                objects::put(connection, &new, released)?;
                if length > 0 {
                    file.recorded();
                }
                Ok(new)
            })
            .await?;
        tracing::info!(
            target: LOG, event = "object_stored", bucket = new.bucket, key = new.key, bytes = length,
            etag = new.etag, crc64nvme = computed.crc64.base64(), "stored an object"
        );
        Ok(answer(&new.etag, &computed, length, proven))
    }

    /// Refuses before the body what would be refused after it.
    async fn admit_object(
        &self,
        new: &NewObject,
        conditions: WriteConditions,
    ) -> Result<(), Refusal> {
        let (bucket, key) = (new.bucket.clone(), new.key.clone());
        self.index
            .read(move |connection| {
                buckets::require(connection, &bucket)?;
                if conditions.is_empty() {
                    return Ok(());
                }
                conditions.check(objects::find(connection, &bucket, &key)?.as_ref())
            })
            .await
    }
}

fn answer(tag: &str, computed: &Computed, length: u64, proven: Option<Proven>) -> PutObjectOutput {
    let mut output = PutObjectOutput {
        e_tag: Some(etag(tag)),
        checksum_crc64nvme: Some(computed.crc64.base64()),
        checksum_type: Some(full_object()),
        size: Some(signed(length)),
        ..Default::default()
    };
    echo!(output, proven);
    output
}

//! `CopyObject`: the copy shares the bytes of its source.

use s3s::S3Request;
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, MetadataDirective,
};

use super::conditions::ReadConditions;
use super::write::attributes;
use super::{echo, etag, full_object};
use crate::object_store::LOG;
use crate::object_store::index::extents;
use crate::object_store::index::objects::{self, NewObject};
use crate::object_store::refusal::Refusal;
use crate::object_store::store::Store;

impl Store {
    pub(super) async fn share_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> Result<CopyObjectOutput, Refusal> {
        let mut input = request.input;
        let (from, source) = source_of(input.copy_source)?;
        let replace = input
            .metadata_directive
            .as_ref()
            .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
        let attributes = attributes!(input)?;
        let (bucket, key) = (input.bucket, input.key);
        if !replace && from == bucket && source == key {
            return Err(Refusal::InvalidRequest(
                "this copy request is illegal: it would copy an object to itself unchanged",
            ));
        }
        let conditions = ReadConditions {
            if_match: input.copy_source_if_match,
            if_none_match: input.copy_source_if_none_match,
            if_modified_since: input.copy_source_if_modified_since,
            if_unmodified_since: input.copy_source_if_unmodified_since,
        };
        let (new, size, modified) = self
            .commit(move |connection, released| {
                let object = objects::require(connection, &from, &source)?;
                // For a copy, "not modified" is a precondition that failed.
                conditions.check(&object).map_err(|_| Refusal::PreconditionFailed)?;
                let new = NewObject {
                    bucket,
                    key,
                    crc64: object.crc64,
                    etag: object.etag,
                    attributes: if replace { attributes } else { object.attributes },
                    extents: extents::of(connection, object.id)?,
                    parts: object.parts,
                    proven: object.proven,
                };
                let modified = objects::put(connection, &new, released)?;
                Ok((new, object.size, modified))
            })
            .await?;
        tracing::info!(
            target: LOG, event = "object_copied", bucket = new.bucket, key = new.key, bytes = size,
            etag = new.etag, "copied an object"
        );
        let mut result = CopyObjectResult {
            e_tag: Some(etag(&new.etag)),
            last_modified: Some(modified.timestamp()),
            checksum_crc64nvme: Some(new.crc64.base64()),
            checksum_type: Some(full_object()),
            ..Default::default()
        };
        echo!(result, new.proven);
        Ok(CopyObjectOutput { copy_object_result: Some(result), ..Default::default() })
    }
}

/// The bucket and the key of what is to be copied.
pub(super) fn source_of(source: CopySource) -> Result<(String, String), Refusal> {
    match source {
        CopySource::Bucket { bucket, key, version_id: None } => Ok((bucket.into(), key.into())),
        _ => Err(Refusal::NotImplemented("copying from an access point or a version")),
    }
}

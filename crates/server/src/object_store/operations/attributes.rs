//! `GetObjectAttributes`: what is known of an object, without its bytes or its headers.

use s3s::S3Request;
use s3s::dto::{
    Checksum, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts,
    ObjectAttributes, StorageClass,
};

use super::{echo, etag, full_object, signed};
use crate::object_store::index::objects;
use crate::object_store::refusal::Refusal;
use crate::object_store::store::Store;

impl Store {
    pub(super) async fn attributes_of_object(
        &self,
        request: S3Request<GetObjectAttributesInput>,
    ) -> Result<GetObjectAttributesOutput, Refusal> {
        let GetObjectAttributesInput { bucket, key, object_attributes, .. } = request.input;
        let found = self.index.read(move |connection| objects::require(connection, &bucket, &key));
        let object = found.await?;
        // One header may name several.
        let asked = |name: &str| {
            let mut names = object_attributes.iter().flat_map(|names| names.as_str().split(','));
            names.any(|asked| asked.trim() == name)
        };
        let mut checksum = Checksum {
            checksum_crc64nvme: Some(object.crc64.base64()),
            checksum_type: Some(full_object()),
            ..Default::default()
        };
        echo!(checksum, object.proven);
        let parts = object.parts.map(|parts| GetObjectAttributesParts {
            total_parts_count: i32::try_from(parts.count()).ok(),
            ..Default::default()
        });
        Ok(GetObjectAttributesOutput {
            last_modified: Some(object.modified.http_date()),
            e_tag: asked(ObjectAttributes::ETAG).then(|| etag(&object.etag)),
            object_size: asked(ObjectAttributes::OBJECT_SIZE).then(|| signed(object.size)),
            storage_class: asked(ObjectAttributes::STORAGE_CLASS)
                .then(|| StorageClass::from_static(StorageClass::STANDARD)),
            checksum: asked(ObjectAttributes::CHECKSUM).then_some(checksum),
            object_parts: parts.filter(|_| asked(ObjectAttributes::OBJECT_PARTS)),
            ..Default::default()
        })
    }
}

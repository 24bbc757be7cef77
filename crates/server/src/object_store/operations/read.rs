//! `GetObject` and `HeadObject`.

use s3s::S3Request;
use s3s::dto::{
    ChecksumMode, ContentType, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    StreamingBlob,
};

use super::conditions::ReadConditions;
use super::{etag, full_object, signed};
use crate::object_store::files::Lease;
use crate::object_store::index::objects::{self, Object};
use crate::object_store::index::{Attributes, extents};
use crate::object_store::outlet::Outlet;
use crate::object_store::refusal::Refusal;
use crate::object_store::store::Store;
use crate::object_store::values::Extent;

/// What S3 says of an object that came without a type.
const UNKNOWN_TYPE: &str = "binary/octet-stream";
/// How often a read begins anew because the object was replaced in between.
const MOST_TRIES: usize = 8;

/// Fills in what `GetObject` and `HeadObject` both tell about an object.
macro_rules! described {
    ($output:ident, $object:ident) => {
        $output {
            accept_ranges: Some("bytes".to_owned()),
            e_tag: Some(etag(&$object.etag)),
            last_modified: Some($object.modified.http_date()),
            content_type: Some(content_type(&$object.attributes)),
            content_disposition: $object.attributes.content_disposition,
            content_encoding: $object.attributes.content_encoding,
            content_language: $object.attributes.content_language,
            cache_control: $object.attributes.cache_control,
            expires: $object.attributes.expires,
            metadata: Some($object.attributes.metadata),
            checksum_crc64nvme: Some($object.crc64.base64()),
            checksum_type: Some(full_object()),
            ..Default::default()
        }
    };
}

impl Store {
    pub(super) async fn read_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> Result<GetObjectOutput, Refusal> {
        let input = request.input;
        whole_objects_only(input.part_number)?;
        let conditions = ReadConditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        let (object, extents, leases) = self.leased(input.bucket, input.key).await?;
        conditions.check(&object)?;

        let size = object.size;
        let range = match input.range {
            Some(range) => {
                let range = range.check(size).map_err(|_| Refusal::InvalidRange { size })?;
                if range.is_empty() {
                    return Err(Refusal::InvalidRange { size });
                }
                Some(range)
            }
            None => None,
        };
        let mut output = described!(GetObjectOutput, object);
        let bytes = range.clone().unwrap_or(0..size);
        if let Some(range) = range {
            output.content_range = Some(format!("bytes {}-{}/{size}", range.start, range.end - 1));
            // A client that sends this header compares the checksum with the bytes it gets. One that
            // does not may ask for one byte to learn what the whole object hashes to.
            let compares =
                input.checksum_mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
            if compares && range != (0..size) {
                output.checksum_crc64nvme = None;
                output.checksum_type = None;
            }
        }
        output.content_length = Some(signed(bytes.end - bytes.start));
        let extents = Extent::within(&extents, bytes.start, bytes.end);
        let outlet = Outlet::new(self.files.clone(), extents, leases);
        output.body = Some(StreamingBlob::new(outlet));
        Ok(output)
    }

    pub(super) async fn look_up_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> Result<HeadObjectOutput, Refusal> {
        let input = request.input;
        whole_objects_only(input.part_number)?;
        let conditions = ReadConditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        let found = self
            .index
            .read(move |connection| objects::require(connection, &input.bucket, &input.key));
        let object = found.await?;
        conditions.check(&object)?;
        let length = signed(object.size);
        let mut output = described!(HeadObjectOutput, object);
        output.content_length = Some(length);
        Ok(output)
    }

    /// An object with its bytes, which stay until the leases are dropped.
    async fn leased(
        &self,
        bucket: String,
        key: String,
    ) -> Result<(Object, Vec<Extent>, Vec<Lease>), Refusal> {
        for _ in 0..MOST_TRIES {
            let (bucket, key) = (bucket.clone(), key.clone());
            let (object, extents) = self
                .index
                .read(move |connection| {
                    let object = objects::require(connection, &bucket, &key)?;
                    let extents = extents::of(connection, object.id)?;
                    Ok((object, extents))
                })
                .await?;
            let mut names: Vec<_> = extents.iter().map(|extent| extent.file).collect();
            names.sort_unstable();
            names.dedup();
            let leases = names.into_iter().map(|name| self.files.lease(name)).collect();
            // Files are removed after their row: while that is there, the leases came in time.
            let id = object.id;
            if self.index.read(move |connection| objects::is_there(connection, id)).await? {
                return Ok((object, extents, leases));
            }
        }
        Err(Refusal::NoSuchKey)
    }
}

fn whole_objects_only(part_number: Option<i32>) -> Result<(), Refusal> {
    match part_number {
        Some(_) => Err(Refusal::NotImplemented("reading by part number")),
        None => Ok(()),
    }
}

fn content_type(attributes: &Attributes) -> ContentType {
    attributes.content_type.clone().unwrap_or_else(|| UNKNOWN_TYPE.to_owned())
}

//! `GetObject` and `HeadObject`.

use std::ops::Range as Ends;

use http::HeaderValue;
use http::header::IF_RANGE;
use s3s::S3Request;
use s3s::dto::{
    ChecksumMode, ContentType, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    Range, StreamingBlob,
};

use super::conditions::ReadConditions;
use super::{echo, etag, full_object, signed};
use crate::object_store::files::Lease;
use crate::object_store::index::objects::{self, Object};
use crate::object_store::index::{Attributes, extents};
use crate::object_store::outlet::Outlet;
use crate::object_store::refusal::Refusal;
use crate::object_store::store::Store;
use crate::object_store::values::{Extent, PartNumber};

/// What S3 says of an object that came without a type.
const UNKNOWN_TYPE: &str = "binary/octet-stream";
/// How often a read begins anew because the object was replaced in between.
const MOST_TRIES: usize = 8;

/// Fills in what `GetObject` and `HeadObject` both tell about an object.
macro_rules! described {
    ($output:ident, $object:ident, $piece:ident, $compares:ident) => {{
        let is_whole = $piece.bytes == (0..$object.size);
        // A client that sends this header compares the checksum with the bytes it gets. One that
        // does not may ask for one byte to learn what the whole object hashes to.
        let sums = is_whole || !$compares;
        let mut output = $output {
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
            content_length: Some(signed($piece.bytes.end - $piece.bytes.start)),
            content_range: $piece.content_range($object.size),
            parts_count: $piece.parts_count,
            checksum_crc64nvme: sums.then(|| $object.crc64.base64()),
            checksum_type: sums.then(full_object),
            ..Default::default()
        };
        echo!(output, $object.proven.filter(|_| is_whole && $compares));
        output
    }};
}

/// The bytes of an object that are asked for.
struct Piece {
    bytes: Ends<u64>,
    /// Whether the answer says where they are.
    is_partial: bool,
    /// Of the whole object, where one of them was asked for.
    parts_count: Option<i32>,
}

impl Store {
    pub(super) async fn read_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> Result<GetObjectOutput, Refusal> {
        let input = request.input;
        let conditions = ReadConditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        let (object, extents, leases) = self.leased(input.bucket, input.key).await?;
        conditions.check(&object)?;
        let range = input.range.filter(|_| is_still(&object, request.headers.get(IF_RANGE)));
        let piece = Piece::of(&object, range, input.part_number)?;
        let compares = is_enabled(input.checksum_mode.as_ref());
        let extents = Extent::within(&extents, piece.bytes.start, piece.bytes.end);
        let outlet = Outlet::new(self.files.clone(), extents, leases);
        let mut output = described!(GetObjectOutput, object, piece, compares);
        output.body = Some(StreamingBlob::new(outlet));
        Ok(output)
    }

    pub(super) async fn look_up_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> Result<HeadObjectOutput, Refusal> {
        let input = request.input;
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
        let piece = Piece::of(&object, input.range, input.part_number)?;
        let compares = is_enabled(input.checksum_mode.as_ref());
        Ok(described!(HeadObjectOutput, object, piece, compares))
    }

    /// An object with its bytes, which stay until the leases are dropped.
    pub(super) async fn leased(
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

impl Piece {
    fn of(
        object: &Object,
        range: Option<Range>,
        part_number: Option<i32>,
    ) -> Result<Self, Refusal> {
        let size = object.size;
        match (range, part_number) {
            (None, None) => Ok(Self { bytes: 0..size, is_partial: false, parts_count: None }),
            (Some(range), None) => {
                let bytes = range.check(size).map_err(|_| Refusal::InvalidRange { size })?;
                if bytes.is_empty() {
                    return Err(Refusal::InvalidRange { size });
                }
                Ok(Self { bytes, is_partial: true, parts_count: None })
            }
            (None, Some(number)) => {
                let number = u32::try_from(PartNumber::parse(number)?.get()).unwrap_or(u32::MAX);
                let (bytes, count) = match &object.parts {
                    Some(parts) => (parts.bytes_of(number), Some(parts.count())),
                    // An object that was sent whole is its own first part.
                    None => ((number == 1).then_some(0..size), None),
                };
                let bytes = bytes.ok_or(Refusal::InvalidPartNumber)?;
                let is_partial = !bytes.is_empty();
                let parts_count = count.and_then(|count| i32::try_from(count).ok());
                Ok(Self { bytes, is_partial, parts_count })
            }
            (Some(_), Some(_)) => Err(Refusal::InvalidRequest(
                "a range and a part number cannot be asked for at once",
            )),
        }
    }

    fn content_range(&self, size: u64) -> Option<String> {
        let Ends { start, end } = &self.bytes;
        self.is_partial.then(|| format!("bytes {start}-{}/{size}", end - 1))
    }
}

/// Whether a range may be cut out of what somebody has begun to read: RFC 9110, section 13.1.5. The model
/// of S3's operations does not know that header. A date, which cannot tell two versions of one second
/// apart, gets all of it.
fn is_still(object: &Object, validator: Option<&HeaderValue>) -> bool {
    validator.is_none_or(|validator| {
        let known =
            validator.to_str().ok().and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
        known == Some(object.etag.as_str())
    })
}

fn is_enabled(mode: Option<&ChecksumMode>) -> bool {
    mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED)
}

fn content_type(attributes: &Attributes) -> ContentType {
    attributes.content_type.clone().unwrap_or_else(|| UNKNOWN_TYPE.to_owned())
}

//! The operations of S3, one file per kind. This file only says which function answers which.

mod attributes;
mod buckets;
mod complete;
mod conditions;
mod copy;
mod listing;
mod part_copy;
mod parts;
mod read;
mod remove;
mod uploads;
mod write;

use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

use super::refusal::Refusal;
use super::store::Store;

/// Each operation of the trait is one function of [`Store`].
macro_rules! answered_by {
    ($($operation:ident($input:ident) -> $output:ident = $function:ident;)*) => {
        #[async_trait::async_trait]
        impl S3 for Store {
            $(
                async fn $operation(
                    &self,
                    request: S3Request<$input>,
                ) -> S3Result<S3Response<$output>> {
                    Ok(S3Response::new(Store::$function(self, request).await?))
                }
            )*
        }
    };
}

answered_by! {
    create_bucket(CreateBucketInput) -> CreateBucketOutput = make_bucket;
    head_bucket(HeadBucketInput) -> HeadBucketOutput = look_up_bucket;
    list_buckets(ListBucketsInput) -> ListBucketsOutput = all_buckets;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = remove_bucket;
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = versions_of_bucket;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = locate_bucket;
    put_object(PutObjectInput) -> PutObjectOutput = write_object;
    get_object(GetObjectInput) -> GetObjectOutput = read_object;
    head_object(HeadObjectInput) -> HeadObjectOutput = look_up_object;
    get_object_attributes(GetObjectAttributesInput) -> GetObjectAttributesOutput = attributes_of_object;
    copy_object(CopyObjectInput) -> CopyObjectOutput = share_object;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = remove_object;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = remove_objects;
    list_objects(ListObjectsInput) -> ListObjectsOutput = page_of_objects;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = page_of_objects_v2;
    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = begin_upload;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = page_of_uploads;
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = abort_upload;
    upload_part(UploadPartInput) -> UploadPartOutput = write_part;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = copy_part;
    list_parts(ListPartsInput) -> ListPartsOutput = page_of_parts;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = complete_upload;
}

/// An entity tag as HTTP has it.
fn etag(value: &str) -> ETag {
    ETag::Strong(value.to_owned())
}

fn full_object() -> ChecksumType {
    ChecksumType::from_static(ChecksumType::FULL_OBJECT)
}

/// A byte count as the crate `s3s` has it.
fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// How many a page may have: what was asked for, but at most 1,000.
fn page_size(asked: Option<i32>) -> Result<usize, Refusal> {
    let asked = usize::try_from(asked.unwrap_or(1000))
        .map_err(|_| Refusal::InvalidArgument("a page cannot have fewer than no entries"))?;
    Ok(asked.min(1000))
}

/// A text for the XML of a list, escaped if the client asked for that.
fn encoded(text: &str, encoding: Option<&EncodingType>) -> String {
    if encoding.is_none_or(|encoding| encoding.as_str() != EncodingType::URL) {
        return text.to_owned();
    }
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

/// Sets the field of the checksum a client sent and that was found right.
macro_rules! echo {
    ($output:ident, $proven:expr) => {
        if let Some(proven) = $proven {
            use crate::object_store::checksums::Algorithm;
            let value = Some(proven.value);
            match proven.algorithm {
                Algorithm::Crc32 => $output.checksum_crc32 = value,
                Algorithm::Crc32c => $output.checksum_crc32c = value,
                Algorithm::Crc64Nvme => $output.checksum_crc64nvme = value,
                Algorithm::Sha1 => $output.checksum_sha1 = value,
                Algorithm::Sha256 => $output.checksum_sha256 = value,
            }
        }
    };
}
use echo;

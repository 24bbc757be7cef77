//! The upload functions of `videoActions`, both dialects in one.

use serde::{Deserialize, Serialize};

use crate::number;

/// Part numbers that one `signUploadParts` may ask for.
pub const PARTS_PER_SIGNING: usize = 20;

/// Arguments of `videoActions:getUploadUrl`; the documented dialect sends only the video.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetUploadUrl {
    /// Which.
    pub video_id: String,
    /// The file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Bytes.
    #[serde(
        default,
        deserialize_with = "number::whole_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub file_size: Option<u64>,
    /// Media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

/// Answer of `videoActions:getUploadUrl`: the documented pair, the current pair, or both.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadUrl {
    /// Presigned PUT, documented dialect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_url: Option<String>,
    /// The object's key, documented dialect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_key: Option<String>,
    /// Presigned PUT, current dialect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The object's key, current dialect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_id: Option<String>,
}

/// Arguments of `videoActions:initiateVideoUpload`. Called again with the same size it resumes.
///
/// Without a size the file is still being written: only a server that says so takes that (see
/// [`About::growing_files`](crate::about::About::growing_files)). Its parts go up while it grows; a
/// later call with the size, once that is known, goes on with them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InitiateVideoUpload {
    /// Which.
    pub video_id: String,
    /// The file's name.
    pub filename: String,
    /// Bytes; none of a file that grows.
    #[serde(
        default,
        deserialize_with = "number::whole_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub file_size: Option<u64>,
    /// Media type; a single PUT must carry just this one.
    pub content_type: String,
}

/// Answer of `videoActions:initiateVideoUpload`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "strategy", rename_all = "snake_case")]
pub enum InitiatedUpload {
    /// One PUT.
    Single {
        /// Presigned.
        url: String,
        /// The object's key.
        key: String,
    },
    /// Parts.
    Multipart(MultipartUpload),
    /// The object is there; go on with `markUploadComplete`.
    AlreadyUploaded {
        /// The object's key.
        key: String,
    },
}

/// An open multipart upload.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MultipartUpload {
    /// The object's key.
    pub key: String,
    /// Names the upload; another one than before means that nothing sent before counts.
    pub upload_id: String,
    /// Of every part but the last.
    #[serde(deserialize_with = "number::whole")]
    pub part_size_bytes: u64,
    /// How many; of a file that grows, the most there may be.
    #[serde(deserialize_with = "number::count")]
    pub part_count: u32,
    /// What arrived.
    #[serde(default)]
    pub uploaded_parts: Vec<UploadedPart>,
    /// The checksum that `signUploadParts` takes. Only our server says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum_algorithm: Option<ChecksumAlgorithm>,
}

/// Checksums that a part's URL can be signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChecksumAlgorithm {
    /// CRC-64/NVME, written as base64 of its eight big-endian bytes.
    #[serde(rename = "CRC64NVME")]
    Crc64Nvme,
}

/// A part that the storage holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadedPart {
    /// From one.
    #[serde(deserialize_with = "number::count")]
    pub part_number: u32,
    /// As the storage said it, quotes and all.
    pub etag: String,
    /// Bytes. Only our server says it.
    #[serde(
        default,
        deserialize_with = "number::whole_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub size: Option<u64>,
    /// Its checksum. Only our server says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc64nvme: Option<String>,
}

/// Arguments of `videoActions:signUploadParts`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignUploadParts {
    /// Which.
    pub video_id: String,
    /// At most [`PARTS_PER_SIGNING`].
    #[serde(deserialize_with = "part_numbers")]
    pub part_numbers: Vec<u32>,
    /// Checksums to sign into the URLs, so that the storage itself refuses damaged parts.
    /// Only where the upload names a `checksumAlgorithm`: others refuse unknown arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checksums: Vec<PartChecksum>,
    /// Bytes of the only part that is asked for, of a file that grows: fewer than others have, because
    /// its writer has closed the file and may have come to its end.
    #[serde(
        default,
        deserialize_with = "number::whole_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub length: Option<u64>,
}

/// A part's checksum.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartChecksum {
    /// From one.
    #[serde(deserialize_with = "number::count")]
    pub part_number: u32,
    /// Base64 of eight big-endian bytes.
    pub crc64nvme: String,
}

/// Answer of `videoActions:signUploadParts`.
#[derive(Clone, Serialize, Deserialize)]
pub struct SignedParts {
    /// One for each number asked for.
    pub parts: Vec<SignedPart>,
}

/// A part's presigned URL.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedPart {
    /// From one.
    #[serde(deserialize_with = "number::count")]
    pub part_number: u32,
    /// Presigned PUT. Where a checksum was signed in, the PUT carries `x-amz-checksum-crc64nvme`.
    pub url: String,
}

/// Arguments of `videoActions:completeMultipartUpload`: every part, each once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompleteMultipartUpload {
    /// Which.
    pub video_id: String,
    /// In order.
    pub parts: Vec<CompletedPart>,
}

/// A part as the client knows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompletedPart {
    /// From one.
    #[serde(deserialize_with = "number::count")]
    pub part_number: u32,
    /// As the storage said it.
    pub etag: String,
}

/// Arguments of `videoActions:markUploadComplete`; the documented dialect names the key, too.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MarkUploadComplete {
    /// Which.
    pub video_id: String,
    /// The object's key, documented dialect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3_key: Option<String>,
}

/// Arguments of `videoActions:markUploadFailed`; the documented dialect says why.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MarkUploadFailed {
    /// Which.
    pub video_id: String,
    /// In words, documented dialect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Answer of the functions that only do something. The documented dialect answers null.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Done {
    /// Always true: a failure is an error.
    pub success: bool,
    /// Bytes of the object that is there. Only our `markUploadComplete` says it.
    #[serde(
        default,
        deserialize_with = "number::whole_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub size: Option<u64>,
    /// Its checksum. Only our `markUploadComplete` says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc64nvme: Option<String>,
}

fn part_numbers<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Number(#[serde(deserialize_with = "number::count")] u32);
    Ok(Vec::<Number>::deserialize(deserializer)?.into_iter().map(|number| number.0).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_initiated_upload_reads_as_the_current_deployment_writes_it() {
        let answer: InitiatedUpload = serde_json::from_value(json!({
            "strategy": "multipart", "key": "k", "uploadId": "u", "partSizeBytes": 67108864.0,
            "partCount": 5.0, "uploadedParts": [{"partNumber": 1.0, "etag": "\"e\""}],
        }))
        .expect("floats are counts");
        let InitiatedUpload::Multipart(upload) = answer else { panic!("a multipart upload") };
        assert_eq!((upload.part_size_bytes, upload.part_count), (64 << 20, 5));
        assert_eq!(upload.uploaded_parts[0].part_number, 1);
        assert_eq!(upload.checksum_algorithm, None);
        let answer = serde_json::from_value(json!({"strategy": "already_uploaded", "key": "k"}));
        assert!(matches!(answer, Ok(InitiatedUpload::AlreadyUploaded { .. })));
    }

    #[test]
    fn optional_arguments_are_omitted_not_null() {
        let args = SignUploadParts {
            video_id: "v".into(),
            part_numbers: vec![1],
            checksums: Vec::new(),
            length: None,
        };
        let json = serde_json::to_value(args).expect("plain data");
        assert_eq!(json, json!({"videoId": "v", "partNumbers": [1]}));
    }

    #[test]
    fn part_numbers_may_be_floats() {
        let args: SignUploadParts =
            serde_json::from_value(json!({"videoId": "v", "partNumbers": [1.0, 2]}))
                .expect("floats are counts");
        assert_eq!(args.part_numbers, [1, 2]);
    }
}

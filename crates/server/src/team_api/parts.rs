//! `signUploadParts` and `completeMultipartUpload`.

use std::collections::{BTreeMap, HashSet};

use aws_sdk_s3::types::CompletedPart;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dailies_api::error::ErrorCode;
use dailies_api::projects::Role;
use dailies_api::uploads::{
    CompleteMultipartUpload, Done, PARTS_PER_SIGNING, PartChecksum, SignUploadParts, SignedPart,
    SignedParts,
};
use dailies_api::videos::VideoStatus;
use serde_json::Value;

use super::Team;
use super::error::Refusal;
use super::functions::{Call, value};
use super::growing::still_grows;
use crate::db::videos::{OpenMultipart, VideoRow};
use crate::storage::{PART, PartToSign, StorageError};

/// An address for each part asked for, with its length and, if it is given, its checksum signed in.
pub(crate) async fn sign(mut call: Call) -> Result<Value, Refusal> {
    let args: SignUploadParts = call.args()?;
    let team = &call.team;
    let video = team.video_for(&call.caller, &args.video_id, Role::Member).await?.video;
    let (Some(key), Some(open), Some(size)) = (video.s3_key(), &video.multipart, video.file_size)
    else {
        return Err(no_upload());
    };
    check_numbers(&args.part_numbers, open)?;
    let checksums = checksums(team, &args.part_numbers, &args.checksums)?;
    check_length(&args, open)?;
    if let Some(last) = args.part_numbers.iter().max().filter(|_| open.grows) {
        team.promise(&video, open, *last).await?;
    }
    let mut parts = Vec::with_capacity(args.part_numbers.len());
    for number in args.part_numbers {
        let part = PartToSign {
            number,
            length: args.length.unwrap_or_else(|| part_length(number, open, size)),
            crc64nvme: checksums.get(&number).copied(),
            lifetime: PART,
        };
        let url = team.ingest.storage.sign_part(key, &open.upload_id, &part).await?;
        parts.push(SignedPart { part_number: number, url });
    }
    team.touch(&video).await?;
    value(SignedParts { parts })
}

/// Makes the parts one object. Safe to call again, and a wrong list harms nothing that arrived.
pub(crate) async fn complete(mut call: Call) -> Result<Value, Refusal> {
    let args: CompleteMultipartUpload = call.args()?;
    let team = &call.team;
    let _held = team.locks.hold(&args.video_id).await;
    let video = team.video_for(&call.caller, &args.video_id, Role::Member).await?.video;
    let (Some(key), Some(open)) = (video.s3_key(), &video.multipart) else {
        return team.completed_before(&video).await;
    };
    if open.grows {
        return Err(still_grows());
    }
    let parts = listed(&args, open)?;
    match team.ingest.storage.complete_multipart(key, &open.upload_id, parts).await {
        Ok(()) => {}
        // Completed, but that was not noted here; or swept away.
        Err(StorageError::NoSuchUpload) if team.is_whole(&video).await? => {}
        Err(error) => return Err(error.into()),
    }
    team.close_multipart(&video.id, &open.upload_id).await?;
    value(Done { success: true, ..Done::default() })
}

impl Team {
    async fn completed_before(&self, video: &VideoRow) -> Result<Value, Refusal> {
        let past = matches!(video.status, VideoStatus::Processing | VideoStatus::Ready);
        if past || self.is_whole(video).await? {
            return value(Done { success: true, ..Done::default() });
        }
        Err(no_upload())
    }

    /// Whether the object is there with the size that was registered.
    pub(crate) async fn is_whole(&self, video: &VideoRow) -> Result<bool, Refusal> {
        let Some(key) = video.s3_key() else { return Ok(false) };
        let head = self.ingest.storage.head(key).await?;
        Ok(head.is_some_and(|head| Some(head.size) == video.file_size))
    }
}

fn no_upload() -> Refusal {
    Refusal::new(ErrorCode::NoUpload, "no multipart upload is open; call initiateVideoUpload")
}

fn check_numbers(numbers: &[u32], open: &OpenMultipart) -> Result<(), Refusal> {
    let refused = |message: String| Err(Refusal::argument("partNumbers", message));
    if numbers.is_empty() || numbers.len() > PARTS_PER_SIGNING {
        return refused(format!("1 to {PARTS_PER_SIGNING} part numbers at a time"));
    }
    let mut seen = HashSet::new();
    for number in numbers {
        if !(1..=open.part_count).contains(number) {
            return refused(format!("there is no part {number} of {}", open.part_count));
        }
        if !seen.insert(number) {
            return refused(format!("part {number} is named twice"));
        }
    }
    Ok(())
}

/// A part of a file that grows may be shorter than others, since nobody knows which one is the last.
fn check_length(args: &SignUploadParts, open: &OpenMultipart) -> Result<(), Refusal> {
    let fits = |length: u64| {
        open.grows && args.part_numbers.len() == 1 && (1..=open.part_size).contains(&length)
    };
    if args.length.is_none_or(fits) {
        return Ok(());
    }
    let message = format!("1 to {} bytes of one part of a file that grows", open.part_size);
    Err(Refusal::argument("length", message))
}

fn checksums<'a>(
    team: &Team,
    numbers: &[u32],
    given: &'a [PartChecksum],
) -> Result<BTreeMap<u32, &'a str>, Refusal> {
    let refused = |message: String| Err(Refusal::argument("checksums", message));
    if !given.is_empty() && !team.ingest.storage.checks_parts() {
        return refused("this storage checks none; see `checksumAlgorithm`".into());
    }
    let mut checksums = BTreeMap::new();
    for PartChecksum { part_number, crc64nvme } in given {
        if !numbers.contains(part_number) {
            return refused(format!("a checksum for part {part_number}, which is not asked for"));
        }
        if STANDARD.decode(crc64nvme).map(|bytes| bytes.len()) != Ok(8) {
            return refused(format!("part {part_number}: not base64 of eight bytes"));
        }
        if checksums.insert(*part_number, crc64nvme.as_str()).is_some() {
            return refused(format!("two checksums for part {part_number}"));
        }
    }
    Ok(checksums)
}

/// Every part, each once, in order; their ETags as S3 quotes them.
fn listed(
    args: &CompleteMultipartUpload,
    open: &OpenMultipart,
) -> Result<Vec<CompletedPart>, Refusal> {
    let refused = |message: String| Err(Refusal::argument("parts", message));
    let mut parts = BTreeMap::new();
    for part in &args.parts {
        if parts.insert(part.part_number, part.etag.trim().trim_matches('"')).is_some() {
            return refused(format!("part {} is named twice", part.part_number));
        }
    }
    let all = 1..=open.part_count;
    if let Some(strange) = parts.keys().find(|number| !all.contains(number)) {
        return refused(format!("there is no part {strange} of {}", open.part_count));
    }
    if let Some(missing) = all.clone().find(|number| !parts.contains_key(number)) {
        return refused(format!("part {missing} of {} is missing", open.part_count));
    }
    Ok(parts
        .into_iter()
        .map(|(number, etag)| {
            CompletedPart::builder()
                .part_number(i32::try_from(number).unwrap_or(i32::MAX))
                .e_tag(format!("\"{etag}\""))
                .build()
        })
        .collect())
}

fn part_length(number: u32, open: &OpenMultipart, file_size: u64) -> u64 {
    // While it grows, parts are whole where nothing else is said: which one is the last, nobody knows.
    if open.grows || number < open.part_count {
        return open.part_size;
    }
    file_size - open.part_size * u64::from(open.part_count - 1)
}

//! `getUploadUrl` and `initiateVideoUpload`: how an upload begins, or goes on.
//!
//! Both may be called again at any time: what is stored is looked up, never guessed.

use dailies_api::error::ErrorCode;
use dailies_api::projects::Role;
use dailies_api::uploads::{
    ChecksumAlgorithm, GetUploadUrl, InitiateVideoUpload, InitiatedUpload, MultipartUpload,
    UploadUrl, UploadedPart,
};
use dailies_api::videos::VideoStatus;
use dailies_database::DatabaseError;
use serde_json::Value;

use super::error::Refusal;
use super::functions::{Call, value};
use super::{Team, content_type};
use crate::clock::now_millis;
use crate::config::Limits;
use crate::db::videos::transitions::{self, Beginning};
use crate::db::videos::{OpenMultipart, Original, VideoRow};
use crate::ingest::IngestError;
use crate::keys::{object_key, object_prefix};
use crate::storage::StorageError;

/// S3's most for one PUT, bytes.
const LARGEST_PUT: u64 = 5 << 30;
/// S3's most for one upload.
const MOST_PARTS: u64 = 10_000;
const MIB: u64 = 1 << 20;

/// One presigned PUT for the whole file, in the fields of both dialects.
pub(crate) async fn get_upload_url(mut call: Call) -> Result<Value, Refusal> {
    let args: GetUploadUrl = call.args()?;
    let team = &call.team;
    let _held = team.locks.hold(&args.video_id).await;
    let video = team.video_for(&call.caller, &args.video_id, Role::Member).await?.video;
    // The documented dialect says size and type only when it creates the video, or never.
    let size = args.file_size.or(video.file_size);
    if let Some(size) = size {
        check_size(size, &team.limits)?;
        if size > LARGEST_PUT {
            let message = "a single PUT takes 5 GiB; use initiateVideoUpload";
            return Err(Refusal::new(ErrorCode::FileTooLarge, message).at("fileSize"));
        }
    }
    let content_type = match &args.content_type {
        Some(content_type) => Some(content_type::accepted(content_type)?),
        None => video.content_type.clone(),
    };
    not_past_uploading(&video)?;
    let key = team.begin_single(&video, size, content_type).await?;
    let url = team.ingest.storage.sign_put(&key, size).await?;
    value(UploadUrl {
        upload_url: Some(url.clone()),
        s3_key: Some(key.clone()),
        url: Some(url),
        upload_id: Some(key),
    })
}

/// Begins, resumes, or says that nothing needs to be sent.
pub(crate) async fn initiate(mut call: Call) -> Result<Value, Refusal> {
    let args: InitiateVideoUpload = call.args()?;
    let team = &call.team;
    let _held = team.locks.hold(&args.video_id).await;
    let video = team.video_for(&call.caller, &args.video_id, Role::Member).await?.video;
    let content_type = content_type::accepted(&args.content_type)?;
    let Some(size) = args.file_size else {
        not_past_uploading(&video)?;
        return value(team.grow(&video, content_type).await?);
    };
    check_size(size, &team.limits)?;
    let video = team.grown(video, size).await?;
    let same_size = video.file_size == Some(size);
    if let (VideoStatus::Processing | VideoStatus::Ready, true, Some(key)) =
        (video.status, same_size, video.s3_key().map(str::to_owned))
    {
        return value(InitiatedUpload::AlreadyUploaded { key });
    }
    not_past_uploading(&video)?;
    if same_size && let Some(found) = team.found(&video).await? {
        return value(found);
    }
    let begun = if size > team.limits.multipart_above {
        team.begin_multipart(&video, Some(size), content_type).await?
    } else {
        let key = team.begin_single(&video, Some(size), Some(content_type)).await?;
        let url = team.ingest.storage.sign_put(&key, Some(size)).await?;
        InitiatedUpload::Single { url, key }
    };
    value(begun)
}

/// Refuses empty files and those above the team's limit.
pub(crate) fn check_size(size: u64, limits: &Limits) -> Result<(), Refusal> {
    if size == 0 {
        return Err(Refusal::argument("fileSize", "a file has at least one byte"));
    }
    if size > limits.max_file_size {
        let message = format!("a file has at most {} bytes", limits.max_file_size);
        return Err(Refusal::new(ErrorCode::FileTooLarge, message).at("fileSize"));
    }
    Ok(())
}

impl Team {
    /// What an earlier try of the same size left in the storage; `None` where that is nothing.
    pub(super) async fn found(&self, video: &VideoRow) -> Result<Option<InitiatedUpload>, Refusal> {
        let Some(key) = video.s3_key().map(str::to_owned) else { return Ok(None) };
        if let Some(open) = &video.multipart {
            match self.ingest.storage.parts(&key, &open.upload_id).await {
                Ok(parts) => {
                    let parts = parts
                        .into_iter()
                        .map(|part| UploadedPart {
                            part_number: part.number,
                            etag: part.etag,
                            size: Some(part.size),
                            crc64nvme: part.crc64nvme,
                        })
                        .collect();
                    self.touch(video).await?;
                    return Ok(Some(self.multipart(key, open.clone(), parts)));
                }
                // Completed, but the answer was lost before it was noted here; or swept away.
                Err(StorageError::NoSuchUpload) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let head = self.ingest.storage.head(&key).await?;
        if head.is_none_or(|head| Some(head.size) != video.file_size) {
            return Ok(None);
        }
        if let Some(open) = &video.multipart {
            self.close_multipart(&video.id, &open.upload_id).await?;
        }
        if video.status == VideoStatus::Uploading {
            self.touch(video).await?;
        }
        Ok(Some(InitiatedUpload::AlreadyUploaded { key }))
    }

    /// Begins a multipart upload of a file; without a size, of one that grows.
    pub(super) async fn begin_multipart(
        &self,
        video: &VideoRow,
        size: Option<u64>,
        content_type: String,
    ) -> Result<InitiatedUpload, Refusal> {
        // A crash between an upload's creation and its row has left one that nobody knows.
        let known = video.multipart.as_ref().map(|open| open.upload_id.as_str());
        self.ingest.storage.abort_others(&object_prefix(&video.id), known).await?;
        let key = object_key(&video.id);
        // Nobody knows how large a file will be that grows: its parts are those of the largest one.
        let largest = size.unwrap_or(self.limits.max_file_size);
        let (part_size, part_count) = part_plan(largest, self.limits.part_size);
        let upload_id = self.ingest.storage.create_multipart(&key, &content_type).await?;
        let open = OpenMultipart { upload_id, part_size, part_count, grows: size.is_none() };
        let beginning = Beginning {
            original: Original::Stored(key.clone()),
            file_size: Some(size.unwrap_or(part_size)),
            content_type: Some(content_type),
            multipart: Some(open.clone()),
        };
        self.begin(video, beginning).await?;
        Ok(self.multipart(key, open, Vec::new()))
    }

    /// Answers the key: the one of an earlier PUT of the same size, which may just be repeated.
    async fn begin_single(
        &self,
        video: &VideoRow,
        file_size: Option<u64>,
        content_type: Option<String>,
    ) -> Result<String, Refusal> {
        let repeated = video.status == VideoStatus::Uploading
            && video.multipart.is_none()
            && video.file_size == file_size
            && video.content_type == content_type;
        if repeated && let Some(key) = video.s3_key() {
            self.touch(video).await?;
            return Ok(key.to_owned());
        }
        let key = object_key(&video.id);
        let original = Original::Stored(key.clone());
        let beginning = Beginning { original, file_size, content_type, multipart: None };
        self.begin(video, beginning).await?;
        Ok(key)
    }

    /// Begins an upload in the place of whatever the video had before. The caller holds its lock.
    pub(crate) async fn begin(
        &self,
        video: &VideoRow,
        beginning: Beginning,
    ) -> Result<(), Refusal> {
        let seen = video.clone();
        self.database
            .write::<_, DatabaseError, _>(move |connection| {
                transitions::begin_upload(connection, &seen, &beginning, now_millis())
            })
            .await?;
        // Only now does nothing point to what was stored before.
        if let Err(error) = self.drop_stored(video).await {
            tracing::warn!(video = video.id, %error, "an earlier upload was left behind");
        }
        Ok(())
    }

    /// Removes what a row points to; what is gone already is no error.
    pub(crate) async fn drop_stored(&self, video: &VideoRow) -> Result<(), IngestError> {
        match &video.original {
            None => {}
            Some(Original::Stored(key)) => {
                if let Some(open) = &video.multipart {
                    self.ingest.storage.abort_multipart(key, &open.upload_id).await?;
                }
                // Also after an abort: the upload may have been completed and its answer lost.
                self.ingest.storage.delete(key).await?;
            }
            Some(Original::Direct(upload_id)) => self.ingest.drop_direct(upload_id).await?,
        }
        Ok(())
    }

    pub(crate) async fn touch(&self, video: &VideoRow) -> Result<(), Refusal> {
        let id = video.id.clone();
        let touch = move |connection: &_| transitions::touch(connection, &id, now_millis());
        Ok(self.database.write::<_, DatabaseError, _>(touch).await?)
    }

    pub(crate) async fn close_multipart(&self, id: &str, upload_id: &str) -> Result<(), Refusal> {
        let (id, upload_id) = (id.to_owned(), upload_id.to_owned());
        let close = move |connection: &_| {
            transitions::close_multipart(connection, &id, &upload_id, now_millis())
        };
        Ok(self.database.write::<_, DatabaseError, _>(close).await?)
    }

    fn multipart(
        &self,
        key: String,
        open: OpenMultipart,
        uploaded_parts: Vec<UploadedPart>,
    ) -> InitiatedUpload {
        let checksum = ChecksumAlgorithm::Crc64Nvme;
        InitiatedUpload::Multipart(MultipartUpload {
            key,
            upload_id: open.upload_id,
            part_size_bytes: open.part_size,
            part_count: open.part_count,
            uploaded_parts,
            checksum_algorithm: self.ingest.storage.checks_parts().then_some(checksum),
        })
    }
}

/// Bytes of a part and how many: the size asked for, or the next whole MiB that 10,000 will do with.
pub(crate) fn part_plan(file_size: u64, part_size: u64) -> (u64, u32) {
    let least = file_size.div_ceil(MOST_PARTS).next_multiple_of(MIB);
    let part_size = part_size.max(least);
    let count = file_size.div_ceil(part_size);
    (part_size, u32::try_from(count).unwrap_or(u32::MAX))
}

fn not_past_uploading(video: &VideoRow) -> Result<(), Refusal> {
    match video.status {
        VideoStatus::Uploading | VideoStatus::Failed => Ok(()),
        VideoStatus::Processing | VideoStatus::Ready => Err(Refusal::new(
            ErrorCode::WrongState,
            "this video has its original; another file is another video",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_larger_where_ten_thousand_would_not_do() {
        let part = 8 * MIB;
        assert_eq!(part_plan(part + 1, part), (part, 2));
        assert_eq!(part_plan(16 * MIB, part), (part, 2));
        assert_eq!(part_plan(10_000 * part, part), (part, 10_000));
        assert_eq!(part_plan(10_000 * part + 1, part), (9 * MIB, 8889));
        let (size, count) = part_plan(5 << 40, part);
        assert!(size % MIB == 0 && count <= 10_000, "{size} {count}");
    }
}

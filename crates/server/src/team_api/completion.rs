//! `markUploadComplete`, `markUploadFailed`, `abortVideoUpload`: how an upload ends.

use dailies_api::error::ErrorCode;
use dailies_api::projects::Role;
use dailies_api::uploads::{Done, MarkUploadComplete, MarkUploadFailed};
use dailies_api::videos::{VideoArgs, VideoStatus};
use dailies_database::DatabaseError;
use serde_json::Value;

use super::error::Refusal;
use super::functions::{Call, value};
use super::{Team, argument, content_type, uploads};
use crate::clock::now_millis;
use crate::db::videos::VideoRow;
use crate::db::videos::transitions::{self, StoredOriginal};

/// Looks at what is stored, and has the media engine begin. Safe to call again; on a video that the
/// media engine failed with, it starts that again.
pub(crate) async fn mark_complete(mut call: Call) -> Result<Value, Refusal> {
    let args: MarkUploadComplete = call.args()?;
    let team = &call.team;
    let _held = team.locks.hold(&args.video_id).await;
    let video = team.video_for(&call.caller, &args.video_id, Role::Member).await?.video;
    if args.s3_key.is_some() && args.s3_key.as_deref() != video.s3_key() {
        return Err(Refusal::argument("s3Key", "not the key that this video's upload was given"));
    }
    value(team.finish(video).await?)
}

/// Gives an upload up for a reason, and removes what was stored of it.
pub(crate) async fn mark_failed(mut call: Call) -> Result<Value, Refusal> {
    let args: MarkUploadFailed = call.args()?;
    let reason = match args.error.as_deref().map(str::trim) {
        None | Some("") => "The upload failed.".to_owned(),
        Some(error) => argument::text("error", error)?,
    };
    give_up(&call, &args.video_id, &reason).await
}

/// Cancels an upload, and removes what was stored of it.
pub(crate) async fn abort(mut call: Call) -> Result<Value, Refusal> {
    let args: VideoArgs = call.args()?;
    give_up(&call, &args.video_id, "The upload was cancelled.").await
}

async fn give_up(call: &Call, video_id: &str, reason: &str) -> Result<Value, Refusal> {
    let team = &call.team;
    let _held = team.locks.hold(video_id).await;
    let video = team.video_for(&call.caller, video_id, Role::Member).await?.video;
    if matches!(video.status, VideoStatus::Processing | VideoStatus::Ready) {
        let message = "the upload of this video is complete; it can only be removed as a whole";
        return Err(Refusal::new(ErrorCode::WrongState, message));
    }
    // Storage first: a crash in between leaves a row that points to nothing, which every call
    // understands, and never bytes that no row points to.
    team.drop_stored(&video).await?;
    let reason = reason.to_owned();
    team.database
        .write::<_, DatabaseError, _>(move |connection| {
            transitions::abandon(connection, &video, &reason, now_millis())
        })
        .await?;
    value(done(None, None))
}

impl Team {
    /// From a whole object to the media engine, for every kind of upload. Safe to repeat. The caller
    /// holds the video's lock.
    pub(crate) async fn finish(&self, video: VideoRow) -> Result<Done, Refusal> {
        match video.status {
            VideoStatus::Ready => Ok(done(video.file_size, video.crc64nvme)),
            VideoStatus::Processing => {
                // The first call's answer was lost, perhaps before the media engine was asked.
                self.ingest.start(&video.id).await?;
                Ok(done(video.file_size, video.crc64nvme))
            }
            VideoStatus::Uploading | VideoStatus::Failed => {
                let original = self.stored_original(&video).await?;
                let answer = done(Some(original.size), original.crc64nvme.clone());
                let id = video.id.clone();
                self.database
                    .write::<_, DatabaseError, _>(move |connection| {
                        transitions::start_processing(connection, &id, &original, now_millis())
                    })
                    .await?;
                self.ingest.start(&video.id).await?;
                Ok(answer)
            }
        }
    }

    /// The object, if it is there and is what was registered. What is not leaves everything as it
    /// is, so that the right bytes can still be sent.
    async fn stored_original(&self, video: &VideoRow) -> Result<StoredOriginal, Refusal> {
        let nothing = |message| Refusal::new(ErrorCode::NoUpload, message);
        let Some(key) = video.s3_key().map(str::to_owned) else {
            return Err(nothing("nothing was uploaded; begin with getUploadUrl"));
        };
        if video.multipart.is_some() {
            let message = "the parts are not one object yet; call completeMultipartUpload first";
            return Err(Refusal::new(ErrorCode::WrongState, message));
        }
        let Some(head) = self.ingest.storage.head(&key).await? else {
            return Err(nothing("the object is not in the storage; send it, then try again"));
        };
        if let Some(registered) = video.file_size
            && registered != head.size
        {
            let message = format!("{} bytes are stored, {registered} were registered", head.size);
            return Err(Refusal::new(ErrorCode::SizeMismatch, message));
        }
        uploads::check_size(head.size, &self.limits)?;
        let stored_type = head.content_type.as_deref().unwrap_or_default();
        Ok(StoredOriginal {
            key,
            size: head.size,
            content_type: content_type::accepted(stored_type)?,
            crc64nvme: head.crc64nvme,
        })
    }
}

fn done(size: Option<u64>, crc64nvme: Option<String>) -> Done {
    Done { success: true, size, crc64nvme }
}

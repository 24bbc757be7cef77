//! A direct upload from its registration to its end.

use std::sync::Arc;

use dailies_api::convex::{FunctionCall, FunctionKind, ValueFormat};
use dailies_api::direct_uploads::{CreateDirectUpload, DirectUpload, GRANULE, ReopenDirectUpload};
use dailies_api::error::ErrorCode;
use dailies_api::mux::{Upload, UploadStatus};
use dailies_api::videos::{CreateVideo, VideoStatus};
use dailies_database::DatabaseError;
use serde_json::Value;

use crate::clock::now_millis;
use crate::db::videos::transitions::{self, Beginning};
use crate::db::videos::{self, Original, VideoRow};
use crate::db::{removals, uploads};
use crate::team_api::functions::{self, value};
use crate::team_api::{Caller, Refusal, Role, Team, check_size};

/// Characters of a file's name.
const LONGEST_NAME: usize = 255;

/// Registers the video as `videos:create` does, under the same key, and opens its upload.
pub(super) async fn create(
    team: Arc<Team>,
    caller: Caller,
    args: CreateDirectUpload,
    idempotency_key: Option<String>,
    origin: Option<String>,
) -> Result<DirectUpload, Refusal> {
    let CreateDirectUpload { project_id, title, description, filename, file_size, content_type } =
        args;
    if filename.is_empty() || filename.chars().count() > LONGEST_NAME {
        let message = format!("a file's name has 1 to {LONGEST_NAME} characters");
        return Err(Refusal::argument("filename", message));
    }
    let args = value(CreateVideo {
        project_id,
        title,
        description,
        file_size,
        content_type: Some(content_type),
    })?;
    let call = FunctionCall { path: "videos:create".into(), args, format: ValueFormat::Json };
    let kind = FunctionKind::Mutation;
    let answer = functions::run(&team, kind, caller.clone(), call, idempotency_key, None).await?;
    let Value::String(id) = answer else { return Err(Refusal::internal()) };
    let video_id = id.clone();
    team.database
        .write::<_, Refusal, _>(move |connection| {
            // The answer to a key is kept longer than a video that was removed.
            videos::get(connection, &video_id)?.ok_or_else(Refusal::no_video)?;
            Ok(uploads::set_filename(connection, &video_id, &filename)?)
        })
        .await?;
    // Of a file that grows, its first bytes are promised room for now.
    let file_size = file_size.unwrap_or(team.limits.part_size.min(team.limits.max_file_size));
    let args = ReopenDirectUpload { gone: None, file_size: Some(file_size) };
    open(team, caller, id, args, origin).await
}

/// Where the upload stands.
pub(super) async fn show(
    team: Arc<Team>,
    caller: Caller,
    video_id: String,
) -> Result<DirectUpload, Refusal> {
    let _held = team.locks.hold(&video_id).await;
    let video = team.video_for(&caller, &video_id, Role::Member).await?.video;
    standing(&team, &video).await
}

/// The upload that is open, unless that is the one that is gone; else another. Either is promised
/// room for as many bytes as are said.
pub(super) async fn open(
    team: Arc<Team>,
    caller: Caller,
    video_id: String,
    ReopenDirectUpload { gone, file_size }: ReopenDirectUpload,
    origin: Option<String>,
) -> Result<DirectUpload, Refusal> {
    if let Some(size) = file_size {
        check_size(size, &team.limits)?;
    }
    let _held = team.locks.hold(&video_id).await;
    let video = team.video_for(&caller, &video_id, Role::Member).await?.video;
    match standing(&team, &video).await? {
        DirectUpload::Ended { .. } => {}
        DirectUpload::Waiting { upload_id, .. } if gone.as_ref() == Some(&upload_id) => {}
        open => {
            if let (DirectUpload::Waiting { .. }, Some(size)) = (&open, file_size) {
                promise(&team, video_id, size).await?;
            }
            return Ok(open);
        }
    }
    let Some(file_size) = file_size.or(video.file_size) else {
        let message = "this video was registered without its size; say `fileSize`";
        return Err(Refusal::new(ErrorCode::WrongState, message));
    };
    // One that is made, and whose id a crash keeps from its row, nobody has the address of. The
    // media engine ends it after its time.
    let upload = team.ingest.mux.create_upload(&video.id, origin).await?;
    let beginning = Beginning {
        original: Original::Direct(upload.id.clone()),
        file_size: Some(file_size),
        content_type: video.content_type.clone(),
        multipart: None,
    };
    if let Err(refusal) = team.begin(&video, beginning).await {
        if let Err(error) = team.ingest.drop_direct(&upload.id).await {
            tracing::warn!(%error, "a direct upload that was refused is left over");
        }
        return Err(refusal);
    }
    waiting(&team, video.id, upload)
}

/// Says how many bytes the file has by now, or in all.
async fn promise(team: &Team, video_id: String, size: u64) -> Result<(), Refusal> {
    let set = move |connection: &_| transitions::set_size(connection, &video_id, size);
    Ok(team.database.write::<_, DatabaseError, _>(set).await?)
}

/// Removes the video; its upload ends with that. One that is all there stays.
pub(super) async fn cancel(
    team: Arc<Team>,
    caller: Caller,
    video_id: String,
) -> Result<(), Refusal> {
    let _held = team.locks.hold(&video_id).await;
    let video = team.video_for(&caller, &video_id, Role::Member).await?.video;
    if let DirectUpload::Uploaded { .. } = standing(&team, &video).await? {
        let message = "all of this video is there; it can only be removed as a whole";
        return Err(Refusal::new(ErrorCode::WrongState, message));
    }
    team.database
        .write::<_, DatabaseError, _>(move |connection| {
            removals::begin(connection, &video, now_millis())
        })
        .await?;
    tracing::info!(video = video_id, "a direct upload was cancelled");
    team.removals.notify_one();
    Ok(())
}

/// Where a video's upload stands, by the media engine's word as long as it waits for bytes. What all
/// came meanwhile is the video's from now on. The caller holds the video's lock.
pub(crate) async fn standing(team: &Team, video: &VideoRow) -> Result<DirectUpload, Refusal> {
    let id = video.id.clone();
    match (video.status, &video.original) {
        (VideoStatus::Uploading, Some(Original::Direct(upload_id))) => {
            match team.ingest.mux.upload(upload_id).await? {
                Some(upload) if upload.status == UploadStatus::Waiting => {
                    team.touch(video).await?;
                    waiting(team, id, upload)
                }
                Some(Upload { asset_id: Some(_), .. }) => {
                    team.ingest.ask(&id).await?;
                    let get = move |connection: &_| videos::get(connection, &id);
                    let video = team.database.read::<_, DatabaseError, _>(get).await?;
                    Ok(uploaded(&video.ok_or_else(Refusal::no_video)?))
                }
                _ => Ok(DirectUpload::Ended { id }),
            }
        }
        (VideoStatus::Uploading, _) | (VideoStatus::Failed, None) => Ok(DirectUpload::Ended { id }),
        (VideoStatus::Processing | VideoStatus::Ready | VideoStatus::Failed, _) => {
            Ok(uploaded(video))
        }
    }
}

fn uploaded(video: &VideoRow) -> DirectUpload {
    DirectUpload::Uploaded {
        id: video.id.clone(),
        status: video.status,
        duration: video.duration,
        error: video.upload_error.clone(),
    }
}

fn waiting(team: &Team, id: String, upload: Upload) -> Result<DirectUpload, Refusal> {
    let Some(url) = upload.url else {
        let message = "the media engine says no address for the upload; try again";
        return Err(Refusal::new(ErrorCode::MediaUnavailable, message));
    };
    let chunk_size = (team.limits.part_size / GRANULE).max(1) * GRANULE;
    Ok(DirectUpload::Waiting { id, upload_id: upload.id, url, chunk_size })
}

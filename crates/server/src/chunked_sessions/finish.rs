//! `completeVideoUpload`, `cancelUpload`, and the end that comes by itself.

use aws_sdk_s3::types::CompletedPart;
use dailies_api::chunked_sessions::{ExceptionCode, MediaFile, SessionArgs, SessionStatus};
use dailies_api::videos::VideoStatus;
use dailies_database::DatabaseError;

use super::confirm::alive;
use super::failure::Failure;
use super::{Session, models};
use crate::clock::now_millis;
use crate::db::chunk_sessions::{self, SessionRow};
use crate::db::videos::{self, VideoRow, transitions};
use crate::storage::StorageError;
use crate::team_api::Team;

/// What a session says whose day is over.
const EXPIRED: &str = "Upload session has expired. Please start a new upload.";

/// Has the storage make the chunks one object, and the media engine begin. Calls at once wait for
/// each other; each gets the same file.
pub(super) async fn complete(session: Session, args: SessionArgs) -> Result<MediaFile, Failure> {
    let seen = session.own(args.upload_session_id).await?;
    let video = session.video(&seen).await?;
    let _held = session.team.locks.hold(&video.id).await;
    let row = session.own(args.upload_session_id).await?;
    let team = &session.team;
    if row.status != SessionStatus::Completed {
        alive(&row)?;
        if row.uploaded_chunks < row.total_chunks {
            let message = format!(
                "Not all chunks have been uploaded: {} of {}",
                row.uploaded_chunks, row.total_chunks
            );
            return Err(Failure::exception(ExceptionCode::Incomplete, message));
        }
        let video = session.video(&row).await?;
        if matches!(video.status, VideoStatus::Uploading) {
            assemble(team, &row, &video).await?;
        }
        team.finish(session.video(&row).await?).await?;
        let id = row.id;
        let complete = move |connection: &_| chunk_sessions::complete(connection, id, now_millis());
        team.database.write::<_, DatabaseError, _>(complete).await?;
    }
    let video = session.video(&row).await?;
    Ok(models::media_file(row, video, team.ingest.storage.bucket()))
}

async fn assemble(team: &Team, row: &SessionRow, video: &VideoRow) -> Result<(), Failure> {
    // Assembled before, but the crash came before the media engine.
    let (Some(key), Some(open)) = (video.s3_key(), &video.multipart) else { return Ok(()) };
    let stored = match team.ingest.storage.parts(key, &open.upload_id).await {
        Ok(stored) => stored,
        // Assembled before, but not noted.
        Err(StorageError::NoSuchUpload) if team.is_whole(video).await? => {
            return Ok(team.close_multipart(&video.id, &open.upload_id).await?);
        }
        Err(StorageError::NoSuchUpload) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let mut parts = Vec::with_capacity(stored.len());
    for index in 0..row.total_chunks {
        let part = stored
            .binary_search_by_key(&(index + 1), |part| part.number)
            .ok()
            .map(|found| &stored[found])
            .filter(|part| part.size == row.size_of(index));
        let Some(part) = part else { return Err(missing(team, row.id, index).await?) };
        let number = i32::try_from(part.number).unwrap_or(i32::MAX);
        parts.push(CompletedPart::builder().part_number(number).e_tag(&part.etag).build());
    }
    team.ingest.storage.complete_multipart(key, &open.upload_id, parts).await?;
    Ok(team.close_multipart(&video.id, &open.upload_id).await?)
}

/// The storage has lost a chunk that was there: it may be sent again, and the rest is kept.
async fn missing(team: &Team, id: i64, index: u32) -> Result<Failure, Failure> {
    team.database
        .write::<_, DatabaseError, _>(move |connection| {
            chunk_sessions::forget(connection, id, index, now_millis())
        })
        .await?;
    let message = format!("Chunk {index} is missing");
    Ok(Failure::exception(ExceptionCode::ChunkMissing, message))
}

/// Removes the session, its video and whatever was stored. Nothing happens to what is not the
/// caller's, or is a video already.
pub(super) async fn cancel(session: Session, args: SessionArgs) -> Result<(), Failure> {
    let Ok(seen) = session.own(args.upload_session_id).await else { return Ok(()) };
    let team = &session.team;
    let _held = team.locks.hold(seen.video_id.as_deref().unwrap_or_default()).await;
    let Ok(row) = session.own(args.upload_session_id).await else { return Ok(()) };
    if row.status == SessionStatus::Completed {
        return Ok(());
    }
    let removed = team
        .database
        .write::<_, DatabaseError, _>(move |connection| {
            let video = match &row.video_id {
                Some(id) => videos::get(connection, id)?,
                None => None,
            };
            chunk_sessions::remove(connection, row.id)?;
            match video {
                Some(video) if transitions::remove_unfinished(connection, &video.id)? => {
                    Ok(Some(video))
                }
                _ => Ok(None),
            }
        })
        .await?;
    match removed {
        Some(video) => dropped(team, &video).await,
        None => Ok(()),
    }
}

/// Ends a session whose day is over; what was stored of it is removed.
pub(crate) async fn expire(team: &Team, id: i64) -> Result<(), Failure> {
    let get = move |connection: &_| chunk_sessions::get(connection, id);
    let Some(seen) = team.database.read::<_, DatabaseError, _>(get).await? else { return Ok(()) };
    let _held = team.locks.hold(seen.video_id.as_deref().unwrap_or_default()).await;
    let given_up = team
        .database
        .write::<_, DatabaseError, _>(move |connection| {
            let now = now_millis();
            if !chunk_sessions::expire(connection, id, EXPIRED, now)? {
                return Ok(None);
            }
            let Some(video_id) = seen.video_id else { return Ok(None) };
            let video = videos::get(connection, &video_id)?;
            let Some(video) = video.filter(|video| video.status == VideoStatus::Uploading) else {
                return Ok(None);
            };
            transitions::abandon(connection, &video, EXPIRED, now)?;
            Ok(Some(video))
        })
        .await?;
    match given_up {
        Some(video) => dropped(team, &video).await,
        None => Ok(()),
    }
}

/// The rows are gone; what stays in the storage now, a background job finds.
async fn dropped(team: &Team, video: &VideoRow) -> Result<(), Failure> {
    if let Err(error) = team.drop_stored(video).await {
        tracing::warn!(video = video.id, %error, "an ended upload was left in the storage");
    }
    Ok(())
}

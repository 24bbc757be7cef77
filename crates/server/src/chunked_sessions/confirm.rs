//! `getChunkUploadUrl`, `confirmChunkUpload`, `getUploadProgress`.

use std::collections::BTreeMap;

use dailies_api::chunked_sessions::{
    ChunkArgs, ChunkUploadProgress, ChunkUploadUrl, ConfirmChunk, ExceptionCode, SessionArgs,
    SessionStatus,
};
use dailies_database::DatabaseError;

use super::failure::Failure;
use super::{Session, models};
use crate::clock::now_millis;
use crate::db::chunk_sessions::{self, SessionRow};
use crate::storage::{CHUNK, PartToSign, StorageError};

/// An address for one chunk, with its length signed in.
pub(super) async fn url(session: Session, args: ChunkArgs) -> Result<ChunkUploadUrl, Failure> {
    let row = session.row(args.upload_session_id).await?.ok_or_else(|| {
        Failure::exception(ExceptionCode::SessionNotFound, "Upload session not found")
    })?;
    if row.user_id != session.user.user_id {
        let message = "You do not own this upload session";
        return Err(Failure::exception(ExceptionCode::AccessDenied, message));
    }
    alive(&row)?;
    let index = index(&row, args.chunk_index)?;
    let video = session.video(&row).await?;
    let (Some(key), Some(open)) = (video.s3_key(), &video.multipart) else {
        return Err(expired());
    };
    let part = PartToSign {
        number: index + 1,
        length: row.size_of(index),
        crc64nvme: None,
        lifetime: CHUNK,
    };
    let storage = &session.team.ingest.storage;
    let upload_url = storage.sign_part(key, &open.upload_id, &part).await?;
    let lifetime = i64::try_from(CHUNK.as_millis()).unwrap_or(i64::MAX);
    let expires_at = models::iso8601(now_millis() + lifetime);
    session.team.touch(&video).await?;
    Ok(ChunkUploadUrl {
        chunk_index: index,
        upload_url,
        upload_headers: BTreeMap::new(),
        expires_at,
    })
}

/// Notes that the chunk is in the storage, where it is.
pub(super) async fn confirm(
    session: Session,
    args: ConfirmChunk,
) -> Result<ChunkUploadProgress, Failure> {
    let row = session.own(args.upload_session_id).await?;
    let index = index(&row, args.chunk_index)?;
    if row.status == SessionStatus::Completed {
        return Ok(models::progress(&row));
    }
    alive(&row)?;
    let size = row.size_of(index);
    if args.chunk_size != size {
        let message = format!("chunk {index} has {size} bytes, not {}", args.chunk_size);
        return Err(Failure::exception(ExceptionCode::InvalidChunk, message));
    }
    let video = session.video(&row).await?;
    if let (Some(key), Some(open)) = (video.s3_key(), &video.multipart) {
        let storage = &session.team.ingest.storage;
        let part = match storage.part(key, &open.upload_id, index + 1).await {
            Ok(part) => part,
            Err(StorageError::NoSuchUpload) => None,
            Err(error) => return Err(error.into()),
        };
        let part = part.ok_or_else(|| {
            let message = "Chunk file not found in storage";
            Failure::exception(ExceptionCode::ChunkNotFound, message)
        })?;
        if part.size != size {
            let message = format!("{} bytes of chunk {index} are stored, not {size}", part.size);
            return Err(Failure::exception(ExceptionCode::InvalidChunk, message));
        }
    } else if row.status != SessionStatus::Assembling {
        return Err(expired());
    }
    let id = row.id;
    let confirmed = session
        .team
        .database
        .write::<_, DatabaseError, _>(move |connection| {
            // Completed since it was looked up: nothing is left to be noted.
            match chunk_sessions::get(connection, id)? {
                Some(row) if row.status == SessionStatus::Completed => Ok(row),
                _ => {
                    chunk_sessions::confirm(connection, id, index, size, now_millis())?;
                    chunk_sessions::get(connection, id)?.ok_or(DatabaseError::Stale)
                }
            }
        })
        .await?;
    Ok(models::progress(&confirmed))
}

/// How far it is, also after its end.
pub(super) async fn progress(
    session: Session,
    args: SessionArgs,
) -> Result<ChunkUploadProgress, Failure> {
    let row = session.own(args.upload_session_id).await?;
    let mut progress = models::progress(&row);
    progress.is_complete = row.status == SessionStatus::Completed;
    progress.status = Some(row.status);
    Ok(progress)
}

/// Refuses a session whose day is over, also where no background job came by yet.
pub(super) fn alive(row: &SessionRow) -> Result<(), Failure> {
    if row.status == SessionStatus::Failed || row.expires_at <= now_millis() {
        return Err(expired());
    }
    Ok(())
}

fn expired() -> Failure {
    let message = "Upload session has expired. Please start a new upload.";
    Failure::exception(ExceptionCode::SessionExpired, message)
}

fn index(row: &SessionRow, index: i64) -> Result<u32, Failure> {
    u32::try_from(index).ok().filter(|index| *index < row.total_chunks).ok_or_else(|| {
        let message = format!("chunks are numbered from 0 to {}", row.total_chunks - 1);
        Failure::exception(ExceptionCode::InvalidChunk, message)
    })
}

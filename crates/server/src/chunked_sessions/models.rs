//! Rows as the protocol's models.

use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use dailies_api::chunked_sessions::{
    ChunkUploadProgress, ChunkedUploadSession, MediaFile, SessionStatus,
};
use dailies_api::videos::VideoStatus;

use crate::db::chunk_sessions::SessionRow;
use crate::db::videos::VideoRow;

/// ISO 8601 in UTC.
pub(crate) fn iso8601(millis: i64) -> String {
    DateTime::from_millis(millis).fmt(DateTimeFormat::DateTime).unwrap_or_default()
}

pub(super) fn session(row: SessionRow) -> ChunkedUploadSession {
    ChunkedUploadSession {
        id: row.id,
        user_id: row.user_number,
        media_file_id: row.media_file_id,
        file_id: row.file_id,
        file_name: row.file_name,
        mime_type: row.mime_type,
        total_size: row.total_size,
        storage_key: row.storage_key,
        total_chunks: row.total_chunks,
        uploaded_chunks: row.uploaded_chunks,
        uploaded_bytes: row.uploaded_bytes,
        status: row.status,
        error_message: row.error_message,
        expires_at: iso8601(row.expires_at),
        created_at: iso8601(row.created_at),
        updated_at: row.updated_at.map(iso8601),
        completed_at: row.completed_at.map(iso8601),
        chunk_size: Some(row.chunk_size),
    }
}

/// How far it is; `is_complete` as `confirmChunkUpload` means it.
pub(super) fn progress(row: &SessionRow) -> ChunkUploadProgress {
    #[expect(clippy::cast_precision_loss, reason = "a share of 50 GiB needs no 53 bits")]
    let progress = row.uploaded_bytes as f64 / row.total_size as f64;
    ChunkUploadProgress {
        upload_session_id: row.id,
        uploaded_chunks: row.uploaded_chunks,
        total_chunks: row.total_chunks,
        uploaded_bytes: row.uploaded_bytes,
        total_bytes: row.total_size,
        progress,
        is_complete: matches!(row.status, SessionStatus::Assembling | SessionStatus::Completed),
        status: None,
    }
}

pub(super) fn media_file(session: SessionRow, video: VideoRow, bucket: &str) -> MediaFile {
    let status = match video.status {
        VideoStatus::Uploading => "pending",
        VideoStatus::Processing => "processing",
        VideoStatus::Ready => "ready",
        VideoStatus::Failed => "failed",
    };
    MediaFile {
        id: video.seq,
        user_id: session.user_number,
        file_name: session.file_id,
        original_file_name: session.file_name,
        mime_type: session.mime_type,
        file_size: session.total_size,
        storage_key: session.storage_key,
        storage_bucket: bucket.to_owned(),
        media_type: "video".to_owned(),
        duration: session.duration,
        status: status.to_owned(),
        created_at: iso8601(session.created_at),
        video_id: Some(video.id),
        public_id: Some(video.public_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_iso_8601_in_utc() {
        assert_eq!(iso8601(1_723_370_400_000), "2024-08-11T10:00:00Z");
        assert_eq!(iso8601(1_723_370_400_007), "2024-08-11T10:00:00.007Z");
    }
}

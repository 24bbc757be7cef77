//! Videos as uploads: ids as UUIDs, states as codes.

use dailies_api::uploads_api::{Upload, UploadCode};
use dailies_api::videos::VideoStatus;

use crate::chunked_sessions::iso8601;
use crate::db::uploads::UploadRow;

/// The same 128 bits as the video's id, written as a UUID.
pub(super) fn upload_id(video_id: &str) -> String {
    let Ok(id) = ulid::Ulid::from_string(video_id) else { return video_id.to_owned() };
    let hex = format!("{:032x}", id.0);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The reverse of [`upload_id`]; `None` for what is no UUID.
pub(super) fn video_id(upload_id: &str) -> Option<String> {
    let groups: Vec<&str> = upload_id.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    if lengths != [8, 4, 4, 4, 12] || !groups.concat().bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let bits = u128::from_str_radix(&groups.concat(), 16).ok()?;
    Some(ulid::Ulid(bits).to_string())
}

pub(super) fn code(status: VideoStatus, taken: bool) -> UploadCode {
    match status {
        VideoStatus::Uploading => UploadCode::Uploading,
        VideoStatus::Processing if taken => UploadCode::Processing,
        VideoStatus::Processing => UploadCode::Pending,
        VideoStatus::Ready => UploadCode::Completed,
        VideoStatus::Failed => UploadCode::Failed,
    }
}

pub(super) fn shown(row: UploadRow) -> Upload {
    let (status, text) = code(row.status, row.taken).on_the_wire();
    Upload {
        id: upload_id(&row.id),
        filename: row.filename,
        status,
        status_text: text.to_owned(),
        created_at: Some(iso8601(row.created_at)),
        updated_at: Some(iso8601(row.updated_at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_of_the_same_bits() {
        for _ in 0..100 {
            let id = crate::random::id();
            let uuid = upload_id(&id);
            assert_eq!(uuid.len(), 36);
            assert_eq!(video_id(&uuid), Some(id));
        }
        for other in
            ["", "x", "9c1fa5c4a8f14b2e9d6e1c8a0b9e2d7f", "+c1fa5c4-a8f1-4b2e-9d6e-1c8a0b9e2d7f"]
        {
            assert_eq!(video_id(other), None, "{other}");
        }
    }
}

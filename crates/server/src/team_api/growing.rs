//! Uploads of files that are still being written. Parts are taken while a file grows; what it is
//! promised grows with them, and its size is said at the end.

use dailies_api::error::ErrorCode;
use dailies_api::uploads::InitiatedUpload;
use dailies_database::DatabaseError;

use super::Team;
use super::error::Refusal;
use crate::db::videos::{OpenMultipart, VideoRow, growing};

impl Team {
    /// Begins an upload without a size, or goes on with one. The caller holds the video's lock.
    pub(super) async fn grow(
        &self,
        video: &VideoRow,
        content_type: String,
    ) -> Result<InitiatedUpload, Refusal> {
        let grows = video.multipart.as_ref().is_some_and(|open| open.grows);
        if grows && let Some(found) = self.found(video).await? {
            return Ok(found);
        }
        self.begin_multipart(video, None, content_type).await
    }

    /// Says the size of a file that grows no more, and answers the row as it is then.
    pub(super) async fn grown(&self, video: VideoRow, size: u64) -> Result<VideoRow, Refusal> {
        let Some(open) = video.multipart.clone().filter(|open| open.grows) else {
            return Ok(video);
        };
        let part_count = u32::try_from(size.div_ceil(open.part_size)).unwrap_or(u32::MAX);
        if part_count > open.part_count {
            // More than its parts can hold, since the limits are others now: it begins anew.
            return Ok(video);
        }
        let (id, upload_id) = (video.id.clone(), open.upload_id.clone());
        self.database
            .write::<_, DatabaseError, _>(move |connection| {
                growing::set_size(connection, &id, &upload_id, size, part_count)
            })
            .await?;
        let open = OpenMultipart { part_count, grows: false, ..open };
        Ok(VideoRow { file_size: Some(size), multipart: Some(open), ..video })
    }

    /// Promises a file that grows the room that parts up to this number take.
    pub(super) async fn promise(
        &self,
        video: &VideoRow,
        open: &OpenMultipart,
        last: u32,
    ) -> Result<(), Refusal> {
        let size = open.part_size.saturating_mul(last.into()).min(self.limits.max_file_size);
        let (id, upload_id) = (video.id.clone(), open.upload_id.clone());
        self.database
            .write::<_, DatabaseError, _>(move |connection| {
                growing::promise(connection, &id, &upload_id, size)
            })
            .await?;
        Ok(())
    }
}

/// What nobody can put together yet.
pub(super) fn still_grows() -> Refusal {
    let message = "the file's size was not said; call initiateVideoUpload with it first";
    Refusal::new(ErrorCode::WrongState, message)
}

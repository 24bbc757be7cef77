//! `videos:create`, `videos:get`, `videos:list`.

use dailies_api::projects::Role;
use dailies_api::videos::{CreateVideo, ListVideos, Video, VideoArgs, VideoPage};
use serde_json::Value;

use super::error::Refusal;
use super::functions::{Call, value};
use super::{argument, content_type, idempotency, roles, uploads};
use crate::clock::now_millis;
use crate::db::users;
use crate::db::videos::{self, NewVideo, VideoRow};
use crate::random;

/// Rows of one page at the most.
const LARGEST_PAGE: u64 = 200;

/// Registers a video; answers its id. Its bytes come later.
pub(crate) async fn create(mut call: Call) -> Result<Value, Refusal> {
    let args: CreateVideo = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let title = argument::title(&args.title)?;
    let description =
        args.description.as_deref().map(|text| argument::text("description", text)).transpose()?;
    if let Some(size) = args.file_size {
        uploads::check_size(size, &call.team.limits)?;
    }
    let content_type = args.content_type.as_deref().map(content_type::accepted).transpose()?;
    let keyed = call.keyed;
    call.team
        .database
        .write(move |connection| {
            roles::project(connection, &user, &args.project_id, Role::Member)?;
            if let Some(keyed) = &keyed
                && let Some(answer) = idempotency::first_answer(connection, keyed)?
            {
                return Ok(answer);
            }
            let video = NewVideo {
                id: random::id(),
                project_id: args.project_id,
                uploader_name: users::name(connection, &user.user_id)?,
                uploader_id: user.user_id,
                title,
                description,
                public_id: random::name(),
                file_size: args.file_size,
                content_type,
            };
            videos::insert(connection, &video, now_millis())?;
            let answer = Value::String(video.id);
            if let Some(keyed) = &keyed {
                idempotency::keep(connection, keyed, &answer)?;
            }
            Ok(answer)
        })
        .await
}

/// The row, with the caller's role.
pub(crate) async fn get(mut call: Call) -> Result<Value, Refusal> {
    let args: VideoArgs = call.args()?;
    let access = call.team.video_for(&call.caller, &args.video_id, Role::Viewer).await?;
    value(Video { role: Some(access.role), ..shown(access.video) })
}

/// A project's videos, newest first. The cursor is opaque to callers.
pub(crate) async fn list(mut call: Call) -> Result<Value, Refusal> {
    let args: ListVideos = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let wanted = args.pagination_opts.num_items.clamp(1, LARGEST_PAGE);
    let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
    let before = match args.pagination_opts.cursor.as_deref() {
        None => None,
        Some(cursor) => Some(cursor.parse::<i64>().map_err(|_| {
            Refusal::argument("paginationOpts.cursor", "not a cursor that this list gave")
        })?),
    };
    let mut rows = call
        .team
        .database
        .read::<_, Refusal, _>(move |connection| {
            roles::project(connection, &user, &args.project_id, Role::Viewer)?;
            Ok(videos::page(connection, &args.project_id, before, wanted + 1)?)
        })
        .await?;
    let is_done = rows.len() <= wanted as usize;
    rows.truncate(wanted as usize);
    let last = rows.last().map(|row| row.seq).or(before);
    value(VideoPage {
        page: rows.into_iter().map(shown).collect(),
        is_done,
        continue_cursor: last.unwrap_or(i64::MAX).to_string(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds fit a Float64 for 285,000 years")]
fn shown(row: VideoRow) -> Video {
    Video {
        id: row.id,
        creation_time: row.created_at as f64,
        project_id: row.project_id,
        title: row.title,
        description: row.description,
        uploader_name: row.uploader_name,
        uploaded_by_clerk_id: Some(row.uploader_id),
        public_id: row.public_id,
        visibility: row.visibility,
        status: row.status,
        upload_error: row.upload_error,
        file_size: row.file_size,
        content_type: row.content_type,
        s3_key: row.s3_key,
        s3_multipart_upload_id: row.multipart.map(|open| open.upload_id),
        crc64nvme: row.crc64nvme,
        duration: row.duration,
        mux_playback_id: row.mux_playback_id,
        role: None,
    }
}

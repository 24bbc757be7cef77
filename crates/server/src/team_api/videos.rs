//! `videos:create`, `videos:get`, `videos:list`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dailies_api::projects::Role;
use dailies_api::videos::{CreateVideo, PaginationOpts, Video, VideoArgs, VideoOrder, VideoPage};
use serde::Deserialize;
use serde_json::Value;

use super::error::Refusal;
use super::functions::{Call, value};
use super::{argument, content_type, idempotency, roles, uploads};
use crate::clock::{now_millis, wire};
use crate::db::users;
use crate::db::videos::listing::{self, Listing, Place};
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
            idempotency::in_transaction(connection, keyed.as_ref(), || {
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
                Ok(Value::String(video.id))
            })
        })
        .await
}

/// The row, with the caller's role.
pub(crate) async fn get(mut call: Call) -> Result<Value, Refusal> {
    let args: VideoArgs = call.args()?;
    let access = call.team.video_for(&call.caller, &args.video_id, Role::Viewer).await?;
    value(Video { role: Some(access.role), ..shown(access.video) })
}

/// Arguments of `videos:list`. `sort` is the current dialect's; `includeVersions` only ours.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListArgs {
    project_id: String,
    pagination_opts: PaginationOpts,
    #[serde(default)]
    sort: VideoOrder,
    /// Superseded versions, too.
    #[serde(default)]
    include_versions: bool,
}

/// A project's videos, each in its latest version unless all are asked for.
pub(crate) async fn list(mut call: Call) -> Result<Value, Refusal> {
    let args: ListArgs = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let wanted = args.pagination_opts.num_items.clamp(1, LARGEST_PAGE);
    let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
    let asked = args.pagination_opts.cursor;
    let after = asked.as_deref().map(|cursor| place(cursor, args.sort)).transpose()?;
    let listing = Listing {
        project_id: args.project_id,
        order: args.sort,
        all_versions: args.include_versions,
        after,
        limit: wanted + 1,
    };
    let mut rows = call
        .team
        .database
        .read::<_, Refusal, _>(move |connection| {
            roles::project(connection, &user, &listing.project_id, Role::Viewer)?;
            Ok(listing::page(connection, &listing)?)
        })
        .await?;
    let is_done = rows.len() <= wanted as usize;
    rows.truncate(wanted as usize);
    let continue_cursor = match rows.last() {
        Some(last) => cursor(last, args.sort),
        None => asked.unwrap_or_else(|| i64::MAX.to_string()),
    };
    value(VideoPage { page: rows.into_iter().map(shown).collect(), is_done, continue_cursor })
}

/// Names the last row of a page. Opaque to callers.
fn cursor(last: &VideoRow, order: VideoOrder) -> String {
    match order {
        VideoOrder::LastUploaded => last.seq.to_string(),
        VideoOrder::Alphabetical => {
            format!("{}.{}", last.seq, URL_SAFE_NO_PAD.encode(last.title.as_bytes()))
        }
    }
}

fn place(cursor: &str, order: VideoOrder) -> Result<Place, Refusal> {
    let read = || match order {
        VideoOrder::LastUploaded => Some(Place { title: String::new(), seq: cursor.parse().ok()? }),
        // The cursor after a page without rows names none: nothing comes after it either.
        VideoOrder::Alphabetical => {
            let (seq, title) = cursor.split_once('.').unwrap_or((cursor, ""));
            let title = String::from_utf8(URL_SAFE_NO_PAD.decode(title).ok()?).ok()?;
            Some(Place { title, seq: seq.parse().ok()? })
        }
    };
    read().ok_or_else(|| {
        Refusal::argument("paginationOpts.cursor", "not a cursor that this list gave")
    })
}

fn shown(row: VideoRow) -> Video {
    let s3_key = row.s3_key().map(str::to_owned);
    Video {
        id: row.id,
        creation_time: wire(row.created_at),
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
        s3_key,
        s3_multipart_upload_id: row.multipart.map(|open| open.upload_id),
        crc64nvme: row.crc64nvme,
        duration: row.duration,
        mux_playback_id: row.mux_playback_id,
        version_stack_id: row.stack_id,
        version_number: Some(row.version_number.into()),
        is_latest_version: Some(!row.superseded),
        role: None,
    }
}

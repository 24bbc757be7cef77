//! `videos:createVersion`, `videos:listVersions`: a video again, with other bytes.

use dailies_api::error::ErrorCode;
use dailies_api::projects::Role;
use dailies_api::videos::{CreateVersion, CreatedVersion, Version, VideoArgs};
use serde_json::Value;

use super::error::Refusal;
use super::functions::{Call, value};
use super::{argument, content_type, idempotency, roles, uploads};
use crate::clock::{now_millis, wire};
use crate::db::users;
use crate::db::videos::{NewVideo, VideoRow, versions};
use crate::random;

/// Versions of one video at the most, as in the current deployment.
const MOST: usize = 100;

/// Registers the next version of a video. Its bytes come later, as for any video.
pub(crate) async fn create(mut call: Call) -> Result<Value, Refusal> {
    let args: CreateVersion = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let title = args.title.as_deref().map(argument::title).transpose()?;
    if let Some(size) = args.file_size {
        uploads::check_size(size, &call.team.limits)?;
    }
    let content_type = args.content_type.as_deref().map(content_type::accepted).transpose()?;
    let keyed = call.keyed;
    call.team
        .database
        .write(move |connection| {
            idempotency::in_transaction(connection, keyed.as_ref(), || {
                let source = roles::video(connection, &user, &args.source_video_id, Role::Member)
                    .map_err(|refusal| match refusal.0.code {
                    ErrorCode::NotFound => refusal.at("sourceVideoId"),
                    _ => refusal,
                })?;
                let stack = versions::stack(connection, &source.video)?;
                if stack.len() >= MOST {
                    let message = format!("a video has at most {MOST} versions");
                    return Err(Refusal::new(ErrorCode::WrongState, message));
                }
                let latest = stack.last().unwrap_or(&source.video);
                let video = NewVideo {
                    id: random::id(),
                    project_id: latest.project_id.clone(),
                    uploader_name: users::name(connection, &user.user_id)?,
                    uploader_id: user.user_id.clone(),
                    title: title.unwrap_or_else(|| latest.title.clone()),
                    description: latest.description.clone(),
                    public_id: random::name(),
                    file_size: args.file_size,
                    content_type,
                };
                let (version_stack_id, version_number) =
                    versions::add(connection, latest, &video, now_millis())?;
                value(CreatedVersion { video_id: video.id, version_stack_id, version_number })
            })
        })
        .await
}

/// All versions, newest first.
pub(crate) async fn list(mut call: Call) -> Result<Value, Refusal> {
    let args: VideoArgs = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let stack = call
        .team
        .database
        .read::<_, Refusal, _>(move |connection| {
            let video = roles::video(connection, &user, &args.video_id, Role::Viewer)?.video;
            Ok(versions::stack(connection, &video)?)
        })
        .await?;
    value(stack.into_iter().rev().map(shown).collect::<Vec<_>>())
}

fn shown(row: VideoRow) -> Version {
    Version {
        id: row.id,
        project_id: row.project_id,
        title: row.title,
        status: row.status,
        version_number: row.version_number,
        is_latest_version: !row.superseded,
        created_at: wire(row.created_at),
    }
}

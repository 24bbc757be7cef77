//! `videos:update`, `:setVisibility`, `:move`, `:remove`.

use dailies_api::error::ErrorCode;
use dailies_api::projects::Role;
use dailies_api::videos::{MoveVideo, RemovedVideo, SetVisibility, UpdateVideo, VideoArgs};
use serde_json::Value;

use super::error::Refusal;
use super::functions::{Call, value};
use super::{argument, idempotency, roles};
use crate::clock::now_millis;
use crate::db::removals;
use crate::db::videos::versions;

/// Renames and describes one version.
pub(crate) async fn update(mut call: Call) -> Result<Value, Refusal> {
    let args: UpdateVideo = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let title = args.title.as_deref().map(argument::title).transpose()?;
    let description =
        args.description.as_deref().map(|text| argument::text("description", text)).transpose()?;
    call.team
        .database
        .write(move |connection| {
            roles::video(connection, &user, &args.video_id, Role::Member)?;
            let (title, description) = (title.as_deref(), description.as_deref());
            versions::describe(connection, &args.video_id, title, description)?;
            Ok(Value::Null)
        })
        .await
}

/// Opens all versions of a video to whoever knows their public ids, or closes them.
pub(crate) async fn set_visibility(mut call: Call) -> Result<Value, Refusal> {
    let args: SetVisibility = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    call.team
        .database
        .write(move |connection| {
            let video = roles::video(connection, &user, &args.video_id, Role::Member)?.video;
            versions::set_visibility(connection, &video, args.visibility)?;
            Ok(Value::Null)
        })
        .await
}

/// Moves all versions of a video to another project of the same team.
pub(crate) async fn move_to(mut call: Call) -> Result<Value, Refusal> {
    let args: MoveVideo = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    call.team
        .database
        .write(move |connection| {
            let video = roles::video(connection, &user, &args.video_id, Role::Member)?.video;
            let to = roles::project(connection, &user, &args.project_id, Role::Member)?.project;
            if to.team_id != video.team_id {
                let message = "a video cannot be moved to another team";
                return Err(Refusal::new(ErrorCode::InvalidArgument, message).at("projectId"));
            }
            versions::move_to(connection, &video, &args.project_id)?;
            Ok(Value::Null)
        })
        .await
}

/// Removes one version, with its links; what it has stored goes by and by.
pub(crate) async fn remove(mut call: Call) -> Result<Value, Refusal> {
    let args: VideoArgs = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let keyed = call.keyed;
    // Nobody begins an upload or has an asset made meanwhile.
    let _held = call.team.locks.hold(&args.video_id).await;
    let answer = call
        .team
        .database
        .write(move |connection| {
            idempotency::in_transaction(connection, keyed.as_ref(), || {
                let video = roles::video(connection, &user, &args.video_id, Role::Admin)?.video;
                let replacement = removals::begin(connection, &video, now_millis())?;
                tracing::info!(video = video.id, "a video was removed");
                value(RemovedVideo { replacement_video_id: replacement })
            })
        })
        .await?;
    call.team.removals.notify_one();
    Ok(answer)
}

//! `videos:getByShareGrant`, `getSharedPlaybackSession`: what a grant opens.

use dailies_api::error::ErrorCode;
use dailies_api::playback::GrantArgs;
use dailies_api::videos::VideoStatus;
use dailies_database::DatabaseError;
use serde::Serialize;
use serde_json::Value;

use super::Team;
use super::error::Refusal;
use super::functions::{Call, value};
use crate::clock::{now_millis, wire};
use crate::db::access_grants;
use crate::db::videos::{self, VideoRow};

/// What is shown to whoever has a grant.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SharedVideo {
    #[serde(rename = "_id")]
    id: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    status: VideoStatus,
    version_number: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_size: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shared {
    video: SharedVideo,
    grant_expires_at: f64,
    allow_download: bool,
}

/// A grant that holds, and what it opens: one version of a video.
pub(super) struct Opened {
    pub(super) video: VideoRow,
    pub(super) allow_download: bool,
    expires_at: i64,
}

/// The video, whatever its status; null where the grant opens nothing any more.
pub(crate) async fn video(mut call: Call) -> Result<Value, Refusal> {
    let args: GrantArgs = call.args()?;
    let shared = call.team.opened(args.grant_token).await?.map(|opened| Shared {
        grant_expires_at: wire(opened.expires_at),
        allow_download: opened.allow_download,
        video: SharedVideo {
            id: opened.video.id,
            title: opened.video.title,
            description: opened.video.description,
            status: opened.video.status,
            version_number: opened.video.version_number,
            duration: opened.video.duration,
            content_type: opened.video.content_type,
            file_size: opened.video.file_size,
        },
    });
    value(shared)
}

/// A session; null where the grant opens nothing, and while the video cannot be played.
pub(crate) async fn session(mut call: Call) -> Result<Value, Refusal> {
    let args: GrantArgs = call.args()?;
    match call.team.opened(args.grant_token).await? {
        Some(opened) if opened.video.status == VideoStatus::Ready => {
            value(call.team.signed_session(&opened.video)?)
        }
        _ => Ok(Value::Null),
    }
}

impl Team {
    pub(super) async fn opened(&self, grant: String) -> Result<Option<Opened>, DatabaseError> {
        self.database
            .read(move |connection| {
                let Some(grant) = access_grants::find(connection, &grant, now_millis())? else {
                    return Ok(None);
                };
                let video = videos::get(connection, &grant.link.video_id)?;
                Ok(video.map(|video| Opened {
                    video,
                    allow_download: grant.link.allow_download,
                    expires_at: grant.expires_at,
                }))
            })
            .await
    }

    /// What the grant opens, where one has to be there.
    pub(super) async fn granted(&self, grant: String) -> Result<Opened, Refusal> {
        self.opened(grant).await?.ok_or_else(|| {
            let message = "this grant ended, or its link was revoked; ask for another";
            Refusal::new(ErrorCode::NotFound, message).at("grantToken")
        })
    }
}

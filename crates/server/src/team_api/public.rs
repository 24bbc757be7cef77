//! `videos:getByPublicId`, `:listPublicVersions`, `:getPublicIdByVideoId`, `getPublicPlaybackSession`:
//! what anyone sees who knows the public id of a public video. For everything else alike: nothing.

use dailies_api::playback::{PlaybackSession, PublicArgs};
use dailies_api::videos::{VideoArgs, VideoStatus, Visibility};
use dailies_database::DatabaseError;
use serde::Serialize;
use serde_json::Value;

use super::Team;
use super::error::Refusal;
use super::functions::{Call, value};
use crate::db::videos::{self, VideoRow, versions};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    /// Nothing can be played yet; then there is no `video`.
    processing: bool,
    title: String,
    allow_version_browsing: bool,
    video: Option<PublicVideo>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PublicVideo {
    #[serde(rename = "_id")]
    id: String,
    public_id: String,
    version_number: u32,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mux_playback_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PublicVersion {
    public_id: String,
    version_number: u32,
    is_latest: bool,
}

/// What a watch page needs: the session and what to call the video.
#[derive(Serialize)]
struct PublicSession {
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(flatten)]
    session: PlaybackSession,
}

/// What a public id leads to.
pub(super) enum Public {
    /// A version that can be played: the one named, else the latest such one.
    Ready(Box<VideoRow>),
    /// None can be, but one is on its way.
    Processing {
        title: String,
    },
    Nothing,
}

/// What may be shown.
pub(crate) async fn video(mut call: Call) -> Result<Value, Refusal> {
    let args: PublicArgs = call.args()?;
    value(match call.team.public(args.public_id).await? {
        Public::Nothing => None,
        Public::Processing { title } => {
            Some(Found { processing: true, title, allow_version_browsing: true, video: None })
        }
        Public::Ready(video) => Some(Found {
            processing: false,
            title: video.title.clone(),
            allow_version_browsing: true,
            video: Some(PublicVideo {
                id: video.id,
                public_id: video.public_id,
                version_number: video.version_number,
                title: video.title,
                description: video.description,
                duration: video.duration,
                mux_playback_id: video.mux_playback_id,
                content_type: video.content_type,
            }),
        }),
    })
}

/// The versions that can be played, oldest first.
pub(crate) async fn list_versions(mut call: Call) -> Result<Value, Refusal> {
    let args: PublicArgs = call.args()?;
    let stack = call.team.public_stack(args.public_id).await?;
    let shown = stack.into_iter().filter(is_ready).map(|video| PublicVersion {
        public_id: video.public_id,
        version_number: video.version_number,
        is_latest: !video.superseded,
    });
    value(shown.collect::<Vec<_>>())
}

/// The public id of a public video; null for everything else.
pub(crate) async fn id_of(mut call: Call) -> Result<Value, Refusal> {
    let args: VideoArgs = call.args()?;
    let video = call
        .team
        .database
        .read::<_, DatabaseError, _>(move |connection| videos::get(connection, &args.video_id))
        .await?;
    let public = video.filter(|video| video.visibility == Visibility::Public);
    value(public.map(|video| video.public_id))
}

/// A session; null where nothing can be played.
pub(crate) async fn session(mut call: Call) -> Result<Value, Refusal> {
    let args: PublicArgs = call.args()?;
    match call.team.public(args.public_id).await? {
        Public::Ready(video) => {
            let session = call.team.signed_session(&video)?;
            value(PublicSession { title: video.title, description: video.description, session })
        }
        Public::Processing { .. } | Public::Nothing => Ok(Value::Null),
    }
}

impl Team {
    pub(super) async fn public(&self, public_id: String) -> Result<Public, DatabaseError> {
        let stack = self.public_stack(public_id.clone()).await?;
        let Some(named) = stack.iter().find(|video| video.public_id == public_id) else {
            return Ok(Public::Nothing);
        };
        let title = named.title.clone();
        let coming = |video: &VideoRow| {
            matches!(video.status, VideoStatus::Uploading | VideoStatus::Processing)
        };
        let ready = if is_ready(named) {
            Some(named)
        } else {
            stack.iter().rev().find(|video| is_ready(video))
        };
        Ok(match ready {
            Some(video) => Public::Ready(Box::new(video.clone())),
            None if stack.iter().any(coming) => Public::Processing { title },
            None => Public::Nothing,
        })
    }

    /// All versions of a public video, which are public together; none for every other id.
    async fn public_stack(&self, public_id: String) -> Result<Vec<VideoRow>, DatabaseError> {
        self.database
            .read(move |connection| match videos::by_public_id(connection, &public_id)? {
                Some(video) if video.visibility == Visibility::Public => {
                    versions::stack(connection, &video)
                }
                _ => Ok(Vec::new()),
            })
            .await
    }
}

fn is_ready(video: &VideoRow) -> bool {
    video.visibility == Visibility::Public && video.status == VideoStatus::Ready
}

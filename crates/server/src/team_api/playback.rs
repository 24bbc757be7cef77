//! Playing: sessions of the media engine.

use dailies_api::error::ErrorCode;
use dailies_api::mux::AssetStatus;
use dailies_api::playback::PlaybackSession;
use dailies_api::projects::Role;
use dailies_api::videos::{VideoArgs, VideoStatus};
use serde_json::{Value, json};

use super::Team;
use super::error::Refusal;
use super::functions::{Call, value};
use crate::db::videos::VideoRow;

/// `getPlaybackSession` and `getPlaybackUrl`, which differ in the fields that each dialect reads.
pub(crate) async fn session(mut call: Call) -> Result<Value, Refusal> {
    let args: VideoArgs = call.args()?;
    let video = call.team.video_for(&call.caller, &args.video_id, Role::Viewer).await?.video;
    value(call.team.signed_session(&video)?)
}

/// Asks the media engine itself; `skipped` where it has nothing to say.
pub(crate) async fn check_asset(mut call: Call) -> Result<Value, Refusal> {
    let args: VideoArgs = call.args()?;
    let team = &call.team;
    let _held = team.locks.hold(&args.video_id).await;
    let video = team.video_for(&call.caller, &args.video_id, Role::Viewer).await?.video;
    let status = match team.ingest.ask(&video.id).await? {
        Some(AssetStatus::Preparing) => "preparing",
        Some(AssetStatus::Ready) => "ready",
        Some(AssetStatus::Errored) => "errored",
        None => "skipped",
    };
    Ok(json!({"status": status}))
}

impl Team {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds fit a Float64 for 285,000 years")]
    pub(super) fn signed_session(&self, video: &VideoRow) -> Result<PlaybackSession, Refusal> {
        let (VideoStatus::Ready, Some(playback_id)) = (video.status, &video.mux_playback_id) else {
            let message = "this video cannot be played yet";
            return Err(Refusal::new(ErrorCode::NotReady, message));
        };
        let signed = self.signer.sign(playback_id).map_err(|error| {
            tracing::error!(%error, "a playback token could not be signed");
            Refusal::internal()
        })?;
        Ok(PlaybackSession {
            playback_url: Some(signed.url.clone()),
            url: Some(signed.url),
            poster_url: Some(signed.poster_url),
            storyboard_url: Some(signed.storyboard_url),
            playback_id: Some(playback_id.clone()),
            token: Some(signed.token),
            duration: video.duration,
            expires_at: Some(signed.expires_at as f64),
        })
    }
}

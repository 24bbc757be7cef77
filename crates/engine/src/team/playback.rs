//! Playing a team's videos: sessions of its media engine, and originals while there are none.

use dailies_api::convex::FunctionKind::Action;
use dailies_api::playback::{OriginalArgs, OriginalUrl, PlaybackSession};
use dailies_api::videos::{VideoArgs, VideoStatus};

use crate::error::{Code, EngineError};
use crate::net::SignedUrl;
use crate::team::{Team, probe};
use crate::transfer::Timestamp;
use crate::view::{PlaybackForm, PlaybackView};

impl Team {
    /// A session for playing a video.
    ///
    /// # Errors
    /// [`Code::WrongState`] while it cannot be played, and what the server refuses.
    pub async fn playback(&self, video_id: &str) -> Result<PlaybackView, EngineError> {
        let args = VideoArgs { video_id: video_id.to_owned() };
        let session: PlaybackSession = self
            .client()
            .call(Action, "videoActions:getPlaybackSession", &args)
            .await
            .map_err(|error| probe::refusal(self.client().base(), error.into()))?;
        // The documented dialect says only Mux's playback id and token.
        let url = session.url.or(session.playback_url).or_else(|| {
            let (id, token) = (session.playback_id?, session.token?);
            Some(format!("https://stream.mux.com/{id}.m3u8?token={token}"))
        });
        let url = url.ok_or_else(|| {
            EngineError::new(Code::UnexpectedAnswer, "the playback session names no address")
        })?;
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds are whole")]
        let expires_at = session.expires_at.map(|at| Timestamp(at as i64));
        Ok(PlaybackView {
            url,
            form: PlaybackForm::Stream,
            poster_url: session.poster_url,
            storyboard_url: session.storyboard_url,
            duration: session.duration,
            expires_at,
        })
    }

    /// The same; while a video has no renditions, or if none could be made, its original.
    ///
    /// # Errors
    /// [`Code::WrongState`] while its bytes are not all there, and what the server refuses.
    pub async fn playback_or_original(&self, video_id: &str) -> Result<PlaybackView, EngineError> {
        let refused = match self.playback(video_id).await {
            Err(error) if self.has_projects() => error,
            session => return session,
        };
        // Production deployments hide why: only the video's state tells.
        if !matches!(refused.code, Code::WrongState | Code::ServerFault) {
            return Err(refused);
        }
        let video = self.video(video_id).await?;
        match video.status {
            VideoStatus::Processing | VideoStatus::Failed if video.s3_key.is_some() => {}
            _ => return Err(refused),
        }
        let args = OriginalArgs { video_id: video_id.to_owned(), grant_token: None };
        let original: OriginalUrl = self
            .client()
            .call(Action, "videoActions:getOriginalPlaybackUrl", &args)
            .await
            .map_err(|error| probe::refusal(self.client().base(), error.into()))?;
        let url = SignedUrl::from_answer(&original.url, self.client().base())
            .map_err(|refusal| EngineError::new(Code::StorageRefused, refusal.to_string()))?;
        Ok(PlaybackView {
            url: url.expose().to_string(),
            form: PlaybackForm::Original,
            poster_url: None,
            storyboard_url: None,
            duration: video.duration,
            // Storages look at the end of an address only when a request begins, and what has begun
            // plays on: a new one is asked for when the old one is refused.
            expires_at: None,
        })
    }
}

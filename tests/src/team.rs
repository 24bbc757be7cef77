//! The team API as a caller sees it who has nothing to do with the engine.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use dailies_api::convex::{FunctionAnswer, FunctionKind};
use dailies_api::credentials::Credentials;
use dailies_api::playback::{OriginalUrl, PlaybackSession};
use dailies_api::videos::{Video, VideoPage, VideoStatus};
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::hash::{self, Hash};

/// A caller with the owner's key.
#[derive(Clone, Debug)]
pub struct TeamApi {
    /// Without any key: for presigned and signed addresses.
    pub http: reqwest::Client,
    url: String,
    key: String,
    project: String,
}

impl TeamApi {
    /// Calls the server of these credentials.
    ///
    /// # Errors
    /// Where no HTTP client can be made.
    pub fn new(credentials: &Credentials) -> Result<Self> {
        Ok(Self {
            http: reqwest::Client::builder()
                .connect_timeout(Duration::from_secs(10))
                .read_timeout(Duration::from_secs(60))
                .build()?,
            url: credentials.url.clone(),
            key: credentials.api_key.expose_secret().to_owned(),
            project: credentials.project_id.clone(),
        })
    }

    /// Calls a function.
    ///
    /// # Errors
    /// For a refusal, with its words.
    pub async fn call<T: DeserializeOwned>(
        &self,
        kind: FunctionKind,
        path: &str,
        args: Value,
    ) -> Result<T> {
        let answer = self
            .http
            .post(format!("{}/api/{}", self.url, kind.endpoint()))
            .bearer_auth(&self.key)
            .json(&json!({ "path": path, "args": args, "format": "json" }))
            .send()
            .await?
            .error_for_status()?;
        match answer.json().await? {
            FunctionAnswer::Success { value } => {
                serde_json::from_value(value).with_context(|| format!("{path} answers strangely"))
            }
            FunctionAnswer::Error { error_message, error_data } => {
                bail!("{path} refused: {error_message} {error_data:?}")
            }
        }
    }

    /// All videos of the project, newest first.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn videos(&self) -> Result<Vec<Video>> {
        let (mut videos, mut cursor) = (Vec::new(), None);
        loop {
            let options = json!({ "numItems": 100, "cursor": cursor });
            let args = json!({ "projectId": self.project, "paginationOpts": options });
            let page: VideoPage = self.call(FunctionKind::Query, "videos:list", args).await?;
            videos.extend(page.page);
            if page.is_done {
                return Ok(videos);
            }
            cursor = Some(page.continue_cursor);
        }
    }

    /// The project's only video, which must be one that can be played.
    ///
    /// # Errors
    /// Where there are none, or more, or it is not ready.
    pub async fn only_video(&self) -> Result<Video> {
        let mut videos = self.videos().await?;
        ensure!(videos.len() == 1, "one video was expected: {videos:#?}");
        let video = videos.remove(0);
        ensure!(video.status == VideoStatus::Ready, "the video is not ready: {video:#?}");
        Ok(video)
    }

    /// The hash of the original that the team has.
    ///
    /// # Errors
    /// Where it cannot be had.
    pub async fn original_hash(&self, video_id: &str) -> Result<Hash> {
        let args = json!({ "videoId": video_id });
        let path = "videoActions:getOriginalPlaybackUrl";
        let original: OriginalUrl = self.call(FunctionKind::Action, path, args).await?;
        hash::of_url(&self.http, &original.url).await
    }

    /// A session for playing a video.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn playback(&self, video_id: &str) -> Result<PlaybackSession> {
        let args = json!({ "videoId": video_id });
        self.call(FunctionKind::Action, "videoActions:getPlaybackSession", args).await
    }

    /// The page on which anybody watches a video.
    #[must_use]
    pub fn watch_page(&self, video: &Video) -> String {
        format!("{}/watch/{}", self.url, video.public_id)
    }
}

//! The media engine's client, whichever Mux it is.
//!
//! Source: <https://www.mux.com/docs/api-reference/video/assets>.

use std::time::Duration;

use dailies_api::mux::{
    Asset, AssetInput, AssetMeta, AssetSettings, CreateAsset, CreateUpload, Data, PlaybackPolicy,
    Upload, UploadStatus,
};
use reqwest::{StatusCode, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;

/// Assets in a full list: as many as Mux gives at once.
pub(crate) const PAGE: usize = 100;

/// Seconds that a direct upload waits for its bytes: Mux's most. A large file takes days on a slow
/// line, and an upload that ends meanwhile begins at its first byte again.
const UPLOAD_TIMEOUT: u32 = 604_800;

/// What the media engine did not do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MuxError {
    /// No answer came, or none that can be read.
    #[error("the media engine cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// It refused.
    #[error("the media engine answered {0}")]
    Refused(StatusCode),
}

/// One environment of Mux.
#[derive(Debug)]
pub(crate) struct MuxClient {
    http: reqwest::Client,
    api: Url,
    token_id: String,
    token_secret: SecretString,
}

impl MuxClient {
    /// `nearby` where the engine is on this computer: no proxy is asked for it.
    pub(crate) fn new(
        api: Url,
        token_id: String,
        token_secret: SecretString,
        nearby: bool,
    ) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(20))
            .redirect(redirect::Policy::none());
        let http = if nearby { http.no_proxy() } else { http };
        Ok(Self { http: http.build()?, api, token_id, token_secret })
    }

    /// Has a video made playable with tokens only. `passthrough` comes back in every webhook;
    /// `external_id` says which original it is made of.
    pub(crate) async fn create_asset(
        &self,
        input: String,
        passthrough: &str,
        external_id: String,
    ) -> Result<Asset, MuxError> {
        let body = CreateAsset {
            inputs: vec![AssetInput { url: input }],
            settings: AssetSettings {
                playback_policies: vec![PlaybackPolicy::Signed],
                passthrough: Some(passthrough.to_owned()),
                meta: Some(AssetMeta { external_id: Some(external_id), ..AssetMeta::default() }),
            },
        };
        self.answer(self.http.post(self.address("video/v1/assets")).json(&body)).await
    }

    /// `None` where the engine knows no such asset.
    pub(crate) async fn asset(&self, id: &str) -> Result<Option<Asset>, MuxError> {
        match self.answer(self.http.get(self.address(&format!("video/v1/assets/{id}")))).await {
            Ok(asset) => Ok(Some(asset)),
            Err(MuxError::Refused(StatusCode::NOT_FOUND)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The assets made last; `page` counts from 1.
    pub(crate) async fn assets(&self, page: u32) -> Result<Vec<Asset>, MuxError> {
        let path = format!("video/v1/assets?limit={PAGE}&page={page}");
        self.answer(self.http.get(self.address(&path))).await
    }

    /// Deletes an asset; one that is not there is no error.
    pub(crate) async fn delete_asset(&self, id: &str) -> Result<(), MuxError> {
        let answer = self
            .http
            .delete(self.address(&format!("video/v1/assets/{id}")))
            .basic_auth(&self.token_id, Some(self.token_secret.expose_secret()))
            .send()
            .await
            .map_err(|error| MuxError::Unreachable(error.without_url()))?;
        match answer.status() {
            status if status.is_success() || status == StatusCode::NOT_FOUND => Ok(()),
            status => Err(MuxError::Refused(status)),
        }
    }

    /// Opens a direct upload, whose asset is playable with tokens only. `passthrough` comes back in
    /// every webhook. A page that will send the bytes has to be of `origin`.
    pub(crate) async fn create_upload(
        &self,
        passthrough: &str,
        origin: Option<String>,
    ) -> Result<Upload, MuxError> {
        let body = CreateUpload {
            cors_origin: origin,
            new_asset_settings: Some(json!({
                "playback_policies": [PlaybackPolicy::Signed],
                "passthrough": passthrough,
            })),
            timeout: Some(UPLOAD_TIMEOUT),
            test: None,
        };
        self.answer(self.http.post(self.address("video/v1/uploads")).json(&body)).await
    }

    /// `None` where the engine knows no such upload.
    pub(crate) async fn upload(&self, id: &str) -> Result<Option<Upload>, MuxError> {
        match self.answer(self.http.get(self.address(&format!("video/v1/uploads/{id}")))).await {
            Ok(upload) => Ok(Some(upload)),
            Err(MuxError::Refused(StatusCode::NOT_FOUND)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Ends a direct upload, or finds that it has ended. Answers its asset, where it has become one.
    pub(crate) async fn cancel_upload(&self, id: &str) -> Result<Option<String>, MuxError> {
        let path = self.address(&format!("video/v1/uploads/{id}/cancel"));
        let refusal = match self.answer::<Upload>(self.http.put(path)).await {
            Ok(_) => return Ok(None),
            Err(refusal @ MuxError::Refused(_)) => refusal,
            Err(error) => return Err(error),
        };
        // Only one that waits can be cancelled; which refusal says that it does not, Mux leaves open.
        match self.upload(id).await? {
            Some(Upload { status: UploadStatus::Waiting, .. }) => Err(refusal),
            Some(Upload { asset_id, .. }) => Ok(asset_id),
            None => Ok(None),
        }
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<T, MuxError> {
        // An error's address would name the server's own token in no way, but nobody needs it.
        let unreachable = |error: reqwest::Error| MuxError::Unreachable(error.without_url());
        let answer = request
            .basic_auth(&self.token_id, Some(self.token_secret.expose_secret()))
            .send()
            .await
            .map_err(unreachable)?;
        if !answer.status().is_success() {
            return Err(MuxError::Refused(answer.status()));
        }
        Ok(answer.json::<Data<T>>().await.map_err(unreachable)?.data)
    }

    fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.api.as_str().trim_end_matches('/'))
    }
}

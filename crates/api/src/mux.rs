//! The part of the Mux Video API that the team server uses and the media engine serves.
//!
//! Source: <https://docs.mux.com/api-reference/video> and <https://docs.mux.com/core/verify-webhook-signatures>.

use serde::{Deserialize, Serialize};

/// Every answer's envelope.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Data<T> {
    /// The thing asked for.
    pub data: T,
}

/// Who may play without a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlaybackPolicy {
    /// Anyone.
    Public,
    /// Only with a token.
    Signed,
}

/// Body of `POST /video/v1/assets`.
#[derive(Clone, Serialize, Deserialize)]
pub struct CreateAsset {
    /// Where the media comes from; one.
    #[serde(alias = "input")]
    pub inputs: Vec<AssetInput>,
    /// Policies of the playback ids to make.
    #[serde(default, alias = "playback_policy")]
    pub playback_policies: Vec<PlaybackPolicy>,
    /// Returned in the asset and in its webhooks; at most 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passthrough: Option<String>,
}

/// An input. Its address may be presigned: no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct AssetInput {
    /// Fetched by the media engine.
    pub url: String,
}

/// Where an asset stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AssetStatus {
    /// Being made.
    Preparing,
    /// Can be played.
    Ready,
    /// Will not be.
    Errored,
}

/// An asset.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Asset {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub status: AssetStatus,
    /// Unix seconds, as a string.
    pub created_at: String,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// `16:9`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspect_ratio: Option<String>,
    /// Names for playing it.
    #[serde(default)]
    pub playback_ids: Vec<PlaybackId>,
    /// As it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passthrough: Option<String>,
    /// Why it errored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<AssetErrors>,
    /// How far the work on it is, which goes on after it is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<AssetProgress>,
}

/// How far the work on an asset is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetProgress {
    /// What is being done.
    pub state: ProgressState,
    /// Percent; -1 where there is nothing to wait for.
    pub progress: f64,
}

/// What is being done for an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProgressState {
    /// It is fetched and looked at.
    Ingesting,
    /// It is encoded.
    Transcoding,
    /// Nothing more.
    Completed,
    /// It is broadcast.
    Live,
    /// It failed.
    Errored,
    /// A state that Mux added later.
    #[serde(other)]
    Other,
}

/// A name for playing an asset.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlaybackId {
    /// The name.
    pub id: String,
    /// Who may play by it.
    pub policy: PlaybackPolicy,
}

/// Why an asset errored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AssetErrors {
    /// `invalid_input` and the like.
    #[serde(rename = "type")]
    pub kind: String,
    /// In words.
    #[serde(default)]
    pub messages: Vec<String>,
}

/// A webhook's body.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Webhook {
    /// `video.asset.ready` and the like.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for every delivery of one event.
    pub id: String,
    /// ISO 8601.
    pub created_at: String,
    /// The thing that changed, an [`Asset`] for `video.asset.*`.
    pub data: serde_json::Value,
}

/// The header that carries a webhook's signature: `t=<unix>,v1=<hex HMAC-SHA256 of "{t}.{body}">`.
pub const SIGNATURE_HEADER: &str = "mux-signature";

/// Audience (`aud`) of a playback token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    /// Playlists and segments.
    #[serde(rename = "v")]
    Video,
    /// Still images.
    #[serde(rename = "t")]
    Thumbnail,
    /// Animated images.
    #[serde(rename = "g")]
    Gif,
    /// Storyboards.
    #[serde(rename = "s")]
    Storyboard,
}

/// Claims of a playback token (RS256, `kid` in the header).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlaybackClaims {
    /// The playback id.
    pub sub: String,
    /// What it opens.
    pub aud: Audience,
    /// Unix seconds.
    pub exp: u64,
    /// The signing key's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
}

/// Body of a refusal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApiError {
    /// Of the same form as an asset's.
    pub error: AssetErrors,
}

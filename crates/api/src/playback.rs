//! The playback functions of `videoActions`, both dialects in one.

use serde::{Deserialize, Serialize};

/// Answer of `getPlaybackUrl` and `getPlaybackSession`.
///
/// The documented dialect says playback id, token and duration; the current one says addresses.
/// Both are secrets while they live: no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlaybackSession {
    /// HLS playlist, token included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The same under its documented name (`getPlaybackUrl`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playback_url: Option<String>,
    /// Poster image, token included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poster_url: Option<String>,
    /// Where each of the storyboard's tiles is, as JSON, token included. Only our server says it.
    /// Source: <https://www.mux.com/docs/guides/create-timeline-hover-previews>.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storyboard_url: Option<String>,
    /// The media engine's name for the video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub playback_id: Option<String>,
    /// RS256 JWT for the video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// When the token ends, milliseconds since 1970 by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<f64>,
}

/// Answer of `getOriginalPlaybackUrl` and `getDownloadUrl`. The address is presigned: no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OriginalUrl {
    /// Presigned GET.
    pub url: String,
    /// Media type, of `getOriginalPlaybackUrl`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// What a browser should save it as, of `getDownloadUrl`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
}

/// Arguments of `getPublicPlaybackSession` and every function that takes only a public id.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PublicArgs {
    /// Of the video.
    pub public_id: String,
}

/// Arguments of `getSharedPlaybackSession` and every function that takes only a grant. The grant
/// opens the video: no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrantArgs {
    /// Of `shareLinks:issueAccessGrant`.
    pub grant_token: String,
}

/// Arguments of `getDownloadUrl` and `getOriginalPlaybackUrl`. No `Debug`, for the grant's sake.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OriginalArgs {
    /// Of the video.
    pub video_id: String,
    /// In place of a role in the video's team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_token: Option<String>,
}

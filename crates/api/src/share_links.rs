//! `shareLinks:…`: addresses that open one video to people outside of the team.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::number;

/// Arguments of `shareLinks:create`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateShareLink {
    /// What it opens: this very version.
    pub video_id: String,
    /// Days until it ends; absent or 0 for never.
    #[serde(
        default,
        deserialize_with = "number::whole_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_in_days: Option<u64>,
    /// Whether the original may be downloaded; not, unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_download: Option<bool>,
    /// What has to be known besides; absent or empty for nothing.
    #[serde(default, serialize_with = "expose", skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretString>,
}

/// Answer of `shareLinks:create`. The token opens the video: no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct CreatedShareLink {
    /// What `/share/{token}` is made with.
    pub token: String,
}

/// Arguments of `shareLinks:update`. What is absent stays; null takes away.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateShareLink {
    /// Which.
    pub link_id: String,
    /// Days from now; null or 0 for never.
    #[serde(default, deserialize_with = "days")]
    pub expires_in_days: Option<Option<u64>>,
    /// Whether the original may be downloaded.
    #[serde(default)]
    pub allow_download: Option<bool>,
    /// Null or empty takes it away.
    #[serde(default, deserialize_with = "given")]
    pub password: Option<Option<SecretString>>,
}

/// Arguments of `shareLinks:remove`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinkArgs {
    /// Which.
    pub link_id: String,
}

/// A link, as `shareLinks:list` shows it to the team. Its token opens the video: no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShareLink {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: String,
    /// Milliseconds since 1970, by the server's clock.
    #[serde(rename = "_creationTime")]
    pub creation_time: f64,
    /// What it opens.
    pub video_id: String,
    /// What `/share/{token}` is made with.
    pub token: String,
    /// Who made it.
    pub created_by_clerk_id: String,
    /// Their name.
    pub created_by_name: String,
    /// Their name, as other clients read it.
    pub creator_name: String,
    /// When it ends, milliseconds since 1970; absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<f64>,
    /// Whether that has come.
    pub is_expired: bool,
    /// Whether the original may be downloaded.
    pub allow_download: bool,
    /// Whether a password is asked for.
    pub has_password: bool,
    /// Grants that were given.
    #[serde(deserialize_with = "number::whole")]
    pub view_count: u64,
}

/// Arguments of `shareLinks:getByToken`. The token opens the video: no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkToken {
    /// Of the link.
    pub token: String,
}

/// What a link can be, to whoever has its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LinkStatus {
    /// There is none, or none any more.
    Missing,
    /// It ended.
    Expired,
    /// It opens with a password.
    RequiresPassword,
    /// It opens.
    Ok,
}

/// Answer of `shareLinks:getByToken`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkState {
    /// What it is.
    pub status: LinkStatus,
}

/// Arguments of `shareLinks:issueAccessGrant`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssueAccessGrant {
    /// Of the link.
    pub token: String,
    /// Where the link asks for one.
    #[serde(default)]
    pub password: Option<SecretString>,
}

/// Answer of `shareLinks:issueAccessGrant`. The token opens the video: no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IssuedGrant {
    /// Whether a grant was given.
    pub ok: bool,
    /// Argument of `getSharedPlaybackSession` and its like, for 24 hours; null where `ok` is false.
    pub grant_token: Option<String>,
    /// Why not. Only our server says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<GrantRefused>,
    /// Milliseconds until another try may succeed. Only our server says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// Why no grant was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GrantRefused {
    /// There is no such link, it ended, or it was taken away.
    NoLink,
    /// The password is wrong, or missing.
    WrongPassword,
    /// Too many wrong ones; also the right one is not looked at for a while.
    Locked,
    /// Too many ask at once.
    Busy,
}

fn expose<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => serializer.serialize_some(secret.expose_secret()),
        None => serializer.serialize_none(),
    }
}

/// Present, though perhaps null.
fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u64>>, D::Error> {
    number::whole_if_any(deserializer).map(Some)
}

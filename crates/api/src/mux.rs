//! The part of the Mux Video API that the team server uses and the media engine serves.
//!
//! Source: <https://docs.mux.com/api-reference/video> and <https://docs.mux.com/core/verify-webhook-signatures>.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Every answer's envelope.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Data<T> {
    /// The thing asked for.
    pub data: T,
    /// Of a list of assets: what asks for the next page, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl<T> Data<T> {
    /// One thing, or a whole list.
    pub fn new(data: T) -> Self {
        Self { data, next_cursor: None }
    }
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
    #[serde(alias = "input", deserialize_with = "one_or_many")]
    pub inputs: Vec<AssetInput>,
    /// What to make of it. Flat in the body.
    #[serde(flatten)]
    pub settings: AssetSettings,
}

/// What an asset is to be like: of `POST /video/v1/assets`, and `new_asset_settings` of an upload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetSettings {
    /// Policies of the playback ids to make.
    #[serde(default, alias = "playback_policy", deserialize_with = "one_or_many")]
    pub playback_policies: Vec<PlaybackPolicy>,
    /// Returned in the asset and in its webhooks; at most 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passthrough: Option<String>,
    /// What its owner calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<AssetMeta>,
}

/// What an asset's owner says of it. At most 512 characters of title, 128 of each id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetMeta {
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Whose it is, in the owner's own books.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator_id: Option<String>,
    /// What it is, in the owner's own books.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

/// Body of `PATCH /video/v1/assets/{id}`: what is left out stays, `null` empties.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct UpdateAsset {
    /// As in [`AssetSettings`].
    #[serde(default, deserialize_with = "given")]
    pub passthrough: Option<Option<String>>,
    /// As in [`AssetSettings`].
    #[serde(default, deserialize_with = "given")]
    pub meta: Option<Option<AssetMeta>>,
}

/// An event about something unheard of is still an event.
fn if_known<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).ok())
}

/// Tells `null` from nothing.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Mux takes a list, and where it has one entry also that entry alone.
fn one_or_many<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany<T> {
        Many(Vec<T>),
        One(T),
    }
    Ok(match OneOrMany::deserialize(from)? {
        OneOrMany::Many(many) => many,
        OneOrMany::One(one) => vec![one],
    })
}

/// An input. Its address may be presigned: no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "InputForm")]
pub struct AssetInput {
    /// Fetched by the media engine.
    pub url: String,
}

/// `{"url": …}`, or the address alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum InputForm {
    Object { url: String },
    Address(String),
}

impl From<InputForm> for AssetInput {
    fn from(form: InputForm) -> Self {
        let (InputForm::Object { url } | InputForm::Address(url)) = form;
        Self { url }
    }
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
    /// What its owner says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<AssetMeta>,
    /// The direct upload that it came by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_id: Option<String>,
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

/// Body of `POST /video/v1/assets/{id}/playback-ids`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreatePlaybackId {
    /// Who may play by it.
    pub policy: PlaybackPolicy,
}

/// Answer of `GET /video/v1/playback-ids/{id}`: what the name leads to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlaybackTarget {
    /// The name.
    pub id: String,
    /// Who may play by it.
    pub policy: PlaybackPolicy,
    /// What it plays.
    pub object: WebhookObject,
}

/// Body of `POST /video/v1/uploads`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateUpload {
    /// Origin of the page that will send the bytes; `*` for any. Without it no browser can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors_origin: Option<String>,
    /// What the asset is to be like: an [`AssetSettings`], and whatever else Mux knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_asset_settings: Option<Value>,
    /// Seconds until the upload is given up, 60 to 604,800; 3,600 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    /// Whether this is only a test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<bool>,
}

/// Where a direct upload stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UploadStatus {
    /// For bytes.
    Waiting,
    /// All bytes came, and an asset is made of them.
    AssetCreated,
    /// No asset can be made of it.
    Errored,
    /// By its owner.
    Cancelled,
    /// The bytes did not come in time.
    TimedOut,
}

/// A direct upload. Its address lets anyone send: no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Upload {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub status: UploadStatus,
    /// Seconds from its creation until it is given up.
    pub timeout: u32,
    /// See [`CreateUpload::cors_origin`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors_origin: Option<String>,
    /// See [`CreateUpload::new_asset_settings`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_asset_settings: Option<Value>,
    /// Where the bytes go; while it waits for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What was made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset_id: Option<String>,
    /// Whether this is only a test.
    #[serde(default)]
    pub test: bool,
    /// Why it errored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<UploadError>,
}

/// Why a direct upload errored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UploadError {
    /// In one word.
    #[serde(rename = "type")]
    pub kind: String,
    /// In words.
    pub message: String,
}

/// A key that signs playback tokens. It may hold its private half: no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct SigningKey {
    /// The `kid` of its tokens.
    pub id: String,
    /// Unix seconds, as a string.
    pub created_at: String,
    /// Base64 of PEM; only in the answer that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<String>,
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
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_known")]
    pub object: Option<WebhookObject>,
    /// The thing that changed: an [`Asset`] for `video.asset.*`, an [`Upload`] for `video.upload.*`.
    pub data: Value,
}

/// A thing by its kind and id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookObject {
    /// `asset` or `upload`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id.
    pub id: String,
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
    /// The signing key's id, where the header does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
}

/// Body of a refusal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApiError {
    /// Of the same form as an asset's.
    pub error: AssetErrors,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_mux_takes_in_two_forms_is_read_in_both() {
        for (policies, inputs) in [
            (json!({"playback_policy": "signed"}), json!({"input": "https://a.test/1"})),
            (
                json!({"playback_policy": ["signed"]}),
                json!({"input": [{"url": "https://a.test/1"}]}),
            ),
            (
                json!({"playback_policies": ["signed"]}),
                json!({"inputs": [{"url": "https://a.test/1"}]}),
            ),
        ] {
            let mut body = policies.clone();
            body["passthrough"] = json!("p");
            let settings: AssetSettings = serde_json::from_value(body.clone()).expect("settings");
            assert_eq!(settings.playback_policies, [PlaybackPolicy::Signed]);
            for (name, value) in inputs.as_object().expect("an object") {
                body[name] = value.clone();
            }
            let create: CreateAsset = serde_json::from_value(body).expect("an asset");
            assert_eq!(create.inputs[0].url, "https://a.test/1");
            assert_eq!(create.settings, settings);
        }
    }

    #[test]
    fn null_is_not_nothing() {
        let update = |body| serde_json::from_value::<UpdateAsset>(body).expect("an update");
        assert_eq!(update(json!({})).passthrough, None);
        assert_eq!(update(json!({"passthrough": null})).passthrough, Some(None));
        assert_eq!(update(json!({"passthrough": "p"})).passthrough, Some(Some("p".into())));
    }
}

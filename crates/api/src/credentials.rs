//! `credentials.json`, which `dailies-server` writes at its first start.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// How to reach a team server, as its owner.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// The team API's base address.
    pub url: String,
    /// The owner's key, `sk-…`.
    #[serde(serialize_with = "expose")]
    pub api_key: SecretString,
    /// The team made at the first start.
    pub team_id: String,
    /// Its project.
    pub project_id: String,
    /// The embedded object storage.
    pub s3: S3Credentials,
    /// The embedded media engine, if it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mux: Option<MuxCredentials>,
}

/// How to reach a media engine, for whoever knows Mux.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MuxCredentials {
    /// What `/video/v1/assets` is added to.
    pub url: String,
    /// What `/{playbackId}.m3u8` is added to.
    pub stream_url: String,
    /// What `/{playbackId}/thumbnail.jpg` is added to.
    pub image_url: String,
    /// User name of the API.
    pub token_id: String,
    /// Password of the API.
    #[serde(serialize_with = "expose")]
    pub token_secret: SecretString,
    /// Key of the signatures of its webhooks.
    #[serde(serialize_with = "expose")]
    pub webhook_secret: SecretString,
}

/// How to reach an object storage.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct S3Credentials {
    /// Base address, path style.
    pub endpoint: String,
    /// The region that signatures are made for.
    pub region: String,
    /// Where originals are kept.
    pub bucket: String,
    /// Public half of the key.
    pub access_key_id: String,
    /// Secret half of the key.
    #[serde(serialize_with = "expose")]
    pub secret_access_key: SecretString,
}

fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

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

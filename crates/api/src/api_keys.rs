//! `apiKeys:create`, `apiKeys:list`, `apiKeys:revoke`: keys for programs, each for one team.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::number;
use crate::projects::Role;

/// Arguments of `apiKeys:create`. The key speaks for the caller; the answer is an [`ApiKeyCreated`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateApiKey {
    /// The one team it opens.
    pub team_id: String,
    /// What people know it by.
    pub name: String,
    /// The most it may do there; no more than the caller's own role.
    pub role: Role,
    /// When it ends, milliseconds since 1970; without it, when it is revoked.
    #[serde(
        default,
        deserialize_with = "number::whole_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires_at: Option<u64>,
}

/// A new key. This answer is the only place where it ever stands.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyCreated {
    /// `sk-…`, for `Authorization: Bearer`.
    #[serde(serialize_with = "expose")]
    pub key: SecretString,
    /// The rest, as the list shows it.
    #[serde(flatten)]
    pub row: ApiKey,
}

/// Arguments of `apiKeys:list`; the answer is a list of [`ApiKey`], newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListApiKeys {
    /// Whose keys.
    pub team_id: String,
}

/// Arguments of `apiKeys:revoke`; the answer is null.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RevokeApiKey {
    /// Which.
    pub key_id: String,
}

/// A key that was not revoked, without what opens anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: String,
    /// Milliseconds since 1970, by the server's clock.
    #[serde(rename = "_creationTime")]
    pub creation_time: f64,
    /// The one team it opens.
    pub team_id: String,
    /// What people know it by.
    pub name: String,
    /// How it begins, so that its holder can recognise it.
    pub hint: String,
    /// The most it may do.
    pub role: Role,
    /// Whom it speaks for.
    pub user_id: String,
    /// That user's name.
    pub user_name: String,
    /// The user who made it; absent where the server did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// When it ends, milliseconds since 1970. A key that ended stays in the list until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<f64>,
    /// When it was last used, milliseconds since 1970, to the hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<f64>,
}

fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

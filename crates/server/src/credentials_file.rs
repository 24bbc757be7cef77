//! `credentials.json`: how the owner, and the desktop app on this computer, reach the server.
//!
//! The owner's API key exists in this file only; the database knows its hash.

use std::path::Path;

use dailies_api::credentials::{Credentials, S3Credentials};
use dailies_api::projects::Role;
use dailies_database::{Database, DatabaseError};
use secrecy::{ExposeSecret as _, SecretString};

use crate::clock::now_millis;
use crate::data_folder::replace_private;
use crate::db::api_keys::{self, KeyRow};
use crate::founding::Foundation;
use crate::random;

/// Why the file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file system refused.
    #[error("credentials.json cannot be written")]
    Io(#[from] std::io::Error),
    /// The key could not be stored.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The credentials have no JSON form.
    #[error("the credentials cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// Writes the file for this start, with the key that stands in it if that is still good.
pub(crate) async fn write(
    file: &Path,
    database: &Database,
    foundation: &Foundation,
    url: String,
    s3: S3Credentials,
) -> Result<(), CredentialsError> {
    let api_key = match good_key(file, database).await? {
        Some(key) => key,
        None => {
            if !foundation.is_new {
                tracing::warn!("credentials.json held no good API key; made a new one");
            }
            new_key(database, foundation).await?
        }
    };
    let credentials = Credentials {
        url,
        api_key,
        team_id: foundation.team_id.clone(),
        project_id: foundation.project_id.clone(),
        s3,
    };
    let mut json = serde_json::to_vec_pretty(&credentials)?;
    json.push(b'\n');
    replace_private(file, &json)?;
    Ok(())
}

async fn good_key(
    file: &Path,
    database: &Database,
) -> Result<Option<SecretString>, CredentialsError> {
    let Ok(json) = std::fs::read(file) else { return Ok(None) };
    let Ok(credentials) = serde_json::from_slice::<Credentials>(&json) else { return Ok(None) };
    let key = credentials.api_key.expose_secret().to_owned();
    let row = database
        .read::<_, DatabaseError, _>(move |connection| {
            api_keys::find(connection, &key, now_millis())
        })
        .await?;
    Ok(row.map(|_| credentials.api_key))
}

async fn new_key(
    database: &Database,
    foundation: &Foundation,
) -> Result<SecretString, DatabaseError> {
    let key = random::api_key();
    let row = KeyRow {
        id: random::id(),
        user_id: foundation.owner_id.clone(),
        team_id: foundation.team_id.clone(),
        role: Role::Owner,
        name: "credentials.json".into(),
        created_by: None,
        expires_at: None,
    };
    let stored = key.clone();
    database
        .write::<_, DatabaseError, _>(move |connection| {
            api_keys::insert(connection, &stored, &row, now_millis())
        })
        .await?;
    Ok(key.into())
}

//! `settings`: what the server made for itself at its first start, and what it remembers.
//!
//! Holds secrets in the clear: whoever reads this file already owns the data folder (mode 0700).

use dailies_database::DatabaseError;
use rusqlite::{Connection, OptionalExtension as _, params};

pub(crate) const CREATE: &str = "
    CREATE TABLE settings (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT";

/// What a setting is called in the table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Setting {
    /// The team made at the first start.
    TeamId,
    /// Its project.
    ProjectId,
    /// Its owner.
    OwnerId,
    /// Address of the last start, `ip:port`.
    Listen,
    /// The same for the S3 endpoint.
    S3Listen,
    /// The same for the listeners that only this computer reaches, where the others are by TLS.
    NearListen,
    NearS3Listen,
    S3AccessKeyId,
    S3SecretAccessKey,
    MuxTokenId,
    MuxTokenSecret,
    MuxWebhookSecret,
    /// `kid` of playback tokens.
    SigningKeyId,
    /// RS256 private key, PKCS#8 in PEM.
    SigningKey,
    /// Its public half, SubjectPublicKeyInfo in PEM.
    SigningPublicKey,
    /// Bytes that a team may keep which has no quota of its own. Absent: no limit.
    TeamQuota,
}

impl Setting {
    fn name(self) -> &'static str {
        match self {
            Self::TeamId => "team_id",
            Self::ProjectId => "project_id",
            Self::OwnerId => "owner_id",
            Self::Listen => "listen",
            Self::S3Listen => "s3_listen",
            Self::NearListen => "near_listen",
            Self::NearS3Listen => "near_s3_listen",
            Self::S3AccessKeyId => "s3_access_key_id",
            Self::S3SecretAccessKey => "s3_secret_access_key",
            Self::MuxTokenId => "mux_token_id",
            Self::MuxTokenSecret => "mux_token_secret",
            Self::MuxWebhookSecret => "mux_webhook_secret",
            Self::SigningKeyId => "signing_key_id",
            Self::SigningKey => "signing_key",
            Self::SigningPublicKey => "signing_public_key",
            Self::TeamQuota => "team_quota",
        }
    }
}

pub(crate) fn get(
    connection: &Connection,
    setting: Setting,
) -> Result<Option<String>, DatabaseError> {
    Ok(connection
        .prepare_cached("SELECT value FROM settings WHERE name = ?1")?
        .query_row([setting.name()], |row| row.get(0))
        .optional()?)
}

pub(crate) fn set(
    connection: &Connection,
    setting: Setting,
    value: &str,
) -> Result<(), DatabaseError> {
    connection.execute(
        "INSERT INTO settings (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        params![setting.name(), value],
    )?;
    Ok(())
}

pub(crate) fn clear(connection: &Connection, setting: Setting) -> Result<(), DatabaseError> {
    connection.execute("DELETE FROM settings WHERE name = ?1", [setting.name()])?;
    Ok(())
}

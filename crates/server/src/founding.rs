//! The first start: a team with its owner, a project, and every key the parts need; later starts
//! read them back.

use dailies_api::projects::Role;
use dailies_database::{Database, DatabaseError};
use rusqlite::Connection;
use secrecy::SecretString;

use crate::clock::now_millis;
use crate::db::projects::{self, NewProject};
use crate::db::settings::{self, Setting};
use crate::db::teams::{self, NewTeam};
use crate::db::{members, users};
use crate::random;
use crate::rsa_pair::RsaPair;

/// What the server made for itself at its first start.
pub(crate) struct Foundation {
    pub(crate) team_id: String,
    pub(crate) project_id: String,
    pub(crate) owner_id: String,
    pub(crate) s3_access_key_id: String,
    pub(crate) s3_secret_access_key: SecretString,
    pub(crate) mux_token_id: String,
    pub(crate) mux_token_secret: SecretString,
    pub(crate) mux_webhook_secret: SecretString,
    pub(crate) signing_key_id: String,
    /// PKCS#8 in PEM.
    pub(crate) signing_key: SecretString,
    /// SubjectPublicKeyInfo in PEM.
    pub(crate) signing_public_key: String,
    /// Whether this is the first start.
    pub(crate) is_new: bool,
}

/// Reads the foundation, or lays it: all of it in one transaction.
pub(crate) async fn lay(database: &Database) -> Result<Foundation, DatabaseError> {
    let known = database.read::<_, DatabaseError, _>(|connection| read(connection, false)).await?;
    if let Some(foundation) = known {
        return Ok(foundation);
    }
    let keys = RsaPair::generate().await;
    database
        .write(move |connection| {
            write(connection, &keys.private, &keys.public)?;
            read(connection, true)?.ok_or(DatabaseError::Stale)
        })
        .await
}

fn write(
    connection: &Connection,
    signing_key: &str,
    public_key: &str,
) -> Result<(), DatabaseError> {
    let now = now_millis();
    let (team_id, project_id, owner_id) = (random::id(), random::id(), random::id());
    teams::insert(connection, &NewTeam { id: &team_id, name: "My team", slug: "my-team" }, now)?;
    users::insert(connection, &owner_id, "Owner", now)?;
    members::insert(connection, &team_id, &owner_id, Role::Owner)?;
    let project =
        NewProject { id: &project_id, team_id: &team_id, parent_id: None, name: "Dailies" };
    projects::insert(connection, &project, now)?;
    for (setting, value) in [
        (Setting::TeamId, team_id.as_str()),
        (Setting::ProjectId, &project_id),
        (Setting::OwnerId, &owner_id),
        (Setting::S3AccessKeyId, &random::id()),
        (Setting::S3SecretAccessKey, &random::secret()),
        (Setting::MuxTokenId, &random::id()),
        (Setting::MuxTokenSecret, &random::secret()),
        (Setting::MuxWebhookSecret, &random::secret()),
        (Setting::SigningKeyId, &random::id()),
        (Setting::SigningKey, signing_key),
        (Setting::SigningPublicKey, public_key),
    ] {
        settings::set(connection, setting, value)?;
    }
    Ok(())
}

fn read(connection: &Connection, is_new: bool) -> Result<Option<Foundation>, DatabaseError> {
    let Some(team_id) = settings::get(connection, Setting::TeamId)? else { return Ok(None) };
    let get = |setting| {
        settings::get(connection, setting)?
            .ok_or_else(|| DatabaseError::Damaged(format!("{setting:?} is missing")))
    };
    Ok(Some(Foundation {
        team_id,
        project_id: get(Setting::ProjectId)?,
        owner_id: get(Setting::OwnerId)?,
        s3_access_key_id: get(Setting::S3AccessKeyId)?,
        s3_secret_access_key: get(Setting::S3SecretAccessKey)?.into(),
        mux_token_id: get(Setting::MuxTokenId)?,
        mux_token_secret: get(Setting::MuxTokenSecret)?.into(),
        mux_webhook_secret: get(Setting::MuxWebhookSecret)?.into(),
        signing_key_id: get(Setting::SigningKeyId)?,
        signing_key: get(Setting::SigningKey)?.into(),
        signing_public_key: get(Setting::SigningPublicKey)?,
        is_new,
    }))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::db::tests::scratch;

    #[tokio::test]
    async fn a_foundation_is_laid_once() {
        let (_folder, database) = scratch();
        let first = lay(&database).await.expect("a new team");
        let second = lay(&database).await.expect("the same team");
        assert!(first.is_new && !second.is_new);
        assert_eq!(first.team_id, second.team_id);
        assert_eq!(first.signing_key.expose_secret(), second.signing_key.expose_secret());
        let (private, public) = (first.signing_key.expose_secret(), &first.signing_public_key);
        jsonwebtoken::EncodingKey::from_rsa_pem(private.as_bytes()).expect("a private key");
        jsonwebtoken::DecodingKey::from_rsa_pem(public.as_bytes()).expect("its public half");
    }
}

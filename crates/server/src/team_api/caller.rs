//! Who calls: nobody, or a user, by a token of their own or by an API key that may allow less.

use axum::http::{HeaderMap, StatusCode, header};
use dailies_api::error::ErrorCode;
use dailies_api::projects::Role;
use dailies_database::DatabaseError;

use super::Team;
use crate::clock::now_millis;
use crate::db::api_keys;
use crate::identity::{self, Refused, TokenError, UserError};

/// The caller, as far as a header can say it.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// No `Authorization` came.
    Anonymous,
    /// Somebody we know.
    User(Principal),
}

/// A user who was recognised.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub(crate) user_id: String,
    /// What an API key narrows the user to; `None` where users prove who they are themselves.
    pub(crate) scope: Option<Scope>,
}

/// The most that an API key opens.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) key_id: String,
    /// The one team, whatever other teams its user is in.
    pub(crate) team_id: String,
    /// The most it may do there.
    pub(crate) role: Role,
    /// When it ends, milliseconds since 1970.
    pub(crate) expires_at: Option<i64>,
}

/// Why a call is refused before its function runs.
#[derive(Debug)]
pub(crate) enum CallerError {
    /// A header came, but no good key or token in it.
    BadCredentials,
    /// A token that was good once.
    Expired,
    /// A good token of somebody who is no user here.
    NotAdmitted,
    /// A token that nobody can check now.
    NoKeys,
    /// The database failed; the log says how.
    Database,
}

impl CallerError {
    /// How any API answers it: status, stable code, words.
    pub(crate) fn answer(&self) -> (StatusCode, ErrorCode, &'static str) {
        let (unauthorized, unavailable) =
            (StatusCode::UNAUTHORIZED, StatusCode::SERVICE_UNAVAILABLE);
        match self {
            Self::BadCredentials => {
                let message = "the key or token is wrong, expired or revoked";
                (unauthorized, ErrorCode::BadCredentials, message)
            }
            Self::Expired => {
                let message = "the token has expired; sign in again";
                (unauthorized, ErrorCode::BadCredentials, message)
            }
            Self::NotAdmitted => {
                let message = "this account is no user here; ask an admin of the team";
                (StatusCode::FORBIDDEN, ErrorCode::Forbidden, message)
            }
            Self::NoKeys => {
                let message = "the identity provider does not answer; try again";
                (unavailable, ErrorCode::Internal, message)
            }
            Self::Database => (unavailable, ErrorCode::Internal, "the server failed; try again"),
        }
    }
}

impl From<DatabaseError> for CallerError {
    fn from(error: DatabaseError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "a caller was not looked up");
        Self::Database
    }
}

impl Caller {
    /// The one way in: every API asks here who calls.
    pub(crate) async fn of(headers: &HeaderMap, team: &Team) -> Result<Self, CallerError> {
        let mut all = headers.get_all(header::AUTHORIZATION).iter();
        let Some(header) = all.next() else { return Ok(Self::Anonymous) };
        let bearer = header
            .to_str()
            .ok()
            .and_then(|header| header.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, bearer)| bearer.trim())
            // Of two, proxies and we might believe different ones.
            .filter(|_| all.next().is_none())
            .ok_or(CallerError::BadCredentials)?;
        let user = if bearer.starts_with("sk-") {
            by_key(bearer, team).await?
        } else {
            by_token(bearer, team).await?
        };
        Ok(Self::User(user))
    }

    /// What a log may say of the caller: the key's id, or the user's.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Anonymous => None,
            Self::User(Principal { scope: Some(scope), .. }) => Some(&scope.key_id),
            Self::User(Principal { user_id, scope: None }) => Some(user_id),
        }
    }

    /// Whose `Idempotency-Key`s these are. A user's keys share them: a new key after a lost one
    /// must not upload everything twice.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::User(Principal { user_id, scope: Some(scope) }) => {
                format!("{}/{user_id}", scope.team_id)
            }
            Self::User(Principal { user_id, scope: None }) => user_id.clone(),
        }
    }
}

async fn by_key(key: &str, team: &Team) -> Result<Principal, CallerError> {
    let (key, now) = (key.to_owned(), now_millis());
    let found = team
        .database
        .read::<_, DatabaseError, _>(move |connection| api_keys::find(connection, &key, now))
        .await?;
    let api_keys::GoodKey { row, use_to_note } = found.ok_or(CallerError::BadCredentials)?;
    if use_to_note {
        let id = row.id.clone();
        let noted = team
            .database
            .write::<_, DatabaseError, _>(move |connection| {
                api_keys::note_use(connection, &id, now)
            })
            .await;
        // On a full disk keys still open what only reads.
        if let Err(error) = noted {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the use of a key was not noted");
        }
    }
    let scope =
        Scope { key_id: row.id, team_id: row.team_id, role: row.role, expires_at: row.expires_at };
    Ok(Principal { user_id: row.user_id, scope: Some(scope) })
}

async fn by_token(token: &str, team: &Team) -> Result<Principal, CallerError> {
    let (account, issuer) = team.issuers.verify(token).await.map_err(|error| {
        tracing::debug!(%error, "a token was refused");
        match error {
            TokenError::Refused(Refused::Expired) => CallerError::Expired,
            TokenError::Refused(_) => CallerError::BadCredentials,
            TokenError::NoKeys => CallerError::NoKeys,
        }
    })?;
    let user = identity::user_of(&team.database, issuer, account).await;
    let user_id = user.map_err(|error| match error {
        UserError::NotAdmitted => CallerError::NotAdmitted,
        UserError::Database(error) => error.into(),
    })?;
    Ok(Principal { user_id, scope: None })
}

//! Who calls: nobody, or a user, by an API key that may allow less than the user may do.

use axum::http::{HeaderMap, header};
use dailies_api::projects::Role;
use dailies_database::{Database, DatabaseError};

use crate::db::api_keys;

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
    /// The one team, whatever other teams its user is in.
    pub(crate) team_id: String,
    /// The most it may do there.
    pub(crate) role: Role,
}

/// Why a call is refused before its function runs.
#[derive(Debug)]
pub(crate) enum CallerError {
    /// A header came, but no good key in it.
    BadCredentials,
    Database(DatabaseError),
}

impl Caller {
    pub(crate) async fn of(headers: &HeaderMap, database: &Database) -> Result<Self, CallerError> {
        let Some(header) = headers.get(header::AUTHORIZATION) else { return Ok(Self::Anonymous) };
        let key = header
            .to_str()
            .ok()
            .and_then(|header| header.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, key)| key.trim().to_owned())
            .filter(|key| key.starts_with("sk-"))
            .ok_or(CallerError::BadCredentials)?;
        match database.read(move |connection| api_keys::find(connection, &key)).await {
            Ok(Some(row)) => Ok(Self::User(Principal {
                user_id: row.user_id,
                scope: Some(Scope { team_id: row.team_id, role: row.role }),
            })),
            Ok(None) => Err(CallerError::BadCredentials),
            Err(error) => Err(CallerError::Database(error)),
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

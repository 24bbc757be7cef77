//! Who calls: nobody, or the user of an API key.

use axum::http::{HeaderMap, header};
use dailies_database::{Database, DatabaseError};

use crate::db::api_keys::{self, KeyRow};

/// The caller, as far as a header can say it.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// No `Authorization` came.
    Anonymous,
    /// A key that is good.
    Key(KeyRow),
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
            Ok(Some(row)) => Ok(Self::Key(row)),
            Ok(None) => Err(CallerError::BadCredentials),
            Err(error) => Err(CallerError::Database(error)),
        }
    }

    /// What a log may say of the caller: the key's id.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Anonymous => None,
            Self::Key(key) => Some(&key.id),
        }
    }

    /// Whose `Idempotency-Key`s these are. A user's keys share them: a new key after a lost one
    /// must not upload everything twice.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::Key(key) => format!("{}/{}", key.team_id, key.user_id),
        }
    }
}

//! `apiKeys:create`, `apiKeys:list`, `apiKeys:revoke`.

use dailies_api::api_keys::{ApiKey, ApiKeyCreated, CreateApiKey, ListApiKeys, RevokeApiKey};
use dailies_api::error::ErrorCode;
use dailies_api::projects::Role;
use serde_json::Value;

use super::error::Refusal;
use super::functions::{Call, value};
use super::{argument, idempotency, roles};
use crate::clock::now_millis;
use crate::db::api_keys::{self, KeyRow, ListedKey, MOST_KEYS};
use crate::db::users;
use crate::random;

/// Makes a key that speaks for the caller and may do no more than the caller. Shown once: a
/// repeated call is refused, since its answer is kept nowhere.
pub(crate) async fn create(mut call: Call) -> Result<Value, Refusal> {
    let args: CreateApiKey = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let name = argument::name(&args.name)?;
    let now = now_millis();
    let expires_at = args.expires_at.map(|at| expiry(at, now)).transpose()?;
    if let Some(end) = user.scope.as_ref().and_then(|scope| scope.expires_at)
        && expires_at.is_none_or(|at| at > end)
    {
        return Err(Refusal::new(
            ErrorCode::Forbidden,
            "a key makes no key that outlives it: say an earlier `expiresAt`",
        )
        .at("expiresAt"));
    }
    let keyed = call.keyed;
    let (key, row) = call
        .team
        .database
        .write::<_, Refusal, _>(move |connection| {
            let role = roles::team(connection, &user, &args.team_id, Role::Admin)?;
            if args.role > role {
                let message = "a key may do no more than who makes it";
                return Err(Refusal::new(ErrorCode::Forbidden, message).at("role"));
            }
            if let Some(keyed) = &keyed {
                idempotency::first_and_only(connection, keyed)?;
            }
            if api_keys::count(connection, &args.team_id)? >= MOST_KEYS {
                let message = format!("a team has at most {MOST_KEYS} keys; revoke some");
                return Err(Refusal::new(ErrorCode::QuotaExceeded, message));
            }
            let key = random::api_key();
            let row = KeyRow {
                id: random::id(),
                created_by: Some(user.user_id.clone()),
                user_id: user.user_id,
                team_id: args.team_id,
                role: args.role,
                name,
                expires_at,
            };
            api_keys::insert(connection, &key, &row, now)?;
            let row = ListedKey {
                hint: api_keys::hint(&key).to_owned(),
                user_name: users::name(connection, &row.user_id)?,
                created_at: now,
                last_used_at: None,
                row,
            };
            Ok((key, row))
        })
        .await?;
    value(ApiKeyCreated { key: key.into(), row: shown(row) })
}

/// The team's keys that were not revoked.
pub(crate) async fn list(mut call: Call) -> Result<Value, Refusal> {
    let args: ListApiKeys = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let keys = call
        .team
        .database
        .read::<_, Refusal, _>(move |connection| {
            roles::team(connection, &user, &args.team_id, Role::Admin)?;
            Ok(api_keys::list(connection, Some(&args.team_id))?)
        })
        .await?;
    value(keys.into_iter().map(shown).collect::<Vec<_>>())
}

/// Ends a key, from the next call on.
pub(crate) async fn revoke(mut call: Call) -> Result<Value, Refusal> {
    let args: RevokeApiKey = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    call.team
        .database
        .write::<_, Refusal, _>(move |connection| {
            let unknown = || {
                let message = "no such key, none of your team's, or revoked already";
                Refusal::new(ErrorCode::NotFound, message).at("keyId")
            };
            let key = api_keys::get(connection, &args.key_id)?.ok_or_else(unknown)?;
            let role = roles::role_in(connection, &user, &key.team_id)?.ok_or_else(unknown)?;
            // An admin ends no owner's key, unless it is the admin's own.
            let needed = if key.user_id == user.user_id { Role::Admin } else { key.role };
            roles::enough(role, needed.max(Role::Admin))?;
            Ok(api_keys::revoke(connection, &key.id, now_millis())?)
        })
        .await?;
    Ok(Value::Null)
}

fn expiry(at: u64, now: i64) -> Result<i64, Refusal> {
    i64::try_from(at)
        .ok()
        .filter(|at| *at > now)
        .ok_or_else(|| Refusal::argument("expiresAt", "a time to come, in milliseconds since 1970"))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds fit a Float64 for 285,000 years")]
fn shown(key: ListedKey) -> ApiKey {
    ApiKey {
        id: key.row.id,
        creation_time: key.created_at as f64,
        team_id: key.row.team_id,
        name: key.row.name,
        hint: key.hint,
        role: key.row.role,
        user_id: key.row.user_id,
        user_name: key.user_name,
        created_by: key.row.created_by,
        expires_at: key.row.expires_at.map(|at| at as f64),
        last_used_at: key.last_used_at.map(|at| at as f64),
    }
}

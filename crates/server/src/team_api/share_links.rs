//! `shareLinks:create`, `:list`, `:update`, `:remove`: the team's side of share links.

use dailies_api::error::ErrorCode;
use dailies_api::projects::Role;
use dailies_api::share_links::{
    CreateShareLink, CreatedShareLink, LinkArgs, ShareLink, UpdateShareLink,
};
use dailies_api::videos::VideoArgs;
use rusqlite::Connection;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::caller::Principal;
use super::error::Refusal;
use super::functions::{Call, value};
use super::{Team, idempotency, roles};
use crate::clock::{now_millis, wire};
use crate::db::share_links::{self, LinkChange, LinkRow, NewLink};
use crate::db::users;
use crate::random;

/// Characters of a password.
const LONGEST_PASSWORD: usize = 256;
/// Days that a link holds at the most; whatever is longer is without an end.
const MOST_DAYS: u64 = 3650;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Makes a link to this very version; answers its token.
pub(crate) async fn create(mut call: Call) -> Result<Value, Refusal> {
    let args: CreateShareLink = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let now = now_millis();
    let expires_at = end(args.expires_in_days, now)?;
    let password = provided(args.password)?;
    // Before a password is hashed, which costs the server more than the caller.
    call.team.video_for(&call.caller, &args.video_id, Role::Member).await?;
    let password_hash = call.team.hashed(password).await?;
    let keyed = call.keyed;
    let token = call
        .team
        .database
        .write::<_, Refusal, _>(move |connection| {
            roles::video(connection, &user, &args.video_id, Role::Member)?;
            // What is kept for a repeated call is the link's id, never its token.
            let link_id = idempotency::in_transaction(connection, keyed.as_ref(), || {
                let link = NewLink {
                    id: random::id(),
                    token: random::secret(),
                    video_id: args.video_id,
                    creator_name: users::name(connection, &user.user_id)?,
                    creator_id: user.user_id,
                    expires_at,
                    allow_download: args.allow_download.unwrap_or(false),
                    password_hash,
                };
                share_links::insert(connection, &link, now)?;
                Ok(Value::String(link.id))
            })?;
            let link = share_links::get(connection, link_id.as_str().unwrap_or_default())?;
            Ok(link.ok_or_else(no_link)?.token)
        })
        .await?;
    value(CreatedShareLink { token })
}

/// A video's links, with their tokens.
pub(crate) async fn list(mut call: Call) -> Result<Value, Refusal> {
    let args: VideoArgs = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let links = call
        .team
        .database
        .read::<_, Refusal, _>(move |connection| {
            roles::video(connection, &user, &args.video_id, Role::Viewer)?;
            Ok(share_links::of_video(connection, &args.video_id)?)
        })
        .await?;
    let now = now_millis();
    value(links.into_iter().map(|link| shown(link, now)).collect::<Vec<_>>())
}

/// Changes a link. A new password ends every grant that the link gave before.
pub(crate) async fn update(mut call: Call) -> Result<Value, Refusal> {
    let args: UpdateShareLink = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let expires_at = match args.expires_in_days {
        None => None,
        Some(days) => Some(end(days, now_millis())?),
    };
    let password = args.password.map(provided).transpose()?;
    let (link_id, caller) = (args.link_id.clone(), user.clone());
    call.team
        .database
        .read::<_, Refusal, _>(move |connection| link(connection, &caller, &link_id).map(drop))
        .await?;
    let password_hash = match password {
        None => None,
        Some(password) => Some(call.team.hashed(password).await?),
    };
    let change = LinkChange { expires_at, allow_download: args.allow_download, password_hash };
    call.team
        .database
        .write(move |connection| {
            link(connection, &user, &args.link_id)?;
            share_links::update(connection, &args.link_id, &change)?;
            Ok(Value::Null)
        })
        .await
}

/// Revokes a link, and with it every grant.
pub(crate) async fn remove(mut call: Call) -> Result<Value, Refusal> {
    let args: LinkArgs = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let keyed = call.keyed;
    call.team
        .database
        .write(move |connection| {
            idempotency::in_transaction(connection, keyed.as_ref(), || {
                link(connection, &user, &args.link_id)?;
                share_links::delete(connection, &args.link_id)?;
                Ok(Value::Null)
            })
        })
        .await
}

impl Team {
    async fn hashed(&self, password: Option<SecretString>) -> Result<Option<String>, Refusal> {
        let Some(password) = password else { return Ok(None) };
        let hash = self.passwords.hash(password).await.map_err(|_| {
            Refusal::new(ErrorCode::Internal, "the server is too busy for a password; try again")
        })?;
        Ok(Some(hash))
    }
}

/// A password, if one was given: an empty one is none.
pub(super) fn provided(password: Option<SecretString>) -> Result<Option<SecretString>, Refusal> {
    let password = password.filter(|password| !password.expose_secret().is_empty());
    if password
        .as_ref()
        .is_some_and(|password| password.expose_secret().chars().count() > LONGEST_PASSWORD)
    {
        let message = format!("a password has at most {LONGEST_PASSWORD} characters");
        return Err(Refusal::argument("password", message));
    }
    Ok(password)
}

/// The link, if the caller is a member in its video's team.
fn link(connection: &Connection, user: &Principal, id: &str) -> Result<LinkRow, Refusal> {
    let link = share_links::get(connection, id)?.ok_or_else(no_link)?;
    match roles::video(connection, user, &link.video_id, Role::Member) {
        Ok(_) => Ok(link),
        Err(refusal) if refusal.0.code == ErrorCode::NotFound => Err(no_link()),
        Err(refusal) => Err(refusal),
    }
}

fn no_link() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "no such link, or none of your team's").at("linkId")
}

/// When a link of so many days ends; none for 0.
fn end(days: Option<u64>, now: i64) -> Result<Option<i64>, Refusal> {
    match days {
        None | Some(0) => Ok(None),
        Some(days) if days <= MOST_DAYS => {
            Ok(Some(now + i64::try_from(days).unwrap_or_default() * DAY))
        }
        Some(_) => {
            let message = format!("a link ends within {MOST_DAYS} days, or never (0)");
            Err(Refusal::argument("expiresInDays", message))
        }
    }
}

fn shown(link: LinkRow, now: i64) -> ShareLink {
    ShareLink {
        is_expired: link.is_expired(now),
        id: link.id,
        creation_time: wire(link.created_at),
        video_id: link.video_id,
        token: link.token,
        created_by_clerk_id: link.creator_id,
        creator_name: link.creator_name.clone(),
        created_by_name: link.creator_name,
        expires_at: link.expires_at.map(wire),
        allow_download: link.allow_download,
        has_password: link.password_hash.is_some(),
        view_count: link.view_count,
    }
}

//! `shareLinks:getByToken`, `shareLinks:issueAccessGrant`: a share link as its visitor meets it.
//!
//! To a stranger every token that opens nothing is the same: one that never was, one that was
//! revoked, one whose video is gone.

use std::time::{Duration, Instant};

use dailies_api::share_links::{
    GrantRefused, IssueAccessGrant, IssuedGrant, LinkState, LinkStatus, LinkToken,
};
use dailies_database::DatabaseError;
use serde_json::Value;

use super::Team;
use super::error::Refusal;
use super::functions::{Call, value};
use super::share_links::provided;
use crate::clock::now_millis;
use crate::db::access_grants;
use crate::db::share_links::{self, LinkRow};
use crate::random;

/// Whether a link opens, and how.
pub(crate) async fn by_token(mut call: Call) -> Result<Value, Refusal> {
    let args: LinkToken = call.args()?;
    let status = match call.team.link(args.token).await? {
        None => LinkStatus::Missing,
        Some(link) if link.is_expired(now_millis()) => LinkStatus::Expired,
        Some(link) if link.password_hash.is_some() => LinkStatus::RequiresPassword,
        Some(_) => LinkStatus::Ok,
    };
    value(LinkState { status })
}

/// Opens a link for a day.
pub(crate) async fn issue(mut call: Call) -> Result<Value, Refusal> {
    let args: IssueAccessGrant = call.args()?;
    let password = provided(args.password)?;
    let team = &call.team;
    let Some(seen) = team.open_link(args.token.clone()).await? else { return no_link() };
    if seen.password_hash.is_none() {
        return team.grant(seen).await;
    }
    if let Some(wait) = team.guesses.wait(call.address, Instant::now()) {
        return refused(GrantRefused::Locked, Some(wait));
    }
    // One password of a link is looked at after the other, so that none slips past the lock-out.
    let _held = team.locks.hold(&format!("link {}", seen.id)).await;
    let Some(link) = team.open_link(args.token).await? else { return no_link() };
    let Some(hash) = link.password_hash.clone() else { return team.grant(link).await };
    if let Some(wait) = locked(&link, now_millis()) {
        return refused(GrantRefused::Locked, Some(wait));
    }
    let Some(password) = password else { return refused(GrantRefused::WrongPassword, None) };
    match team.passwords.matches(password, hash).await {
        Ok(true) => team.grant(link).await,
        Ok(false) => {
            team.guesses.wrong(call.address, Instant::now());
            team.wrong_password(link).await
        }
        Err(_) => refused(GrantRefused::Busy, Some(Duration::from_secs(5))),
    }
}

impl Team {
    async fn link(&self, token: String) -> Result<Option<LinkRow>, DatabaseError> {
        self.database.read(move |connection| share_links::by_token(connection, &token)).await
    }

    /// A link that did not end yet.
    async fn open_link(&self, token: String) -> Result<Option<LinkRow>, DatabaseError> {
        let link = self.link(token).await?;
        Ok(link.filter(|link| !link.is_expired(now_millis())))
    }

    async fn grant(&self, link: LinkRow) -> Result<Value, Refusal> {
        let token = random::secret();
        let hashed = token.clone();
        let given = self
            .database
            .write::<_, DatabaseError, _>(move |connection| {
                // Revoked or changed since it was read: then it opens nothing.
                if !share_links::opened(connection, &link)? {
                    return Ok(false);
                }
                access_grants::insert(connection, &hashed, &link.id, now_millis())?;
                Ok(true)
            })
            .await?;
        if !given {
            return no_link();
        }
        value(IssuedGrant { ok: true, grant_token: Some(token), reason: None, retry_after: None })
    }

    async fn wrong_password(&self, link: LinkRow) -> Result<Value, Refusal> {
        let now = now_millis();
        let id = link.id.clone();
        let after = self
            .database
            .write::<_, DatabaseError, _>(move |connection| {
                share_links::wrong_password(connection, &link, now)?;
                share_links::get(connection, &link.id)
            })
            .await?;
        match after.and_then(|link| locked(&link, now)) {
            None => refused(GrantRefused::WrongPassword, None),
            Some(wait) => {
                tracing::warn!(link = id, "too many wrong passwords: a share link is locked");
                refused(GrantRefused::Locked, Some(wait))
            }
        }
    }
}

fn locked(link: &LinkRow, now: i64) -> Option<Duration> {
    u64::try_from(link.locked_until - now).ok().filter(|wait| *wait > 0).map(Duration::from_millis)
}

fn no_link() -> Result<Value, Refusal> {
    refused(GrantRefused::NoLink, None)
}

fn refused(reason: GrantRefused, wait: Option<Duration>) -> Result<Value, Refusal> {
    let retry_after = wait.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    value(IssuedGrant { ok: false, grant_token: None, reason: Some(reason), retry_after })
}

//! `dailies-server key`: API keys, for whoever has no other way in yet.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Subcommand};
use dailies_api::projects::Role;
use serde::Serialize;

use super::people::{self, Common, RoleName};
use super::say;
use crate::clock::now_millis;
use crate::config::units;
use crate::db::api_keys::{self, KeyRow, ListedKey, MOST_KEYS};
use crate::db::{members, text};
use crate::random;

/// List, create and revoke API keys, also while the server runs
#[derive(Args, Clone, Debug)]
pub struct Key {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Clone, Debug)]
enum What {
    /// Keys that were not revoked: id, how the key begins, role, user, name
    List(List),
    /// Make a key, and print it on stdout. It is shown this once
    Create(Create),
    /// End a key, from the next call on
    Revoke(Revoke),
}

#[derive(Args, Clone, Debug)]
struct List {
    #[command(flatten)]
    common: Common,
    /// Only this team's: id, or name in addresses
    #[arg(long)]
    team: Option<String>,
}

#[derive(Args, Clone, Debug)]
struct Create {
    #[command(flatten)]
    common: Common,
    /// The one team it opens: id, or name in addresses
    #[arg(long)]
    team: String,
    /// Whom it speaks for: id, e-mail address or name
    #[arg(long)]
    user: String,
    /// The most it may do; no more than the user
    #[arg(long)]
    role: RoleName,
    /// How long it lives: 90d, 12h; without it until it is revoked
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// What people know it by
    #[arg(long, default_value = "command line")]
    name: String,
}

#[derive(Args, Clone, Debug)]
struct Revoke {
    #[command(flatten)]
    common: Common,
    /// Its id, as `key list` shows it
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    hint: String,
    team_id: String,
    user_id: String,
    user_name: String,
    role: Role,
    name: String,
    created_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<i64>,
}

impl Key {
    pub(super) async fn run(self) -> Result<()> {
        match self.what {
            What::List(List { common, team }) => {
                let json = common.json;
                let all = common
                    .change(move |connection| {
                        let team = team.map(|said| people::team(connection, &said)).transpose()?;
                        let id = team.as_ref().map(|team| team.id.as_str());
                        Ok(api_keys::list(connection, id)?)
                    })
                    .await?;
                let lines = all.iter().map(line).collect();
                let rows: Vec<_> = all.into_iter().map(|key| shown(key, None)).collect();
                people::print(json, &rows, lines)
            }
            What::Create(create) => create.run().await,
            What::Revoke(Revoke { common, id }) => {
                common
                    .change(move |connection| {
                        let key = api_keys::get(connection, &id)?.with_context(|| {
                            format!("no key `{id}`, or revoked already; `key list` shows them")
                        })?;
                        Ok(api_keys::revoke(connection, &key.id, now_millis())?)
                    })
                    .await
            }
        }
    }
}

impl Create {
    async fn run(self) -> Result<()> {
        let Self { common, team, user, role, expires, name } = self;
        let (json, role) = (common.json, Role::from(role));
        let name = people::name(&name)?;
        let lives = expires.as_deref().map(life).transpose()?;
        let (key, listed) = common
            .change(move |connection| {
                let team = people::team(connection, &team)?;
                let user = people::user(connection, &user)?;
                let most = members::role(connection, &team.id, &user.id)?
                    .with_context(|| format!("{} is not in {}", user.name, team.slug))?;
                ensure!(
                    role <= most,
                    "{} is {} in {}: a key may do no more",
                    user.name,
                    text(most),
                    team.slug
                );
                let full = api_keys::count(connection, &team.id)? >= MOST_KEYS;
                ensure!(!full, "{} has {MOST_KEYS} keys, the most: revoke some", team.slug);
                let (key, now) = (random::api_key(), now_millis());
                let row = KeyRow {
                    id: random::id(),
                    user_id: user.id,
                    team_id: team.id,
                    role,
                    name,
                    created_by: None,
                    expires_at: lives.map(|lives| now.saturating_add(lives)),
                };
                api_keys::insert(connection, &key, &row, now)?;
                let hint = api_keys::hint(&key).to_owned();
                let user_name = user.name;
                let listed =
                    ListedKey { row, hint, user_name, created_at: now, last_used_at: None };
                Ok((key, listed))
            })
            .await?;
        if json {
            return people::print(true, &shown(listed, Some(key)), vec![]);
        }
        // Alone on stdout, so that it can go where it is needed without being seen.
        people::tell(&format!("key {}: shown this once, kept nowhere", listed.row.id));
        say(&key);
        Ok(())
    }
}

/// Milliseconds.
fn life(said: &str) -> Result<i64> {
    units::time(said)
        .filter(|time| *time >= Duration::from_secs(1))
        .and_then(|time| i64::try_from(time.as_millis()).ok())
        .with_context(|| format!("`{said}` is no time such as 90d or 12h"))
}

fn line(key: &ListedKey) -> String {
    let ListedKey { row, hint, user_name, .. } = key;
    let hint = if hint.is_empty() { "sk-" } else { hint };
    format!("{}  {hint}…  {:<6}  {user_name}  {}", row.id, text(row.role), row.name)
}

fn shown(listed: ListedKey, key: Option<String>) -> Shown {
    let ListedKey { row, hint, user_name, created_at, last_used_at } = listed;
    let KeyRow { id, user_id, team_id, role, name, expires_at, created_by: _ } = row;
    Shown {
        id,
        key,
        hint,
        team_id,
        user_id,
        user_name,
        role,
        name,
        created_at,
        expires_at,
        last_used_at,
    }
}

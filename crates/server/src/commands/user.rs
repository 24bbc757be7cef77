//! `dailies-server user`: the people whom the server knows.

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::people::{self, Common};
use crate::clock::now_millis;
use crate::db::identities::{self, Account};
use crate::db::users::{self, Email, UserRow};
use crate::db::{api_keys, members, teams};
use crate::random;

/// List, add, rename and remove people, also while the server runs
#[derive(Args, Clone, Debug)]
pub struct User {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Clone, Debug)]
enum What {
    /// Everybody: id, name, e-mail address
    List(#[command(flatten)] Common),
    /// Add somebody, in no team yet; prints the id
    Add(Add),
    /// Give somebody another name
    Rename(Rename),
    /// Take somebody out of every team, and end their keys. Their videos stay
    Remove(Remove),
}

#[derive(Args, Clone, Debug)]
struct Add {
    #[command(flatten)]
    common: Common,
    /// What people call them
    #[arg(long)]
    name: String,
    /// Their e-mail address, which you vouch for
    #[arg(long)]
    email: Option<String>,
    /// The issuer of the account they sign in with
    #[arg(long, requires = "subject")]
    issuer: Option<String>,
    /// The account's `sub`
    #[arg(long, requires = "issuer")]
    subject: Option<String>,
}

#[derive(Args, Clone, Debug)]
struct Rename {
    #[command(flatten)]
    common: Common,
    /// Id, e-mail address or name
    user: String,
    /// The new name
    #[arg(long)]
    name: String,
}

#[derive(Args, Clone, Debug)]
struct Remove {
    #[command(flatten)]
    common: Common,
    /// Id, e-mail address or name
    user: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    created_at: i64,
}

impl User {
    pub(super) async fn run(self) -> Result<()> {
        match self.what {
            What::List(common) => {
                let json = common.json;
                let all = common.change(|connection| Ok(users::list(connection)?)).await?;
                let lines = all.iter().map(line).collect();
                let rows: Vec<_> = all.into_iter().map(shown).collect();
                people::print(json, &rows, lines)
            }
            What::Add(add) => add.run().await,
            What::Rename(Rename { common, user, name }) => {
                let name = people::name(&name)?;
                common
                    .change(move |connection| {
                        let user = people::user(connection, &user)?;
                        Ok(users::rename(connection, &user.id, &name)?)
                    })
                    .await
            }
            What::Remove(Remove { common, user }) => {
                common
                    .change(move |connection| {
                        let user = people::user(connection, &user)?;
                        for team_id in members::teams_of(connection, &user.id)? {
                            if let Some(team) = teams::get(connection, &team_id)? {
                                people::may_leave(connection, &team, &user)?;
                            }
                            members::delete(connection, &team_id, &user.id)?;
                        }
                        let now = now_millis();
                        api_keys::revoke_all(connection, &user.id, None, now)?;
                        Ok(users::remove(connection, &user.id, now)?)
                    })
                    .await
            }
        }
    }
}

impl Add {
    async fn run(self) -> Result<()> {
        let Self { common, name, email, issuer, subject } = self;
        let json = common.json;
        let name = people::name(&name)?;
        if let Some(email) = &email {
            let usual = email.contains('@') && !email.contains(char::is_whitespace);
            ensure!(usual, "`{email}` is no e-mail address");
        }
        let user = common
            .change(move |connection| {
                let (id, now) = (random::id(), now_millis());
                users::insert(connection, &id, &name, now)?;
                if let Some(address) = &email {
                    let email = Email { address: address.clone(), verified: true };
                    users::set_email(connection, &id, &email)?;
                }
                if let (Some(issuer), Some(subject)) = (issuer, subject) {
                    let known = identities::find(connection, &issuer, &subject)?;
                    ensure!(known.is_none(), "this account is somebody's already");
                    let account = Account { issuer, subject, name: None, email: None };
                    identities::insert(connection, &account, &id, now)?;
                }
                Ok(UserRow { id, name, email, created_at: now })
            })
            .await?;
        let lines = vec![user.id.clone()];
        people::print(json, &shown(user), lines)
    }
}

fn line(user: &UserRow) -> String {
    let UserRow { id, name, email, .. } = user;
    format!("{id}  {name}  {}", email.as_deref().unwrap_or("-"))
}

fn shown(user: UserRow) -> Shown {
    let UserRow { id, name, email, created_at } = user;
    Shown { id, name, email, created_at }
}

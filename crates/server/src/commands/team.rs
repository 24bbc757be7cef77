//! `dailies-server team`: teams, and who is in them.

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Subcommand};
use dailies_api::projects::Role;
use serde::Serialize;

use super::people::{self, Common, RoleName};
use super::quota::Quota;
use crate::clock::now_millis;
use crate::db::members::{self, MemberRow};
use crate::db::teams::{self, NewTeam, TeamRow};
use crate::db::text;
use crate::random;

/// Characters of a name in addresses.
const LONGEST_SLUG: usize = 63;

/// List, add and rename teams and change who is in them, also while the server runs
#[derive(Args, Clone, Debug)]
pub struct Team {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Clone, Debug)]
enum What {
    /// Every team: id, name in addresses, name
    List(#[command(flatten)] Common),
    /// Add a team; prints the id
    Add(Add),
    /// Give a team another name. Its name in addresses stays
    Rename(Rename),
    /// Who is in a team: id, role, name
    Members(Members),
    /// Take somebody into a team
    AddMember(WithRole),
    /// Give a member another role
    SetRole(WithRole),
    /// Take somebody out of a team, and end their keys for it
    RemoveMember(RemoveMember),
    /// What a team keeps and may keep
    Quota(Quota),
}

#[derive(Args, Clone, Debug)]
struct Add {
    #[command(flatten)]
    common: Common,
    /// What people call it
    #[arg(long)]
    name: String,
    /// Its name in addresses: a-z, 0-9 and hyphens
    #[arg(long)]
    slug: String,
    /// Its first owner: id, e-mail address or name
    #[arg(long)]
    owner: String,
}

#[derive(Args, Clone, Debug)]
struct Rename {
    #[command(flatten)]
    common: Common,
    /// Id, or name in addresses
    team: String,
    /// The new name
    #[arg(long)]
    name: String,
}

#[derive(Args, Clone, Debug)]
struct Members {
    #[command(flatten)]
    common: Common,
    /// Id, or name in addresses
    team: String,
}

#[derive(Args, Clone, Debug)]
struct WithRole {
    #[command(flatten)]
    common: Common,
    /// Id, or name in addresses
    team: String,
    /// Id, e-mail address or name
    #[arg(long)]
    user: String,
    /// What they may do
    #[arg(long)]
    role: RoleName,
}

#[derive(Args, Clone, Debug)]
struct RemoveMember {
    #[command(flatten)]
    common: Common,
    /// Id, or name in addresses
    team: String,
    /// Id, e-mail address or name
    #[arg(long)]
    user: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownTeam {
    id: String,
    slug: String,
    name: String,
    created_at: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownMember {
    user_id: String,
    role: Role,
    name: String,
}

impl Team {
    pub(super) async fn run(self) -> Result<()> {
        match self.what {
            What::List(common) => {
                let json = common.json;
                let all = common.change(|connection| Ok(teams::list(connection)?)).await?;
                let line =
                    |TeamRow { id, slug, name, .. }: &TeamRow| format!("{id}  {slug}  {name}");
                let lines: Vec<_> = all.iter().map(line).collect();
                let rows: Vec<_> = all.into_iter().map(shown).collect();
                people::print(json, &rows, &lines)
            }
            What::Add(add) => add.run().await,
            What::Rename(Rename { common, team, name }) => {
                let name = people::name(&name)?;
                common
                    .change(move |connection| {
                        let team = people::team(connection, &team)?;
                        Ok(teams::rename(connection, &team.id, &name)?)
                    })
                    .await
            }
            What::Members(Members { common, team }) => {
                let json = common.json;
                let all = common
                    .change(move |connection| {
                        let team = people::team(connection, &team)?;
                        Ok(members::of_team(connection, &team.id)?)
                    })
                    .await?;
                let line = |MemberRow { user_id, role, name, .. }: &MemberRow| {
                    format!("{user_id}  {:<6}  {name}", text(*role))
                };
                let lines: Vec<_> = all.iter().map(line).collect();
                let shown =
                    |MemberRow { user_id, role, name, .. }| ShownMember { user_id, role, name };
                let rows: Vec<_> = all.into_iter().map(shown).collect();
                people::print(json, &rows, &lines)
            }
            What::Quota(quota) => quota.run().await,
            What::AddMember(WithRole { common, team, user, role }) => {
                common
                    .change(move |connection| {
                        let team = people::team(connection, &team)?;
                        let user = people::user(connection, &user)?;
                        let there = members::role(connection, &team.id, &user.id)?;
                        ensure!(there.is_none(), "{} is in {} already", user.name, team.slug);
                        Ok(members::insert(connection, &team.id, &user.id, role.into())?)
                    })
                    .await
            }
            What::SetRole(WithRole { common, team, user, role }) => {
                common
                    .change(move |connection| {
                        let team = people::team(connection, &team)?;
                        let user = people::user(connection, &user)?;
                        let before = members::role(connection, &team.id, &user.id)?
                            .with_context(|| format!("{} is not in {}", user.name, team.slug))?;
                        let role = Role::from(role);
                        ensure!(
                            role == Role::Owner
                                || before != Role::Owner
                                || members::other_owner(connection, &team.id, &user.id)?,
                            "{} is the only owner of {}: make somebody else an owner first",
                            user.name,
                            team.slug
                        );
                        Ok(members::set_role(connection, &team.id, &user.id, (before, role))?)
                    })
                    .await
            }
            What::RemoveMember(RemoveMember { common, team, user }) => {
                common
                    .change(move |connection| {
                        let team = people::team(connection, &team)?;
                        let user = people::user(connection, &user)?;
                        let there = members::role(connection, &team.id, &user.id)?;
                        ensure!(there.is_some(), "{} is not in {}", user.name, team.slug);
                        people::may_leave(connection, &team, &user)?;
                        Ok(members::delete(connection, &team.id, &user.id, now_millis())?)
                    })
                    .await
            }
        }
    }
}

impl Add {
    async fn run(self) -> Result<()> {
        let Self { common, name, slug, owner } = self;
        let json = common.json;
        let name = people::name(&name)?;
        let usual = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        ensure!(
            (1..=LONGEST_SLUG).contains(&slug.len()) && slug.bytes().all(usual),
            "a name in addresses has 1 to {LONGEST_SLUG} of a-z, 0-9 and hyphens"
        );
        let team = common
            .change(move |connection| {
                let owner = people::user(connection, &owner)?;
                let taken = teams::by_slug(connection, &slug)?.is_some();
                ensure!(!taken, "there is a team `{slug}` already");
                let (id, now) = (random::id(), now_millis());
                let team = NewTeam { id: &id, name: &name, slug: &slug };
                teams::insert(connection, &team, now)?;
                members::insert(connection, &id, &owner.id, Role::Owner)?;
                Ok(TeamRow { id, name, slug, created_at: now })
            })
            .await?;
        let lines = vec![team.id.clone()];
        people::print(json, &shown(team), &lines)
    }
}

fn shown(team: TeamRow) -> ShownTeam {
    let TeamRow { id, slug, name, created_at } = team;
    ShownTeam { id, slug, name, created_at }
}

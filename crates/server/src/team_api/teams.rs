//! `teams:list`, `:listWithProjects`, `:get`, `:getBySlug`, `:create`, `:update`.

use dailies_api::error::ErrorCode;
use dailies_api::projects::{ListedProject, Role};
use dailies_api::teams::{
    CreateTeam, CreatedTeam, NoArgs, SlugArgs, Team as TeamAnswer, TeamArgs, UpdateTeam,
};
use dailies_database::DatabaseError;
use rusqlite::Connection;
use serde::Serialize;
use serde_json::Value;

use super::caller::{Caller, Principal};
use super::error::Refusal;
use super::functions::{Call, value};
use super::{argument, idempotency, project_tree, roles};
use crate::clock::{now_millis, wire};
use crate::db::idempotency::KeyedCall;
use crate::db::members;
use crate::db::teams::{self, NewTeam, TeamRow};
use crate::random;

/// Characters of a name in addresses, before a number is added to it.
const LONGEST_SLUG: usize = 50;

/// The caller's teams; none for the anonymous, and only its own by an API key.
pub(crate) async fn list(mut call: Call) -> Result<Value, Refusal> {
    let NoArgs {} = call.args()?;
    let Caller::User(user) = call.caller else { return value([(); 0]) };
    let teams =
        call.team.database.read::<_, Refusal, _>(move |connection| of(connection, &user)).await?;
    value(teams)
}

#[derive(Serialize)]
struct TeamWithProjects {
    #[serde(flatten)]
    team: TeamAnswer,
    projects: Vec<ListedProject>,
}

/// The same, each with its topmost projects.
pub(crate) async fn list_with_projects(mut call: Call) -> Result<Value, Refusal> {
    let NoArgs {} = call.args()?;
    let Caller::User(user) = call.caller else { return value([(); 0]) };
    let teams = call
        .team
        .database
        .read::<_, Refusal, _>(move |connection| {
            of(connection, &user)?
                .into_iter()
                .map(|team| {
                    let projects = project_tree::level(connection, &team.id, None)?;
                    Ok(TeamWithProjects { team, projects })
                })
                .collect::<Result<Vec<_>, Refusal>>()
        })
        .await?;
    value(teams)
}

/// One of the caller's teams.
pub(crate) async fn get(mut call: Call) -> Result<Value, Refusal> {
    let args: TeamArgs = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let team = call
        .team
        .database
        .read::<_, Refusal, _>(move |connection| one(connection, &user, &args.team_id))
        .await?;
    value(team)
}

/// The same, by its name in addresses.
pub(crate) async fn get_by_slug(mut call: Call) -> Result<Value, Refusal> {
    let args: SlugArgs = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let team = call
        .team
        .database
        .read::<_, Refusal, _>(move |connection| {
            let unknown =
                || Refusal::new(ErrorCode::NotFound, "no such team, or none of yours").at("slug");
            let team = teams::by_slug(connection, &args.slug)?.ok_or_else(unknown)?;
            let role = roles::role_in(connection, &user, &team.id)?.ok_or_else(unknown)?;
            Ok(shown(team, role))
        })
        .await?;
    value(team)
}

/// Makes a team, of which the caller is the owner.
pub(crate) async fn create(mut call: Call) -> Result<Value, Refusal> {
    let args: CreateTeam = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let name = argument::name(&args.name)?;
    let keyed = call.keyed;
    call.team
        .database
        .write(move |connection| found(connection, &user, &name, keyed.as_ref()))
        .await
}

/// Renames a team. Its name in addresses stays, for the addresses' sake.
pub(crate) async fn update(mut call: Call) -> Result<Value, Refusal> {
    let args: UpdateTeam = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let name = args.name.as_deref().map(argument::name).transpose()?;
    call.team
        .database
        .write(move |connection| {
            roles::team(connection, &user, &args.team_id, Role::Admin)?;
            if let Some(name) = name {
                teams::rename(connection, &args.team_id, &name)?;
            }
            Ok(Value::Null)
        })
        .await
}

fn found(
    connection: &Connection,
    user: &Principal,
    name: &str,
    keyed: Option<&KeyedCall>,
) -> Result<Value, Refusal> {
    if user.scope.is_some() {
        let message = "an API key is of one team, and makes no other";
        return Err(Refusal::new(ErrorCode::Forbidden, message));
    }
    idempotency::in_transaction(connection, keyed, || {
        let (id, slug) = (random::id(), free_slug(connection, name)?);
        teams::insert(connection, &NewTeam { id: &id, name, slug: &slug }, now_millis())?;
        members::insert(connection, &id, &user.user_id, Role::Owner)?;
        value(CreatedTeam { team_id: id, slug })
    })
}

fn of(connection: &Connection, user: &Principal) -> Result<Vec<TeamAnswer>, Refusal> {
    let mut found = Vec::new();
    for (team_id, role) in roles::teams(connection, user, Role::Viewer)? {
        found.extend(teams::get(connection, &team_id)?.map(|row| shown(row, role)));
    }
    found.sort_by(|a, b| a.creation_time.total_cmp(&b.creation_time).then(a.id.cmp(&b.id)));
    Ok(found)
}

fn one(connection: &Connection, user: &Principal, id: &str) -> Result<TeamAnswer, Refusal> {
    let role = roles::team(connection, user, id, Role::Viewer)?;
    let row = teams::get(connection, id)?.ok_or(DatabaseError::Stale)?;
    Ok(shown(row, role))
}

pub(super) fn shown(row: TeamRow, role: Role) -> TeamAnswer {
    TeamAnswer {
        id: row.id,
        creation_time: wire(row.created_at),
        name: row.name,
        slug: row.slug,
        role,
    }
}

/// The name in letters, digits and hyphens, with a number where another team has it.
fn free_slug(connection: &Connection, name: &str) -> Result<String, DatabaseError> {
    let plain = slug(name);
    let mut candidate = plain.clone();
    let mut number = 1;
    while teams::by_slug(connection, &candidate)?.is_some() {
        candidate = format!("{plain}-{number}");
        number += 1;
    }
    Ok(candidate)
}

fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .to_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let slug: String = words.join("-").chars().take(LONGEST_SLUG).collect();
    match slug.trim_end_matches('-') {
        "" => "team".to_owned(),
        slug => slug.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::tests::scratch;
    use crate::db::users;
    use crate::team_api::caller::Scope;

    #[test]
    fn a_name_becomes_an_address() {
        assert_eq!(slug("Harbour Films"), "harbour-films");
        assert_eq!(slug("  --Ä & Ö: 2nd Unit!  "), "2nd-unit");
        assert_eq!(slug("映画"), "team");
        assert_eq!(slug(&"long ".repeat(40)).len(), 49);
    }

    #[tokio::test]
    async fn a_user_makes_teams_and_a_key_makes_none() {
        let (_folder, database) = scratch();
        let teams = database
            .write::<_, Refusal, _>(|connection| {
                users::insert(connection, "u", "Uma", 0)?;
                let user = Principal { user_id: "u".into(), scope: None };
                let keyed = KeyedCall { caller: "u".into(), key: "k".into(), request: [1; 32] };
                let first = found(connection, &user, "Harbour Films", Some(&keyed))?;
                let again = found(connection, &user, "Harbour Films", Some(&keyed))?;
                assert_eq!(first, again, "one call is made once");
                assert_eq!(first["slug"], "harbour-films");
                let other = found(connection, &user, "Harbour films", None)?;
                assert_eq!(other["slug"], "harbour-films-1");
                let team_id = first["teamId"].as_str().unwrap_or_default().to_owned();
                let scope = Some(Scope {
                    key_id: "key".into(),
                    team_id,
                    role: Role::Owner,
                    expires_at: None,
                });
                let key = Principal { user_id: "u".into(), scope };
                let refused = found(connection, &key, "Third", None).expect_err("a key");
                assert_eq!(refused.0.code, ErrorCode::Forbidden);
                assert_eq!(of(connection, &key)?.len(), 1, "a key sees its own team only");
                of(connection, &user)
            })
            .await
            .expect("two teams");
        assert_eq!(teams.len(), 2);
        assert!(teams.iter().all(|team| team.role == Role::Owner));
    }
}

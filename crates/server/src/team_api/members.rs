//! `teams:getMembers`, `:updateMemberRole`, `:removeMember`, `:leave`.
//!
//! Nobody gives or takes a role above their own, and a team keeps an owner: both are looked at in the
//! transaction that makes the change.

use dailies_api::error::ErrorCode;
use dailies_api::projects::Role;
use dailies_api::teams::{Member, RemoveMember, TeamArgs, UpdateMemberRole};
use rusqlite::Connection;
use serde_json::Value;

use super::error::Refusal;
use super::functions::{Call, value};
use super::{idempotency, roles};
use crate::clock::now_millis;
use crate::db::members;

/// Who is in the team.
pub(crate) async fn list(mut call: Call) -> Result<Value, Refusal> {
    let args: TeamArgs = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let found = call
        .team
        .database
        .read::<_, Refusal, _>(move |connection| {
            roles::team(connection, &user, &args.team_id, Role::Viewer)?;
            let members = members::of_team(connection, &args.team_id)?;
            Ok(members
                .into_iter()
                .map(|member| Member {
                    // A user is in a team once, so within it the user names the membership.
                    id: member.user_id.clone(),
                    membership_id: member.user_id.clone(),
                    team_id: args.team_id.clone(),
                    user_clerk_id: member.user_id,
                    user_name: member.name,
                    role: member.role,
                })
                .collect::<Vec<_>>())
        })
        .await?;
    value(found)
}

/// Gives a member another role.
pub(crate) async fn update_role(mut call: Call) -> Result<Value, Refusal> {
    let args: UpdateMemberRole = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    call.team
        .database
        .write(move |connection| {
            let own = roles::team(connection, &user, &args.team_id, Role::Admin)?;
            not_above(own, args.role)?;
            let member = &args.membership_id;
            let role = role_of(connection, &args.team_id, member)?;
            not_above(own, role)?;
            if role == Role::Owner && args.role != Role::Owner {
                keeps_an_owner(connection, &args.team_id, member)?;
            }
            members::set_role(connection, &args.team_id, member, (role, args.role))?;
            Ok(Value::Null)
        })
        .await
}

/// Takes somebody else out of the team; their keys there end with it.
pub(crate) async fn remove(mut call: Call) -> Result<Value, Refusal> {
    let args: RemoveMember = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let keyed = call.keyed;
    call.team
        .database
        .write(move |connection| {
            idempotency::in_transaction(connection, keyed.as_ref(), || {
                let own = roles::team(connection, &user, &args.team_id, Role::Admin)?;
                let member = &args.membership_id;
                if *member == user.user_id {
                    let message = "this is your own membership; call teams:leave";
                    return Err(Refusal::argument("membershipId", message));
                }
                let role = role_of(connection, &args.team_id, member)?;
                not_above(own, role)?;
                if role == Role::Owner {
                    keeps_an_owner(connection, &args.team_id, member)?;
                }
                members::delete(connection, &args.team_id, member, now_millis())?;
                Ok(Value::Null)
            })
        })
        .await
}

/// Takes the caller out of the team.
pub(crate) async fn leave(mut call: Call) -> Result<Value, Refusal> {
    let args: TeamArgs = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let keyed = call.keyed;
    call.team
        .database
        .write(move |connection| {
            idempotency::in_transaction(connection, keyed.as_ref(), || {
                let allowed = roles::team(connection, &user, &args.team_id, Role::Viewer)?;
                let role = role_of(connection, &args.team_id, &user.user_id)?;
                if allowed < role {
                    let message = "an API key that may less than its user cannot leave for them";
                    return Err(Refusal::new(ErrorCode::Forbidden, message));
                }
                if role == Role::Owner {
                    keeps_an_owner(connection, &args.team_id, &user.user_id)?;
                }
                members::delete(connection, &args.team_id, &user.user_id, now_millis())?;
                Ok(Value::Null)
            })
        })
        .await
}

/// Refuses to give or to take `role` for whoever has less themselves.
pub(super) fn not_above(own: Role, role: Role) -> Result<(), Refusal> {
    if role <= own {
        return Ok(());
    }
    let message = "nobody gives or takes a role above their own";
    Err(Refusal::new(ErrorCode::Forbidden, message).at("role"))
}

fn role_of(connection: &Connection, team_id: &str, user_id: &str) -> Result<Role, Refusal> {
    members::role(connection, team_id, user_id)?.ok_or_else(|| {
        Refusal::new(ErrorCode::NotFound, "no such member of this team").at("membershipId")
    })
}

fn keeps_an_owner(connection: &Connection, team_id: &str, user_id: &str) -> Result<(), Refusal> {
    if members::other_owner(connection, team_id, user_id)? {
        return Ok(());
    }
    let message = "a team keeps at least one owner; make somebody else an owner first";
    Err(Refusal::new(ErrorCode::WrongState, message))
}

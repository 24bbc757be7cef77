//! `teams:inviteMember`, `:getInvites`, `:revokeInvite`, `:getInviteByToken`, `:acceptInvite`.
//!
//! No mail is sent: the inviter hands the token over. Whoever has it, and is somebody, is let in; it
//! lets in one.

use dailies_api::error::ErrorCode;
use dailies_api::projects::Role;
use dailies_api::teams::{
    Invite, InviteMember, InviteSeen, InviteToken, RevokeInvite, TeamArgs, TeamName,
};
use dailies_database::DatabaseError;
use serde_json::Value;

use super::error::Refusal;
use super::functions::{Call, value};
use super::{idempotency, members as memberships, roles, teams as team_functions};
use crate::clock::{now_millis, wire};
use crate::db::invitations::{self, NewInvitation};
use crate::db::{members, teams};
use crate::random;

/// RFC 5321's longest path, without its brackets.
const LONGEST_EMAIL: usize = 254;

/// Invites; answers the token, once. A second invitation of an address ends the first.
pub(crate) async fn invite(mut call: Call) -> Result<Value, Refusal> {
    let args: InviteMember = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let email = address(&args.email)?;
    let token = random::secret();
    let answer = Value::String(token.clone());
    call.team
        .database
        .write::<_, Refusal, _>(move |connection| {
            let own = roles::team(connection, &user, &args.team_id, Role::Admin)?;
            memberships::not_above(own, args.role)?;
            let invitation = NewInvitation {
                team_id: &args.team_id,
                email: &email,
                role: args.role,
                inviter_id: &user.user_id,
            };
            Ok(invitations::insert(connection, &token, &invitation, now_millis())?)
        })
        .await?;
    Ok(answer)
}

/// Those who were invited and did not come yet.
pub(crate) async fn list(mut call: Call) -> Result<Value, Refusal> {
    let args: TeamArgs = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let rows = call
        .team
        .database
        .read::<_, Refusal, _>(move |connection| {
            roles::team(connection, &user, &args.team_id, Role::Admin)?;
            Ok(invitations::of_team(connection, &args.team_id, now_millis())?)
        })
        .await?;
    let shown = rows.into_iter().map(|row| Invite {
        id: row.id,
        creation_time: wire(row.created_at),
        team_id: row.team_id,
        email: row.email,
        role: row.role,
        invited_by_clerk_id: row.inviter_id,
        invited_by_name: row.inviter_name,
        expires_at: wire(row.expires_at),
    });
    value(shown.collect::<Vec<_>>())
}

/// Takes an invitation back.
pub(crate) async fn revoke(mut call: Call) -> Result<Value, Refusal> {
    let args: RevokeInvite = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let keyed = call.keyed;
    call.team
        .database
        .write(move |connection| {
            idempotency::in_transaction(connection, keyed.as_ref(), || {
                let own = roles::team(connection, &user, &args.team_id, Role::Admin)?;
                let open = invitations::of_team(connection, &args.team_id, now_millis())?;
                let found = open.into_iter().find(|open| open.id == args.invite_id);
                let found = found.ok_or_else(|| {
                    Refusal::new(ErrorCode::NotFound, "no such invitation").at("inviteId")
                })?;
                memberships::not_above(own, found.role)?;
                invitations::delete(connection, &found.id)?;
                Ok(Value::Null)
            })
        })
        .await
}

/// What an invitation is to; null where it does not hold.
pub(crate) async fn by_token(mut call: Call) -> Result<Value, Refusal> {
    let args: InviteToken = call.args()?;
    let seen = call
        .team
        .database
        .read::<_, DatabaseError, _>(move |connection| {
            let Some(row) = invitations::by_token(connection, &args.token, now_millis())? else {
                return Ok(None);
            };
            let team = teams::get(connection, &row.team_id)?.ok_or(DatabaseError::Stale)?;
            Ok(Some(InviteSeen {
                team: TeamName { name: team.name, slug: team.slug },
                invited_by: row.inviter_name,
                email: row.email,
                role: row.role,
            }))
        })
        .await?;
    value(seen)
}

/// Makes the caller a member; answers the team. The inviter must still be able to give the role.
pub(crate) async fn accept(mut call: Call) -> Result<Value, Refusal> {
    let args: InviteToken = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let keyed = call.keyed;
    call.team
        .database
        .write(move |connection| {
            idempotency::in_transaction(connection, keyed.as_ref(), || {
                let gone = || {
                    let message = "this invitation ended, was used, or never was; ask for another";
                    Refusal::new(ErrorCode::NotFound, message).at("token")
                };
                let invitation = invitations::by_token(connection, &args.token, now_millis())?
                    .ok_or_else(gone)?;
                let inviter =
                    members::role(connection, &invitation.team_id, &invitation.inviter_id)?;
                if inviter.is_none_or(|role| role < Role::Admin || role < invitation.role) {
                    return Err(gone());
                }
                if members::role(connection, &invitation.team_id, &user.user_id)?.is_some() {
                    let message = "you are a member of this team already";
                    return Err(Refusal::new(ErrorCode::WrongState, message));
                }
                members::insert(connection, &invitation.team_id, &user.user_id, invitation.role)?;
                invitations::delete(connection, &invitation.id)?;
                let team =
                    teams::get(connection, &invitation.team_id)?.ok_or(DatabaseError::Stale)?;
                value(team_functions::shown(team, invitation.role))
            })
        })
        .await
}

/// An address in lower case. Only what cannot be one is refused: nobody but its mail server knows.
fn address(email: &str) -> Result<String, Refusal> {
    let email = email.trim().to_lowercase();
    let parts = email.rsplit_once('@');
    let good = email.len() <= LONGEST_EMAIL
        && !email.contains(|c: char| c.is_whitespace() || c.is_control())
        && parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if good { Ok(email) } else { Err(Refusal::argument("email", "not an e-mail address")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_two_sides() {
        assert_eq!(address(" Mia@Studio.example ").expect("good"), "mia@studio.example");
        for bad in ["", "mia", "@studio", "mia@", "a b@c.d", "a@b\n.c", &"x".repeat(255)] {
            address(bad).expect_err(bad);
        }
    }
}

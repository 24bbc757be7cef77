//! `teams:…`: teams, their members, and invitations.

use serde::{Deserialize, Serialize};

use crate::projects::Role;

/// Arguments of the functions that take nothing, such as `teams:list`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoArgs {}

/// Arguments of `teams:create`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateTeam {
    /// What people call it.
    pub name: String,
}

/// Answer of `teams:create`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedTeam {
    /// Its id.
    pub team_id: String,
    /// Its name in addresses, made from its name.
    pub slug: String,
}

/// Arguments of every function that takes only a team.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TeamArgs {
    /// Which.
    pub team_id: String,
}

/// Arguments of `teams:getBySlug`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SlugArgs {
    /// Its name in addresses.
    pub slug: String,
}

/// Arguments of `teams:update`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateTeam {
    /// Which.
    pub team_id: String,
    /// What people call it from now on; its name in addresses stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A team's row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Team {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: String,
    /// Milliseconds since 1970, by the server's clock.
    #[serde(rename = "_creationTime")]
    pub creation_time: f64,
    /// What people call it.
    pub name: String,
    /// Its name in addresses.
    pub slug: String,
    /// What the caller may do in it.
    pub role: Role,
}

/// A member, as `teams:getMembers` lists them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The membership's id, which names it together with the team's.
    #[serde(rename = "_id")]
    pub id: String,
    /// The same again.
    pub membership_id: String,
    /// The team.
    pub team_id: String,
    /// The user.
    pub user_clerk_id: String,
    /// What people call them.
    pub user_name: String,
    /// What they may do.
    pub role: Role,
}

/// Arguments of `teams:updateMemberRole`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateMemberRole {
    /// The team.
    pub team_id: String,
    /// Whose membership.
    pub membership_id: String,
    /// What they may do from now on.
    pub role: Role,
}

/// Arguments of `teams:removeMember`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemoveMember {
    /// The team.
    pub team_id: String,
    /// Whose membership.
    pub membership_id: String,
}

/// Arguments of `teams:inviteMember`; the answer is the invitation's token, which is said only once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InviteMember {
    /// The team.
    pub team_id: String,
    /// Whom.
    pub email: String,
    /// What they will be.
    pub role: Role,
}

/// Arguments of `teams:acceptInvite` and `teams:getInviteByToken`. The token lets in: no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InviteToken {
    /// The answer of `teams:inviteMember`.
    pub token: String,
}

/// Arguments of `teams:revokeInvite`, which only our server has.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RevokeInvite {
    /// The team.
    pub team_id: String,
    /// `_id` of the invitation.
    pub invite_id: String,
}

/// An invitation, as `teams:getInvites` lists it. Its token is known to the invited only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invite {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: String,
    /// Milliseconds since 1970, by the server's clock.
    #[serde(rename = "_creationTime")]
    pub creation_time: f64,
    /// The team.
    pub team_id: String,
    /// Who is invited.
    pub email: String,
    /// What they will be.
    pub role: Role,
    /// Who invited.
    pub invited_by_clerk_id: String,
    /// Their name.
    pub invited_by_name: String,
    /// When it ends, milliseconds since 1970.
    pub expires_at: f64,
}

/// What `teams:getInviteByToken` tells whoever holds an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteSeen {
    /// The team.
    pub team: TeamName,
    /// Who invited.
    pub invited_by: String,
    /// Who is invited.
    pub email: String,
    /// What they will be.
    pub role: Role,
}

/// What a team is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamName {
    /// By people.
    pub name: String,
    /// In addresses.
    pub slug: String,
}

//! Roles, in one place: owner > admin > member > viewer, asked at every call in the team that the
//! thing itself belongs to.
//!
//! A stranger learns nothing: what belongs to another team does not exist for them.

use dailies_api::error::ErrorCode;
use dailies_api::projects::Role;
use rusqlite::Connection;

use super::Team;
use super::caller::{Caller, Principal};
use super::error::Refusal;
use crate::db::videos::{self, VideoRow};
use crate::db::{members, projects};

/// A video, and what the caller is in its team.
pub(crate) struct VideoAccess {
    pub(crate) video: VideoRow,
    pub(crate) role: Role,
}

impl Team {
    /// The video, if the caller is at least `needed` in its team.
    pub(crate) async fn video_for(
        &self,
        caller: &Caller,
        video_id: &str,
        needed: Role,
    ) -> Result<VideoAccess, Refusal> {
        let user = known(caller)?.clone();
        let video_id = video_id.to_owned();
        self.database.read(move |connection| video(connection, &user, &video_id, needed)).await
    }
}

/// The user behind a call; every function that is not for anyone begins here.
pub(crate) fn known(caller: &Caller) -> Result<&Principal, Refusal> {
    match caller {
        Caller::User(user) => Ok(user),
        Caller::Anonymous => Err(Refusal::new(
            ErrorCode::Unauthenticated,
            "this function needs `Authorization: Bearer …`, with an API key or a token",
        )),
    }
}

/// The caller's role in the team: no more than the user's; by a key, no more than the key's own,
/// and none outside the key's team.
pub(crate) fn role_in(
    connection: &Connection,
    user: &Principal,
    team_id: &str,
) -> Result<Option<Role>, Refusal> {
    let member = members::role(connection, team_id, &user.user_id)?;
    Ok(match &user.scope {
        None => member,
        Some(scope) if scope.team_id == team_id => member.map(|role| role.min(scope.role)),
        Some(_) => None,
    })
}

/// The teams in which the caller is at least `needed`, with the role in each.
pub(crate) fn teams(
    connection: &Connection,
    user: &Principal,
    needed: Role,
) -> Result<Vec<(String, Role)>, Refusal> {
    let mut teams = Vec::new();
    for team_id in members::teams_of(connection, &user.user_id)? {
        if let Some(role) = role_in(connection, user, &team_id)?
            && role >= needed
        {
            teams.push((team_id, role));
        }
    }
    Ok(teams)
}

/// Refuses unless the caller is at least `needed` in the project's team.
pub(crate) fn project(
    connection: &Connection,
    user: &Principal,
    project_id: &str,
    needed: Role,
) -> Result<(), Refusal> {
    let unknown = || {
        Refusal::new(ErrorCode::NotFound, "no such project, or none of your team's").at("projectId")
    };
    let team_id = projects::team_of(connection, project_id)?.ok_or_else(unknown)?;
    let role = role_in(connection, user, &team_id)?.ok_or_else(unknown)?;
    enough(role, needed)
}

/// The caller's role in the team, which must be at least `needed`.
pub(crate) fn team(
    connection: &Connection,
    user: &Principal,
    team_id: &str,
    needed: Role,
) -> Result<Role, Refusal> {
    let unknown =
        || Refusal::new(ErrorCode::NotFound, "no such team, or none of yours").at("teamId");
    let role = role_in(connection, user, team_id)?.ok_or_else(unknown)?;
    enough(role, needed)?;
    Ok(role)
}

fn video(
    connection: &Connection,
    user: &Principal,
    video_id: &str,
    needed: Role,
) -> Result<VideoAccess, Refusal> {
    let video = videos::get(connection, video_id)?.ok_or_else(Refusal::no_video)?;
    let role = role_in(connection, user, &video.team_id)?.ok_or_else(Refusal::no_video)?;
    enough(role, needed)?;
    Ok(VideoAccess { video, role })
}

/// Refuses a role that is too low.
pub(crate) fn enough(role: Role, needed: Role) -> Result<(), Refusal> {
    if role >= needed {
        return Ok(());
    }
    let message = format!("requires the role {} or higher", crate::db::text(needed));
    Err(Refusal::new(ErrorCode::Forbidden, message))
}

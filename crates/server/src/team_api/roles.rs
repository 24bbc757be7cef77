//! Roles, in one place: owner > admin > member > viewer, asked at every call in the team that the
//! thing itself belongs to.
//!
//! A stranger learns nothing: what belongs to another team does not exist for them.

use dailies_api::error::ErrorCode;
use dailies_api::projects::Role;
use rusqlite::Connection;

use super::Team;
use super::caller::Caller;
use super::error::Refusal;
use crate::db::api_keys::KeyRow;
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
        let key = known(caller)?.clone();
        let video_id = video_id.to_owned();
        self.database.read(move |connection| video(connection, &key, &video_id, needed)).await
    }
}

/// The user behind a call; every function that is not for anyone begins here.
pub(crate) fn known(caller: &Caller) -> Result<&KeyRow, Refusal> {
    match caller {
        Caller::Key(key) => Ok(key),
        Caller::Anonymous => Err(Refusal::new(
            ErrorCode::Unauthenticated,
            "this function needs `Authorization: Bearer sk-…`",
        )),
    }
}

/// The key's role in the team: no more than the key's own, no more than its user's, and none
/// outside the key's team.
pub(crate) fn role_in(
    connection: &Connection,
    key: &KeyRow,
    team_id: &str,
) -> Result<Option<Role>, Refusal> {
    if key.team_id != team_id {
        return Ok(None);
    }
    let member = members::role(connection, team_id, &key.user_id)?;
    Ok(member.map(|role| role.min(key.role)))
}

/// Refuses unless the caller is at least `needed` in the project's team.
pub(crate) fn project(
    connection: &Connection,
    key: &KeyRow,
    project_id: &str,
    needed: Role,
) -> Result<(), Refusal> {
    let unknown = || {
        Refusal::new(ErrorCode::NotFound, "no such project, or none of your team's").at("projectId")
    };
    let team_id = projects::team_of(connection, project_id)?.ok_or_else(unknown)?;
    let role = role_in(connection, key, &team_id)?.ok_or_else(unknown)?;
    enough(role, needed)
}

fn video(
    connection: &Connection,
    key: &KeyRow,
    video_id: &str,
    needed: Role,
) -> Result<VideoAccess, Refusal> {
    let video = videos::get(connection, video_id)?.ok_or_else(Refusal::no_video)?;
    let role = role_in(connection, key, &video.team_id)?.ok_or_else(Refusal::no_video)?;
    enough(role, needed)?;
    Ok(VideoAccess { video, role })
}

fn enough(role: Role, needed: Role) -> Result<(), Refusal> {
    if role >= needed {
        return Ok(());
    }
    let message = format!("requires the role {} or higher", crate::db::text(needed));
    Err(Refusal::new(ErrorCode::Forbidden, message))
}

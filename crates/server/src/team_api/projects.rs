//! `projects:listUploadTargets`.

use dailies_api::projects::{ListUploadTargets, Role, UploadTarget};
use serde_json::Value;

use super::caller::Caller;
use super::error::Refusal;
use super::functions::{Call, value};
use super::roles;
use crate::db::projects;

/// Where the caller may upload to; nowhere for the anonymous and for viewers.
pub(crate) async fn list_upload_targets(mut call: Call) -> Result<Value, Refusal> {
    let args: ListUploadTargets = call.args()?;
    let Caller::User(user) = call.caller else { return value([(); 0]) };
    let targets = call
        .team
        .database
        .read::<_, Refusal, _>(move |connection| {
            let wanted = |slug: &str| args.team_slug.as_deref().is_none_or(|wanted| wanted == slug);
            let mut targets = Vec::new();
            for (team_id, role) in roles::teams(connection, &user, Role::Member)? {
                let projects = projects::of_team(connection, &team_id)?;
                targets.extend(
                    projects.into_iter().filter(|project| wanted(&project.team_slug)).map(
                        |project| UploadTarget {
                            project_id: project.id,
                            project_name: project.name,
                            project_path: project.path,
                            team_id: team_id.clone(),
                            team_name: project.team_name,
                            team_slug: project.team_slug,
                            role,
                        },
                    ),
                );
            }
            Ok(targets)
        })
        .await?;
    value(targets)
}

//! `projects:list`, `:listChildren`, `:get`, `:breadcrumb`, `:listForMove`, `:create`, `:update`, `:move`, `:remove`.
//!
//! Every change looks at the tree in its own transaction, so no two of them together make a cycle.

use dailies_api::error::ErrorCode;
use dailies_api::projects::{
    CreateProject, Crumb, ListProjects, ListedProject, MoveProject, Project, ProjectArgs,
    ProjectPlace, RemovedProject, Role, UpdateProject,
};
use dailies_api::teams::TeamArgs;
use dailies_database::DatabaseError;
use rusqlite::Connection;
use serde_json::Value;

use super::error::Refusal;
use super::functions::{Call, value};
use super::{argument, idempotency, roles};
use crate::clock::{now_millis, wire};
use crate::db::projects::tree::{self, Folder};
use crate::db::projects::{self, DEEPEST, NewProject};
use crate::db::removals;
use crate::db::videos::listing;
use crate::random;

/// One level of a team's tree.
pub(crate) async fn list(mut call: Call) -> Result<Value, Refusal> {
    let args: ListProjects = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let listed = call
        .team
        .database
        .read::<_, Refusal, _>(move |connection| {
            roles::team(connection, &user, &args.team_id, Role::Viewer)?;
            if let Some(parent) = &args.parent_id {
                of_team(connection, parent, &args.team_id, "parentId")?;
            }
            Ok(level(connection, &args.team_id, args.parent_id.as_deref())?)
        })
        .await?;
    value(listed)
}

/// What lies directly in a project.
pub(crate) async fn children(mut call: Call) -> Result<Value, Refusal> {
    let args: ProjectArgs = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let listed = call
        .team
        .database
        .read::<_, Refusal, _>(move |connection| {
            let parent = roles::project(connection, &user, &args.project_id, Role::Viewer)?.project;
            Ok(level(connection, &parent.team_id, Some(&parent.id))?)
        })
        .await?;
    value(listed)
}

/// The row, with the caller's role.
pub(crate) async fn get(mut call: Call) -> Result<Value, Refusal> {
    let args: ProjectArgs = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let access = call
        .team
        .database
        .read::<_, Refusal, _>(move |connection| {
            roles::project(connection, &user, &args.project_id, Role::Viewer)
        })
        .await?;
    value(Project { role: Some(access.role), ..shown(access.project) })
}

/// What the project lies in, topmost first, itself last.
pub(crate) async fn breadcrumb(mut call: Call) -> Result<Value, Refusal> {
    let args: ProjectArgs = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let path = call
        .team
        .database
        .read::<_, Refusal, _>(move |connection| {
            roles::project(connection, &user, &args.project_id, Role::Viewer)?;
            Ok(tree::path(connection, &args.project_id)?)
        })
        .await?;
    let crumbs = path.into_iter().map(|folder| Crumb { id: folder.id, name: folder.name });
    value(crumbs.collect::<Vec<_>>())
}

/// All projects of a team by their paths, to choose where another goes.
pub(crate) async fn list_for_move(mut call: Call) -> Result<Value, Refusal> {
    let args: TeamArgs = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let rows = call
        .team
        .database
        .read::<_, Refusal, _>(move |connection| {
            roles::team(connection, &user, &args.team_id, Role::Viewer)?;
            Ok(projects::of_team(connection, &args.team_id)?)
        })
        .await?;
    let places = rows.into_iter().map(|row| ProjectPlace {
        id: row.id,
        name: row.name,
        parent_id: row.parent_id,
        path: row.path,
    });
    value(places.collect::<Vec<_>>())
}

/// Makes a project; answers its id.
pub(crate) async fn create(mut call: Call) -> Result<Value, Refusal> {
    let args: CreateProject = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let name = argument::name(&args.name)?;
    let description = description(args.description.as_deref())?;
    let keyed = call.keyed;
    call.team
        .database
        .write(move |connection| {
            idempotency::in_transaction(connection, keyed.as_ref(), || {
                roles::team(connection, &user, &args.team_id, Role::Member)?;
                if let Some(parent) = &args.parent_id {
                    of_team(connection, parent, &args.team_id, "parentId")?;
                    fits(tree::path(connection, parent)?.len() + 1, "parentId")?;
                }
                let id = random::id();
                let project = NewProject {
                    id: &id,
                    team_id: &args.team_id,
                    parent_id: args.parent_id.as_deref(),
                    name: &name,
                };
                projects::insert(connection, &project, now_millis())?;
                tree::describe(connection, &id, None, description.as_deref())?;
                Ok(Value::String(id))
            })
        })
        .await
}

/// Renames and describes.
pub(crate) async fn update(mut call: Call) -> Result<Value, Refusal> {
    let args: UpdateProject = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let name = args.name.as_deref().map(argument::name).transpose()?;
    let description = description(args.description.as_deref())?;
    call.team
        .database
        .write(move |connection| {
            roles::project(connection, &user, &args.project_id, Role::Member)?;
            tree::describe(connection, &args.project_id, name.as_deref(), description.as_deref())?;
            Ok(Value::Null)
        })
        .await
}

/// Moves a project with all within it, to another place of the same team.
pub(crate) async fn move_to(mut call: Call) -> Result<Value, Refusal> {
    let args: MoveProject = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    call.team
        .database
        .write(move |connection| {
            let access = roles::project(connection, &user, &args.project_id, Role::Member)?;
            if let Some(parent) = &args.new_parent_id {
                of_team(connection, parent, &access.project.team_id, "newParentId")?;
                let within = tree::within(connection, &args.project_id)?;
                if within.iter().any(|(id, _)| id == parent) {
                    let message = "a project cannot lie within itself";
                    return Err(Refusal::argument("newParentId", message));
                }
                let height = within.first().map_or(0, |(_, level)| *level as usize) + 1;
                fits(tree::path(connection, parent)?.len() + height, "newParentId")?;
            }
            tree::set_parent(connection, &args.project_id, args.new_parent_id.as_deref())?;
            Ok(Value::Null)
        })
        .await
}

/// Removes a project and all within it; answers how much that was.
pub(crate) async fn remove(mut call: Call) -> Result<Value, Refusal> {
    let args: ProjectArgs = call.args()?;
    let user = roles::known(&call.caller)?.clone();
    let keyed = call.keyed;
    // A video's upload may just be beginning; no other one begins in a project that is gone.
    let id = args.project_id.clone();
    let within = call
        .team
        .database
        .read::<_, DatabaseError, _>(move |connection| videos_within(connection, &id))
        .await?;
    let mut held = Vec::with_capacity(within.len());
    for id in &within {
        held.push(call.team.locks.hold(id).await);
    }
    let answer = call
        .team
        .database
        .write(move |connection| {
            idempotency::in_transaction(connection, keyed.as_ref(), || {
                roles::project(connection, &user, &args.project_id, Role::Admin)?;
                if videos_within(connection, &args.project_id)? != within {
                    let message = "a video came or went meanwhile; look again";
                    return Err(Refusal::new(ErrorCode::WrongState, message));
                }
                value(clear(connection, &args.project_id, now_millis())?)
            })
        })
        .await?;
    call.team.removals.notify_one();
    tracing::info!(%answer, "a project was removed with all within it");
    Ok(answer)
}

/// Ids in order, which is the order of their locks.
fn videos_within(connection: &Connection, id: &str) -> Result<Vec<String>, DatabaseError> {
    let mut ids = Vec::new();
    for (project, _) in tree::within(connection, id)? {
        ids.extend(listing::of_project(connection, &project)?.into_iter().map(|video| video.id));
    }
    ids.sort_unstable();
    Ok(ids)
}

fn clear(connection: &Connection, id: &str, now: i64) -> Result<RemovedProject, DatabaseError> {
    let mut removed = RemovedProject { removed_projects: 0, removed_videos: 0 };
    for (project, _) in tree::within(connection, id)? {
        // Read anew at each: removing one version renumbers the others.
        while let Some(video) = listing::of_project(connection, &project)?.pop() {
            removals::begin(connection, &video, now)?;
            removed.removed_videos += 1;
        }
        tree::delete(connection, &project)?;
        removed.removed_projects += 1;
    }
    Ok(removed)
}

/// A level, with what lies in each of its projects.
pub(super) fn level(
    connection: &Connection,
    team_id: &str,
    parent_id: Option<&str>,
) -> Result<Vec<ListedProject>, DatabaseError> {
    tree::level(connection, team_id, parent_id)?
        .into_iter()
        .map(|folder| {
            let counts = tree::counts(connection, &folder.id)?;
            Ok(ListedProject {
                project: shown(folder),
                video_count: counts.videos,
                subfolder_count: counts.projects,
                last_uploaded_at: counts.last_uploaded_at.map(wire),
            })
        })
        .collect()
}

fn shown(folder: Folder) -> Project {
    Project {
        id: folder.id,
        creation_time: wire(folder.created_at),
        team_id: folder.team_id,
        parent_id: folder.parent_id,
        name: folder.name,
        description: folder.description,
        role: None,
    }
}

fn of_team(connection: &Connection, id: &str, team_id: &str, field: &str) -> Result<(), Refusal> {
    match tree::get(connection, id)? {
        Some(folder) if folder.team_id == team_id => Ok(()),
        _ => {
            let message = "no such project, or none of this team's";
            Err(Refusal::new(ErrorCode::NotFound, message).at(field))
        }
    }
}

fn fits(levels: usize, field: &str) -> Result<(), Refusal> {
    if levels <= DEEPEST as usize {
        return Ok(());
    }
    Err(Refusal::argument(field, format!("projects lie in each other at most {DEEPEST} deep")))
}

fn description(text: Option<&str>) -> Result<Option<String>, Refusal> {
    text.map(|text| argument::text("description", text)).transpose()
}

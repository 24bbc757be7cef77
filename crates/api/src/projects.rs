//! `projects:listUploadTargets`: where an upload may go.

use serde::{Deserialize, Serialize};

/// What a caller may do in a team, each including what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Watches.
    Viewer,
    /// Uploads, too.
    Member,
    /// Manages people and projects, too.
    Admin,
    /// Owns the team.
    Owner,
}

/// Arguments of `projects:listUploadTargets`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListUploadTargets {
    /// Only this team's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_slug: Option<String>,
}

/// One project that the caller may upload to. The answer is a list of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadTarget {
    /// Argument of `videos:create`.
    pub project_id: String,
    /// Its own name.
    pub project_name: String,
    /// With its parents' names: `Campaign / Rushes`.
    pub project_path: String,
    /// The team it belongs to.
    pub team_id: String,
    /// That team's name.
    pub team_name: String,
    /// That team's name in addresses.
    pub team_slug: String,
    /// The caller's role in that team.
    pub role: Role,
}

/// Arguments of `projects:create`; the answer is the project's id.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateProject {
    /// Whose it is.
    pub team_id: String,
    /// What people call it.
    pub name: String,
    /// What people may read besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it lies in; absent for a topmost one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
}

/// Arguments of `projects:list`: one level.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListProjects {
    /// Whose.
    pub team_id: String,
    /// What they lie in; absent for the topmost ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
}

/// Arguments of every function that takes only a project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProjectArgs {
    /// Which.
    pub project_id: String,
}

/// Arguments of `projects:update`. What is absent stays.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UpdateProject {
    /// Which.
    pub project_id: String,
    /// What people call it from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What people may read besides; an empty text takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Arguments of `projects:move`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MoveProject {
    /// Which.
    pub project_id: String,
    /// What it lies in from now on; absent for the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_parent_id: Option<String>,
}

/// A project's row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: String,
    /// Milliseconds since 1970, by the server's clock.
    #[serde(rename = "_creationTime")]
    pub creation_time: f64,
    /// Whose it is.
    pub team_id: String,
    /// What it lies in; absent for a topmost one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// What people call it.
    pub name: String,
    /// What people may read besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The caller's role; only in `projects:get`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// A project in a list, with what lies directly in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedProject {
    /// The row.
    #[serde(flatten)]
    pub project: Project,
    /// Videos; of versions, only the latest counts.
    pub video_count: u32,
    /// Projects.
    pub subfolder_count: u32,
    /// When the newest of its videos came, milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_uploaded_at: Option<f64>,
}

/// Answer of `projects:remove`: what went, so that nothing goes unseen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovedProject {
    /// Projects, this one included.
    pub removed_projects: u32,
    /// Videos within, every version counted.
    pub removed_videos: u32,
}

/// One step of `projects:breadcrumb`, topmost first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crumb {
    /// The project.
    #[serde(rename = "_id")]
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// A project in `projects:listForMove`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectPlace {
    /// The project.
    #[serde(rename = "_id")]
    pub id: String,
    /// Its own name.
    pub name: String,
    /// What it lies in; absent for a topmost one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// With its parents' names: `Campaign / Rushes`.
    pub path: String,
}

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

//! A team's projects by their names.

use dailies_api::convex::FunctionKind::{Mutation, Query};
use dailies_api::projects::{CreateProject, ListUploadTargets, UploadTarget};

use crate::error::EngineError;
use crate::team::{Api, Dialect, Team, probe};

impl Team {
    /// Whether it says which projects and videos it has, and changes them.
    #[must_use]
    pub fn has_projects(&self) -> bool {
        self.api() == Api::VideoActions(Dialect::Current)
    }

    /// Asks where uploads may go now; [`Self::targets`] is what it said at the start.
    ///
    /// # Errors
    /// Those of [`Self::connect`].
    pub async fn ask_for_targets(&self) -> Result<Vec<UploadTarget>, EngineError> {
        let args = ListUploadTargets::default();
        let targets = self.client().call(Query, "projects:listUploadTargets", &args).await;
        targets.map_err(|error| probe::refusal(self.client().base(), error.into()))
    }

    /// Makes a topmost project, and says its id. With the same key nothing is made twice by a server
    /// that knows it.
    ///
    /// # Errors
    /// Those of [`Self::connect`].
    pub async fn make_project(
        &self,
        team_id: &str,
        name: &str,
        key: &str,
    ) -> Result<String, EngineError> {
        let (team_id, name) = (team_id.to_owned(), name.to_owned());
        let args = CreateProject { team_id, name, description: None, parent_id: None };
        let made = self.client().call_once(Mutation, "projects:create", &args, Some(key)).await;
        made.map_err(|error| probe::refusal(self.client().base(), error.into()))
    }
}

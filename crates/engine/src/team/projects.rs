//! A team's projects and videos by their names.

use dailies_api::convex::FunctionKind::{Mutation, Query};
use dailies_api::projects::{CreateProject, ListUploadTargets, UploadTarget};
use dailies_api::videos::{ListVideos, PaginationOpts, Video, VideoPage, VideoStatus};

use crate::error::{Code, EngineError};
use crate::team::{Api, Dialect, Team, probe};

/// Videos asked for at once when one is looked for by its title …
const PAGE: u64 = 100;
/// … and how often: a project with more of them has to be searched by somebody else.
const PAGES: u64 = 100;

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

    /// The newest video of a title that a project has, of versions the latest; none that has no bytes.
    ///
    /// # Errors
    /// Those of [`Self::connect`].
    pub async fn video_called(
        &self,
        project_id: &str,
        title: &str,
    ) -> Result<Option<String>, EngineError> {
        // As teams keep titles.
        let title = title.trim();
        let mut cursor = None;
        for _ in 0..PAGES {
            let pagination_opts = PaginationOpts { num_items: PAGE, cursor };
            let args = ListVideos { project_id: project_id.to_owned(), pagination_opts };
            let page: Result<VideoPage, _> = self.client().call(Query, "videos:list", &args).await;
            let page = page.map_err(|error| probe::refusal(self.client().base(), error.into()))?;
            let has_bytes = |video: &&Video| {
                matches!(video.status, VideoStatus::Processing | VideoStatus::Ready)
            };
            let mut called = page.page.iter().filter(|video| video.title.trim() == title);
            if let Some(video) = called.find(has_bytes) {
                return Ok(Some(video.id.clone()));
            }
            if page.is_done {
                return Ok(None);
            }
            cursor = Some(page.continue_cursor);
        }
        let words = format!("the project has more than {} videos", PAGE * PAGES);
        Err(EngineError::new(Code::Refused, words))
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

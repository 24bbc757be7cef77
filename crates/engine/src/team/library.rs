//! What a team has: its projects, their videos page by page, and the links that share one.

use dailies_api::convex::FunctionKind::{self, Action, Mutation, Query};
use dailies_api::playback::{OriginalArgs, OriginalUrl};
use dailies_api::projects::ProjectPlace;
use dailies_api::share_links::{CreateShareLink, CreatedShareLink, LinkArgs, ShareLink};
use dailies_api::teams::{NoArgs, Team as TeamRow, TeamArgs};
use dailies_api::videos::{ListVideos, PaginationOpts, Video, VideoArgs, VideoPage};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::EngineError;
use crate::team::{Team, probe};
use crate::transfer::Failure;

impl Team {
    /// The teams in which the caller is anything, with all their projects by their paths.
    ///
    /// # Errors
    /// Those of [`Self::connect`].
    pub(crate) async fn all_projects(
        &self,
    ) -> Result<Vec<(TeamRow, Vec<ProjectPlace>)>, EngineError> {
        let teams: Vec<TeamRow> = self.ask(Query, "teams:list", &NoArgs {}).await?;
        let mut all = Vec::with_capacity(teams.len());
        for team in teams {
            let args = TeamArgs { team_id: team.id.clone() };
            let projects = self.ask(Query, "projects:listForMove", &args).await?;
            all.push((team, projects));
        }
        Ok(all)
    }

    /// Videos of a project, newest first, each in its latest version.
    ///
    /// # Errors
    /// [`Code::NotFound`](crate::error::Code::NotFound), and those of [`Self::connect`].
    pub(crate) async fn page_of_videos(
        &self,
        project_id: &str,
        rows: u64,
        cursor: Option<String>,
    ) -> Result<VideoPage, EngineError> {
        let pagination_opts = PaginationOpts { num_items: rows, cursor };
        let args = ListVideos { project_id: project_id.to_owned(), pagination_opts };
        self.ask(Query, "videos:list", &args).await
    }

    /// The links that share a video.
    ///
    /// # Errors
    /// As [`Self::page_of_videos`].
    pub(crate) async fn share_links(&self, video_id: &str) -> Result<Vec<ShareLink>, EngineError> {
        let args = VideoArgs { video_id: video_id.to_owned() };
        self.ask(Query, "shareLinks:list", &args).await
    }

    /// Makes a link.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::error::Code::Forbidden), and those of [`Self::page_of_videos`].
    pub(crate) async fn make_share_link(
        &self,
        link: &CreateShareLink,
    ) -> Result<CreatedShareLink, EngineError> {
        self.ask(Mutation, "shareLinks:create", link).await
    }

    /// Takes a link back.
    ///
    /// # Errors
    /// As [`Self::make_share_link`].
    pub(crate) async fn revoke_share_link(&self, link_id: String) -> Result<(), EngineError> {
        // Null from some servers, an object from others.
        let _: serde_json::Value =
            self.ask(Mutation, "shareLinks:remove", &LinkArgs { link_id }).await?;
        Ok(())
    }

    /// Where a video's original is to be saved from, and under which name.
    ///
    /// # Errors
    /// What the call was refused for.
    pub(crate) async fn download_of(&self, video_id: &str) -> Result<OriginalUrl, Failure> {
        let args = OriginalArgs { video_id: video_id.to_owned(), grant_token: None };
        Ok(self.client().call(Action, "videoActions:getDownloadUrl", &args).await?)
    }

    /// A video, for whoever fetches its original.
    ///
    /// # Errors
    /// What the call was refused for.
    pub(crate) async fn original_of(&self, video_id: &str) -> Result<Video, Failure> {
        let args = VideoArgs { video_id: video_id.to_owned() };
        Ok(self.client().call(Query, "videos:get", &args).await?)
    }

    async fn ask<A: Serialize, R: DeserializeOwned>(
        &self,
        kind: FunctionKind,
        path: &str,
        args: &A,
    ) -> Result<R, EngineError> {
        let answer = self.client().call(kind, path, args).await;
        answer.map_err(|error| probe::refusal(self.client().base(), error.into()))
    }

    /// A failure, for somebody who is waiting.
    pub(crate) fn refusal(&self, failure: Failure) -> EngineError {
        probe::refusal(self.client().base(), failure)
    }
}

//! Of which video a file of a watched folder becomes the next version, where its rules want that.

use crate::candidates::Candidate;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::folders::Question;
use crate::handle::{Command, EngineHandle};
use crate::store::Destination;

/// What a project has of a title.
pub(super) enum Namesake {
    /// Nothing.
    None,
    /// This video.
    Video(String),
    /// Another file of this queue is about to become it.
    UnderWay,
}

impl EngineHandle {
    /// What the project has by the title of a file.
    ///
    /// # Errors
    /// As [`Self::team_at`](EngineHandle::team_at), and what the team refuses.
    pub(super) async fn namesake(
        &self,
        to: &Destination,
        candidate: &Candidate,
    ) -> Result<Namesake, EngineError> {
        let what = Box::new((candidate.clone(), to.clone()));
        let asked = self.ask(|done| Command::Folders(Question::IsUnderWay(what, done))).await?;
        if asked? {
            return Ok(Namesake::UnderWay);
        }
        let team = self.team_at(&to.server).await?;
        let video = team.video_called(&to.project_id, &candidate.title).await?;
        Ok(video.map_or(Namesake::None, Namesake::Video))
    }
}

impl Engine {
    /// Whether another file is about to become what the project has by the title of this one. An
    /// earlier version of the same file makes room for it.
    pub(super) async fn is_under_way(
        &self,
        candidate: &Candidate,
        to: &Destination,
    ) -> Result<bool, EngineError> {
        let paths = self.store.under_way_called(candidate.title.clone(), to.clone()).await?;
        Ok(paths.iter().any(|path| *path != candidate.path))
    }
}

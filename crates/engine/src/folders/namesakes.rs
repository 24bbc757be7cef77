//! Of which video a file of a watched folder becomes the next version, where its rules want that.

use std::path::Path;

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
    /// What the project has by the title of the file at `path`.
    ///
    /// # Errors
    /// As [`Self::team_at`](EngineHandle::team_at), and what the team refuses.
    pub(super) async fn namesake(
        &self,
        to: &Destination,
        path: &Path,
        title: &str,
    ) -> Result<Namesake, EngineError> {
        let what = Box::new((title.to_owned(), to.clone()));
        let under_way = self.ask(|done| Command::Folders(Question::Called(what, done))).await??;
        // An earlier version of the same file makes room for this one.
        if under_way.iter().any(|other| other != path) {
            return Ok(Namesake::UnderWay);
        }
        let team = self.team_at(&to.server).await?;
        let video = team.video_called(&to.project_id, title).await?;
        Ok(video.map_or(Namesake::None, Namesake::Video))
    }
}

//! Plays the files of uploads from this computer's disk, until their team has something to play.
//!
//! By HTTP, for no window's own scheme would do: what plays media under WebKitGTK opens nothing else
//! (<https://bugs.webkit.org/show_bug.cgi?id=146351>). The addresses lead to this computer alone, and
//! only who asked [`LocalPlayback::open`] can know them.
//!
//! Must not know: teams, destinations, windows.

mod answer;
mod door;
mod file;
#[cfg(test)]
mod tests;

use tokio::sync::OnceCell;

use crate::error::{Code, EngineError};
use crate::handle::EngineHandle;
use crate::transfer::UploadId;
use crate::view::{PlaybackForm, PlaybackView};

use door::Door;
use file::LocalFile;

/// Plays local files. Dropped, it plays none any more.
#[derive(Debug)]
pub struct LocalPlayback {
    engine: EngineHandle,
    origins: Vec<String>,
    /// Opened when something is played first, for most runs play nothing.
    door: OnceCell<Door>,
}

impl LocalPlayback {
    /// For pages of these origins.
    #[must_use]
    pub fn new(engine: EngineHandle, origins: Vec<String>) -> Self {
        Self { engine, origins, door: OnceCell::new() }
    }

    /// Where an upload's file is played from while this lives: with byte ranges, by the upload's id.
    /// Each request looks again whether it is still the file that was added.
    ///
    /// # Errors
    /// [`Code::NotFound`], [`Code::SourceMissing`], [`Code::SourceChanged`],
    /// [`Code::SourceUnreadable`], and [`Code::Refused`] where the system has no port for it.
    pub async fn open(&self, id: UploadId) -> Result<PlaybackView, EngineError> {
        let file = LocalFile::of(&self.engine, id).await?;
        let door = self.door.get_or_try_init(|| Door::open(&self.engine, &self.origins)).await;
        let door = door.map_err(|error| EngineError::new(Code::Refused, error.to_string()))?;
        Ok(PlaybackView {
            url: door.address_of(id),
            form: PlaybackForm::Local,
            poster_url: None,
            storyboard_url: None,
            duration: file.duration,
            expires_at: None,
        })
    }
}

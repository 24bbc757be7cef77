//! What is kept of a download so that it goes on after a crash, and what may end a try.

use std::io;
use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use crate::error::{Code, EngineError};
use crate::handle::EngineHandle;
use crate::store::{Download, Stands};
use crate::transfer::Failure;

/// Why a try has ended.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Somebody wants that.
    Told,
    /// Of this computer's own: somebody has to do something.
    Here(Code),
    /// Of the team, its storage, or the way to them.
    There(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::There(failure)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        tracing::warn!(%error, "this computer refused a download's file");
        Self::Here(match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Code::FolderMissing,
            _ => Code::LocalStorage,
        })
    }
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        tracing::warn!(%error, "a download could not be written down");
        Self::Here(error.code)
    }
}

/// Works until somebody wants an end.
pub(super) async fn unless<T>(
    stop: &CancellationToken,
    work: impl Future<Output = T>,
) -> Result<T, Trouble> {
    stop.run_until_cancelled(work).await.ok_or(Trouble::Told)
}

/// A download's row.
pub(super) struct Kept {
    pub(super) engine: EngineHandle,
    pub(super) row: Download,
}

impl Kept {
    /// Changes the row. Returns once that is on disk.
    pub(super) async fn change(
        &mut self,
        change: impl FnOnce(&mut Download),
    ) -> Result<(), Trouble> {
        let mut row = self.row.clone();
        change(&mut row);
        let store = self.engine.store().await?;
        store.keep_download(row.clone()).await.map_err(EngineError::from)?;
        self.row = row;
        Ok(())
    }

    /// The file is in its place, under this name.
    pub(super) async fn is_done(&mut self, place: PathBuf, verified: bool) -> Result<(), Trouble> {
        self.change(|row| {
            (row.wanted.place, row.half) = (place, None);
            row.stands = Stands::Done { verified };
        })
        .await
    }

    /// Forgets it.
    pub(super) async fn forget(&self) -> Result<(), Trouble> {
        let store = self.engine.store().await?;
        Ok(store.forget_download(self.row.id).await.map_err(EngineError::from)?)
    }
}

//! Files of watched folders that go up while they are still being written: begun once, sized at
//! their end, given up with their folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::candidates::Candidate;
use crate::engine::Engine;
use crate::error::{Code, EngineError};
use crate::folders::Question;
use crate::folders::offer::current;
use crate::handle::{Command, EngineHandle};
use crate::protocol::{Order, UploadProtocol};
use crate::send::Writer;
use crate::steps::Advance;
use crate::store::{Destination, Folder, Registration, Upload};
use crate::transfer::{Growth, Hold, Input, UploadId};
use crate::watch::{Answer, Head, Namesakes, Version};

/// Files that go up while they grow, at the same time. Past that, they wait for their end.
const MOST: usize = 8;

impl EngineHandle {
    /// Begins to send a file that is still being written, where its team takes that. Where it does
    /// not, the file waits for its end.
    pub(super) async fn grow(
        &self,
        folder: &Folder,
        inside: PathBuf,
        version: Version,
        head: Head,
    ) -> Result<Answer, EngineError> {
        let server = folder.destination.server.clone();
        let protocol = self.ask(|done| Command::Folders(Question::Protocol(server, done))).await?;
        let Some(protocol) = protocol else { return Ok(Answer::Later) };
        match (protocol.takes_growing_files().await, head) {
            (None, _) => return Ok(Answer::Later),
            // What comes first would be known last.
            (Some(Order::FromTheStart), Head::WrittenAnew) => return Ok(Answer::Done),
            (Some(Order::FromTheStart), Head::Stays) | (Some(Order::Any), _) => {}
        }
        if folder.rules.namesakes == Namesakes::Version {
            // What it is a version of is looked for once it is finished.
            return Ok(Answer::Done);
        }
        let Some((candidate, _)) = current(folder, &inside, version.modified_ns).await? else {
            return Ok(Answer::Later);
        };
        // Why there is no such project is said at the file's end.
        let Ok(to) = self.destination_in(folder, &inside).await else { return Ok(Answer::Later) };
        let to = Destination { visibility: folder.rules.visibility, ..to };
        let what = Box::new((candidate, to, folder.rules.first));
        self.ask(|done| Command::Folders(Question::Grow(what, done))).await?
    }

    /// Tells whoever sends a file while it grows that its writer has closed it.
    pub(super) async fn writer_closed(
        &self,
        folder: &Folder,
        inside: &Path,
    ) -> Result<Answer, EngineError> {
        let what = Box::new((folder.path.join(inside), folder.destination.server.clone()));
        self.ask(|done| Command::Folders(Question::WriterClosed(what, done))).await?;
        Ok(Answer::Done)
    }

    /// A finished file is not sent by the upload that went along while it grew, if there is one.
    pub(super) async fn give_up_growing(
        &self,
        folder: &Folder,
        path: PathBuf,
    ) -> Result<(), EngineError> {
        let what = Box::new((path, folder.destination.server.clone()));
        self.ask(|done| Command::Folders(Question::GiveUpGrowing(what, done))).await?
    }
}

impl Engine {
    /// By what bytes get to a server that can be reached.
    pub(super) fn way_to(&self, server: &str) -> Option<Arc<dyn UploadProtocol>> {
        let connected = self.connections.get(server).filter(|connected| connected.is_open());
        connected.map(|connected| Arc::clone(&connected.protocol))
    }

    /// Puts a file into the queue that still grows, unless it is there already.
    pub(super) async fn begin_growing(
        &mut self,
        candidate: Candidate,
        to: &Destination,
        first: bool,
    ) -> Result<Answer, EngineError> {
        if !self.store.unfinished(vec![candidate.path.clone()], to.clone()).await?.is_empty() {
            // It goes up already, or an earlier version of it does: its end decides.
            return Ok(Answer::Done);
        }
        if self.store.growing().await?.len() >= MOST {
            return Ok(Answer::Later);
        }
        let growth = Some(Growth::Growing);
        let row = Upload { growth, first, ..self.new_row(candidate, UploadId::new(), to) };
        let places = self.store.insert(vec![row.clone()]).await?;
        self.inserted(vec![row], places);
        Ok(Answer::Done)
    }

    pub(super) fn writer_closed(&self, path: &Path, server: &str) {
        for entry in self.queue.loaded().filter(|entry| entry.server() == server) {
            if entry.row.path == path
                && let Some(running) = &entry.running
            {
                running.writer.send_replace(Writer::Closed);
            }
        }
    }

    /// Of the uploads of a file that is finished, the one that went along while it grew. It has the
    /// file's size from now on.
    pub(super) async fn settle(
        &mut self,
        earlier: &[(Upload, u64)],
        candidate: &Candidate,
    ) -> Result<Option<UploadId>, EngineError> {
        let Some((row, _)) = earlier.iter().find(|(row, _)| goes_on(row)) else { return Ok(None) };
        let id = row.id;
        let (fingerprint, content_type) =
            (candidate.fingerprint.clone(), candidate.content_type.clone());
        let settled = Advance::by(id, Input::Settled).with(|row| {
            // What the team was never told of is an upload like any other.
            let told = row.registration != Registration::No;
            row.growth = told.then_some(Growth::Grown);
            row.fingerprint = fingerprint;
            row.content_type = content_type;
        });
        self.apply(settled).await;
        // Where that could not be written, the file has to be offered again.
        if self.rows(vec![id]).await?.iter().any(|(row, _)| goes_on(row)) {
            let words = "a recording's end could not be written down";
            return Err(EngineError::new(Code::LocalStorage, words));
        }
        Ok(Some(id))
    }

    /// Gives up what went up of a file while it grew, or of all files in a folder: nobody will say
    /// that they are to be sent.
    pub(super) async fn give_up_growing(
        &mut self,
        path: &Path,
        server: &str,
    ) -> Result<(), EngineError> {
        let growing = self.store.growing().await?.into_iter();
        let given_up =
            growing.filter(|row| row.path.starts_with(path) && row.destination.server == server);
        self.steer(given_up.map(|row| row.id).collect(), &Input::Cancel).await
    }
}

/// Whether what was sent of a file while it grew may still be of use.
fn goes_on(row: &Upload) -> bool {
    row.growth == Some(Growth::Growing)
        && !row.state.hold.is_end()
        && row.state.hold != Hold::NeedsUser { code: Code::SourceChanged }
}

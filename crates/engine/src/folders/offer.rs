//! What becomes of a finished file of a watched folder: it is put into the queue once, and not at
//! all if the team has its content already, under whatever name.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use tokio::sync::oneshot;

use crate::candidates::{Candidate, candidate};
use crate::duplicates::checksum;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::folders::Question;
use crate::folders::namesakes::Namesake;
use crate::handle::{Command, EngineHandle, stopped};
use crate::source::{Crc64, Fingerprint, Slices, Source};
use crate::steps::Advance;
use crate::store::{Destination, Fate, Folder, FoundFile, Seen, Upload};
use crate::transfer::{Event, Input, UploadId};
use crate::watch::{FolderId, Namesakes, Version};

/// A finished file that nobody has sent.
#[derive(Debug)]
pub(crate) struct Offer {
    folder: FolderId,
    /// It goes before all others.
    first: bool,
    /// No other file of its title may be under way: what that becomes is not known yet.
    alone: bool,
    destination: Destination,
    candidate: Candidate,
    /// Inside the folder.
    path: PathBuf,
    version: Version,
}

/// Uploads that may be of the same content, to the same project.
#[derive(Debug)]
pub(crate) struct Alike {
    /// Finished ones, with the checksums of their files.
    sent: Vec<(UploadId, Crc64)>,
    /// Others, and where their files lay.
    under_way: Vec<(UploadId, PathBuf)>,
}

/// Whoever offered a file, and is told which upload it is; `None` where it has to wait for another.
pub(crate) type Taken = oneshot::Sender<Result<Option<UploadId>, EngineError>>;

/// Where a finished file belongs in the queue.
enum Place {
    /// It is that of this upload; with none, it has to wait for another one.
    Of(Option<UploadId>),
    /// It has none yet.
    New(Box<FoundFile>),
}

/// What became of a file that was offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Became {
    /// It is in the queue, or was sent, by this upload.
    Sent(UploadId),
    /// This upload had sent its content before.
    Same(UploadId),
    /// It is to be offered again, and why; without words, another file is looked after first.
    Waits(Option<String>),
    /// It is not what was offered any more, or cannot be read now.
    Changed,
}

impl EngineHandle {
    /// Takes a finished file.
    pub(super) async fn offer(
        &self,
        folder: &Folder,
        inside: PathBuf,
        version: Version,
    ) -> Result<Became, EngineError> {
        let Some(candidate) = finished(folder, &inside, version).await? else {
            return Ok(Became::Changed);
        };
        let to = match self.destination_in(folder, &inside).await {
            Ok(to) => to,
            Err(error) => return Ok(Became::Waits(Some(error.message))),
        };
        let what = Box::new((candidate.fingerprint.clone(), to.clone()));
        let alike = self.ask(|done| Command::Folders(Question::Alike(what, done))).await??;
        let seen = |fate| Seen { path: inside.clone(), version, fate };
        if let Some(of) = sent_before(&candidate, &alike.sent).await {
            self.give_up_growing(folder, candidate.path.clone()).await?;
            self.keep_seen(folder.id, seen(Fate::Same(of))).await?;
            return Ok(Became::Same(of));
        }
        for (id, path) in alike.under_way {
            if path == candidate.path {
                // The loop knows whether it is the same version.
                continue;
            }
            if is_there(path).await? {
                // Once that one is there, it is known whether this is the same.
                return Ok(Became::Waits(None));
            }
            // It was moved here.
            let path = candidate.path.clone();
            self.give_up_growing(folder, path.clone()).await?;
            self.ask(|done| Command::Folders(Question::Moved { id, path, done })).await?;
            self.keep_seen(folder.id, seen(Fate::Sent(id))).await?;
            return Ok(Became::Sent(id));
        }
        let mut to = Destination { visibility: folder.rules.visibility, ..to };
        let alone = folder.rules.namesakes == Namesakes::Version;
        if alone {
            match self.namesake(&to, &candidate).await {
                Ok(Namesake::None) => {}
                Ok(Namesake::Video(video)) => to.version_of = Some(video),
                Ok(Namesake::UnderWay) => return Ok(Became::Waits(None)),
                Err(error) => return Ok(Became::Waits(Some(error.message))),
            }
        }
        let first = folder.rules.first;
        let offer = Offer {
            folder: folder.id,
            first,
            alone,
            destination: to,
            candidate,
            path: inside.clone(),
            version,
        };
        let offer = Box::new(offer);
        let id = self.ask(|done| Command::Folders(Question::Offer(offer, done))).await??;
        Ok(id.map_or(Became::Waits(None), Became::Sent))
    }

    async fn keep_seen(&self, folder: FolderId, seen: Seen) -> Result<(), EngineError> {
        self.ask(|done| Command::Folders(Question::KeepSeen(folder, seen, done))).await?
    }
}

/// The file as it can be put into the queue; `None` where it is not that version any more, or
/// cannot be read now.
async fn finished(
    folder: &Folder,
    inside: &Path,
    version: Version,
) -> Result<Option<Candidate>, EngineError> {
    // A file that was changed since would go up as something that nobody found finished.
    let current = current(folder, inside, version.modified_ns).await?;
    Ok(current.filter(|(_, now)| *now == version).map(|(candidate, _)| candidate))
}

/// The file as it is now, titled with the date of a change; `None` where it cannot be read.
pub(super) async fn current(
    folder: &Folder,
    inside: &Path,
    modified_ns: i64,
) -> Result<Option<(Candidate, Version)>, EngineError> {
    let path = folder.path.join(inside);
    let title = folder.rules.title.clone();
    let looking = tokio::task::spawn_blocking(move || {
        let found = match candidate(&path) {
            Ok(found) => found,
            Err(code) => {
                tracing::info!(path = %path.display(), ?code, "a file is not taken now");
                return None;
            }
        };
        let now = Version::of(&std::fs::symlink_metadata(&path).ok()?);
        let modified = jiff::Timestamp::from_nanosecond(modified_ns.into());
        let date = modified.unwrap_or_default().to_zoned(TimeZone::system()).date();
        Some((Candidate { title: title.title(&path, date), ..found }, now))
    });
    looking.await.map_err(|_| stopped())
}

async fn is_there(path: PathBuf) -> Result<bool, EngineError> {
    tokio::task::spawn_blocking(move || path.exists()).await.map_err(|_| stopped())
}

/// The upload that sent the same content before. Reads all of the file, where one may have.
async fn sent_before(candidate: &Candidate, sent: &[(UploadId, Crc64)]) -> Option<UploadId> {
    if sent.is_empty() {
        return None;
    }
    let (path, fingerprint) = (candidate.path.clone(), candidate.fingerprint.clone());
    let opening = tokio::task::spawn_blocking(move || Source::open(&path, &fingerprint));
    // One that cannot be read to its end is sent, or cannot be: both come out there.
    let source = opening.await.ok()?.ok()?;
    let whole = checksum(&source, candidate.fingerprint.size, &Slices::new(1)).await.ok()?;
    sent.iter().find(|(_, checksum)| *checksum == whole).map(|(id, _)| *id)
}

impl Engine {
    pub(super) async fn alike(
        &self,
        fingerprint: Fingerprint,
        to: Destination,
    ) -> Result<Alike, EngineError> {
        let sent = self.store.sent_alike(fingerprint.clone(), to.clone()).await?;
        let under_way = self.store.unsent_alike(fingerprint, to).await?;
        let under_way = under_way.into_iter().map(|(row, _)| (row.id, row.path)).collect();
        Ok(Alike { sent, under_way })
    }

    /// The file of an upload lies somewhere else now.
    pub(super) async fn moved(&mut self, id: UploadId, path: PathBuf) {
        self.apply(Advance::by(id, Input::SourceBack).with(|row| row.path = path)).await;
    }

    /// Puts finished files into the queue, those of one folder that come together in one commit.
    pub(crate) async fn take_offers(&mut self, offers: Vec<(Offer, Taken)>) {
        let mut found: Vec<(FoundFile, Taken)> = Vec::new();
        for (offer, taken) in offers {
            // What is looked for in the queue has to be there.
            let goes_with = |(file, _): &(FoundFile, Taken)| {
                file.folder == offer.folder && file.row.path != offer.candidate.path && !offer.alone
            };
            if !found.iter().all(goes_with) {
                self.put_found(std::mem::take(&mut found)).await;
            }
            match self.place_of(offer).await {
                Ok(Place::New(file)) => found.push((*file, taken)),
                Ok(Place::Of(id)) => drop(taken.send(Ok(id))),
                Err(error) => drop(taken.send(Err(error))),
            }
        }
        self.put_found(found).await;
    }

    async fn put_found(&mut self, found: Vec<(FoundFile, Taken)>) {
        if found.is_empty() {
            return;
        }
        let (files, takers): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let rows: Vec<_> = files.iter().map(|file| file.row.clone()).collect();
        match self.store.insert_found(files).await.map_err(EngineError::from) {
            Ok(places) => {
                let ids = self.inserted(rows, places);
                for (id, taken) in ids.into_iter().zip(takers) {
                    // Whoever asked may have gone.
                    let _ = taken.send(Ok(Some(id)));
                }
            }
            Err(error) => {
                for taken in takers {
                    let _ = taken.send(Err(error.clone()));
                }
            }
        }
    }

    /// Where a finished file belongs in the queue, in place of earlier versions of it that are in
    /// there.
    async fn place_of(&mut self, offer: Offer) -> Result<Place, EngineError> {
        let Offer { folder, first, alone, destination, candidate, path, version } = offer;
        let earlier =
            self.store.unfinished(vec![candidate.path.clone()], destination.clone()).await?;
        let settled = self.settle(&earlier, &candidate).await?;
        let same = |(row, _): &&(Upload, u64)| row.fingerprint == candidate.fingerprint;
        if let Some(id) = settled.or(earlier.iter().find(same).map(|(row, _)| row.id)) {
            // After a crash in between it is offered again, as what that upload is of.
            let seen = Seen { path, version, fate: Fate::Sent(id) };
            self.store.keep_seen(folder, vec![seen]).await?;
            return Ok(Place::Of(Some(id)));
        }
        // Two may have been looked for at the same time, and none of them found.
        if alone && self.is_under_way(&candidate, &destination).await? {
            return Ok(Place::Of(None));
        }
        let ids: Vec<_> = earlier.iter().map(|(row, _)| row.id).collect();
        let happened = ids.iter().map(|of| Event::StartedAgain { of: *of }.into()).collect();
        self.steer(ids, &Input::Cancel).await?;
        let row = Upload { first, ..self.new_row(candidate, UploadId::new(), &destination) };
        let file = Seen { path, version, fate: Fate::Sent(row.id) };
        Ok(Place::New(Box::new(FoundFile { row, happened, folder, file })))
    }
}

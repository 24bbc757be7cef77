//! What the engine does for one upload at one time, away from its loop.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::error::Code;
use crate::looks::Looks;
use crate::protocol::{
    Awaited, Earlier, Finished, Intent, Opened, Processing, Try, UploadProtocol,
};
use crate::send::{Sending, Writer, blocking, local};
use crate::source::{Crc64, Fingerprint, Slices, Source};
use crate::store::{Compared, Proof, Receipt, Registration, Session, SessionKind, Store, Upload};
use crate::transfer::{ByteRange, Failure, Growth, Phase};

/// The first wait between two questions whether a video can be played …
const FIRST_LOOK: Duration = Duration::from_millis(250);
/// … which grows by a quarter each time, up to this.
const SLOWEST_LOOK: Duration = Duration::from_secs(15);
/// A file that was looked at within this need not be looked at again.
const FRESH: Duration = Duration::from_secs(1);

/// Which job an upload's state calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Compare,
    Register,
    Open,
    Send,
    /// Sends what is final of a file that grows, for as long as it does.
    Follow,
    Finish,
    ProcessAgain,
    Watch,
    Heartbeat,
    Abandon,
}

impl Kind {
    /// `None` where there is nothing to do.
    pub(crate) fn for_upload(row: &Upload, is_open: bool) -> Option<Self> {
        match row.state.phase {
            Phase::Queued | Phase::Ready => None,
            Phase::Beginning if row.registration != Registration::Done => Some(Self::Register),
            Phase::Beginning => Some(Self::Open),
            Phase::Uploading if is_open => match row.growth {
                Some(Growth::Growing) => Some(Self::Follow),
                Some(Growth::Grown) | None => Some(Self::Send),
            },
            // After a restart or any doubt: what arrived is asked first.
            Phase::Uploading => Some(Self::Open),
            Phase::Finishing => Some(Self::Finish),
            Phase::Processing => Some(Self::Watch),
        }
    }

    /// Its bytes wait while none may go.
    pub(crate) fn sends(self) -> bool {
        matches!(self, Self::Send | Self::Follow)
    }

    /// Takes one of the places for uploads that work at the same time. What follows a recording
    /// would keep it for hours, and needs little of the line.
    pub(crate) fn takes_slot(self) -> bool {
        matches!(self, Self::Compare | Self::Register | Self::Open | Self::Send | Self::Finish)
    }
}

/// How a job ended well.
#[derive(Debug)]
pub(crate) enum Outcome {
    Unique,
    Registered(Option<String>),
    Opened(Opened),
    Sent(JustSent),
    Finished {
        video_id: Option<String>,
        compared: Compared,
    },
    ProcessesAgain,
    Playable {
        duration: Option<f64>,
    },
    ProcessingFailed {
        reason: Option<String>,
    },
    /// The file has other times and the same bytes: its new fingerprint.
    OnlyTouched(Fingerprint),
    /// The team has heard of it.
    Heard,
    Abandoned,
}

/// What is known of an upload whose last byte has just gone.
#[derive(Clone, Debug)]
pub(crate) struct JustSent {
    /// The receipt of what went up in one piece: it is kept with the step that follows from this.
    pub(crate) only: Option<Receipt>,
    /// When it was begun to be sent. Its file was looked at after that.
    since: Instant,
}

/// A job's tools.
pub(crate) struct Job {
    pub(crate) row: Upload,
    pub(crate) protocol: Arc<dyn UploadProtocol>,
    pub(crate) looks: Arc<Looks>,
    pub(crate) store: Store,
    pub(crate) slices: Slices,
    /// That it is about to be registered is written down, and nobody has tried yet.
    pub(crate) untried: bool,
}

impl Job {
    pub(crate) async fn register(self) -> Result<Outcome, Failure> {
        self.unchanged().await?;
        let earlier = if self.untried {
            Earlier::None
        } else if self.row.registration == Registration::No {
            self.store.intend(self.row.id).await.map_err(local)?;
            Earlier::None
        } else {
            let taken = self.store.taken(&self.row).await.map_err(local)?;
            Earlier::Maybe { taken }
        };
        let video = self.protocol.register(&intent(&self.row), earlier).await?;
        Ok(Outcome::Registered(video))
    }

    pub(crate) async fn open(self) -> Result<Outcome, Failure> {
        let namesakes = match self.row.session.as_ref().map(|session| &session.kind) {
            // What became of a form is known by its file's name alone.
            Some(SessionKind::Form(_)) => self.store.namesakes(&self.row).await.map_err(local)?,
            _ => Vec::new(),
        };
        let intent = Intent { namesakes, ..intent(&self.row) };
        let opened = self.protocol.open(&intent, self.row.session.as_ref()).await?;
        match (self.row.growth, &opened.session.kind) {
            (
                Some(Growth::Growing),
                SessionKind::Multipart { .. } | SessionKind::InOrder { .. },
            ) => {}
            (Some(Growth::Growing), _) => {
                return Err(Failure::UnexpectedAnswer("no parts for a file that grows".into()));
            }
            (Some(Growth::Grown) | None, _) => {
                opened
                    .session
                    .plan(self.row.fingerprint.size)
                    .map_err(|error| Failure::UnexpectedAnswer(error.to_string()))?;
            }
        }
        Ok(Outcome::Opened(opened))
    }

    /// Sends a file while it grows, until its writer has ended and nothing is under way any more.
    pub(crate) async fn follow(
        self,
        sending: Sending,
        writer: watch::Receiver<Writer>,
    ) -> Result<(), Failure> {
        sending.follow(self.row.path, writer).await
    }

    pub(crate) async fn send(self, sending: Sending) -> Result<Outcome, Failure> {
        let since = Instant::now();
        let only = sending.run(self.row.path, self.row.fingerprint).await?;
        Ok(Outcome::Sent(JustSent { only, since }))
    }

    /// Puts the object together and compares it with the file, part checksums and all.
    pub(crate) async fn finish(self, just_sent: Option<JustSent>) -> Result<Outcome, Failure> {
        let turn = if just_sent.is_some() { Try::First } else { Try::Again };
        let receipts = match just_sent {
            Some(JustSent { only: Some(only), since }) if since.elapsed() < FRESH => vec![only],
            _ => {
                self.unchanged().await?;
                self.store.receipts(self.row.id).await.map_err(local)?
            }
        };
        let session = self.row.session.as_ref().ok_or(Failure::SessionGone)?;
        let total = self.row.fingerprint.size;
        let checksum = self.checksum(session, &receipts).await?;
        let Finished { video_id, size, checksum: said } =
            self.protocol.finish(&intent(&self.row), session, &receipts, turn).await?;
        let right =
            size.is_none_or(|size| size == total) && said.is_none_or(|said| said == checksum);
        if right {
            let weakest = receipts.iter().map(|receipt| receipt.proof).max();
            let proof = match said {
                Some(_) => weakest.map_or(Proof::Reported, |proof| proof.min(Proof::Reported)),
                None => weakest.unwrap_or(Proof::Size),
            };
            let parts = u32::try_from(receipts.len()).unwrap_or(u32::MAX);
            let compared =
                Compared { checksum, parts, proof, said_size: size, said_checksum: said };
            return Ok(Outcome::Finished { video_id, compared });
        }
        tracing::error!(upload = %self.row.id, ?size, total, "the stored object is another");
        Err(Failure::Refused {
            code: Code::Damaged,
            reason: "the stored file differs from the one on this computer".into(),
        })
    }

    /// Has the media engine start once more with what the team holds. Sends nothing again.
    pub(crate) async fn process_again(self) -> Result<Outcome, Failure> {
        let session = self.row.session.as_ref().ok_or(Failure::SessionGone)?;
        let receipts = self.store.receipts(self.row.id).await.map_err(local)?;
        self.protocol.finish(&intent(&self.row), session, &receipts, Try::Again).await?;
        Ok(Outcome::ProcessesAgain)
    }

    pub(crate) async fn watch(self) -> Result<Outcome, Failure> {
        let video = Awaited {
            video_id: self.row.video_id.clone().ok_or(Failure::SessionGone)?,
            project_id: self.row.destination.project_id.clone(),
        };
        let (mut due, mut wait) = (Instant::now(), FIRST_LOOK);
        loop {
            match self.looks.at(due, video.clone()).await? {
                Processing::UnderWay => {}
                Processing::Playable { duration } => return Ok(Outcome::Playable { duration }),
                Processing::Failed { reason } => return Ok(Outcome::ProcessingFailed { reason }),
            }
            due = Instant::now() + wait;
            wait = (wait * 5 / 4).min(SLOWEST_LOOK);
        }
    }

    pub(crate) async fn heartbeat(self) -> Result<Outcome, Failure> {
        let Some(session) = &self.row.session else { return Ok(Outcome::Heard) };
        self.protocol.heartbeat(&intent(&self.row), session).await?;
        Ok(Outcome::Heard)
    }

    pub(crate) async fn abandon(self) -> Result<Outcome, Failure> {
        self.protocol.abandon(&intent(&self.row), self.row.session.as_ref()).await?;
        Ok(Outcome::Abandoned)
    }

    async fn unchanged(&self) -> Result<(), Failure> {
        let (path, fingerprint) = (self.row.path.clone(), self.row.fingerprint.clone());
        match self.row.growth {
            Some(Growth::Growing) => blocking(move || Source::open_growing(&path).map(drop)).await,
            Some(Growth::Grown) | None => blocking(move || fingerprint.check(&path)).await,
        }
    }

    /// The whole file's checksum: out of its parts', or read where no part was sent from here.
    async fn checksum(&self, session: &Session, receipts: &[Receipt]) -> Result<Crc64, Failure> {
        let total = self.row.fingerprint.size;
        if session.kind == SessionKind::AlreadyThere {
            let (path, fingerprint) = (self.row.path.clone(), self.row.fingerprint.clone());
            let source = blocking(move || Source::open(&path, &fingerprint)).await?;
            let whole = ByteRange { offset: 0, length: total };
            return Ok(source.checksum(whole, &self.slices).await?);
        }
        if receipts.iter().map(|receipt| receipt.size).sum::<u64>() != total {
            return Err(Failure::SessionGone);
        }
        Ok(receipts.iter().fold(Crc64::EMPTY, |sum, part| sum.then(part.checksum, part.size)))
    }
}

/// What a protocol needs to know of an upload.
pub(crate) fn intent(row: &Upload) -> Intent {
    let file_name = row.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Intent {
        id: row.id,
        project_id: row.destination.project_id.clone(),
        title: row.title.clone(),
        file_name,
        size: row.fingerprint.size,
        growth: row.growth,
        content_type: row.content_type.clone(),
        added_at: row.added_at,
        video_id: row.video_id.clone(),
        version_of: row.destination.version_of.clone(),
        visibility: row.destination.visibility,
        namesakes: Vec::new(),
    }
}

//! The ways in which bytes get to a team. One trait, so that the queue knows none of them.
//!
//! Must not know: the queue, any interface.

mod chunked_session;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod faulty;
mod growing_files;
#[cfg(any(test, feature = "testing"))]
pub(crate) mod memory;
mod mux_direct;
mod processing;
mod uploads_api;
mod video_actions;

use async_trait::async_trait;
use dailies_api::videos::Visibility;

pub use chunked_session::ChunkedSessions;
pub use mux_direct::MuxDirect;
pub use processing::{Awaited, Processing, Standings};
use reqwest::header::HeaderMap;
pub use uploads_api::UploadsApi;
pub use video_actions::VideoActions;

use crate::net::SignedUrl;
use crate::source::{Crc64, PartBody};
use crate::store::{Receipt, Session};
use crate::transfer::{ByteRange, Failure, Growth, PartNumber, Timestamp, UploadId};

/// What somebody wants uploaded. Everything a protocol needs to know of it.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Its name, and the idempotency key of its calls.
    pub id: UploadId,
    /// Where it goes.
    pub project_id: String,
    /// What people see.
    pub title: String,
    /// The file's own name, for reading.
    pub file_name: String,
    /// Bytes; of a file that grows, as many as it had when it was found.
    pub size: u64,
    /// Whether its upload began before its file was finished. Such a video is registered without a
    /// size, and its session is told it only once the file has grown.
    pub growth: Option<Growth>,
    /// Media type.
    pub content_type: String,
    /// When it was added, by this computer's clock.
    pub added_at: Timestamp,
    /// The team's name for its video, once it has one.
    pub video_id: Option<String>,
    /// The video that it becomes the next version of. Said only to a team that knows versions.
    pub version_of: Option<String>,
    /// Who may watch it, where somebody said so. Said only to a team that can be told.
    pub visibility: Option<Visibility>,
    /// The team's names for the videos of this queue's other uploads of files with the same name;
    /// `None` for one that has been begun and has no name yet. Known while the session of a form is
    /// opened again.
    pub namesakes: Vec<Option<String>>,
}

impl Intent {
    /// Bytes of the whole, once that is known: not while the file grows.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        (self.growth != Some(Growth::Growing)).then_some(self.size)
    }

    /// The size that its video is registered with: of a file that grew, none, also after a crash.
    #[must_use]
    pub fn size_at_first(&self) -> Option<u64> {
        self.growth.is_none().then_some(self.size)
    }

    /// The team's name for its video.
    ///
    /// # Errors
    /// [`Failure::SessionGone`] where it has none: it has to be made known first.
    pub fn video(&self) -> Result<&str, Failure> {
        self.video_id.as_deref().ok_or(Failure::SessionGone)
    }
}

/// In which order a team takes the bytes of a file that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// In parts, the first one last if need be.
    Any,
    /// From the file's start on: its head has to be final, too.
    FromTheStart,
}

/// What is known of an earlier try to register.
#[derive(Clone, Debug)]
pub enum Earlier {
    /// There was none.
    None,
    /// There was one, and its answer may be lost.
    Maybe {
        /// Videos that belong to other uploads of this queue.
        taken: Vec<String>,
    },
}

/// Which try to put an upload's parts together this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Try {
    /// The first since the session took its last byte from here: nothing has to be asked before.
    First,
    /// There may have been one, and its answer may be lost.
    Again,
}

/// A session that is open now. Its addresses live here and nowhere else.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What is durable of it.
    pub session: Session,
    /// Where its bytes go, where that is one address for all of them.
    pub url: Option<SignedUrl>,
    /// What the other side holds.
    pub arrived: Arrived,
}

/// What the other side says it holds of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// These parts. Of a session that takes parts in any order.
    Parts(Vec<ArrivedPart>),
    /// So many bytes from the start. Of a session that takes bytes in order.
    UpTo(u64),
}

impl Arrived {
    /// Nothing of it.
    pub const NOTHING: Self = Self::Parts(Vec::new());

    /// The parts; none where bytes arrive in order.
    #[must_use]
    pub fn parts(&self) -> &[ArrivedPart] {
        match self {
            Self::Parts(parts) => parts,
            Self::UpTo(_) => &[],
        }
    }

    /// Bytes from the start; none where parts arrive in any order.
    #[must_use]
    pub fn in_order(&self) -> u64 {
        match self {
            Self::Parts(_) => 0,
            Self::UpTo(bytes) => *bytes,
        }
    }
}

/// A part that the other side says it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrivedPart {
    /// Which.
    pub part: PartNumber,
    /// As the storage said it, where the other side passes that on.
    pub etag: Option<String>,
    /// Bytes and their checksum, where it says them.
    pub content: Option<(u64, Crc64)>,
}

/// Leave to send one part.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// Which.
    pub part: PartNumber,
    /// Where to.
    pub url: SignedUrl,
    /// Signed into the address: must be sent along.
    pub checksum: Option<Crc64>,
    /// Of a single PUT, which carries the file's type; a part carries none.
    pub content_type: Option<String>,
    /// What else the team wants the storage told.
    pub headers: HeaderMap,
}

impl Ticket {
    /// To send a part there, with nothing besides.
    pub(crate) fn to(part: PartNumber, url: SignedUrl) -> Self {
        Self { part, url, checksum: None, content_type: None, headers: HeaderMap::new() }
    }
}

/// A part that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// As the storage said it; empty where it says none.
    pub etag: String,
    /// The checksum the storage says, if it says one.
    pub checksum: Option<Crc64>,
    /// Bytes from the file's start that the other side holds now, of a session that takes them in
    /// order. It may be less than was sent: whoever sends goes on from there.
    pub stored: Option<u64>,
}

/// An upload whose bytes are all with the team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The team's name for the video, where it has one only now.
    pub video_id: Option<String>,
    /// Bytes, where the other side says them.
    pub size: Option<u64>,
    /// Checksum, where the other side says it.
    pub checksum: Option<Crc64>,
}

/// A part that leave is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Which.
    pub part: PartNumber,
    /// Its bytes.
    pub length: u64,
    /// Of them, where the session signs it.
    pub checksum: Option<Crc64>,
}

/// A way in which bytes get to a team. Every call may be made again after any failure.
#[async_trait]
pub trait UploadProtocol: Send + Sync + 'static {
    /// Whether the other side answers at all, whatever it says. Asked while calls fail or hang, over
    /// connections of its own; takes no longer than some seconds.
    async fn answers(&self) -> bool;

    /// Makes the video known to the team, or finds the one that an earlier try made. `None` where
    /// a team knows of a video only with its bytes.
    async fn register(&self, intent: &Intent, earlier: Earlier) -> Result<Option<String>, Failure>;

    /// Opens a session, or the one that is open already, and asks what arrived. `session` is what
    /// is known of an earlier one.
    async fn open(&self, intent: &Intent, session: Option<&Session>) -> Result<Opened, Failure>;

    /// In which order bytes may go up before a file's size is known; `None` where they may not, or
    /// where that cannot be asked now.
    async fn takes_growing_files(&self) -> Option<Order> {
        None
    }

    /// Gives up a session whose bytes are not those of the file any more, so that the next one begins
    /// with nothing. Asked for a
    /// [`SessionKind::InOrder`](crate::store::SessionKind::InOrder) session only.
    async fn discard(&self, _: &Intent, _: &Session) -> Result<(), Failure> {
        Ok(())
    }

    /// Parts that [`Self::tickets`] takes at once.
    fn tickets_at_once(&self) -> usize;

    /// Leave to send these parts.
    async fn tickets(
        &self,
        intent: &Intent,
        opened: &Opened,
        parts: &[Asked],
    ) -> Result<Vec<Ticket>, Failure>;

    /// Sends one part, which lies at `range` of the file.
    async fn send(
        &self,
        intent: &Intent,
        opened: &Opened,
        ticket: &Ticket,
        range: ByteRange,
        body: PartBody,
    ) -> Result<Sent, Failure>;

    /// Tells the team that the storage took a part, where it wants to be told. Asked for a
    /// [`SessionKind::Chunked`](crate::store::SessionKind::Chunked) session only, for one part at a
    /// time, in the parts' order. After any failure but [`Failure::Busy`] the session is opened
    /// again first.
    async fn confirm(
        &self,
        _: &Intent,
        _: &Opened,
        _: PartNumber,
        _: ByteRange,
    ) -> Result<(), Failure> {
        Ok(())
    }

    /// Puts the parts together, or finds that they are. Asks before it does anything twice.
    async fn finish(
        &self,
        intent: &Intent,
        session: &Session,
        receipts: &[Receipt],
        turn: Try,
    ) -> Result<Finished, Failure>;

    /// Asks where these videos stand, in as few requests as the wire allows. What the answers say
    /// of others besides may be told, too.
    async fn processing(&self, videos: &[Awaited]) -> Standings;

    /// Lets the other side hear of an upload whose bytes are not all there and do not move, where it
    /// would else remove it. What was opened before may be good no more.
    async fn heartbeat(&self, _: &Intent, _: &Session) -> Result<(), Failure> {
        Ok(())
    }

    /// Removes what an unfinished upload left. For a user's decision or a final failure only:
    /// what it removes cannot be brought back.
    async fn abandon(&self, intent: &Intent, session: Option<&Session>) -> Result<(), Failure>;
}

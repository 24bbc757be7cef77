//! The ways in which bytes get to a team. One trait, so that the queue knows none of them.
//!
//! Must not know: the queue, any interface.

mod video_actions;

use async_trait::async_trait;

pub use video_actions::VideoActions;

use crate::net::SignedUrl;
use crate::source::{Crc64, PartBody};
use crate::store::{Receipt, Session};
use crate::transfer::{Failure, PartNumber, Timestamp, UploadId};

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
    /// Bytes.
    pub size: u64,
    /// Media type.
    pub content_type: String,
    /// When it was added, by this computer's clock.
    pub added_at: Timestamp,
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

/// A session that is open now. Its addresses live here and nowhere else.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What is durable of it.
    pub session: Session,
    /// Of a single PUT.
    pub url: Option<SignedUrl>,
    /// The parts that the other side holds.
    pub arrived: Vec<Arrived>,
}

/// A part that the other side says it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Which.
    pub part: PartNumber,
    /// As the storage said it.
    pub etag: String,
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
}

/// A part that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// As the storage said it.
    pub etag: String,
    /// The checksum the storage says, if it says one.
    pub checksum: Option<Crc64>,
}

/// An upload whose bytes are all with the team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Bytes, where the other side says them.
    pub size: Option<u64>,
    /// Checksum, where the other side says it.
    pub checksum: Option<Crc64>,
}

/// Where a video stands after its upload.
#[derive(Clone, Debug, PartialEq)]
pub enum Processing {
    /// Not done.
    UnderWay,
    /// It can be played.
    Playable {
        /// Seconds.
        duration: Option<f64>,
    },
    /// It will not be.
    Failed {
        /// The server's words.
        reason: Option<String>,
    },
}

/// A way in which bytes get to a team. Every call may be made again after any failure.
#[async_trait]
pub trait UploadProtocol: Send + Sync + 'static {
    /// Makes the video known to the team, or finds the one that an earlier try made.
    async fn register(&self, intent: &Intent, earlier: Earlier) -> Result<String, Failure>;

    /// Opens a session, or the one that is open already, and asks what arrived.
    async fn open(&self, video_id: &str, intent: &Intent) -> Result<Opened, Failure>;

    /// Parts that [`Self::tickets`] takes at once.
    fn tickets_at_once(&self) -> usize;

    /// Leave to send these parts, whose checksums are known where the session signs them.
    async fn tickets(
        &self,
        video_id: &str,
        intent: &Intent,
        opened: &Opened,
        parts: &[(PartNumber, Option<Crc64>)],
    ) -> Result<Vec<Ticket>, Failure>;

    /// Sends one part.
    async fn send(&self, ticket: &Ticket, body: PartBody) -> Result<Sent, Failure>;

    /// Puts the parts together, or finds that they are. Asks before it does anything twice.
    async fn finish(
        &self,
        video_id: &str,
        session: &Session,
        receipts: &[Receipt],
    ) -> Result<Finished, Failure>;

    /// Asks where a video stands.
    async fn processing(&self, video_id: &str) -> Result<Processing, Failure>;

    /// Removes what an unfinished upload left. For a user's decision or a final failure only:
    /// what it removes cannot be brought back.
    async fn abandon(&self, video_id: &str, session: Option<&Session>) -> Result<(), Failure>;
}

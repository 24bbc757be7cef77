//! What an interface sees: snapshots, and ordered changes between them.
//!
//! A subscriber takes a [`Snapshot`], then applies each [`Change`] whose `seq` is one more than the
//! last. A gap means that it was too slow: it takes a snapshot again.

use dailies_api::projects::UploadTarget;
use serde::{Deserialize, Serialize};

use crate::error::Code;
use crate::store::Rebuilt;
use crate::team::ProtocolKind;
use crate::transfer::{Hold, List, Phase, Timestamp, UploadId};

/// One upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct UploadView {
    /// Its name.
    pub id: UploadId,
    /// What people see of the video.
    pub title: String,
    /// The address of the team server that it goes to.
    pub server: String,
    /// The file's path, for reading only: lossy where it is no Unicode.
    pub path: String,
    /// Team and project, in words.
    pub destination: DestinationView,
    /// How far it is.
    pub phase: Phase,
    /// Why it is not moving.
    pub hold: Hold,
    /// A job works on it now: it is not waiting for its turn.
    pub active: bool,
    /// Its file is still being written: it goes along, and ends when its folder says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
    pub growing: bool,
    /// Where it stands among those that have not ended: the smallest goes first.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub place: i64,
    /// It goes before all that are not set to, whatever their places.
    pub first: bool,
    /// How its bytes stand.
    pub progress: ProgressView,
    /// When it was added.
    pub added_at: Timestamp,
    /// When its bytes were all with the team.
    pub uploaded_at: Option<Timestamp>,
    /// The team's name for the video.
    pub video_id: Option<String>,
    /// Seconds, once known.
    pub duration: Option<f64>,
    /// The server's own reason, where it gave one.
    pub reason: Option<String>,
}

/// How an upload's bytes stand. Confirmed means: the other side has said so.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ProgressView {
    /// Bytes of the file.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub total_bytes: u64,
    /// Bytes that the other side holds.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub confirmed_bytes: u64,
    /// Bytes on their way.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub in_flight_bytes: u64,
    /// Smoothed over the last seconds; zero when nothing moves.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub bytes_per_second: u64,
    /// Absent until it means something.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub seconds_left: Option<u64>,
}

/// Where an upload goes, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct DestinationView {
    /// The project's id at the team API.
    pub project_id: String,
    /// `Campaign / Rushes`.
    pub project: String,
    /// The team's name.
    pub team: String,
}

impl From<UploadTarget> for DestinationView {
    fn from(target: UploadTarget) -> Self {
        Self { project_id: target.project_id, project: target.project_path, team: target.team_name }
    }
}

/// The connection to a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConnectionView {
    /// None was made.
    None,
    /// One is made and was good when last used.
    Connected {
        /// The team server's address.
        url: String,
        /// How uploads are told it.
        protocol: ProtocolKind,
        /// Nothing says that the way to it is lost.
        reachable: bool,
        /// Where new files go.
        destination: Option<DestinationView>,
    },
    /// One is made, and needs somebody.
    Refused {
        /// The team server's address.
        url: String,
        /// Why.
        code: Code,
    },
}

/// How fast the bytes of all uploads may go, and why not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum AllowanceView {
    /// As fast as they can.
    Full,
    /// All together at a rate that somebody has set.
    Limit {
        /// The rate.
        #[cfg_attr(feature = "typescript", ts(type = "number"))]
        bytes_per_second: u64,
    },
    /// Not at all at this time of the week.
    Schedule {
        /// When the schedule says something else; absent where it never does.
        until: Option<Timestamp>,
    },
    /// Not at all while the network is metered.
    Metered,
    /// Not at all while the computer runs on battery.
    Battery,
}

/// How long a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct ListCount {
    /// Which.
    pub list: List,
    /// Uploads in it.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub count: u64,
}

/// What is still to be done, over the whole queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Uploads that are not with their team and not given up.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub unsent: u64,
    /// Their bytes that are not confirmed.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub unsent_bytes: u64,
    /// Of these uploads, those that nobody has to do anything for: they can be paused.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub coming: u64,
    /// Their bytes that are not confirmed.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub coming_bytes: u64,
    /// Uploads that somebody paused.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub paused: u64,
    /// All uploads together.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub bytes_per_second: u64,
}

/// The queue as a whole. Its uploads are read page by page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct QueueView {
    /// Every list, in the order in which they are shown.
    pub lists: Vec<ListCount>,
    /// Over all of them.
    pub totals: Totals,
}

/// Everything but the uploads at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The number of the last change that is in it.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub seq: u64,
    /// The queue.
    pub queue: QueueView,
    /// The connection that new files go to.
    pub connection: ConnectionView,
    /// Every connection, that one too.
    pub connections: Vec<ConnectionView>,
    /// How fast bytes may go.
    pub allowance: AllowanceView,
    /// What was made of a queue that was found damaged since the engine started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub rebuilt: Option<RebuiltView>,
}

/// A queue that was damaged, and made anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RebuiltView {
    /// Where the damaged file is kept, lossy where it is no Unicode.
    pub kept: String,
    /// Uploads in the queue now.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub uploads: u64,
    /// Those of them that only a backup still had, as they were then.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub from_backup: u64,
    /// Something could not be read of the damaged file. What a backup had of it is in the queue.
    pub some_lost: bool,
}

impl From<Rebuilt> for RebuiltView {
    fn from(Rebuilt { kept, uploads, from_backup, some_lost }: Rebuilt) -> Self {
        let kept = kept.to_string_lossy().into_owned();
        Self { kept, uploads, from_backup, some_lost }
    }
}

/// A stretch of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// The number of the last change that is in it.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub seq: u64,
    /// In order. Fewer than were asked for where the list ends.
    pub uploads: Vec<UploadView>,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// One more than the change before.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub seq: u64,
    /// The news.
    pub news: News,
}

/// The news of a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum News {
    /// Uploads that are new or changed in more than their bytes.
    Uploads {
        /// Each whole.
        uploads: Vec<UploadView>,
    },
    /// The lists changed, in length or order; at most ten of these a second.
    Queue {
        /// As it is now.
        queue: QueueView,
    },
    /// Bytes that moved; at most ten of these a second.
    Progress {
        /// One for each upload that moves.
        uploads: Vec<ProgressNews>,
    },
    /// Uploads taken off the list.
    Removed {
        /// Which.
        ids: Vec<UploadId>,
    },
    /// A connection changed.
    Connection {
        /// The one that new files go to.
        connection: ConnectionView,
        /// Every connection, that one too.
        connections: Vec<ConnectionView>,
    },
    /// Bytes may go at another speed, or not at all.
    Allowance {
        /// As it is now.
        allowance: AllowanceView,
    },
    /// Every upload that has not ended has another place: lists have to be read again.
    Order,
    /// Watched folders changed, in health, in counts or in what is wanted of them; at most four of
    /// these a second while nobody changes anything.
    Folders,
}

/// Bytes that moved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ProgressNews {
    /// Whose.
    pub id: UploadId,
    /// How they stand.
    pub progress: ProgressView,
}

/// How to play a video, until `expires_at`. The addresses open it to whoever has them: no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PlaybackView {
    /// What is played.
    pub url: String,
    /// What that is.
    pub form: PlaybackForm,
    /// Poster image.
    pub poster_url: Option<String>,
    /// Where each of the storyboard's tiles is, as JSON.
    pub storyboard_url: Option<String>,
    /// Seconds.
    pub duration: Option<f64>,
    /// When the session has to be asked for again.
    pub expires_at: Option<Timestamp>,
}

/// What a playback session plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum PlaybackForm {
    /// An HLS playlist of its renditions.
    Stream,
    /// The very file that was uploaded, while there is nothing else.
    Original,
    /// The file on this computer, until the team has something to play.
    Local,
}

/// What became of a file that was offered to the queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Added {
    /// Uploads that are in the queue now.
    pub uploads: Vec<UploadView>,
    /// How many of them were in it before.
    pub already: usize,
    /// Files that are not, and why.
    pub refused: Vec<RefusedFile>,
    /// How many files of the folders that were offered are no videos, and stay behind. Hidden ones are not counted.
    pub beside: usize,
}

/// A file that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RefusedFile {
    /// Its path, lossy where it is no Unicode.
    pub path: String,
    /// Why.
    pub code: Code,
}

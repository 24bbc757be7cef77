//! Files that are offered to whoever sends them.

use std::fs::File;
use std::path::{Path, PathBuf};

use tokio::sync::{mpsc, oneshot};

use crate::watch::{Growing, Head, Version};

/// A file of which something can be sent.
#[derive(Debug)]
pub struct Ready {
    /// Inside the folder.
    pub path: PathBuf,
    /// As it was when it was found to be so.
    pub version: Version,
    /// How much of it.
    pub stage: Stage,
    /// What became of the offer.
    pub answer: oneshot::Sender<Answer>,
}

/// How far a file is that is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// All of it can be sent.
    Finished,
    /// It is still being written, and what lies behind stays as it is, but for its head, perhaps. It
    /// is offered again when it is finished.
    Growing(Head),
    /// The writer of one that was offered as growing has closed it: more may come, but most likely
    /// all of it is there. It is offered again when it is finished.
    Closed,
}

/// What became of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing more is to be done with this version.
    Done,
    /// It is to be offered again after a while.
    Later,
}

/// Makes an offer, and waits for what becomes of it.
pub(super) async fn offered(
    ready: &mpsc::Sender<Ready>,
    path: PathBuf,
    version: Version,
    stage: Stage,
) -> Answer {
    let (answer, answered) = oneshot::channel();
    // Who takes no offers any more has ended; so does this, then.
    match ready.send(Ready { path, version, stage, answer }).await {
        Ok(()) => answered.await.unwrap_or(Answer::Later),
        Err(_) => Answer::Later,
    }
}

/// The head of a file that can be played while it grows; `None` for any other, and for one that
/// cannot be read.
pub(super) fn grows(path: &Path, version: Version) -> Option<Head> {
    let found = File::open(path).and_then(|mut file| Growing::find(&mut file, version.size));
    found.ok().flatten().map(|growing| growing.head())
}

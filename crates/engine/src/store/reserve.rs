//! Room on the disk that the queue keeps for itself: when the disk is full, it is given up, so that
//! what is under way can still be written down.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fs4::FileExt as _;
use tokio::sync::Notify;

/// Bytes: enough for the receipts of what is under way, and for the journal that they go through.
const ROOM: u64 = 16 << 20;
/// Bytes that must be free before they are taken: a disk that is nearly full is not filled up for it,
/// and one on which somebody makes a little room is not at once full again.
const ENOUGH: u64 = 4 * ROOM;

/// The file that keeps the room. Clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct Reserve {
    path: Arc<Path>,
    /// It was given up, and there was no room for it since.
    spent: Arc<AtomicBool>,
    /// It was given up just now.
    news: Arc<Notify>,
}

impl Reserve {
    /// The one of a queue, beside it.
    pub(super) fn of(queue: &Path) -> Self {
        let path = queue.with_extension("reserve").into();
        Self { path, spent: Arc::default(), news: Arc::default() }
    }

    /// The disk was full, and has no room yet for anything but what is under way.
    pub(super) fn is_spent(&self) -> bool {
        self.spent.load(Ordering::Relaxed)
    }

    /// Gives the room up. Whether that was done, now or by somebody else before: then what found no
    /// room may find some. Blocks.
    pub(super) fn give_up(&self) -> bool {
        if std::fs::remove_file(&self.path).is_ok() && !self.spent.swap(true, Ordering::Relaxed) {
            tracing::error!("the disk under the queue is full: nothing new is taken");
            self.news.notify_one();
        }
        self.is_spent()
    }

    /// Waits until it is given up.
    pub(super) async fn given_up(&self) {
        self.news.notified().await;
    }

    /// Takes the room, where it is not kept already and there is enough besides; whether it is kept.
    /// Blocks.
    ///
    /// # Errors
    /// Of the disk; what was taken of it is free again.
    pub(super) fn keep(&self) -> io::Result<bool> {
        if !self.path.exists() {
            if fs4::available_space(self.path.parent().unwrap_or(&self.path))? < ENOUGH {
                return Ok(false);
            }
            if let Err(error) = File::create(&self.path)?.allocate(ROOM) {
                // Not every file system can.
                std::fs::remove_file(&self.path)?;
                return Err(error);
            }
        }
        if self.spent.swap(false, Ordering::Relaxed) {
            tracing::info!("there is room under the queue again");
        }
        Ok(true)
    }
}

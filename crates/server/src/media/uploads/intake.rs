//! From a request's body to bytes on disk, a step at a time.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::media::files::sync_folder;

/// Bytes gathered before they are written, so that a blocking thread is worth its start.
const SLICE: usize = 1 << 20;
/// How long a body may bring nothing before it is given up.
const IDLE: Duration = Duration::from_secs(60);

/// Bytes that an interrupted request may still bring, if they have arrived: more than what systems
/// keep for a connection, so that whoever comes after a dead one loses none of it, and so little
/// that they do not wait for one that is alive.
const GRACE: usize = 8 << 20;
/// How long it may bring nothing then.
const LULL: Duration = Duration::from_millis(50);

/// The file of an upload, open at the end of what counts of it.
pub(super) struct Place {
    file: File,
    /// Offset of the next byte.
    at: u64,
}

impl Place {
    /// Opens the file whose first `stored` bytes count. `None` where it does not hold them.
    pub(super) async fn open(path: &Path, stored: u64) -> io::Result<Option<Self>> {
        let path = path.to_owned();
        blocking(move || {
            let mut options = File::options();
            let mut file = options.write(true).create(stored == 0).truncate(false).open(&path)?;
            if file.metadata()?.len() < stored {
                return Ok(None);
            }
            if stored == 0 {
                path.parent().map_or(Ok(()), sync_folder)?;
            }
            file.seek(SeekFrom::Start(stored))?;
            Ok(Some(Self { file, at: stored }))
        })
        .await
        .or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(None),
            _ => Err(error),
        })
    }

    pub(super) fn at(&self) -> u64 {
        self.at
    }

    async fn write(mut self, slice: Vec<Bytes>) -> io::Result<Self> {
        blocking(move || {
            for bytes in &slice {
                self.file.write_all(bytes)?;
                self.at += bytes.len() as u64;
            }
            Ok(self)
        })
        .await
    }

    /// Brings what was written to disk.
    pub(super) async fn sync(self) -> io::Result<Self> {
        blocking(move || {
            self.file.sync_data()?;
            Ok(self)
        })
        .await
    }

    /// Cuts off what does not count, and brings the whole to disk.
    pub(super) async fn close(self) -> io::Result<()> {
        blocking(move || {
            self.file.set_len(self.at)?;
            self.file.sync_all()
        })
        .await
    }
}

/// Why no more bytes come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The body ended, with exactly the bytes that were announced.
    Whole,
    /// It ended before.
    Short,
    /// It went on after.
    Long,
    /// The connection is gone.
    Cut,
    /// Nothing came for a minute.
    Idle,
    /// Somebody else has the right of way.
    Interrupted,
}

/// A body on its way.
pub(super) struct Incoming<'a> {
    body: BodyDataStream,
    /// Bytes still to be left out: they are stored already.
    skip: u64,
    /// Bytes still to come, where that is known.
    left: Option<u64>,
    interrupted: &'a CancellationToken,
    /// Bytes still taken once it is interrupted.
    grace: usize,
    stop: Option<Stop>,
    next: Vec<Bytes>,
}

impl<'a> Incoming<'a> {
    /// `length` bytes, if that is known, of which the first `skip` do not count.
    pub(super) fn new(
        body: Body,
        skip: u64,
        length: Option<u64>,
        interrupted: &'a CancellationToken,
    ) -> Self {
        let body = body.into_data_stream();
        let grace = GRACE;
        Self { body, skip, left: length, interrupted, grace, stop: None, next: Vec::new() }
    }

    /// Whether it got to bytes that were not stored before, or at least to the first of them.
    pub(super) fn passed(&self) -> bool {
        self.skip == 0
    }

    /// Writes up to `most` bytes and a slice to `place`. `Some` where no more come.
    ///
    /// One slice is written while the next is gathered.
    pub(super) async fn write_to(
        &mut self,
        mut place: Place,
        most: u64,
    ) -> io::Result<(Place, Option<Stop>)> {
        let from = place.at;
        while place.at - from < most {
            let slice = std::mem::take(&mut self.next);
            if slice.is_empty() && self.stop.is_some() {
                break;
            }
            let (written, ()) = tokio::join!(place.write(slice), self.gather());
            place = written?;
        }
        let stop = self.stop.filter(|_| self.next.is_empty());
        Ok((place, stop))
    }

    async fn gather(&mut self) {
        let mut gathered = 0;
        while gathered < SLICE && self.stop.is_none() {
            if self.grace == 0 {
                self.stop = Some(Stop::Interrupted);
                return;
            }
            let next = tokio::select! {
                next = timeout(IDLE, self.body.next()) => next,
                () = self.interrupted.cancelled() => {
                    // What has arrived already need not be sent again.
                    let Ok(next) = timeout(LULL, self.body.next()).await else {
                        self.stop = Some(Stop::Interrupted);
                        return;
                    };
                    Ok(next)
                }
            };
            match next {
                Err(_) => self.stop = Some(Stop::Idle),
                Ok(Some(Err(_))) => self.stop = Some(Stop::Cut),
                Ok(None) => {
                    let whole = self.left.is_none_or(|left| left == 0);
                    self.stop = Some(if whole { Stop::Whole } else { Stop::Short });
                }
                Ok(Some(Ok(bytes))) => {
                    if self.interrupted.is_cancelled() {
                        self.grace = self.grace.saturating_sub(bytes.len());
                    }
                    let bytes = self.counted(bytes);
                    gathered += bytes.len();
                    if !bytes.is_empty() {
                        self.next.push(bytes);
                    }
                }
            }
        }
    }

    /// What of it is announced and not yet stored.
    fn counted(&mut self, mut bytes: Bytes) -> Bytes {
        if let Some(left) = &mut self.left {
            let fits = usize::try_from(*left).unwrap_or(usize::MAX);
            if bytes.len() > fits {
                bytes.truncate(fits);
                self.stop = Some(Stop::Long);
            }
            *left -= bytes.len() as u64;
        }
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        self.skip -= skipped as u64;
        bytes.slice(skipped..)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

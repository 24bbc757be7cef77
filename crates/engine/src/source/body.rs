//! A part as the body of a request: read slice by slice, never held whole.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use crate::source::{Crc64, Slices, Source, SourceError};
use crate::transfer::ByteRange;

/// Slices read ahead of the network.
const READ_AHEAD: usize = 1;

/// What a part's bytes pass on their way.
pub trait Passage: Send + Sync + 'static {
    /// Leave to read up to `wanted` bytes, and how many. Blocks, but not for long: `None` says to
    /// ask again.
    fn leave(&self, wanted: u64) -> Option<u64>;

    /// `bytes` more are on their way.
    fn moved(&self, bytes: u64);
}

/// A stretch of a file on its way. Dropping it ends the reading.
pub struct PartBody {
    slices: mpsc::Receiver<Result<Bytes, SourceError>>,
    left: Left,
    passage: Arc<dyn Passage>,
}

/// How much of a body is not yet handed to the network. Clones tell the same.
#[derive(Clone, Debug)]
pub struct Left(Arc<AtomicU64>);

impl Left {
    /// In bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: u64) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl PartBody {
    /// Starts to read. Dedicated reading keeps a slow disk away from the network's threads.
    #[must_use]
    pub fn read(
        source: &Source,
        range: ByteRange,
        pool: &Slices,
        passage: Arc<dyn Passage>,
    ) -> Self {
        Self::start(source, range, pool, passage, None)
    }

    /// The same, and where the checksum of the bytes will be, once all of them are read.
    #[must_use]
    pub fn read_and_sum(
        source: &Source,
        range: ByteRange,
        pool: &Slices,
        passage: Arc<dyn Passage>,
    ) -> (Self, Arc<OnceLock<Crc64>>) {
        let checksum = Arc::default();
        (Self::start(source, range, pool, passage, Some(Arc::clone(&checksum))), checksum)
    }

    fn start(
        source: &Source,
        range: ByteRange,
        pool: &Slices,
        passage: Arc<dyn Passage>,
        checksum: Option<Arc<OnceLock<Crc64>>>,
    ) -> Self {
        let (give, slices) = mpsc::channel(READ_AHEAD);
        let (source, pool, asked) = (source.clone(), pool.clone(), Arc::clone(&passage));
        tokio::task::spawn_blocking(move || {
            read(&source, range, &pool, &*asked, &give, checksum.as_deref());
        });
        Self { slices, left: Left(Arc::new(AtomicU64::new(range.length))), passage }
    }

    /// How much is left to be sent, for whoever watches.
    #[must_use]
    pub fn left(&self) -> Left {
        self.left.clone()
    }
}

fn read(
    source: &Source,
    range: ByteRange,
    pool: &Slices,
    passage: &dyn Passage,
    give: &mpsc::Sender<Result<Bytes, SourceError>>,
    checksum: Option<&OnceLock<Crc64>>,
) {
    let mut digest = checksum.map(|place| (Crc64::digest(), place));
    let mut done = 0;
    while done < range.length {
        let mut slice = pool.take();
        let wanted = slice.room().min(range.length - done);
        let wanted = loop {
            if give.is_closed() {
                return;
            }
            if let Some(bytes) = passage.leave(wanted) {
                break bytes;
            }
        };
        if let Err(error) = source.fill(&mut slice, range.offset + done, wanted) {
            // Nobody there to hear it: the request was dropped, and with it the part.
            let _ = give.blocking_send(Err(error));
            return;
        }
        done += wanted;
        if let Some((digest, place)) = &mut digest {
            digest.update(slice.as_ref());
            if done == range.length {
                // Before the last slice goes out: whoever has its answer finds the checksum there.
                place.get_or_init(|| digest.finish());
            }
        }
        if give.blocking_send(Ok(Bytes::from_owner(slice))).is_err() {
            return;
        }
    }
}

impl Body for PartBody {
    type Data = Bytes;
    type Error = SourceError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SourceError>>> {
        if self.left.bytes() == 0 {
            return Poll::Ready(None);
        }
        self.slices.poll_recv(context).map(|slice| match slice {
            Some(Ok(slice)) => {
                let bytes = slice.len() as u64;
                self.left.take(bytes);
                self.passage.moved(bytes);
                Some(Ok(Frame::data(slice)))
            }
            Some(Err(error)) => Some(Err(error)),
            None => Some(Err(SourceError::Changed)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left.bytes() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.bytes())
    }
}

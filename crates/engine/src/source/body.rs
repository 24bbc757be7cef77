//! A part as the body of a request: read slice by slice, never held whole.

use std::collections::VecDeque;
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
    /// Leave to send up to `wanted` bytes, and how many, where there is some at once.
    fn leave_now(&self, wanted: u64) -> Option<u64>;

    /// Leave to read up to `wanted` bytes, and how many. Blocks, but not for long: `None` says to
    /// ask again.
    fn leave(&self, wanted: u64) -> Option<u64>;

    /// `bytes` more are on their way.
    fn moved(&self, bytes: u64);
}

/// A stretch's first bytes in memory, from their checksum until they are sent.
#[derive(Debug, Default)]
pub struct Kept(pub(super) VecDeque<Bytes>);

/// A stretch of a file on its way. Dropping it ends the reading.
pub struct PartBody {
    bytes: Way,
    left: Left,
    passage: Arc<dyn Passage>,
}

/// Where the next bytes come from.
enum Way {
    /// From memory, without a thread that reads, for as long as there are some and leave at once.
    Kept(Kept, Reading),
    /// From a thread that reads.
    Read(mpsc::Receiver<Result<Bytes, SourceError>>),
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
    /// Starts to read what is not `kept` of the range's first bytes. Dedicated reading keeps a slow disk
    /// away from the network's threads.
    #[must_use]
    pub fn read(
        source: &Source,
        range: ByteRange,
        kept: Kept,
        pool: &Slices,
        passage: Arc<dyn Passage>,
    ) -> Self {
        let reading = Reading::of(source, range, pool, &passage);
        let bytes = match kept.0.is_empty() {
            true => Way::Read(reading.start(None)),
            false => Way::Kept(kept, reading),
        };
        Self::of(bytes, range, passage)
    }

    /// The same, and where the checksum of the bytes will be, once all of them are read and the file is
    /// still what it was.
    #[must_use]
    pub fn read_and_sum(
        source: &Source,
        range: ByteRange,
        pool: &Slices,
        passage: Arc<dyn Passage>,
    ) -> (Self, Arc<OnceLock<Crc64>>) {
        let checksum = Arc::default();
        let reading = Reading::of(source, range, pool, &passage);
        let bytes = Way::Read(reading.start(Some(Arc::clone(&checksum))));
        (Self::of(bytes, range, passage), checksum)
    }

    fn of(bytes: Way, range: ByteRange, passage: Arc<dyn Passage>) -> Self {
        Self { bytes, left: Left(Arc::new(AtomicU64::new(range.length))), passage }
    }

    /// How much is left to be sent, for whoever watches.
    #[must_use]
    pub fn left(&self) -> Left {
        self.left.clone()
    }

    /// `bytes` go out now.
    fn passed(&self, bytes: Bytes) -> Frame<Bytes> {
        self.left.take(bytes.len() as u64);
        self.passage.moved(bytes.len() as u64);
        Frame::data(bytes)
    }
}

impl Kept {
    /// The next of them, as many as there is leave for at once.
    fn next(&mut self, passage: &dyn Passage) -> Option<Bytes> {
        let first = self.0.front_mut()?;
        let leave = passage.leave_now(first.len() as u64)?;
        let next = first.split_to(usize::try_from(leave).ok()?.min(first.len()));
        if first.is_empty() {
            self.0.pop_front();
        }
        Some(next)
    }
}

/// What a thread needs to read a stretch.
#[derive(Clone)]
struct Reading {
    source: Source,
    range: ByteRange,
    pool: Slices,
    passage: Arc<dyn Passage>,
}

impl Reading {
    fn of(source: &Source, range: ByteRange, pool: &Slices, passage: &Arc<dyn Passage>) -> Self {
        let (source, pool, passage) = (source.clone(), pool.clone(), Arc::clone(passage));
        Self { source, range, pool, passage }
    }

    /// So many of its first bytes need not be read.
    fn skip(&mut self, bytes: u64) {
        self.range.offset += bytes;
        self.range.length -= bytes;
    }

    fn start(
        &self,
        checksum: Option<Arc<OnceLock<Crc64>>>,
    ) -> mpsc::Receiver<Result<Bytes, SourceError>> {
        let (give, slices) = mpsc::channel(READ_AHEAD);
        let reading = self.clone();
        tokio::task::spawn_blocking(move || reading.read(&give, checksum.as_deref()));
        slices
    }

    fn read(
        &self,
        give: &mpsc::Sender<Result<Bytes, SourceError>>,
        checksum: Option<&OnceLock<Crc64>>,
    ) {
        let Self { source, range, pool, passage } = self;
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
                    // What was read while somebody wrote is of no use: it is never whole on the other side.
                    if let Err(error) = source.check() {
                        let _ = give.blocking_send(Err(error));
                        return;
                    }
                    // Before the last slice goes out: whoever has its answer finds the checksum there.
                    place.get_or_init(|| digest.finish());
                }
            }
            if give.blocking_send(Ok(Bytes::from_owner(slice))).is_err() {
                return;
            }
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
        loop {
            match &mut self.bytes {
                Way::Read(slices) => {
                    return slices.poll_recv(context).map(|slice| match slice {
                        Some(Ok(slice)) => Some(Ok(self.passed(slice))),
                        Some(Err(error)) => Some(Err(error)),
                        None => Some(Err(SourceError::Changed)),
                    });
                }
                Way::Kept(kept, reading) => {
                    if let Some(bytes) = kept.next(&*reading.passage) {
                        reading.skip(bytes.len() as u64);
                        return Poll::Ready(Some(Ok(self.passed(bytes))));
                    }
                    self.bytes = Way::Read(reading.start(None));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left.bytes() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use http_body_util::BodyExt as _;

    use super::*;
    use crate::source::Fingerprint;

    /// Gives leave for small bites, at once or to those only who wait.
    struct Bites {
        at_once: bool,
    }

    impl Passage for Bites {
        fn leave_now(&self, wanted: u64) -> Option<u64> {
            self.at_once.then(|| wanted.min(300_000))
        }

        fn leave(&self, wanted: u64) -> Option<u64> {
            Some(wanted.min(300_000))
        }

        fn moved(&self, _: u64) {}
    }

    const SIZE: usize = 21 << 20;
    const RANGE: ByteRange = ByteRange { offset: 1 << 20, length: 20 << 20 };

    /// Sums and sends a stretch of a file that is overwritten in between.
    async fn sent(at_once: bool) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mov");
        std::fs::write(&path, vec![1; SIZE]).unwrap();
        let source = Source::open(&path, &Fingerprint::take(&path).unwrap()).unwrap();
        let slices = Slices::new(4);
        let (checksum, kept) = source.checksum_and_keep(RANGE, &slices).await.unwrap();
        assert_eq!(checksum, Crc64::of(&vec![1; SIZE - (1 << 20)]));
        std::fs::write(&path, vec![2; SIZE]).unwrap();
        let body = PartBody::read(&source, RANGE, kept, &slices, Arc::new(Bites { at_once }));
        let left = body.left();
        let sent = body.collect().await.unwrap().to_bytes().to_vec();
        assert_eq!((left.bytes(), sent.len() as u64), (0, RANGE.length));
        sent
    }

    #[tokio::test]
    async fn what_was_summed_is_sent_from_memory_and_the_rest_is_read() {
        let sent = sent(true).await;
        let kept = 11 << 20;
        assert!(sent[..kept].iter().all(|byte| *byte == 1), "read a second time");
        assert!(sent[kept..].iter().all(|byte| *byte == 2));
    }

    #[tokio::test]
    async fn what_changes_while_it_is_read_is_never_sent_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mov");
        std::fs::write(&path, vec![1; SIZE]).unwrap();
        let source = Source::open(&path, &Fingerprint::take(&path).unwrap()).unwrap();
        let passage = Arc::new(Bites { at_once: true });
        let (mut body, read) = PartBody::read_and_sum(&source, RANGE, &Slices::new(4), passage);
        body.frame().await.unwrap().unwrap();
        let mut file = std::fs::File::options().write(true).open(&path).unwrap();
        file.write_all(b"other").unwrap();
        let left = body.left();
        let rest = body.collect().await;
        assert!(matches!(rest, Err(SourceError::Changed)), "{rest:?}");
        assert!(left.bytes() > 0 && read.get().is_none());
    }

    #[tokio::test]
    async fn who_has_to_wait_reads_again() {
        assert!(sent(false).await.iter().all(|byte| *byte == 2));
    }
}

//! Bodies of requests: how much may come, and how slowly.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use tokio::time::Sleep;

/// Bytes that a body must bring in the time it has; a body's end counts as well.
const LITTLE: u64 = 4 << 10;

/// What became of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It came, or nobody wanted the rest.
    Fine,
    TooLarge,
    Stalled,
}

/// Tells of a body's fate after whoever read it is done.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch(Arc<AtomicU8>);

impl Watch {
    pub(super) fn fate(&self) -> Fate {
        match self.0.load(Ordering::Relaxed) {
            0 => Fate::Fine,
            1 => Fate::TooLarge,
            _ => Fate::Stalled,
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error("the body is larger than this route takes")]
    TooLarge,
    #[error("the body came too slowly")]
    Stalled,
}

/// A body that ends with an error where it is too large or stalls.
pub(super) struct Watched {
    body: Body,
    watch: Watch,
    left: Option<u64>,
    patience: Duration,
    /// Since the sleep began.
    brought: u64,
    /// Runs only while a reader waits: a reader who takes his time is no fault of the client.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    /// `most` bytes at the most, where that is limited.
    pub(super) fn new(body: Body, most: Option<u64>, patience: Duration) -> (Self, Watch) {
        let watch = Watch::default();
        let told = watch.clone();
        (Self { body, watch, left: most, patience, brought: 0, sleep: None }, told)
    }

    fn cut<T>(&self, cut: Cut) -> Poll<Option<Result<T, axum::Error>>> {
        let fate = match cut {
            Cut::TooLarge => 1,
            Cut::Stalled => 2,
        };
        self.watch.0.store(fate, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new(cut))))
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                if let Some(left) = &mut this.left {
                    match left.checked_sub(bytes) {
                        Some(rest) => *left = rest,
                        None => return this.cut(Cut::TooLarge),
                    }
                }
                this.brought += bytes;
                if this.brought >= LITTLE {
                    this.sleep = None;
                    this.brought = 0;
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Pending => {
                let patience = this.patience;
                let sleep =
                    this.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
                match sleep.as_mut().poll(cx) {
                    Poll::Ready(()) => this.cut(Cut::Stalled),
                    Poll::Pending => Poll::Pending,
                }
            }
            ended => ended,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt as _, stream};
    use http_body_util::BodyExt as _;

    use super::*;

    /// `frames` of `size` bytes, one every ten seconds.
    fn slow(frames: usize, size: usize) -> Body {
        let frames = stream::iter(0..frames).then(move |_| async move {
            tokio::time::sleep(Duration::from_secs(10)).await;
            Ok::<_, std::convert::Infallible>(vec![b'x'; size])
        });
        Body::from_stream(frames)
    }

    async fn fate(body: Body, most: Option<u64>) -> (bool, Fate) {
        let (watched, watch) = Watched::new(body, most, Duration::from_secs(30));
        (watched.collect().await.is_ok(), watch.fate())
    }

    #[tokio::test(start_paused = true)]
    async fn who_moves_slowly_is_waited_for_and_who_does_not_is_cut() {
        assert_eq!(
            fate(slow(60, 2 << 10), None).await,
            (true, Fate::Fine),
            "ten minutes at 200 B/s"
        );
        assert_eq!(fate(slow(60, 10), None).await, (false, Fate::Stalled), "1 B/s is an attack");
        assert_eq!(fate(slow(2, 10), None).await, (true, Fate::Fine), "a small body is no stall");
    }

    #[tokio::test]
    async fn what_is_too_large_is_cut_at_the_limit_in_however_many_pieces() {
        let body = |pieces: &[usize]| {
            let piece = |bytes: &usize| Ok::<_, std::convert::Infallible>(vec![0; *bytes]);
            Body::from_stream(stream::iter(pieces.iter().map(piece).collect::<Vec<_>>()))
        };
        assert_eq!(fate(body(&[60, 40]), Some(100)).await, (true, Fate::Fine));
        assert_eq!(fate(body(&[101]), Some(100)).await, (false, Fate::TooLarge));
        assert_eq!(fate(body(&[60, 41]), Some(100)).await, (false, Fate::TooLarge));
    }
}

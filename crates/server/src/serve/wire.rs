//! A connection's bytes: counted, and cut where the other end neither sends nor takes any.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::Traffic;

/// How long a client may take nothing of an answer. Players stop reading while they are paused.
const UNREAD: Duration = Duration::from_mins(5);
/// What a head that came too slowly is answered.
const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\
    content-type: application/json\r\ncontent-length: 76\r\n\r\n\
    {\"code\":\"request_timeout\",\"message\":\"the request's headers came too slowly\"}";

/// Whether a request is being answered. Between two of them, what comes is a request's head.
#[derive(Debug, Default)]
pub(super) struct Phase {
    answering: AtomicBool,
    /// Heads that came to their end.
    heads: AtomicU64,
}

impl Phase {
    pub(super) fn begin(&self) {
        self.heads.fetch_add(1, Ordering::Relaxed);
        self.answering.store(true, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.answering.store(false, Ordering::Relaxed);
    }

    fn is_answering(&self) -> bool {
        self.answering.load(Ordering::Relaxed)
    }
}

/// A stream with the limits of this room.
pub(super) struct Wire<S> {
    stream: S,
    phase: Arc<Phase>,
    header_timeout: Duration,
    traffic: Arc<Traffic>,
    /// Heads that had come when it was last looked.
    heads: u64,
    /// When the first byte of a head came that has not ended yet.
    head_since: Option<Instant>,
    head: Option<Pin<Box<Sleep>>>,
    unread: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(
        stream: S,
        phase: Arc<Phase>,
        header_timeout: Duration,
        traffic: Arc<Traffic>,
    ) -> Self {
        Self {
            stream,
            phase,
            header_timeout,
            traffic,
            heads: 0,
            head_since: None,
            head: None,
            unread: None,
        }
    }

    /// Waits for more of a head, as long as it may take.
    fn poll_head(&mut self, since: Instant, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let deadline = since + self.header_timeout;
        let sleep = self.head.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        ready!(sleep.as_mut().poll(cx));
        // Nothing else is being written now; a client that does not take it gets none.
        let _ = Pin::new(&mut self.stream).poll_write(cx, TOO_SLOW);
        let _ = Pin::new(&mut self.stream).poll_flush(cx);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn written(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(bytes)) => {
                self.unread = None;
                self.traffic.sent.fetch_add(bytes as u64, Ordering::Relaxed);
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(error) => Poll::Ready(error),
            Poll::Pending => {
                let sleep = self.unread.get_or_insert_with(|| Box::pin(tokio::time::sleep(UNREAD)));
                ready!(sleep.as_mut().poll(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let heads = this.phase.heads.load(Ordering::Relaxed);
        if heads != this.heads {
            this.heads = heads;
            this.head_since = None;
            this.head = None;
        }
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buffer) {
            Poll::Ready(result) => {
                let bytes = buffer.filled().len() - before;
                this.traffic.received.fetch_add(bytes as u64, Ordering::Relaxed);
                if bytes > 0 && !this.phase.is_answering() {
                    let since = *this.head_since.get_or_insert_with(Instant::now);
                    // One that always has a byte ready would never be found waiting.
                    if since.elapsed() > this.header_timeout {
                        return this.poll_head(since, cx);
                    }
                }
                Poll::Ready(result)
            }
            Poll::Pending => match this.head_since {
                Some(since) if !this.phase.is_answering() => this.poll_head(since, cx),
                _ => Poll::Pending,
            },
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_a_slow_head_has_the_length_it_says() {
        let text = std::str::from_utf8(TOO_SLOW).expect("it is text");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{}", body.len());
    }
}

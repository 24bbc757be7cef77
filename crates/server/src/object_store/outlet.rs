//! From an object's extents to a response body, in slices of 1 MiB, one read ahead.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use s3s::StdError;
use s3s::stream::{ByteStream, RemainingLength};
use tokio::task::JoinHandle;

use super::files::{Files, Lease};
use super::positioned;
use super::values::{Extent, FileName};

/// Bytes per read. Smaller reads cost more than the copy itself.
const SLICE: u64 = 1 << 20;

type OpenFile = (FileName, Arc<File>);

/// The bytes of a list of extents as a stream. Its files stay until it is dropped.
pub(super) struct Outlet {
    files: Files,
    rest: VecDeque<Extent>,
    remaining: u64,
    open: Option<OpenFile>,
    reading: Option<JoinHandle<io::Result<(OpenFile, Bytes)>>>,
    _leases: Vec<Lease>,
}

impl Outlet {
    pub(super) fn new(files: Files, extents: Vec<Extent>, leases: Vec<Lease>) -> Self {
        let remaining = extents.iter().map(|extent| extent.length).sum();
        let rest = extents.into();
        Self { files, rest, remaining, open: None, reading: None, _leases: leases }
    }

    fn read_on(&mut self) {
        let Some(extent) = self.rest.front_mut() else { return };
        let slice = Extent { length: extent.length.min(SLICE), ..*extent };
        extent.start += slice.length;
        extent.length -= slice.length;
        if extent.length == 0 {
            self.rest.pop_front();
        }
        let open = self.open.take().filter(|(name, _)| *name == slice.file);
        let files = self.files.clone();
        self.reading = Some(tokio::task::spawn_blocking(move || read(&files, open, slice)));
    }
}

impl Stream for Outlet {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.reading.is_none() {
            self.read_on();
        }
        let Some(reading) = self.reading.as_mut() else { return Poll::Ready(None) };
        let read = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        match read.unwrap_or_else(|_| Err(io::Error::other("the reading thread ended early"))) {
            Ok((open, bytes)) => {
                self.open = Some(open);
                self.remaining -= bytes.len() as u64;
                self.read_on();
                Poll::Ready(Some(Ok(bytes)))
            }
            Err(error) => {
                tracing::error!(target: super::LOG, event = "read_failed", %error, "an object could not be read");
                self.rest.clear();
                Poll::Ready(Some(Err(error.into())))
            }
        }
    }
}

impl ByteStream for Outlet {
    fn remaining_length(&self) -> RemainingLength {
        usize::try_from(self.remaining)
            .map_or_else(|_| RemainingLength::unknown(), RemainingLength::new_exact)
    }
}

fn read(files: &Files, open: Option<OpenFile>, slice: Extent) -> io::Result<(OpenFile, Bytes)> {
    let (name, file) = match open {
        Some(open) => open,
        None => (slice.file, Arc::new(files.open_to_read(slice.file)?)),
    };
    let length = usize::try_from(slice.length).map_err(io::Error::other)?;
    let mut buffer = BytesMut::zeroed(length);
    positioned::read_exact_at(&file, &mut buffer, slice.start)?;
    Ok(((name, file), buffer.freeze()))
}

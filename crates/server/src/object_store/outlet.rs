//! From an object's extents to a response body, in slices of 1 MiB, one read ahead.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use s3s::StdError;
use s3s::stream::{ByteStream, RemainingLength};
use tokio::task::JoinHandle;

use super::block::{ALIGNMENT, BLOCK};
use super::direct;
use super::files::{Files, Lease};
use super::positioned;
use super::values::{Extent, FileName};

/// Bytes per read. Smaller reads cost more than the copy itself.
const SLICE: u64 = BLOCK as u64;
/// Answers from this size on are read past the system's cache: somebody takes the original whole,
/// and once. What players look at again and again is smaller.
const PASSING: u64 = 64 << 20;

/// A file that is read, and whether past the cache.
struct OpenFile {
    name: FileName,
    file: File,
    direct: bool,
}

/// The bytes of a list of extents as a stream. Its files stay until it is dropped.
pub(super) struct Outlet {
    files: Files,
    rest: VecDeque<Extent>,
    remaining: u64,
    passing: bool,
    open: Option<OpenFile>,
    reading: Option<JoinHandle<io::Result<(OpenFile, Bytes)>>>,
    _leases: Vec<Lease>,
}

impl Outlet {
    pub(super) fn new(files: Files, extents: Vec<Extent>, leases: Vec<Lease>) -> Self {
        let remaining = extents.iter().map(|extent| extent.length).sum();
        let passing = remaining >= PASSING;
        let rest = extents.into();
        Self { files, rest, remaining, passing, open: None, reading: None, _leases: leases }
    }

    fn read_on(&mut self) {
        let Some(extent) = self.rest.front_mut() else { return };
        // The first one is shorter, so that the others begin at a multiple of a page.
        let longest = SLICE - extent.start % ALIGNMENT as u64;
        let slice = Extent { length: extent.length.min(longest), ..*extent };
        extent.start += slice.length;
        extent.length -= slice.length;
        if extent.length == 0 {
            self.rest.pop_front();
        }
        let open = self.open.take().filter(|open| open.name == slice.file);
        let (files, passing) = (self.files.clone(), self.passing);
        self.reading = Some(tokio::task::spawn_blocking(move || {
            let open = match open {
                Some(open) => open,
                None => OpenFile::new(&files, slice.file, passing)?,
            };
            open.read(slice)
        }));
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

impl OpenFile {
    fn new(files: &Files, name: FileName, passing: bool) -> io::Result<Self> {
        let file = files.open_to_read(name)?;
        let direct = passing && direct::set_direct(&file, true).is_ok();
        Ok(Self { name, file, direct })
    }

    fn read(mut self, slice: Extent) -> io::Result<(Self, Bytes)> {
        if self.direct {
            if let Some(bytes) = direct::read(&self.file, slice.start, slice.length)? {
                if bytes.len() as u64 != slice.length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                return Ok((self, bytes));
            }
            direct::set_direct(&self.file, false)?;
            self.direct = false;
        }
        let length = usize::try_from(slice.length).map_err(io::Error::other)?;
        let mut buffer = BytesMut::zeroed(length);
        positioned::read_exact_at(&self.file, &mut buffer, slice.start)?;
        Ok((self, buffer.freeze()))
    }
}

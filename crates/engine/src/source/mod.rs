//! Files: what identifies one, whether it changed, its bytes at a place, its type.
//!
//! Must not know: destinations.

mod body;
mod checksum;
mod content_type;
mod fingerprint;
mod slices;
mod transport_stream;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

pub use body::{Kept, Left, PartBody, Passage};
pub use checksum::Crc64;
pub(crate) use checksum::Digest;
pub use content_type::{content_type, video_type};
pub use fingerprint::Fingerprint;
pub(crate) use fingerprint::same_file;
pub use slices::Slices;
pub(crate) use transport_stream::packet_length;
#[cfg(test)]
pub(crate) use transport_stream::tests;

use crate::transfer::{ByteRange, Failure};

/// Bytes summed at a time: they stay in the second-level cache between the read and the sum.
const CACHED: u64 = 256 << 10;

/// What can be wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It is not there.
    #[error("the file is not there")]
    Missing,
    /// It is a folder, a device, a socket.
    #[error("it is no regular file")]
    NotAFile,
    /// It is not the file that was added any more.
    #[error("the file has changed")]
    Changed,
    /// The system would not read it.
    #[error("reading at byte {offset} failed")]
    Read {
        /// Where.
        offset: u64,
        /// Why.
        #[source]
        error: io::Error,
    },
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        (&error).into()
    }
}

impl From<&SourceError> for Failure {
    fn from(error: &SourceError) -> Self {
        match error {
            SourceError::Missing => Self::SourceMissing,
            SourceError::Changed | SourceError::NotAFile => Self::SourceChanged,
            SourceError::Read { offset, error } => {
                Self::SourceUnreadable(format!("at byte {offset}: {error}"))
            }
        }
    }
}

/// An opened file that is being uploaded. It stays readable when it is renamed or deleted.
#[derive(Clone, Debug)]
pub struct Source {
    file: Arc<File>,
    path: PathBuf,
    expected: Expected,
}

/// What has to lie at a source's path for its bytes to count.
#[derive(Clone, Debug)]
enum Expected {
    /// The file in this version.
    Version(Fingerprint),
    /// The file that was opened, whoever writes to it meanwhile.
    Growing,
}

impl Source {
    /// Opens a file that must still be the one with this fingerprint. Blocks.
    ///
    /// # Errors
    /// [`SourceError::Changed`] where another file, or another version, lies there now.
    pub fn open(path: &Path, fingerprint: &Fingerprint) -> Result<Self, SourceError> {
        let file = open(path)?;
        let expected = Expected::Version(fingerprint.clone());
        let source = Self { file: Arc::new(file), path: path.to_owned(), expected };
        source.check()?;
        Ok(source)
    }

    /// Opens a file that somebody is still writing to. Blocks.
    ///
    /// # Errors
    /// [`SourceError::Missing`] and [`SourceError::Read`].
    pub fn open_growing(path: &Path) -> Result<Self, SourceError> {
        let (file, expected) = (Arc::new(open(path)?), Expected::Growing);
        Ok(Self { file, path: path.to_owned(), expected })
    }

    /// Whether the path still leads to this file, in the version it has to have. Blocks.
    ///
    /// # Errors
    /// [`SourceError::Missing`] and [`SourceError::Changed`].
    pub fn check(&self) -> Result<(), SourceError> {
        match &self.expected {
            Expected::Version(fingerprint) => fingerprint.check(&self.path),
            Expected::Growing => fingerprint::same_file(&self.file, &self.path),
        }
    }

    /// The version that lies at its path now. Blocks.
    ///
    /// # Errors
    /// As of [`Fingerprint::take`].
    pub(crate) fn version(&self) -> Result<Fingerprint, SourceError> {
        Fingerprint::take(&self.path)
    }

    /// Bytes that it has now. Blocks.
    ///
    /// # Errors
    /// [`SourceError::Read`].
    pub(crate) fn size(&self) -> Result<u64, SourceError> {
        let metadata = self.file.metadata();
        Ok(metadata.map_err(|error| SourceError::Read { offset: 0, error })?.len())
    }

    /// To look into it here and there. Whoever reads elsewhere in it is not disturbed. Blocks.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { file: &self.file, at: 0 }
    }

    /// The checksum of a stretch. Reads all of it on a thread of its own.
    ///
    /// # Errors
    /// [`SourceError::Read`] with the place; [`SourceError::Changed`] where the file ends early.
    pub async fn checksum(&self, range: ByteRange, slices: &Slices) -> Result<Crc64, SourceError> {
        let (source, slices) = (self.clone(), slices.clone());
        let read = move || {
            source.check()?;
            let mut checksum = Crc64::digest();
            source.sum(&mut checksum, range, 0, &slices)?;
            Ok(checksum.finish())
        };
        join(tokio::task::spawn_blocking(read).await)
    }

    /// The checksum of a stretch, and as many of its first bytes as there is memory for, so that
    /// whoever sends them does not read them again. Reads on a thread of its own.
    ///
    /// # Errors
    /// As of [`Self::checksum`].
    pub(crate) async fn checksum_and_keep(
        &self,
        range: ByteRange,
        slices: &Slices,
    ) -> Result<(Crc64, Kept), SourceError> {
        let (source, slices) = (self.clone(), slices.clone());
        let read = move || {
            source.check()?;
            let mut checksum = Crc64::digest();
            let mut kept = Kept::default();
            let mut done = 0;
            while done < range.length
                && let Some(mut slice) = slices.keep()
            {
                let wanted = slice.room().min(range.length - done);
                source.fill(&mut slice, range.offset + done, wanted)?;
                checksum.update(slice.as_ref());
                kept.0.push_back(Bytes::from_owner(slice));
                done += wanted;
            }
            source.sum(&mut checksum, range, done, &slices)?;
            Ok((checksum.finish(), kept))
        };
        join(tokio::task::spawn_blocking(read).await)
    }

    /// The first bytes of a stretch, as many as a slice holds. Reads on a thread of its own.
    ///
    /// # Errors
    /// As of [`Self::checksum`].
    pub(crate) async fn slice(
        &self,
        range: ByteRange,
        slices: &Slices,
    ) -> Result<Bytes, SourceError> {
        let (source, slices) = (self.clone(), slices.clone());
        let read = move || {
            source.check()?;
            let mut slice = slices.take();
            let wanted = slice.room().min(range.length);
            source.fill(&mut slice, range.offset, wanted)?;
            Ok(Bytes::from_owner(slice))
        };
        join(tokio::task::spawn_blocking(read).await)
    }

    /// Adds a stretch to a checksum, but for its first bytes that were added already.
    fn sum(
        &self,
        checksum: &mut Digest,
        range: ByteRange,
        mut done: u64,
        slices: &Slices,
    ) -> Result<(), SourceError> {
        let mut slice = None;
        while done < range.length {
            let slice = slice.get_or_insert_with(|| slices.take());
            let wanted = CACHED.min(slice.room()).min(range.length - done);
            self.fill(slice, range.offset + done, wanted)?;
            checksum.update(slice.as_ref());
            done += wanted;
        }
        Ok(())
    }

    /// Fills a slice from a place on.
    fn fill(&self, slice: &mut slices::Slice, offset: u64, length: u64) -> Result<(), SourceError> {
        read_exact_at(&self.file, slice.reset(length), offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => SourceError::Changed,
            _ => SourceError::Read { offset, error },
        })
    }
}

/// Reads a file from a place of its own on.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    file: &'a File,
    at: u64,
}

impl Read for Reader<'_> {
    /// All of it or nothing: whoever looks into a file knows how much there is.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_exact_at(self.file, buffer, self.at)?;
        self.at += buffer.len() as u64;
        Ok(buffer.len())
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.file.metadata()?.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = to.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// The result of a blocking task; one that panicked or was ended by a shutdown reads nothing.
fn join<T>(
    joined: Result<Result<T, SourceError>, tokio::task::JoinError>,
) -> Result<T, SourceError> {
    joined.unwrap_or_else(|error| {
        Err(SourceError::Read { offset: 0, error: io::Error::other(error.to_string()) })
    })
}

fn open(path: &Path) -> Result<File, SourceError> {
    File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SourceError::Missing,
        _ => SourceError::Read { offset: 0, error },
    })
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

//! The store for whoever copies it while it runs, and for whoever doubts a copy.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::ObjectStoreError;
use super::checksums::Digests;
use super::index::export::{self, Stored};
use super::positioned;
use super::refusal::Refusal;
use super::values::{Extent, FileName};

/// Bytes read at a time.
const SLICE: u64 = 1 << 20;

/// A snapshot of the index, without uploads in progress.
///
/// The data files that it names do not change any more, but they may be removed when their objects
/// are.
#[derive(Debug)]
pub(crate) struct Snapshot {
    path: PathBuf,
    connection: rusqlite::Connection,
}

/// A file below `data/` that objects have bytes in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DataFile {
    pub(crate) name: String,
    /// The least it must have.
    pub(crate) bytes: u64,
}

/// What reading everything back came to.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
    /// Objects whose bytes are not those that were stored, as `bucket/key`.
    pub(crate) damaged: Vec<String>,
}

impl Snapshot {
    /// Writes a snapshot of the index of a store, which may be running, to the new file `to`.
    pub(crate) fn take(index: &Path, to: &Path) -> Result<Self, ObjectStoreError> {
        dailies_database::snapshot(index, to).map_err(ObjectStoreError::Index)?;
        export::forget_uploads(to).map_err(failed)?;
        Self::open(to)
    }

    /// Opens one that was taken before.
    pub(crate) fn open(path: &Path) -> Result<Self, ObjectStoreError> {
        let connection = export::open(path).map_err(failed)?;
        Ok(Self { path: path.to_owned(), connection })
    }

    pub(crate) fn data_files(&self) -> Result<Vec<DataFile>, ObjectStoreError> {
        let needed = export::needed(&self.connection).map_err(failed)?;
        let file = |needed: export::Needed| DataFile {
            name: needed.name.to_string(),
            bytes: needed.bytes,
        };
        Ok(needed.into_iter().map(file).collect())
    }

    /// Forgets objects whose files were removed since it was taken, because they were deleted.
    /// Answers those that the store of `index` still has: their bytes are lost.
    pub(crate) fn forget_deleted(
        &self,
        index: &Path,
        files: &[String],
    ) -> Result<Vec<String>, ObjectStoreError> {
        let files: Vec<FileName> = files.iter().filter_map(|name| FileName::parse(name)).collect();
        let live = export::open(index).map_err(failed)?;
        export::forget_deleted(&self.path, &live, &files).map_err(failed)
    }

    /// Whether any bucket has an object of this key.
    pub(crate) fn has_key(&self, key: &str) -> Result<bool, ObjectStoreError> {
        export::has_key(&self.connection, key).map_err(failed)
    }

    /// Reads every object from the files in `data`, and compares it with its checksum.
    pub(crate) fn verify(&self, data: &Path) -> Result<Verified, ObjectStoreError> {
        let mut verified = Verified::default();
        let each = |object: Stored| {
            verified.objects += 1;
            verified.bytes += object.size;
            if !is_whole(&object, data)? {
                verified.damaged.push(format!("{}/{}", object.bucket, object.key));
            }
            Ok(())
        };
        export::each_object(&self.connection, each).map_err(failed)?;
        Ok(verified)
    }
}

fn is_whole(object: &Stored, data: &Path) -> io::Result<bool> {
    let mut digests = Digests::with(None);
    let mut open: Option<(FileName, File)> = None;
    let mut buffer = Vec::new();
    let mut size = 0;
    for extent in &object.extents {
        let file = match open.take().filter(|(name, _)| *name == extent.file) {
            Some((_, file)) => file,
            None => match File::open(data.join(extent.file.to_string())) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                opened => opened?,
            },
        };
        size += extent.length;
        if !hash(&file, *extent, &mut buffer, &mut digests)? {
            return Ok(false);
        }
        open = Some((extent.file, file));
    }
    Ok(size == object.size && digests.finish().crc64 == object.crc64)
}

/// False where the file is too short.
fn hash(
    file: &File,
    extent: Extent,
    buffer: &mut Vec<u8>,
    digests: &mut Digests,
) -> io::Result<bool> {
    let end = extent.start + extent.length;
    let mut position = extent.start;
    while position < end {
        let length = (end - position).min(SLICE);
        buffer.resize(usize::try_from(length).map_err(io::Error::other)?, 0);
        match positioned::read_exact_at(file, buffer, position) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            read => read?,
        }
        digests.update(buffer);
        position += length;
    }
    Ok(true)
}

fn failed(refusal: Refusal) -> ObjectStoreError {
    match refusal {
        Refusal::Index(error) => ObjectStoreError::Index(error),
        Refusal::Files(error) => ObjectStoreError::Folder(error),
        other => ObjectStoreError::Folder(io::Error::other(other)),
    }
}

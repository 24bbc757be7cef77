//! What makes a file the same file.

use std::fs::{File, Metadata};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::source::{Crc64, SourceError, open, read_exact_at};

/// Bytes sampled at the head and at the tail.
const SAMPLE: u64 = 64 * 1024;

/// A file's identity and version. Size alone would miss an edit in place, and the time of change
/// alone would mistake a rename for an edit: then samples of the content decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Bytes.
    pub size: u64,
    modified_ns: i64,
    /// Device, file number and time of status change, where the system has them.
    identity: Option<(u64, u64, i64)>,
    /// Checksum of head and tail.
    sample: i64,
}

impl Fingerprint {
    /// Takes a file's fingerprint. Blocks.
    ///
    /// # Errors
    /// Where there is no regular file, or it cannot be read.
    pub fn take(path: &Path) -> Result<Self, SourceError> {
        let file = open(path)?;
        let metadata = file.metadata().map_err(|error| SourceError::Read { offset: 0, error })?;
        if !metadata.is_file() {
            return Err(SourceError::NotAFile);
        }
        let size = metadata.len();
        let mut sample = Crc64::digest();
        let mut buffer = vec![0; usize::try_from(SAMPLE.min(size)).unwrap_or_default()];
        for offset in [0, size - buffer.len() as u64] {
            read_exact_at(&file, &mut buffer, offset)
                .map_err(|error| SourceError::Read { offset, error })?;
            sample.update(&buffer);
        }
        Ok(Self {
            size,
            modified_ns: modified_ns(&metadata),
            identity: identity(&metadata),
            sample: sample.finish().to_column(),
        })
    }

    /// Whether this version was written longer than `age` before `now`, by a clock with steps shorter
    /// than a second: what is written after that has another time.
    pub(crate) fn is_older_than(&self, age: Duration, now: SystemTime) -> bool {
        let modified = u64::try_from(self.modified_ns).unwrap_or_default();
        let old = now.duration_since(UNIX_EPOCH + Duration::from_nanos(modified));
        modified % 1_000_000_000 != 0 && old.is_ok_and(|old| old >= age)
    }

    /// Checksum of head and tail. Files of one size with different ones differ; with the same, they
    /// may be the same.
    #[must_use]
    pub fn sample(&self) -> Crc64 {
        Crc64::from_column(self.sample)
    }

    /// Whether this could be the same version of a file whose times are others: size, head and tail
    /// are equal. What lies between them, this does not know.
    #[must_use]
    pub fn has_ends_of(&self, other: &Self) -> bool {
        self.size == other.size && self.sample == other.sample
    }

    /// Whether the path leads to this file, in this version. Reads the content only where the
    /// times leave a doubt. Blocks.
    ///
    /// # Errors
    /// [`SourceError::Missing`] and [`SourceError::Changed`].
    pub fn check(&self, path: &Path) -> Result<(), SourceError> {
        let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => SourceError::Missing,
            _ => SourceError::Read { offset: 0, error },
        })?;
        if !metadata.is_file()
            || metadata.len() != self.size
            || modified_ns(&metadata) != self.modified_ns
        {
            return Err(SourceError::Changed);
        }
        if identity(&metadata) == self.identity {
            return Ok(());
        }
        if Self::take(path)?.sample == self.sample { Ok(()) } else { Err(SourceError::Changed) }
    }
}

/// Whether the path leads to the file that is open, in whatever version. Where files have no
/// numbers, whether it leads to a file. Blocks.
pub(crate) fn same_file(opened: &File, path: &Path) -> Result<(), SourceError> {
    let there = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => SourceError::Missing,
        _ => SourceError::Read { offset: 0, error },
    })?;
    let opened = opened.metadata().map_err(|error| SourceError::Read { offset: 0, error })?;
    let number = |metadata| identity(metadata).map(|(device, number, _)| (device, number));
    if number(&opened) == number(&there) { Ok(()) } else { Err(SourceError::Changed) }
}

fn modified_ns(metadata: &Metadata) -> i64 {
    metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_nanos()).ok())
        .unwrap_or_default()
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<(u64, u64, i64)> {
    use std::os::unix::fs::MetadataExt;
    let changed = metadata.ctime().saturating_mul(1_000_000_000) + metadata.ctime_nsec();
    Some((metadata.dev(), metadata.ino(), changed))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64, i64)> {
    None
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_rename_is_no_change_and_an_edit_is() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&a, vec![1; 300_000]).unwrap();
        let fingerprint = Fingerprint::take(&a).unwrap();
        fingerprint.check(&a).unwrap();

        std::thread::sleep(Duration::from_millis(20));
        fs::rename(&a, &b).unwrap();
        fingerprint.check(&b).unwrap();
        assert!(matches!(fingerprint.check(&a), Err(SourceError::Missing)));

        fs::write(&b, vec![2; 300_000]).unwrap();
        assert!(matches!(fingerprint.check(&b), Err(SourceError::Changed)));
    }

    #[test]
    fn an_edit_that_hides_its_time_is_found_by_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, vec![1; 300_000]).unwrap();
        let fingerprint = Fingerprint::take(&path).unwrap();
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        std::thread::sleep(Duration::from_millis(20));
        fs::write(&path, vec![2; 300_000]).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        assert!(matches!(fingerprint.check(&path), Err(SourceError::Changed)));
    }

    #[test]
    fn a_file_that_grows_is_the_same_until_another_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"1").unwrap();
        let opened = File::open(&path).unwrap();
        fs::write(&path, b"123").unwrap();
        same_file(&opened, &path).unwrap();
        fs::rename(&path, folder.path().join("b")).unwrap();
        assert!(matches!(same_file(&opened, &path), Err(SourceError::Missing)));
        fs::write(&path, b"123").unwrap();
        if cfg!(unix) {
            assert!(matches!(same_file(&opened, &path), Err(SourceError::Changed)));
        }
    }

    #[test]
    fn a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Fingerprint::take(folder.path()).is_err());
    }

    #[test]
    fn only_what_is_old_enough_cannot_change_without_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"1").unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        let second = Duration::from_secs(1);
        for (modified, now, old) in
            [(1_500, 1_599, false), (1_500, 1_600, true), (1_500, 1_400, false)]
        {
            let [modified, now] = [modified, now].map(|ms| UNIX_EPOCH + Duration::from_millis(ms));
            file.set_modified(modified).unwrap();
            let version = Fingerprint::take(&path).unwrap();
            assert_eq!(version.is_older_than(second / 10, now), old);
        }
        file.set_modified(UNIX_EPOCH + second).unwrap();
        let coarse = Fingerprint::take(&path).unwrap();
        assert!(
            !coarse.is_older_than(second / 10, UNIX_EPOCH + 10 * second),
            "steps of two seconds"
        );
    }
}

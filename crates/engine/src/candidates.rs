//! Files and folders that somebody names: which files of them may be added.
//!
//! Must not know: the queue, destinations.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::error::Code;
use crate::source::{Fingerprint, SourceError, content_type};
use crate::view::RefusedFile;
use crate::watch::is_hidden;

/// Media types that a team takes. A server that takes fewer refuses by itself.
const VIDEO_TYPES: [&str; 5] =
    ["video/mp4", "video/quicktime", "video/webm", "video/x-matroska", "video/mp2t"];

/// A file that may be added.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) path: PathBuf,
    pub(crate) title: String,
    pub(crate) content_type: String,
    pub(crate) fingerprint: Fingerprint,
}

/// Names of files that are no videos, at the most.
const NAMED: usize = 3;

/// What would come of files and folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Files named like videos.
    pub videos: u32,
    /// Files that were named themselves, and are named like none.
    pub others: u32,
    /// The names of the first three of those, for reading only: lossy where one is no Unicode.
    pub names: Vec<String>,
}

/// Counts what would come of files and folders, by their names. Blocks until it has seen `most` files.
#[must_use]
pub fn count(paths: &[PathBuf], most: usize) -> Count {
    let mut count = Count::default();
    let seen = paths.iter().flat_map(|path| {
        let inside = path.is_dir().then(|| inside(path).flatten().map(DirEntry::into_path));
        let named = (!path.is_dir()).then(|| path.clone());
        inside.into_iter().flatten().map(|file| (false, file)).chain(named.map(|file| (true, file)))
    });
    for (named, file) in seen.take(most) {
        if is_video(&file) {
            count.videos += 1;
        } else if named {
            count.others += 1;
            if count.names.len() < NAMED {
                count.names.push(file.file_name().unwrap_or_default().to_string_lossy().into());
            }
        }
    }
    count
}

/// What there is in files and folders.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// What may be added, each file once.
    pub(crate) candidates: Vec<Candidate>,
    /// What may not, though it was offered.
    pub(crate) refused: Vec<RefusedFile>,
    /// How many files beside the videos of folders stay behind.
    pub(crate) beside: usize,
}

/// Looks through files and folders. Blocks.
pub(crate) fn look_through(paths: &[PathBuf]) -> Looked {
    let Looked { mut candidates, mut refused, mut beside } = Looked::default();
    let mut seen = HashSet::new();
    let refusal =
        |path: &Path, code| RefusedFile { path: path.to_string_lossy().into_owned(), code };
    let mut offer = |path: &Path| match candidate(path) {
        Ok(candidate) if seen.insert(candidate.path.clone()) => {
            candidates.push(candidate);
            None
        }
        Ok(_) => None,
        Err(code) => Some(refusal(path, code)),
    };
    for path in paths {
        if !path.is_dir() {
            refused.extend(offer(path));
            continue;
        }
        let (mut empty, mut others) = (true, 0);
        for found in inside(path) {
            match found {
                Ok(file) if is_video(file.path()) => refused.extend(offer(file.path())),
                // Nobody offered it by name.
                Ok(_) => {
                    others += 1;
                    continue;
                }
                Err(error) => {
                    let place = error.path().unwrap_or(path);
                    refused.push(refusal(place, Code::SourceUnreadable));
                }
            }
            empty = false;
        }
        if empty {
            refused.push(refusal(path, Code::NoVideos));
        } else {
            beside += others;
        }
    }
    Looked { candidates, refused, beside }
}

/// A file as it is now. Blocks.
///
/// # Errors
/// Why it cannot be added.
pub(crate) fn candidate(path: &Path) -> Result<Candidate, Code> {
    let path = std::path::absolute(path).map_err(|_| Code::SourceUnreadable)?;
    let fingerprint = Fingerprint::take(&path).map_err(|error| match error {
        SourceError::Missing => Code::SourceMissing,
        SourceError::NotAFile => Code::NotAFile,
        SourceError::Changed | SourceError::Read { .. } => Code::SourceUnreadable,
    })?;
    if fingerprint.size == 0 {
        return Err(Code::EmptyFile);
    }
    if !is_video(&path) {
        return Err(Code::UnsupportedType);
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    // No team takes a title of blanks only.
    let title = match stem.trim() {
        "" => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        _ => stem.into_owned(),
    };
    let content_type = content_type(&path).to_owned();
    Ok(Candidate { path, title, content_type, fingerprint })
}

/// Whether a file's name is that of a video that a team takes.
fn is_video(path: &Path) -> bool {
    VIDEO_TYPES.contains(&content_type(path))
}

/// The files in a folder and in those in it. Hidden ones are left out: beside each clip that macOS writes to
/// a card lies another of its name with a dot before it, which is none. Symbolic links are not followed:
/// they may lead out of the folder, or in circles.
fn inside(folder: &Path) -> impl Iterator<Item = walkdir::Result<DirEntry>> {
    let seen = |entry: &DirEntry| entry.depth() == 0 || !is_hidden(entry.file_name());
    let entries = WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(seen);
    entries.filter(|entry| entry.as_ref().map_or(true, |entry| entry.file_type().is_file()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn card() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["empty", "card/.Trashes", "card/private"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let files =
            ["a.mov", "b.txt", "card/c.mp4", "card/._c.mp4", "card/d.xml", "card/private/e.mkv"];
        for name in files.into_iter().chain(["card/.Trashes/f.mp4"]) {
            fs::write(folder.path().join(name), name).unwrap();
        }
        fs::write(folder.path().join("card/cut off.mp4"), "").unwrap();
        folder
    }

    #[test]
    fn of_a_folder_its_videos_are_taken_once_and_the_hidden_ones_are_not() {
        let folder = card();
        let path = |name: &str| folder.path().join(name);
        let named = ["card", "card/c.mp4", "a.mov", "a.mov", "b.txt", "missing.mp4", "empty"];
        let Looked { candidates, refused, beside } = look_through(&named.map(path));
        assert_eq!(beside, 1, "the list of the card, which is no video");
        let taken: Vec<_> = candidates.into_iter().map(|candidate| candidate.path).collect();
        assert_eq!(taken, ["card/c.mp4", "card/private/e.mkv", "a.mov"].map(path));
        let refused: Vec<_> = refused.into_iter().map(|one| (one.path.into(), one.code)).collect();
        let expected = [
            ("card/cut off.mp4", Code::EmptyFile),
            ("b.txt", Code::UnsupportedType),
            ("missing.mp4", Code::SourceMissing),
            ("empty", Code::NoVideos),
        ];
        assert_eq!(refused, expected.map(|(name, code)| (path(name), code)));
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_cannot_be_listed_is_named() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = card();
        let locked = folder.path().join("card/private");
        let mode = |bits| fs::set_permissions(&locked, fs::Permissions::from_mode(bits)).unwrap();
        mode(0);
        // Whoever may do everything may list it all the same.
        let lists = fs::read_dir(&locked).is_ok();
        let Looked { candidates, refused, .. } = look_through(&[folder.path().join("card")]);
        mode(0o700);
        let named = refused.iter().any(|one| one.code == Code::SourceUnreadable);
        assert_eq!((candidates.len(), named), if lists { (2, false) } else { (1, true) });
    }

    #[test]
    fn what_is_held_over_the_window_is_counted_as_it_would_be_added() {
        let folder = card();
        let paths = |names: &[&str]| -> Vec<_> {
            names.iter().map(|name| folder.path().join(name)).collect()
        };
        let of = |videos, others, names: &[&str]| Count {
            videos,
            others,
            names: names.iter().map(ToString::to_string).collect(),
        };
        let four = paths(&["a.mov", "b.txt", "card", "missing.mp4"]);
        assert_eq!(count(&four, 100), of(5, 1, &["b.txt"]));
        assert_eq!(count(&four, 2), of(1, 1, &["b.txt"]));
        let notes = paths(&["b.txt", "1", "2.pdf", "3.jpg"]);
        assert_eq!(count(&notes, 100), of(0, 4, &["b.txt", "1", "2.pdf"]));
    }
}

//! What lies in a watched folder, as the file system says it.

use std::fs::Metadata;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::watch::{Filter, Skip, Version};

/// Folders in folders: deeper than any that people make, and short of any path that systems take.
const DEEPEST: usize = 128;
/// Unreadable places that are told of one by one.
const MOST_UNREADABLE: usize = 20;

/// What a scan comes across.
#[derive(Debug)]
pub enum Entry {
    /// A folder that is looked into next.
    Folder(PathBuf),
    /// A file, by its path inside the watched folder, and whether the rules take it.
    File(PathBuf, Result<Version, Skip>),
}

/// Places that could not be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// The first of them.
    pub some: Vec<PathBuf>,
    /// How many.
    pub count: usize,
}

/// Looks through `from`, which is `root` or lies in it, and shows all that it finds, until `found`
/// wants no more. Symbolic links are not followed: they may lead out of the folder, or in circles.
/// A folder is shown before it is listed. Blocks.
///
/// # Errors
/// Where `from` itself cannot be looked at; what is wrong inside is in the answer.
pub fn scan(
    root: &Path,
    from: &Path,
    filter: &Filter,
    mut found: impl FnMut(Entry) -> ControlFlow<()>,
) -> io::Result<Unreadable> {
    // What is no folder, or is not there, says so here.
    drop(std::fs::read_dir(from)?);
    let mut unreadable = Unreadable::default();
    let Ok(inside) = from.strip_prefix(root) else { return Ok(unreadable) };
    // One of them is open at a time, however deep they lie.
    let mut folders = vec![(inside.to_owned(), inside.components().count())];
    while let Some((folder, depth)) = folders.pop() {
        let path = root.join(&folder);
        if found(Entry::Folder(path.clone())).is_break() {
            break;
        }
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) => {
                note(&mut unreadable, path, &error);
                continue;
            }
        };
        for entry in entries {
            let entry = match entry.and_then(|entry| Ok((entry.file_type()?, entry))) {
                Ok((kind, entry)) if kind.is_dir() => {
                    let inside = folder.join(entry.file_name());
                    if depth + 1 < DEEPEST && filter.enters(&inside) {
                        folders.push((inside, depth + 1));
                    }
                    continue;
                }
                Ok((kind, _)) if !kind.is_file() => continue,
                Ok((_, entry)) => entry,
                Err(error) => {
                    note(&mut unreadable, path.clone(), &error);
                    continue;
                }
            };
            let inside = folder.join(entry.file_name());
            // Only what could be sent is asked for its size.
            let judged = filter.takes(&inside).map(|()| entry.metadata());
            let judged = match judged {
                Ok(Ok(metadata)) => judge(filter, &metadata),
                Ok(Err(error)) => {
                    note(&mut unreadable, entry.path(), &error);
                    continue;
                }
                Err(skip) => Err(skip),
            };
            if found(Entry::File(inside, judged)).is_break() {
                return Ok(unreadable);
            }
        }
    }
    Ok(unreadable)
}

fn judge(filter: &Filter, metadata: &Metadata) -> Result<Version, Skip> {
    filter.fits(metadata.len()).map(|()| Version::of(metadata))
}

fn note(unreadable: &mut Unreadable, path: PathBuf, error: &io::Error) {
    // What goes while it is looked for is not there, and nothing is wrong.
    if error.kind() == io::ErrorKind::NotFound {
        return;
    }
    unreadable.count += 1;
    if unreadable.some.len() < MOST_UNREADABLE {
        unreadable.some.push(path);
    }
}

/// What lies at one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A file, and whether the rules take it.
    File(Result<Version, Skip>),
    /// A folder that is looked into.
    Folder,
    /// Nothing, or nothing that is looked at.
    Nothing,
}

/// Looks at one path, as a scan would. Blocks.
///
/// # Errors
/// Where the system would not say.
pub(super) fn look(root: &Path, path: &Path, filter: &Filter) -> io::Result<Found> {
    let Ok(inside) = path.strip_prefix(root) else { return Ok(Found::Nothing) };
    let metadata = match std::fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    Ok(if metadata.is_file() {
        Found::File(filter.takes(inside).and_then(|()| judge(filter, &metadata)))
    } else if metadata.is_dir() && inside.ancestors().all(|folder| filter.enters(folder)) {
        Found::Folder
    } else {
        Found::Nothing
    })
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::watch::Rules;

    fn found(root: &Path) -> (Vec<PathBuf>, Unreadable) {
        let filter = Filter::new(&Rules::default()).unwrap();
        let mut files = Vec::new();
        let unreadable = scan(root, root, &filter, |entry| {
            if let Entry::File(path, Ok(_)) = entry {
                files.push(path);
            }
            ControlFlow::Continue(())
        });
        files.sort();
        (files, unreadable.unwrap())
    }

    #[test]
    fn links_lead_nowhere_and_hidden_folders_are_not_entered() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("day 1/cards")).unwrap();
        std::fs::create_dir_all(root.join(".cache")).unwrap();
        for name in ["a.mp4", "day 1/cards/b.mov", ".cache/c.mp4", "notes.txt", "d.mp4.part"] {
            std::fs::write(root.join(name), "x").unwrap();
        }
        std::fs::write(root.join("empty.mp4"), "").unwrap();
        symlink(root, root.join("day 1/loop")).unwrap();
        symlink("/", root.join("day 1/out")).unwrap();
        symlink(root.join("a.mp4"), root.join("link.mp4")).unwrap();
        let (files, unreadable) = found(root);
        assert_eq!(files, ["a.mp4", "day 1/cards/b.mov", "notes.txt"].map(PathBuf::from));
        assert_eq!(unreadable, Unreadable::default());
    }

    #[test]
    fn what_cannot_be_read_is_told_and_the_rest_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let closed = root.join("closed");
        std::fs::create_dir(&closed).unwrap();
        std::fs::write(root.join("a.mp4"), "x").unwrap();
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o000)).unwrap();
        // Nothing is closed to a test that runs as root.
        let for_root = std::fs::read_dir(&closed).is_ok();
        let (files, unreadable) = found(root);
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o700)).unwrap();
        assert_eq!(files, [Path::new("a.mp4")]);
        assert_eq!(unreadable.some, if for_root { vec![] } else { vec![closed] });
        let filter = Filter::new(&Rules::default()).unwrap();
        let gone = scan(root, &root.join("gone"), &filter, |_| ControlFlow::Continue(()));
        assert_eq!(gone.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}

//! What is done with a file after its team has verified it.
//!
//! The journal is what the store knows anyway: the receipt is on disk before the file is touched,
//! and that it was touched is written afterwards. After a crash in between, the file is not there
//! any more, and that is what was wanted. Nothing is ever deleted or written over.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::EngineError;
use crate::folders::{FolderNews, Question};
use crate::handle::{Command, EngineHandle, stopped};
use crate::store::Folder;
use crate::watch::{Afterwards, UPLOADED, Version};

/// Names that are tried for a file whose name is taken where it goes.
const NAMES: u32 = 1000;

/// What became of a file that was to be put aside.
enum Aside {
    /// It lies there now; without a place, in the trash.
    Put(Option<PathBuf>),
    /// There is none, or it is not the one that was sent.
    Nothing,
}

impl EngineHandle {
    /// Puts aside what the team has verified of a folder's files.
    pub(super) async fn clear(&self, folder: &Folder) -> Result<Vec<FolderNews>, EngineError> {
        let mut news = Vec::new();
        if folder.rules.afterwards == Afterwards::Nothing {
            return Ok(news);
        }
        let mut after = PathBuf::new();
        loop {
            let ask = |done| Command::Folders(Question::ToClear(folder.id, after.clone(), done));
            let files = self.ask(ask).await??;
            let Some(last) = files.last() else { return Ok(news) };
            after = last.path.clone();
            for file in files {
                let (root, inside) = (folder.path.clone(), file.path.clone());
                let (how, version) = (folder.rules.afterwards, file.version);
                let putting =
                    tokio::task::spawn_blocking(move || put_aside(&root, &inside, version, how));
                let path = folder.path.join(&file.path);
                match putting.await.map_err(|_| stopped())? {
                    Ok(Aside::Put(to)) => {
                        news.push(FolderNews::PutAside { folder: folder.id, path, to });
                    }
                    Ok(Aside::Nothing) => {}
                    Err(error) => {
                        // It is tried again after the next upload, and at the next start.
                        let why = error.to_string();
                        news.push(FolderNews::NotPutAside { folder: folder.id, path, why });
                        continue;
                    }
                }
                self.ask(|done| Command::Folders(Question::Cleared(folder.id, file, done)))
                    .await??;
            }
        }
    }
}

fn put_aside(root: &Path, inside: &Path, version: Version, how: Afterwards) -> io::Result<Aside> {
    let path = root.join(inside);
    if !is(&path, version)? {
        return Ok(Aside::Nothing);
    }
    match how {
        Afterwards::Nothing => Ok(Aside::Nothing),
        Afterwards::Trash => match trash::delete(&path) {
            Ok(()) => Ok(Aside::Put(None)),
            Err(error) => Err(io::Error::other(error)),
        },
        Afterwards::Move => {
            let to = root.join(UPLOADED).join(inside);
            if let Some(folder) = to.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let to = move_beside(&path, &to)?;
            if is(&to, version)? {
                return Ok(Aside::Put(Some(to)));
            }
            // Somebody wrote to it in this very moment: what they wrote was not sent.
            move_beside(&to, &path)?;
            Ok(Aside::Nothing)
        }
    }
}

/// Whether this version of a file lies there.
fn is(path: &Path, version: Version) -> io::Result<bool> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.is_file() && Version::of(&metadata).is_like(&version)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Moves a file, under another name if that is taken, and says which.
fn move_beside(from: &Path, to: &Path) -> io::Result<PathBuf> {
    for nth in 1..=NAMES {
        let to = if nth == 1 { to.to_owned() } else { numbered(to, nth) };
        match rename_new(from, &to) {
            Ok(()) => return Ok(to),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// `reel.mov`, `reel 2.mov`, `reel 3.mov`.
fn numbered(path: &Path, nth: u32) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!(" {nth}"));
    if let Some(ending) = path.extension() {
        name.push(".");
        name.push(ending);
    }
    path.with_file_name(name)
}

/// Renames where nothing has the new name.
#[cfg(target_os = "linux")]
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system can.
        Err(Errno::INVAL | Errno::NOSYS) => rename_if_new(from, to),
        renamed => Ok(renamed?),
    }
}

#[cfg(not(target_os = "linux"))]
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    rename_if_new(from, to)
}

fn rename_if_new(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(to) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => std::fs::rename(from, to),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(path: &Path) -> Version {
        Version::of(&std::fs::metadata(path).unwrap())
    }

    #[test]
    fn what_is_moved_takes_nobodys_name() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("day")).unwrap();
        let (file, inside) = (root.join("day/a.mp4"), Path::new("day/a.mp4"));
        for (content, moved) in [("1", "day/a.mp4"), ("2", "day/a 2.mp4"), ("3", "day/a 3.mp4")] {
            std::fs::write(&file, content).unwrap();
            let version = version(&file);
            let to = root.join("Uploaded").join(moved);
            match put_aside(root, inside, version, Afterwards::Move).unwrap() {
                Aside::Put(Some(put)) => assert_eq!(put, to),
                Aside::Put(None) | Aside::Nothing => panic!("it stayed"),
            }
            assert_eq!(std::fs::read_to_string(to).unwrap(), content);
            // After a crash in between, nothing is left to be done.
            let again = put_aside(root, inside, version, Afterwards::Move).unwrap();
            assert!(matches!(again, Aside::Nothing));
        }
    }

    #[test]
    fn another_version_stays_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.mp4");
        std::fs::write(&file, "sent").unwrap();
        let sent = version(&file);
        std::fs::write(&file, "edited").unwrap();
        for how in [Afterwards::Move, Afterwards::Trash] {
            let put = put_aside(folder.path(), Path::new("a.mp4"), sent, how).unwrap();
            assert!(matches!(put, Aside::Nothing));
            assert_eq!(std::fs::read_to_string(&file).unwrap(), "edited");
        }
    }
}

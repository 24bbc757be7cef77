//! Where a newer version waits until somebody wants it: one file, for longer than the app may run.

use std::path::{Path, PathBuf};
use std::{fs, io};

use tauri_plugin_updater::Update;

/// The folder of that file.
#[derive(Clone, Debug)]
pub(crate) struct Shelf(PathBuf);

impl Shelf {
    /// A folder that is this module's own.
    #[must_use]
    pub(crate) fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The file of an update, if it is there and what was signed. Reads all of it.
    #[must_use]
    pub(crate) fn find(&self, update: &Update) -> Option<PathBuf> {
        let file = self.file(update);
        let bytes = fs::read(&file).ok()?;
        update.verify(&bytes).is_ok().then_some(file)
    }

    /// Keeps an update, and no other.
    ///
    /// # Errors
    /// What the file system refuses.
    pub(crate) fn keep(&self, update: &Update, bytes: &[u8]) -> io::Result<PathBuf> {
        fs::create_dir_all(&self.0)?;
        self.clear(|_| false)?;
        let file = self.file(update);
        fs::write(&file, bytes)?;
        Ok(file)
    }

    /// Keeps nothing but what may be there of this update.
    pub(crate) fn keep_only(&self, update: Option<&Update>) {
        let kept = update.map(|update| self.file(update));
        if let Err(error) = self.clear(|file| Some(file) == kept.as_deref()) {
            tracing::warn!(%error, "an old update could not be removed");
        }
    }

    /// By its version, which is one of semantic versioning: no path.
    fn file(&self, update: &Update) -> PathBuf {
        self.0.join(format!("{}.update", update.version))
    }

    fn clear(&self, keep: impl Fn(&Path) -> bool) -> io::Result<()> {
        let files = match fs::read_dir(&self.0) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for file in files {
            let file = file?.path();
            if !keep(&file) {
                fs::remove_file(file)?;
            }
        }
        Ok(())
    }
}

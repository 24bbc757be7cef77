//! Log files that do not grow for ever.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry};

/// Bytes of a log file. With the one before it, twice as many are kept.
const LIMIT: u64 = 4 << 20;
/// Migrations log the names of files on the computer that built this; the updater logs addresses, of which
/// some open something: what is of interest is said by our own.
const USUAL: &str = "info,rusqlite_migration=warn,tauri_plugin_updater=off";
/// For finding out what is wrong: more of what is our own. What libraries say at these levels may have
/// addresses in it that open something.
const DETAILED: &str = "info,rusqlite_migration=warn,tauri_plugin_updater=off,dailies_engine=debug,dailies_desktop=debug";

/// How much is logged.
#[derive(Clone, Debug)]
pub(crate) struct Level(Option<reload::Handle<EnvFilter, Registry>>);

impl Level {
    /// Logs more than usual, or as usual. What the environment says holds whatever is preferred.
    pub(crate) fn set(&self, detailed: bool) {
        let Some(handle) = &self.0 else { return };
        let filter = EnvFilter::new(if detailed { DETAILED } else { USUAL });
        if let Err(error) = handle.reload(filter) {
            tracing::warn!(%error, "the log stays as it is");
        }
    }
}

/// A file that begins anew when it is full, and keeps the one before it as `….1`.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
    size: u64,
    limit: u64,
}

impl LogFile {
    /// Opens it in a folder, which is made if there is none.
    ///
    /// # Errors
    /// What the file system refuses.
    pub(crate) fn open(folder: &Path, name: &str) -> io::Result<Self> {
        Self::limited(folder, name, LIMIT)
    }

    fn limited(folder: &Path, name: &str, limit: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join(name);
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let size = file.metadata()?.len();
        Ok(Self { path, file, size, limit })
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        let mut before = self.path.clone().into_os_string();
        before.push(".1");
        fs::rename(&self.path, before)?;
        self.file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        self.size = 0;
        Ok(())
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.size > 0 && self.size + bytes.len() as u64 > self.limit {
            self.begin_anew()?;
        }
        let written = self.file.write(bytes)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Logs to stderr, and to a file if there can be one.
pub(crate) fn start(folder: &Path) -> Level {
    let asked = EnvFilter::try_from_default_env().ok();
    let is_asked = asked.is_some();
    let (filter, handle) = reload::Layer::new(asked.unwrap_or_else(|| EnvFilter::new(USUAL)));
    let colours = io::stderr().is_terminal();
    let terminal = tracing_subscriber::fmt::layer().with_ansi(colours).with_writer(io::stderr);
    let file = LogFile::open(folder, "dailies.log");
    let broken = file.as_ref().err().map(ToString::to_string);
    let file = file.ok().map(|file| {
        tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Mutex::new(file))
    });
    tracing_subscriber::registry().with(filter).with(terminal).with(file).init();
    if let Some(error) = broken {
        tracing::warn!(%error, "no log file can be written");
    }
    Level((!is_asked).then_some(handle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        let mut log = LogFile::limited(folder.path(), "a.log", 8).unwrap();
        for line in ["one\n", "two\n", "three\n"] {
            log.write_all(line.as_bytes()).unwrap();
        }
        assert_eq!((read("a.log.1"), read("a.log")), ("one\ntwo\n".into(), "three\n".into()));
        drop(log);
        let mut log = LogFile::limited(folder.path(), "a.log", 8).unwrap();
        log.write_all(b"four\n").unwrap();
        assert_eq!((read("a.log.1"), read("a.log")), ("three\n".into(), "four\n".into()));
    }
}

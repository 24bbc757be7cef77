//! A recorder: FFmpeg writes a file as fast as a camera would.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use crate::clips::{self, Take};

/// For the recorder to write its file's end.
const PATIENCE: Duration = Duration::from_secs(30);

/// FFmpeg while it records; dropped, it is killed.
#[derive(Debug)]
pub struct Recording {
    child: Child,
    path: PathBuf,
}

impl Recording {
    /// Records about 14 MiB a second to a path, whose ending says in which container.
    ///
    /// # Errors
    /// Where FFmpeg is missing.
    pub fn start(path: &Path, options: &[&str]) -> Result<Self> {
        let child = Command::new("ffmpeg")
            .args(["-nostdin", "-y", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i"])
            .arg(clips::clip(12, Take::One)?)
            .args(["-c", "copy"])
            .args(options)
            .arg(path)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("ffmpeg cannot be run: install it")?;
        Ok(Self { child, path: path.to_owned() })
    }

    /// Where it records to.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Asserts that it still records.
    ///
    /// # Errors
    /// Where it has ended.
    pub fn runs(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the recorder has ended: {status}"),
        }
    }

    /// Ends it as a person does: it writes the file's end, and its head anew.
    ///
    /// # Errors
    /// Where it had ended, or does not end.
    pub async fn stop(mut self) -> Result<()> {
        self.runs()?;
        let id = self.child.id().context("it has ended")?;
        let id = Pid::from_raw(id.cast_signed()).context("no process has the number 0")?;
        kill_process(id, Signal::INT)?;
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await??;
        // What it answers to a signal, however well it ends.
        ensure!(ended.success() || ended.code() == Some(255), "the recorder failed: {ended}");
        Ok(())
    }

    /// Ends it at once, in the middle of its file.
    ///
    /// # Errors
    /// Where the system refuses.
    pub async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}

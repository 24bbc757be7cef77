//! One child process: closed inputs, bounded outputs, limits, and a certain end.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::failure::Failure;

/// Most that is read of a child's answer.
const STDOUT: u64 = 4 << 20;
/// What is kept of its complaints: the last ones say why it ended.
const STDERR: usize = 16 << 10;
/// FFmpeg gathers every segment in memory. With glibc's own thresholds it gets fresh pages for each
/// and gives them back, which cost more than all its other work: of 1 GiB copied, 2.9 s became 1.7 s.
const MEMORY_IS_KEPT: [(&str, &str); 2] =
    [("MALLOC_MMAP_THRESHOLD_", "1073741824"), ("MALLOC_TRIM_THRESHOLD_", "1073741824")];
/// How long a killed child may take to go.
const GRACE: Duration = Duration::from_secs(5);

/// A child process to run.
pub(super) struct Child<'a> {
    pub(super) program: &'a Path,
    pub(super) arguments: Vec<String>,
    /// Where it runs, so that no path of this computer is in its arguments or complaints.
    pub(super) folder: Option<&'a Path>,
    /// Bytes of private memory.
    pub(super) memory: u64,
    pub(super) longest: Duration,
    /// Whether others go first.
    pub(super) gentle: bool,
}

/// How a child ended by itself.
pub(super) struct Finished {
    pub(super) success: bool,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: String,
}

impl Child<'_> {
    /// Runs it to its end. It is killed when `cancelled`, when it takes too long, and when the
    /// future is dropped.
    pub(super) async fn run(self, cancelled: &CancellationToken) -> Result<Finished, Failure> {
        let mut child = self.command().spawn().map_err(|error| Failure::start(&error))?;
        if let Some(pid) = child.id() {
            restrain(pid, self.memory, self.gentle);
        }
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        let work = async {
            let (stdout, stderr) = tokio::join!(beginning(stdout), end(stderr));
            (child.wait().await, stdout, stderr)
        };
        let ended = tokio::select! {
            ended = work => Ok(ended),
            () = tokio::time::sleep(self.longest) => Err(Failure::too_slow(self.longest)),
            () = cancelled.cancelled() => Err(Failure::cancelled()),
        };
        match ended {
            Ok((Ok(status), stdout, stderr)) => {
                let success = status.success();
                if !success && status.code().is_none() {
                    return Err(Failure::killed());
                }
                Ok(Finished { success, stdout, stderr })
            }
            Ok((Err(error), ..)) => Err(Failure::start(&error)),
            Err(failure) => {
                // What it wrote is removed by the caller, so it must be gone by then.
                if tokio::time::timeout(GRACE, child.kill()).await.is_err() {
                    tracing::warn!("a child process did not end when it was killed");
                }
                Err(failure)
            }
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for (name, value) in MEMORY_IS_KEPT {
            command.env(name, value);
        }
        // `SystemRoot`: without it no Windows program opens a socket.
        for name in ["PATH", "SystemRoot"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Some(folder) = self.folder {
            command.current_dir(folder);
        }
        #[cfg(windows)]
        {
            const CREATE_NO_WINDOW: u32 = 0x0800_0000;
            command.creation_flags(CREATE_NO_WINDOW);
        }
        command
    }
}

/// Limits a child that has just started. Without them it would still work, so refusal is only logged.
#[cfg(target_os = "linux")]
fn restrain(pid: u32, memory: u64, gentle: bool) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit, setpriority_process};

    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    // `Data` counts what can be written; `As` would also count what threads merely reserve.
    for (resource, limit) in [(Resource::Data, memory), (Resource::Core, 0)] {
        let limit = Rlimit { current: Some(limit), maximum: Some(limit) };
        if let Err(error) = prlimit(Some(pid), resource, limit) {
            tracing::warn!(%error, "a child process runs without its limit");
        }
    }
    if gentle && let Err(error) = setpriority_process(Some(pid), 10) {
        tracing::debug!(%error, "a child process keeps its priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn restrain(_pid: u32, _memory: u64, _gentle: bool) {}

async fn beginning(pipe: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe
        && let Err(error) = pipe.take(STDOUT).read_to_end(&mut bytes).await
    {
        tracing::debug!(%error, "a child's answer broke off");
    }
    bytes
}

async fn end(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let mut kept = Vec::new();
    if let Some(mut pipe) = pipe {
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
            kept.extend_from_slice(&chunk[..read]);
            if kept.len() > 2 * STDERR {
                kept.drain(..kept.len() - STDERR);
            }
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

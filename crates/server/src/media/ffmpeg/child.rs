//! One child process: closed inputs, bounded outputs, limits, and a certain end.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{ChildStdin, Command};
use tokio_util::sync::CancellationToken;

use super::Progress;
use super::failure::Failure;

/// Most that is read of a child's answer.
const STDOUT: u64 = 4 << 20;
/// What is kept of its complaints: the last ones say why it ended.
const STDERR: usize = 16 << 10;
/// FFmpeg gathers every segment in memory. With glibc's own thresholds it gets fresh pages for each
/// and gives them back, which cost more than all its other work: of 1 GiB copied, 2.9 s became 1.7 s.
const MEMORY_IS_KEPT: [(&str, &str); 2] =
    [("MALLOC_MMAP_THRESHOLD_", "1073741824"), ("MALLOC_TRIM_THRESHOLD_", "1073741824")];
/// Most files and connections a child has open.
#[cfg(target_os = "linux")]
const OPEN_FILES: u64 = 256;
/// How long a killed child may take to go.
const GRACE: Duration = Duration::from_secs(5);

/// A child process to run.
pub(super) struct Child<'a> {
    pub(super) program: &'a Path,
    pub(super) arguments: Vec<String>,
    /// Where it runs, so that no path of this computer is in its arguments or complaints.
    pub(super) folder: Option<&'a Path>,
    /// Bytes of private memory, and of the largest file it may write.
    pub(super) memory: u64,
    pub(super) longest: Duration,
    /// How far others go first: 0 not at all, 19 always.
    pub(super) nice: i32,
    /// Where HTTP goes; a secret that must not be in the arguments.
    pub(super) proxy: Option<&'a SecretString>,
    /// Files that it reads from its input, one after the other.
    pub(super) feed: Vec<PathBuf>,
    /// Where its reports go (`-progress pipe:1`), and the seconds that are all of the work. Without,
    /// what it says is an answer.
    pub(super) progress: Option<(&'a Progress, f64)>,
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
            restrain(pid, &self);
        }
        let stdin = child.stdin.take();
        let stdout = child.stdout.take();
        let stderr = child.stderr.take();
        let work = async {
            let answer = async {
                match self.progress {
                    None => beginning(stdout).await,
                    Some((progress, seconds)) => follow(stdout, progress, seconds).await,
                }
            };
            let ((), stdout, stderr) = tokio::join!(feed(stdin, &self.feed), answer, end(stderr));
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
            .stdin(if self.feed.is_empty() { Stdio::null() } else { Stdio::piped() })
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
        if let Some(proxy) = self.proxy {
            command.env("http_proxy", proxy.expose_secret());
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
///
/// Not among them: the number of processes, which the system counts per user and not per child.
#[cfg(target_os = "linux")]
fn restrain(pid: u32, limits: &Child<'_>) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit, setpriority_process};

    // Where the computer runs out of memory, a child goes before the server does.
    if let Err(error) = std::fs::write(format!("/proc/{pid}/oom_score_adj"), "500") {
        tracing::debug!(%error, "a child process keeps its place when memory runs out");
    }
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    for (resource, limit) in [
        // `Data` counts what can be written; `As` would also count what threads merely reserve.
        (Resource::Data, limits.memory),
        (Resource::Fsize, limits.memory),
        (Resource::Core, 0),
        (Resource::Nofile, OPEN_FILES),
        // Never reached but by a child that the clock on the wall could not end.
        (Resource::Cpu, (limits.longest + GRACE).as_secs().saturating_mul(cores).max(1)),
    ] {
        let limit = Rlimit { current: Some(limit), maximum: Some(limit) };
        if let Err(error) = prlimit(Some(pid), resource, limit) {
            tracing::warn!(%error, "a child process runs without its limit");
        }
    }
    if limits.nice > 0
        && let Err(error) = setpriority_process(Some(pid), limits.nice)
    {
        tracing::debug!(%error, "a child process keeps its priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn restrain(_pid: u32, _limits: &Child<'_>) {}

/// Writes `files` to the child, which may have seen enough before their end.
async fn feed(stdin: Option<ChildStdin>, files: &[PathBuf]) {
    let Some(mut stdin) = stdin else { return };
    for path in files {
        let copied = async {
            let mut file = tokio::fs::File::open(path).await?;
            tokio::io::copy(&mut file, &mut stdin).await
        };
        if let Err(error) = copied.await {
            if error.kind() != std::io::ErrorKind::BrokenPipe {
                tracing::warn!(%error, "a media file could not be handed to a child process");
            }
            return;
        }
    }
}

/// Reads FFmpeg's reports, which go on as long as the work does.
async fn follow(
    pipe: Option<impl AsyncRead + Unpin>,
    progress: &Progress,
    seconds: f64,
) -> Vec<u8> {
    let Some(pipe) = pipe else { return Vec::new() };
    let mut lines = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // `N/A` before the first packet.
        let done = line.strip_prefix("out_time_us=").and_then(|number| number.parse::<f64>().ok());
        if let Some(done) = done.filter(|_| seconds > 0.0) {
            progress.set(done / 1e6 / seconds);
        }
    }
    Vec::new()
}

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

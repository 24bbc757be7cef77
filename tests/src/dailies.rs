//! The real `dailies`, as a process of its own.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

#[cfg(target_os = "linux")]
use crate::programs::faketime;
use crate::programs::{after_shell, inside, on_a_small_disk, program};
use crate::wire::Wire;

const NO_BUS: &str = "unix:path=/nonexistent";

/// How `dailies` is called: a profile, credentials, JSON output.
#[derive(Clone, Debug)]
pub struct Dailies {
    profile: PathBuf,
    credentials: Option<PathBuf>,
    environment: Vec<(&'static str, String)>,
    wire: Option<Wire>,
    disk: Option<u64>,
    prelude: Option<String>,
    input: Option<String>,
}

impl Dailies {
    /// Calls with a profile and the server's own credentials file.
    #[must_use]
    pub fn new(profile: PathBuf, credentials: &Path) -> Self {
        Self { credentials: Some(credentials.to_owned()), ..Self::unconnected(profile) }
    }

    /// Calls with a profile only.
    #[must_use]
    pub fn unconnected(profile: PathBuf) -> Self {
        Self {
            profile,
            credentials: None,
            environment: Vec::new(),
            input: None,
            disk: None,
            prelude: None,
            wire: None,
        }
    }

    /// Calls with one more variable in the environment.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// Calls from a network of its own.
    #[must_use]
    pub fn on(mut self, wire: &Wire) -> Self {
        self.wire = Some(wire.clone());
        self
    }

    /// Calls with the profile on a disk of so many bytes, in memory, which goes with the process.
    #[must_use]
    pub fn on_a_small_disk(mut self, bytes: u64) -> Self {
        self.disk = Some(bytes);
        self
    }

    /// Calls with mounts and limits of their own, after a shell has done this to them.
    #[must_use]
    pub fn after_shell(mut self, prelude: &str) -> Self {
        self.prelude = Some(prelude.to_owned());
        self
    }

    /// Calls with another time of day, which a file says in words of faketime(1), and another one as
    /// soon as the file says it. How long something takes, they know all the same.
    ///
    /// # Errors
    /// Where faketime is not installed.
    #[cfg(target_os = "linux")]
    pub fn by_clock(self, file: &Path) -> Result<Self> {
        let library = faketime()?;
        let file = file.to_str().context("a path that is no text")?;
        let calls = self.with("LD_PRELOAD", library.to_str().context("a path that is no text")?);
        let calls = calls.with("FAKETIME_TIMESTAMP_FILE", file).with("FAKETIME_NO_CACHE", "1");
        Ok(calls.with("FAKETIME_DONT_FAKE_MONOTONIC", "1").with("NO_FAKE_STAT", "1"))
    }

    /// Calls with this on their standard input.
    #[must_use]
    pub fn told(mut self, input: &str) -> Self {
        self.input = Some(input.to_owned());
        self
    }

    /// The folder of the queue.
    #[must_use]
    pub fn profile(&self) -> &Path {
        &self.profile
    }

    /// Starts a call.
    ///
    /// # Errors
    /// Where the program is missing or does not start.
    pub fn spawn<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Result<Running> {
        let dailies = program("dailies")?;
        let mut command = match (&self.wire, self.disk, &self.prelude) {
            (Some(wire), _, _) => wire.command(dailies),
            (None, None, Some(prelude)) => after_shell(prelude, &dailies),
            (None, None, None) => Command::new(dailies),
            (None, Some(bytes), _) => {
                std::fs::create_dir_all(&self.profile)?;
                on_a_small_disk(&self.profile, bytes, &dailies)
            }
        };
        command.arg("--json").arg("--profile").arg(&self.profile);
        if let Some(credentials) = &self.credentials {
            command.arg("--credentials").arg(credentials);
        }
        let mut child = command
            .args(arguments)
            .env_remove("RUST_LOG")
            .env_remove("DAILIES_API_KEY")
            .env_remove("DAILIES_SERVER")
            // This computer may itself be on a metered network, or on battery.
            .env("DBUS_SYSTEM_BUS_ADDRESS", NO_BUS)
            .env("DBUS_SESSION_BUS_ADDRESS", NO_BUS)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let (Some(input), Some(mut stdin)) = (&self.input, child.stdin.take()) {
            let input = input.clone();
            tokio::spawn(async move { stdin.write_all(input.as_bytes()).await });
        }
        let out = Written::default();
        let errors = Written::default();
        let stdout = child.stdout.take().context("dailies has no standard output")?;
        let stderr = child.stderr.take().context("dailies has no standard error")?;
        let reading = [
            tokio::spawn(read(BufReader::new(stdout), out.clone())),
            tokio::spawn(read(BufReader::new(stderr), errors.clone())),
        ];
        Ok(Running { child, out, errors, reading })
    }

    /// Makes a call and waits until it has ended.
    ///
    /// # Errors
    /// Where it has not within `limit`.
    pub async fn run<S: AsRef<std::ffi::OsStr>>(
        &self,
        limit: Duration,
        arguments: &[S],
    ) -> Result<Ended> {
        self.spawn(arguments)?.ended(limit).await
    }
}

#[derive(Clone, Debug, Default)]
struct Written(Arc<(Mutex<Vec<String>>, Notify)>);

impl Written {
    fn lines(&self) -> Vec<String> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn push(&self, line: String) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        self.0.1.notify_waiters();
    }
}

async fn read(from: impl AsyncBufRead + Unpin, to: Written) {
    let mut lines = from.lines();
    while let Ok(Some(line)) = lines.next_line().await {
        to.push(line);
    }
}

/// A call that was started; dropped, it is killed.
#[derive(Debug)]
pub struct Running {
    child: Child,
    out: Written,
    errors: Written,
    reading: [JoinHandle<()>; 2],
}

impl Running {
    /// What it has printed until now.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        parsed(&self.out.lines())
    }

    /// Lines that it has written to standard error until now.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        self.errors.lines()
    }

    /// Waits until it has printed what satisfies `wanted`.
    ///
    /// # Errors
    /// Where it has not within `limit`.
    pub async fn until(&self, limit: Duration, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        self.after(0, limit, wanted).await
    }

    /// The same, of what it printed after its first so many events.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub async fn after(
        &self,
        said: usize,
        limit: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let waiting = async {
            loop {
                let news = self.out.0.1.notified();
                if let Some(event) = self.events().into_iter().skip(said).find(&wanted) {
                    return event;
                }
                news.await;
            }
        };
        match tokio::time::timeout(limit, waiting).await {
            Ok(event) => Ok(event),
            Err(_) => bail!(
                "dailies did not say it within {limit:?}; it said\n{}\n{}",
                self.out.lines().join("\n"),
                self.errors.lines().join("\n")
            ),
        }
    }

    /// Waits until it has written a line to standard error that satisfies `wanted`.
    ///
    /// # Errors
    /// Where it has not within `limit`.
    pub async fn until_it_complains(
        &self,
        limit: Duration,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<()> {
        let waiting = async {
            loop {
                let news = self.errors.0.1.notified();
                if self.errors.lines().iter().any(|line| wanted(line)) {
                    return;
                }
                news.await;
            }
        };
        let said = tokio::time::timeout(limit, waiting).await;
        said.with_context(|| format!("dailies only said\n{}", self.errors.lines().join("\n")))
    }

    /// How a file on the disk that is its alone is reached by others.
    ///
    /// # Errors
    /// Where it has ended, and its disk with it.
    pub fn seen_from_outside(&self, path: &Path) -> Result<PathBuf> {
        let id = self.child.id().context("dailies has ended")?;
        Ok(Path::new(&format!("/proc/{id}/root")).join(path.strip_prefix("/")?))
    }

    /// Does something to the mounts that are its alone.
    ///
    /// # Errors
    /// Where it has ended, or the shell fails.
    pub async fn shell_inside(&self, script: &str) -> Result<()> {
        let id = self.child.id().context("dailies has ended")?;
        let done = inside(id, script).output().await?;
        ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(())
    }

    /// Waits until it ends by itself, however long that takes.
    pub async fn exit(&mut self) {
        // One that cannot be waited for is not there any more.
        let _ = self.child.wait().await;
    }

    /// Lets it do nothing, as a computer that sleeps does.
    ///
    /// # Errors
    /// Where it has ended.
    #[cfg(unix)]
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Asks it to end, as a service manager does.
    ///
    /// # Errors
    /// Where it has ended.
    #[cfg(unix)]
    pub fn terminate(&self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// Where it has ended.
    #[cfg(unix)]
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    #[cfg(unix)]
    fn signal(&self, signal: Signal) -> Result<()> {
        let id = self.child.id().context("it has ended")?;
        let id = Pid::from_raw(id.cast_signed()).context("no process has the number 0")?;
        Ok(kill_process(id, signal)?)
    }

    /// Ends it with SIGKILL. `false` where it had ended by itself.
    ///
    /// # Errors
    /// Where the system refuses.
    pub async fn kill(mut self) -> Result<bool> {
        if self.child.try_wait()?.is_some() {
            return Ok(false);
        }
        self.child.start_kill()?;
        let status = self.child.wait().await?;
        Ok(!status.success())
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// Where it has not within `limit`.
    pub async fn ended(mut self, limit: Duration) -> Result<Ended> {
        let Ok(status) = tokio::time::timeout(limit, self.child.wait()).await else {
            bail!(
                "dailies still runs after {limit:?}; it said\n{}\n{}",
                self.out.lines().join("\n"),
                self.errors.lines().join("\n")
            );
        };
        for reading in &mut self.reading {
            reading.await?;
        }
        let (out, errors) = (self.out.lines(), self.errors.lines().join("\n"));
        Ok(Ended { status: status?, events: parsed(&out), out: out.join("\n"), errors })
    }
}

/// A call that has ended.
#[derive(Debug)]
pub struct Ended {
    status: ExitStatus,
    /// Its output, parsed.
    pub events: Vec<Value>,
    /// Its output.
    pub out: String,
    /// What it wrote to standard error.
    pub errors: String,
}

impl Ended {
    /// The exit code; `None` where a signal ended it.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The first event of a name.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<&Value> {
        self.events.iter().find(|event| event["event"] == name)
    }
}

fn parsed(lines: &[String]) -> Vec<Value> {
    lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

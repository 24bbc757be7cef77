//! The real `dailies-server`, as a process of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use dailies_api::credentials::Credentials;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use url::Url;

use crate::programs::{on_a_small_disk, program};
use crate::server_log::ServerLog;

/// To listen, and to end; generous, because tests share two cores.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server. [`Server::stop`] it at a test's end; dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    child: Child,
    data: PathBuf,
    environment: Vec<(String, String)>,
    disk: Option<u64>,
    /// Everything it wrote, over all restarts.
    pub log: ServerLog,
    /// The file that it wrote them to.
    pub credentials_file: PathBuf,
    /// How to reach it as its owner.
    pub credentials: Credentials,
    output: Option<Lines<BufReader<ChildStdout>>>,
    reading: JoinHandle<()>,
}

impl Server {
    /// Starts one on free ports, and waits until it listens.
    ///
    /// # Errors
    /// With its log, where it does not.
    pub async fn start(data: &Path, environment: &[(&str, String)]) -> Result<Self> {
        Self::start_at(data, "127.0.0.1:0", environment).await
    }

    /// Starts one at an address that others know before.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_at(
        data: &Path,
        listen: &str,
        environment: &[(&str, String)],
    ) -> Result<Self> {
        let environment: Vec<_> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Self::begin(data, listen, environment, None).await
    }

    /// As [`Self::start`], but its originals lie on a disk of so many bytes, in memory, which goes
    /// with it. Linux lets whoever may make a namespace mount one there.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_on_a_small_disk(data: &Path, bytes: u64) -> Result<Self> {
        std::fs::create_dir_all(data.join("objects"))?;
        Self::begin(data, "127.0.0.1:0", Vec::new(), Some(bytes)).await
    }

    async fn begin(
        data: &Path,
        listen: &str,
        environment: Vec<(String, String)>,
        disk: Option<u64>,
    ) -> Result<Self> {
        let log = ServerLog::default();
        let begun = spawn(data, &environment, disk, &log, Some(listen)).await?;
        Self::listening(data.to_owned(), environment, disk, log, begun)
    }

    /// Ends it as a power cut would.
    ///
    /// # Errors
    /// Where the system refuses.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.context("the server cannot be killed")?;
        self.drain().await
    }

    /// Starts it again after [`Self::kill`], where it was before.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_again(&mut self) -> Result<()> {
        let begun = spawn(&self.data, &self.environment, self.disk, &self.log, None).await?;
        let (data, environment) = (self.data.clone(), self.environment.clone());
        let before = self.credentials.url.clone();
        *self = Self::listening(data, environment, self.disk, self.log.clone(), begun)?;
        ensure!(self.credentials.url == before, "the server moved from {before}");
        Ok(())
    }

    /// Asks it to end, and waits until it has, in order.
    ///
    /// # Errors
    /// For any exit code but 0.
    pub async fn stop(mut self) -> Result<()> {
        let id = self.child.id().context("the server has ended before it was asked to")?;
        terminate(id)?;
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = ended.with_context(|| format!("still running:\n{}", self.log.tail()))??;
        self.drain().await?;
        ensure!(status.success(), "the server ended with {status}:\n{}", self.log.tail());
        Ok(())
    }

    /// Where its storage listens, whatever its presigned addresses say.
    ///
    /// # Errors
    /// Where its log has not said it.
    pub fn storage_address(&self) -> Result<SocketAddr> {
        address(&self.credentials.s3.endpoint)
    }

    /// Where its team API listens.
    ///
    /// # Errors
    /// Where that is no address of this computer.
    pub fn api_address(&self) -> Result<SocketAddr> {
        address(&self.credentials.url)
    }

    /// Waits until the last line that it wrote is in [`Self::log`].
    async fn drain(&mut self) -> Result<()> {
        (&mut self.reading).await.context("the server's log cannot be read")
    }

    fn listening(
        data: PathBuf,
        environment: Vec<(String, String)>,
        disk: Option<u64>,
        log: ServerLog,
        begun: Begun,
    ) -> Result<Self> {
        let Begun { child, line, output, reading } = begun;
        let said: Value = serde_json::from_str(&line)
            .with_context(|| format!("the server's first line is no JSON: {line}"))?;
        ensure!(said["event"] == "listening", "the server's first line is {line}");
        let credentials_file =
            PathBuf::from(said["credentials"].as_str().context("it names no credentials")?);
        let credentials: Credentials = serde_json::from_slice(&std::fs::read(&credentials_file)?)?;
        ensure!(said["url"] == credentials.url, "{line} and the credentials differ");
        let output = Some(output);
        Ok(Self {
            child,
            data,
            environment,
            disk,
            log,
            credentials_file,
            credentials,
            output,
            reading,
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process itself ends with its handle; its pipes are let go after it.
        self.output.take();
        self.reading.abort();
    }
}

#[cfg(unix)]
fn terminate(process: u32) -> Result<()> {
    let id = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    let id = id.context("the server's process has no number")?;
    Ok(rustix::process::kill_process(id, rustix::process::Signal::TERM)?)
}

#[cfg(not(unix))]
fn terminate(_: u32) -> Result<()> {
    bail!("a process cannot be asked to end here")
}

struct Begun {
    child: Child,
    line: String,
    output: Lines<BufReader<ChildStdout>>,
    reading: JoinHandle<()>,
}

async fn spawn(
    data: &Path,
    environment: &[(String, String)],
    disk: Option<u64>,
    log: &ServerLog,
    listen: Option<&str>,
) -> Result<Begun> {
    let server = program("dailies-server")?;
    let mut command = match disk {
        None => Command::new(server),
        Some(bytes) => on_a_small_disk(&data.join("objects"), bytes, &server),
    };
    command.args(["serve", "--data"]).arg(data);
    if let Some(listen) = listen {
        command.args(["--listen", listen]);
    }
    let mut child = command
        .env_remove("RUST_LOG")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let errors = child.stderr.take().context("the server has no standard error")?;
    let mut lines = BufReader::new(errors).lines();
    let kept = log.clone();
    let reading = tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            kept.push(line);
        }
    });
    let output = child.stdout.take().context("the server has no standard output")?;
    let mut output = BufReader::new(output).lines();
    match tokio::time::timeout(PATIENCE, output.next_line()).await {
        Ok(Ok(Some(line))) => Ok(Begun { child, line, output, reading }),
        Ok(ended) => bail!("the server did not start ({ended:?}):\n{}", log.tail()),
        Err(_) => bail!("the server does not listen:\n{}", log.tail()),
    }
}

fn address(url: &str) -> Result<SocketAddr> {
    let url = Url::parse(url)?;
    let addresses = url.socket_addrs(|| None)?;
    addresses.first().copied().with_context(|| format!("{url} leads nowhere"))
}

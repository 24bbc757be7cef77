//! `dailies-server` as a child process.
//!
//! It ends when its stdin closes. So it ends in order when it is told to, and also when this
//! process is killed, on every system and without anybody watching.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use dailies_api::credentials::Credentials;
use dailies_engine::team::Connection;
use serde::Deserialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

use crate::log::LogFile;

/// Until it listens. It takes under a second; after a crash it looks through what it has.
const START: Duration = Duration::from_secs(30);
/// Until it has ended by itself. What it has not done by then it goes on with at its next start.
const END: Duration = Duration::from_secs(5);
/// Until the last of its log is read. A program that it started may hold the pipe open.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Bytes of a line; the rest counts as the next one.
const LINE: u64 = 64 << 10;

/// Where the program and its things are.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// `dailies-server`.
    pub(crate) executable: PathBuf,
    /// What it works in.
    pub(crate) data: PathBuf,
    /// Where its log goes.
    pub(crate) logs: PathBuf,
}

/// A running one. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct TeamServer {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    /// Ends with the last error that was logged.
    log: JoinSet<Option<String>>,
}

impl Program {
    /// The one beside this executable.
    ///
    /// # Errors
    /// Where the system does not say which executable this is.
    pub(crate) fn beside_us(data: PathBuf, logs: PathBuf) -> io::Result<Self> {
        let name = format!("dailies-server{}", std::env::consts::EXE_SUFFIX);
        let executable = std::env::current_exe()?.with_file_name(name);
        Ok(Self { executable, data, logs })
    }

    /// Starts it.
    ///
    /// # Errors
    /// Where the program is missing, or cannot be run.
    pub(crate) fn start(&self) -> io::Result<TeamServer> {
        let log = LogFile::open(&self.logs, "dailies-server.log")?;
        let mut command = Command::new(&self.executable);
        command.args(["serve", "--until-stdin-closes", "--listen", &self.listen()]);
        command.arg("--data").arg(&self.data);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        // Ctrl+C in a terminal is for us, and it is for us to end it in order.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn()?;
        let piped = || io::Error::other("a pipe is missing");
        let stdin = child.stdin.take().ok_or_else(piped)?;
        let stdout = BufReader::new(child.stdout.take().ok_or_else(piped)?);
        let stderr = child.stderr.take().ok_or_else(piped)?;
        let mut pump = JoinSet::new();
        pump.spawn(keep_log(BufReader::new(stderr), log));
        Ok(TeamServer { child, stdin, stdout, log: pump })
    }

    /// How it was connected to last; `None` before its first start.
    pub(crate) fn last_connection(&self) -> Option<Connection> {
        let found = credentials(&self.data.join("credentials.json")).ok()?;
        Some(Connection::with_key(Url::parse(&found.url).ok()?, found.api_key))
    }

    /// Where it listened last, so that uploads under way find it again; any free port at first.
    fn listen(&self) -> String {
        let port = self.last_connection().and_then(|connection| connection.url().port());
        format!("127.0.0.1:{}", port.unwrap_or(0))
    }
}

/// The line that it prints when it listens.
#[derive(Deserialize)]
struct Listening {
    credentials: PathBuf,
}

impl TeamServer {
    /// Waits until it listens.
    ///
    /// # Errors
    /// In words, where it ends before.
    pub(crate) async fn listening(&mut self) -> Result<Connection, String> {
        let line = match timeout(START, read_line(&mut self.stdout)).await {
            Ok(Ok(line)) if !line.is_empty() => line,
            Ok(_) => return Err(self.ended().await),
            Err(_) => return Err("it did not get ready in time".into()),
        };
        let unreadable = |error: &dyn std::fmt::Display| format!("its credentials: {error}");
        let said: Listening = serde_json::from_slice(&line).map_err(|error| unreadable(&error))?;
        let credentials = credentials(&said.credentials).map_err(|error| unreadable(&error))?;
        let url = Url::parse(&credentials.url).map_err(|error| unreadable(&error))?;
        Ok(Connection::with_key(url, credentials.api_key))
    }

    /// Waits until it has ended, and says why.
    pub(crate) async fn ended(&mut self) -> String {
        let ended = self.child.wait().await;
        let words = timeout(LAST_WORDS, self.log.join_next()).await;
        if let Ok(Some(Ok(Some(words)))) = words {
            return words;
        }
        match ended {
            Ok(status) => words_for(status),
            Err(error) => format!("it cannot be waited for: {error}"),
        }
    }

    /// Ends it in order, or kills it where that takes too long.
    pub(crate) async fn stop(mut self) {
        drop(self.stdin);
        if timeout(END, self.child.wait()).await.is_err() {
            tracing::warn!("the team server did not end in time");
            if let Err(error) = self.child.kill().await {
                tracing::error!(%error, "the team server cannot be ended");
            }
        }
        // Its last words belong into the log.
        let _ = timeout(LAST_WORDS, self.log.join_next()).await;
    }
}

fn words_for(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("it ended with code {code}"),
        None => "it was ended by the system".into(),
    }
}

fn credentials(file: &Path) -> io::Result<Credentials> {
    serde_json::from_slice(&fs::read(file)?).map_err(io::Error::other)
}

/// One line of the server's log.
#[derive(Deserialize)]
struct LogLine {
    level: String,
    fields: LogFields,
}

#[derive(Deserialize)]
struct LogFields {
    message: String,
}

/// Copies lines to the log file until there are no more; the last error's words.
async fn keep_log(mut lines: impl AsyncBufRead + Unpin, mut log: LogFile) -> Option<String> {
    let mut last = None;
    loop {
        let line = read_line(&mut lines).await.unwrap_or_default();
        if line.is_empty() {
            return last;
        }
        if let Ok(line) = serde_json::from_slice::<LogLine>(&line)
            && line.level == "ERROR"
        {
            last = Some(line.fields.message);
        }
        if let Err(error) = log.write_all(&line) {
            tracing::debug!(%error, "a line of the team server's log is lost");
        }
    }
}

/// A line with its end. Empty when there are no more.
async fn read_line(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    from.take(LINE).read_until(b'\n', &mut line).await?;
    Ok(line)
}

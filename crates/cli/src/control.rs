//! How a second `dailies` steers the one that works on a profile: a local socket in its folder,
//! one JSON request and one JSON answer per connection.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dailies_engine::error::{Code, EngineError};
use dailies_engine::preferences::{OnChange, OnDuplicate};
use dailies_engine::rules::Switch;
use dailies_engine::team::Vault;
use dailies_engine::transfer::{List, NoRule, Rate, UploadId};
use dailies_engine::watch::{FolderId, Rules};
use dailies_engine::{EngineHandle, Profile};
use interprocess::local_socket::tokio::{Listener, Stream, prelude::*};
use interprocess::local_socket::{ListenerOptions, Name};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::session::{Session, kept_connection};

/// Requests are short.
const LONGEST_REQUEST: u64 = 64 * 1024;
/// Uploads in one answer.
const PAGE: u64 = 500;
/// A request or an answer takes no longer, a team server's own included.
const PATIENCE: Duration = Duration::from_secs(60);
/// One that begins, or ends, holds the profile for a moment in which it has no door.
const BETWEEN: Duration = Duration::from_secs(3);

/// What one call asks of another.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// A stretch of a list, from this number on.
    Page {
        list: List,
        offset: u64,
    },
    /// What happened to an upload after this number.
    History {
        id: UploadId,
        after: Option<u64>,
    },
    /// As the engine's calls of the same names.
    Receipt(UploadId),
    Receipts(Option<UploadId>),
    Pause(Vec<UploadId>),
    Resume(Vec<UploadId>),
    Cancel(Vec<UploadId>),
    Retry(Vec<UploadId>),
    Rules,
    Limit(Option<Rate>),
    Schedule(Vec<String>),
    Parallel(usize),
    Turn {
        switch: Switch,
        on: bool,
    },
    SendHere,
    /// What holds for the bytes of all uploads.
    Allowance,
    SendAnyway(Vec<UploadId>),
    Folders,
    AddFolder {
        path: PathBuf,
        project: Option<String>,
        rules: Rules,
    },
    RemoveFolder(FolderId),
    PauseFolder {
        id: FolderId,
        paused: bool,
    },
    SendNow(PathBuf),
    DryRun {
        path: PathBuf,
        rules: Option<Rules>,
    },
    Prefer {
        duplicates: Option<OnDuplicate>,
        changes: Option<OnChange>,
    },
    /// Connect to a server that somebody has signed in to.
    Connect(Url),
    /// Let go of this server, if it is the one.
    Disconnect(Url),
}

/// Asks whoever works on the profile, or does it here where nobody does.
pub(crate) async fn ask<T: DeserializeOwned>(
    folder: &Path,
    request: Request,
) -> Result<T, EngineError> {
    let begun = Instant::now();
    let answer = loop {
        match Profile::lock(folder) {
            Ok(profile) => {
                let session = Session::unconnected(profile).await?;
                let answer = obey(folder, &session.engine, request).await;
                session.close().await;
                break answer;
            }
            Err(busy) if busy.code == Code::ProfileInUse => {}
            Err(error) => return Err(error),
        }
        let door = async { Stream::connect(name(folder)?).await };
        match door.await {
            Ok(other) => {
                let asked = tokio::time::timeout(PATIENCE, ask_other(other, &request)).await;
                break asked.unwrap_or_else(|_| Err(unanswered("no answer")));
            }
            Err(_) if begun.elapsed() < BETWEEN => tokio::time::sleep(BETWEEN / 50).await,
            Err(error) => return Err(unanswered(&error.to_string())),
        }
    };
    serde_json::from_value(answer?).map_err(|error| unanswered(&error.to_string()))
}

async fn ask_other(mut other: Stream, request: &Request) -> Result<Value, EngineError> {
    let failed = |error: std::io::Error| unanswered(&error.to_string());
    let mut line = serde_json::to_vec(request).map_err(|error| unanswered(&error.to_string()))?;
    line.push(b'\n');
    other.write_all(&line).await.map_err(failed)?;
    let mut answer = Vec::new();
    other.read_to_end(&mut answer).await.map_err(failed)?;
    let answer: Result<Value, EngineError> =
        serde_json::from_slice(&answer).map_err(|error| unanswered(&error.to_string()))?;
    answer
}

async fn obey(
    folder: &Path,
    engine: &EngineHandle,
    request: Request,
) -> Result<Value, EngineError> {
    let ids = match request {
        Request::Page { list, offset } => return value(engine.page(list, offset, PAGE).await?),
        Request::History { id, after } => return value(engine.history(id, after).await?),
        Request::Receipt(id) => return value(engine.receipt(id).await?),
        Request::Receipts(after) => return value(engine.receipts(after).await?),
        Request::Prefer { duplicates, changes } => {
            let mut preferences = engine.preferences().await?;
            preferences.duplicates = duplicates.unwrap_or(preferences.duplicates);
            preferences.changes = changes.unwrap_or(preferences.changes);
            engine.prefer(preferences).await?;
            return value(preferences);
        }
        Request::Folders => return value(engine.folders().await?),
        Request::AddFolder { path, project, rules } => {
            return value(engine.add_folder(path, project, rules).await?);
        }
        Request::RemoveFolder(id) => return value(engine.remove_folder(id).await?),
        Request::PauseFolder { id, paused } => {
            let kept = engine.folders().await?.into_iter().find(|folder| folder.id == id);
            // Of one that there is not, the engine says so.
            let rules = kept.map(|folder| folder.rules).unwrap_or_default();
            return value(engine.change_folder(id, None, Rules { paused, ..rules }).await?);
        }
        Request::SendNow(path) => return value(engine.send_now(path).await?),
        Request::DryRun { path, rules } => return value(engine.dry_run(path, rules).await?),
        Request::Rules => return rules(engine).await,
        Request::Limit(limit) => {
            engine.set_limit(limit).await?;
            return rules(engine).await;
        }
        Request::Schedule(words) => {
            let schedule = words.join("\n").parse();
            engine.set_schedule(schedule.map_err(|e: NoRule| unanswered(&e.to_string()))?).await?;
            return rules(engine).await;
        }
        Request::Parallel(uploads) => {
            engine.set_uploads(uploads).await?;
            return rules(engine).await;
        }
        Request::Turn { switch, on } => {
            engine.turn(switch, on).await?;
            return rules(engine).await;
        }
        Request::SendHere => return value(engine.send_here().await?),
        Request::Allowance => return value(engine.snapshot().await?.allowance),
        Request::Connect(server) => {
            let connection = kept_connection(&Vault::of_profile(folder), server).await?;
            return engine.connect(connection).await.map(|_| Value::Null);
        }
        Request::Disconnect(server) => {
            return value(engine.disconnect_from(&server).await?);
        }
        Request::SendAnyway(ids) => engine.send_anyway(ids.clone()).await.map(|()| ids),
        Request::Pause(ids) => engine.pause(ids.clone()).await.map(|()| ids),
        Request::Resume(ids) => engine.resume(ids.clone()).await.map(|()| ids),
        Request::Cancel(ids) => engine.cancel(ids.clone()).await.map(|()| ids),
        Request::Retry(ids) => engine.retry(ids.clone()).await.map(|()| ids),
    }?;
    value(ids)
}

fn value(answer: impl Serialize) -> Result<Value, EngineError> {
    serde_json::to_value(answer).map_err(|error| unanswered(&error.to_string()))
}

/// What holds now.
async fn rules(engine: &EngineHandle) -> Result<Value, EngineError> {
    serde_json::to_value(engine.rules().await?).map_err(|error| unanswered(&error.to_string()))
}

fn unanswered(why: &str) -> EngineError {
    EngineError::new(
        Code::ProfileInUse,
        format!("another program works on this profile and cannot be asked: {why}"),
    )
}

/// Where the one that works on a profile listens.
#[derive(Debug)]
pub(crate) struct Door {
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Door {
    /// Opens it. Without one (a path too long for a socket) uploads work as well; they cannot be
    /// steered from outside.
    pub(crate) fn open(folder: &Path, engine: EngineHandle) -> Self {
        let stop = CancellationToken::new();
        let listener = name(folder)
            .and_then(|name| ListenerOptions::new().name(name).try_overwrite(true).create_tokio());
        let task = match listener {
            Ok(listener) => {
                let folder = folder.to_owned();
                Some(tokio::spawn(answer_all(listener, folder, engine, stop.clone())))
            }
            Err(error) => {
                tracing::warn!(%error, "this call cannot be steered by others");
                None
            }
        };
        Self { stop, task }
    }

    pub(crate) async fn close(self) {
        self.stop.cancel();
        if let Some(task) = self.task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the control socket broke");
        }
    }
}

async fn answer_all(
    listener: Listener,
    folder: PathBuf,
    engine: EngineHandle,
    stop: CancellationToken,
) {
    let mut answers = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = answers.join_next() => {}
            visitor = listener.accept() => match visitor {
                Ok(stream) => {
                    let answer = answer(stream, folder.clone(), engine.clone());
                    answers.spawn(tokio::time::timeout(PATIENCE, answer));
                }
                Err(error) => tracing::warn!(%error, "a visitor could not be let in"),
            }
        }
    }
    // What somebody asked may be the very reason for ending: they are still told.
    while answers.join_next().await.is_some() {}
}

async fn answer(mut stream: Stream, folder: PathBuf, engine: EngineHandle) {
    let mut line = String::new();
    let mut reader = BufReader::new((&mut stream).take(LONGEST_REQUEST));
    let answer = match reader.read_line(&mut line).await.map(|_| serde_json::from_str(&line)) {
        Ok(Ok(request)) => obey(&folder, &engine, request).await,
        Ok(Err(error)) => Err(unanswered(&error.to_string())),
        Err(error) => Err(unanswered(&error.to_string())),
    };
    drop(reader);
    if let Ok(bytes) = serde_json::to_vec(&answer) {
        // A visitor that has gone away wants no answer.
        let _ = stream.write_all(&bytes).await;
    }
}

#[cfg(unix)]
fn name(folder: &Path) -> std::io::Result<Name<'static>> {
    use interprocess::local_socket::{GenericFilePath, ToFsName as _};
    folder.join("control.sock").to_fs_name::<GenericFilePath>()
}

#[cfg(windows)]
fn name(folder: &Path) -> std::io::Result<Name<'static>> {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};

    use interprocess::local_socket::{GenericNamespaced, ToNsName as _};
    let mut hasher = DefaultHasher::new();
    folder.hash(&mut hasher);
    format!("dailies-{:016x}", hasher.finish()).to_ns_name::<GenericNamespaced>()
}

//! An engine on a profile, connected to a team, and open to other calls of this program.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dailies_api::credentials::Credentials;
use dailies_engine::clock::SystemClock;
use dailies_engine::error::{Code, EngineError};
use dailies_engine::net::{Clients, NetOptions};
use dailies_engine::team::{Connection, Team, Vault, address};
use dailies_engine::{EngineHandle, EngineTask, Options, Profile};
use url::Url;

use crate::args::Args;
use crate::control::Door;

/// Between two questions to a server that is away.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Where the key is taken from when no file is named.
const KEY: &str = "DAILIES_API_KEY";

/// A running engine. [`Session::close`] it, so that work ends in order.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) engine: EngineHandle,
    task: EngineTask,
    door: Door,
    _profile: Profile,
}

impl Session {
    /// Locks the profile, starts its engine, connects it.
    pub(crate) async fn open(folder: &Path, args: &Args) -> Result<Self, EngineError> {
        let profile = Profile::lock(folder)?;
        let session = Self::start(profile).await?;
        let vault = Vault::of_profile(folder);
        let connecting =
            async { session.connect(&vault, session.connection(&vault, args).await?).await };
        match connecting.await {
            Ok(()) => Ok(session),
            Err(error) => {
                session.close().await;
                Err(error)
            }
        }
    }

    /// An engine that talks to nobody: for what only concerns the queue, or not yet.
    pub(crate) async fn unconnected(profile: Profile) -> Result<Self, EngineError> {
        Self::start(profile).await
    }

    /// A connection without the queue, which another call may be working on.
    pub(crate) async fn team_only(folder: &Path, args: &Args) -> Result<Team, EngineError> {
        let clients = Clients::new(NetOptions::default())
            .map_err(|error| EngineError::new(Code::LocalStorage, error.to_string()))?;
        Team::connect(connection(&Vault::of_profile(folder), args, None).await?, clients).await
    }

    /// Connects as [`Self::open`] does, but waits for a server that is away and says so to `away`,
    /// once for each reason. Of one that was connected before files are taken meanwhile: its address
    /// is the answer, if it is still away.
    pub(crate) async fn connect_some_time(
        &self,
        folder: &Path,
        args: &Args,
        away: impl Fn(&Url, &str),
    ) -> Result<Option<Url>, EngineError> {
        let vault = Vault::of_profile(folder);
        let connection = self.connection(&vault, args).await?;
        let server = connection.url().clone();
        let mut said = None;
        loop {
            match self.connect(&vault, connection.clone()).await {
                Ok(()) => break,
                Err(error) if matches!(error.code, Code::Unreachable | Code::ServerFault) => {
                    if said != Some(error.code) {
                        away(&server, &format!("{}; waiting until it answers", error.message));
                        said = Some(error.code);
                    }
                    tokio::time::sleep(ASK_AGAIN).await;
                }
                Err(error) => return Err(error),
            }
        }
        if self.engine.answered(&server).await?.is_some() {
            return Ok(None);
        }
        away(&server, "it does not answer; files are taken for it meanwhile");
        Ok(Some(server))
    }

    async fn connection(&self, vault: &Vault, args: &Args) -> Result<Connection, EngineError> {
        connection(vault, args, self.engine.last_server().await?).await
    }

    /// Connects where new files go, and to every other server that the queue has something for and
    /// that somebody is signed in to.
    async fn connect(&self, vault: &Vault, connection: Connection) -> Result<(), EngineError> {
        let chosen = connection.url().clone();
        self.engine.reconnect(connection).await?;
        let needed = self.engine.servers().await?;
        for kept in vault.all().await? {
            if kept.server != chosen && needed.iter().any(|server| server == kept.server.as_str()) {
                // Nobody waits for its answer here.
                self.engine.expect(kept_connection(vault, kept.server).await?).await?;
            }
        }
        Ok(())
    }

    /// Ends the work in order.
    pub(crate) async fn close(self) {
        self.door.close().await;
        self.engine.clone().stop(self.task).await;
    }

    async fn start(profile: Profile) -> Result<Self, EngineError> {
        let queue = Profile::queue(profile.folder());
        let (engine, task) =
            dailies_engine::start(&queue, Arc::new(SystemClock), Options::default()).await?;
        let door = Door::open(profile.folder(), engine.clone());
        Ok(Self { engine, task, door, _profile: profile })
    }
}

/// Address and key: from the file that is named, from the command line and the environment; else
/// what somebody signed in with.
async fn connection(
    vault: &Vault,
    args: &Args,
    used_last: Option<String>,
) -> Result<Connection, EngineError> {
    let file = args.credentials.as_deref().map(credentials).transpose()?;
    let from_file = file.as_ref().map(|file| file.url.clone());
    let url = args.server.clone().map(String::from).or(from_file).or(used_last);
    let url = match url {
        Some(url) => Some(url),
        None => vault.all().await?.first().map(|kept| kept.server.to_string()),
    };
    let url = url.ok_or_else(|| {
        EngineError::new(
            Code::NotConnected,
            "which team? Sign in by `dailies login --server URL`, give --credentials FILE, or \
             --server URL with the key in DAILIES_API_KEY",
        )
    })?;
    let url = Url::parse(&url)
        .map_err(|error| EngineError::new(Code::NotATeamServer, format!("{url}: {error}")))?;
    let key = file.map(|file| file.api_key).or_else(|| std::env::var(KEY).ok().map(Into::into));
    match key {
        Some(key) => Ok(Connection::with_key(url, key)),
        None => kept_connection(vault, url).await,
    }
}

/// The connection to a server that somebody signed in to.
pub(crate) async fn kept_connection(vault: &Vault, url: Url) -> Result<Connection, EngineError> {
    let url = address::base(url);
    let kept = vault.find(&url).await?.ok_or_else(|| {
        let words =
            format!("no key: `dailies login --server {url}`, set {KEY} or give --credentials");
        EngineError::new(Code::SignedOut, words)
    })?;
    let connection = Connection::new(url, kept.credentials).of_kind(Some(kept.kind));
    Ok(connection.kept_in(vault.clone()))
}

fn credentials(path: &Path) -> Result<Credentials, EngineError> {
    let unreadable =
        |error: String| EngineError::new(Code::SignedOut, format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))
}

//! Sees to it that a team server stays connected: keeps the one on this computer alive, or comes back
//! to another one until it answers.

use std::sync::Arc;
use std::time::Duration;

use dailies_engine::EngineHandle;
use dailies_engine::error::{Code, EngineError};
use dailies_engine::team::{Connection, Vault};
use dailies_engine::view::ConnectionView;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::keychain;
use crate::settings::{By, Team};
use crate::team_server::{Program, TeamServer};
use crate::view::{ServerView, ShellView};

/// Between two tries to reach a team server that does not answer.
const COME_BACK: Duration = Duration::from_secs(5);
/// Rest after the first end of a server; doubled with each one that follows.
const FIRST_REST: Duration = Duration::from_millis(250);
const LONGEST_REST: Duration = Duration::from_secs(30);
/// A server that lived this long was well, and its end is a new story.
const WELL: Duration = Duration::from_mins(1);
/// Ends in a row that are nobody's business.
const QUIET: u32 = 2;

/// Where the outcome of what was asked for goes.
pub(crate) type Answer = oneshot::Sender<Result<(), EngineError>>;

/// What a keeper works with.
#[derive(Clone, Debug)]
pub(crate) struct Keeping {
    /// The engine that is to be connected.
    pub(crate) engine: EngineHandle,
    /// The team server on this computer.
    pub(crate) program: Program,
    /// Where sign-ins by browser are kept.
    pub(crate) vault: Vault,
    /// What is seen of it.
    pub(crate) view: Arc<watch::Sender<ShellView>>,
}

/// A keeper at work.
#[derive(Debug)]
pub(crate) struct Keeper {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Keeper {
    /// Ends it, and the server that it keeps.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "a keeper broke");
        }
    }
}

impl Keeping {
    /// Keeps the team server on this computer alive, and the engine connected to it. `asked` hears
    /// how it began; then new files go to it.
    #[must_use]
    pub(crate) fn this_computer(&self, asked: Option<Answer>) -> Keeper {
        // Seen at once, not when the task gets its turn.
        self.set_server(ServerView::Starting);
        let (keeping, stop) = (self.clone(), CancellationToken::new());
        let task = tokio::spawn(keeping.keep_alive(stop.clone(), asked));
        Keeper { stop, task }
    }

    /// Connects to a team server with what is kept of it, as soon as it answers.
    #[must_use]
    pub(crate) fn team(&self, team: Team) -> Keeper {
        let (keeping, stop) = (self.clone(), CancellationToken::new());
        let stopped = stop.clone().cancelled_owned();
        let task = tokio::spawn(async move {
            tokio::select! {
                () = stopped => {}
                () = keeping.come_back(team) => {}
            }
        });
        Keeper { stop, task }
    }

    /// Takes files for the team server on this computer before it runs, if it ever did.
    pub(crate) async fn expect_this_computer(&self) {
        if let Some(connection) = self.program.last_connection()
            && let Err(error) = self.engine.expect(connection).await
        {
            tracing::warn!(%error, "the team server on this computer is not expected");
        }
    }

    /// Changes what is seen of the server.
    pub(crate) fn set_server(&self, server: ServerView) {
        self.view.send_if_modified(|view| {
            let changed = view.server != server;
            view.server = server;
            changed
        });
    }

    async fn keep_alive(self, stop: CancellationToken, mut asked: Option<Answer>) {
        let mut ends = 0;
        loop {
            let began = Instant::now();
            let why = match self.program.start() {
                Ok(mut server) => {
                    let why = tokio::select! {
                        () = stop.cancelled() => None,
                        why = self.live(&mut server, &mut asked) => Some(why),
                    };
                    server.stop().await;
                    let Some(why) = why else { return };
                    why
                }
                Err(error) => format!("{}: {error}", self.program.executable.display()),
            };
            ends = if began.elapsed() < WELL { ends + 1 } else { 1 };
            tracing::warn!(why, ends, "the team server on this computer is not running");
            if ends <= QUIET {
                self.set_server(ServerView::Starting);
            } else {
                self.set_server(ServerView::Failed { message: why.clone() });
                if let Some(asked) = asked.take() {
                    let _ = asked.send(Err(EngineError::new(Code::ServerFault, why)));
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(rest(ends)) => {}
            }
        }
    }

    /// One life of a server; why it ended.
    async fn live(&self, server: &mut TeamServer, asked: &mut Option<Answer>) -> String {
        let before = self.program.last_connection();
        let connection = match server.listening().await {
            Ok(connection) => connection,
            Err(why) => return why,
        };
        if let Some(before) = before
            && before.url() != connection.url()
            && let Err(error) = self.engine.disconnect_from(before.url()).await
        {
            tracing::warn!(%error, "an address that nothing answers at is kept");
        }
        let mut url = connection.url().to_string();
        let connected = match asked {
            Some(_) => self.engine.connect(connection).await,
            None => self.engine.connect_too(connection).await,
        };
        match connected {
            // The page compares the two.
            Ok(ConnectionView::Connected { url: connected, .. }) => url = connected,
            Ok(_) => {}
            Err(error) => return error.message,
        }
        self.set_server(ServerView::Running { url });
        if let Some(asked) = asked.take() {
            let _ = asked.send(Ok(()));
        }
        server.ended().await
    }

    async fn come_back(self, team: Team) {
        let url = team.url.clone();
        let Some(connection) = self.kept(team).await else {
            tracing::warn!(%url, "nothing is kept that opens it; somebody has to sign in again");
            let _ = self.engine.without(url, Code::SignedOut).await;
            return;
        };
        // One that was connected before takes files meanwhile, and the engine comes back to it.
        if let Ok(Some(_)) = self.engine.expect(connection.clone()).await {
            return;
        }
        loop {
            match self.engine.connect_too(connection.clone()).await {
                Ok(_) => return,
                // Asking again does not mend it, and the page says that somebody is needed.
                Err(error) if matches!(error.code, Code::SignedOut | Code::Forbidden) => return,
                Err(error) => tracing::info!(%url, %error, "it does not answer yet"),
            }
            sleep(COME_BACK).await;
        }
    }

    async fn kept(&self, Team { url, by }: Team) -> Option<Connection> {
        match by {
            By::Key => {
                let key = keychain::find(&url).await?;
                Some(Connection::with_key(url, key))
            }
            By::Browser => match self.vault.find(&url).await {
                Ok(kept) => {
                    let connection = Connection::new(url, kept?.credentials);
                    Some(connection.kept_in(self.vault.clone()))
                }
                Err(error) => {
                    tracing::error!(%url, %error, "what is kept of it cannot be read");
                    None
                }
            },
        }
    }
}

fn rest(ends: u32) -> Duration {
    FIRST_REST.saturating_mul(1 << ends.saturating_sub(1).min(10)).min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_and_have_a_limit() {
        assert_eq!(rest(1), FIRST_REST);
        assert_eq!(rest(2), FIRST_REST * 2);
        assert_eq!(rest(u32::MAX), LONGEST_REST);
    }
}

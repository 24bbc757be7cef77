//! Sees to it that a choice of team holds: keeps the team server on this computer alive, or comes
//! back to another one until it answers.

use std::sync::Arc;
use std::time::Duration;

use dailies_engine::EngineHandle;
use dailies_engine::error::{Code, EngineError};
use dailies_engine::team::Connection;
use dailies_engine::view::ConnectionView;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::keychain;
use crate::team_server::{Program, TeamServer};
use crate::view::{KeyKept, ServerView, ShellView};

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
    /// how it began.
    #[must_use]
    pub(crate) fn this_computer(&self, asked: Option<Answer>) -> Keeper {
        // Seen at once, not when the task gets its turn.
        self.set_server(ServerView::Starting);
        let (keeping, stop) = (self.clone(), CancellationToken::new());
        let task = tokio::spawn(keeping.keep_alive(stop.clone(), asked));
        Keeper { stop, task }
    }

    /// Connects to a team server with the key that the keychain has, as soon as it answers.
    #[must_use]
    pub(crate) fn server(&self, url: Url) -> Keeper {
        let (keeping, stop) = (self.clone(), CancellationToken::new());
        let stopped = stop.clone().cancelled_owned();
        let task = tokio::spawn(async move {
            tokio::select! {
                () = stopped => {}
                () = keeping.come_back(url) => {}
            }
        });
        Keeper { stop, task }
    }

    /// Changes what is seen of the server.
    pub(crate) fn set_server(&self, server: ServerView) {
        self.view.send_if_modified(|view| {
            let changed = view.server != server;
            view.server = server;
            changed
        });
    }

    /// Changes what is seen of the key.
    pub(crate) fn set_key_kept(&self, kept: KeyKept) {
        self.view.send_if_modified(|view| {
            let changed = view.key_kept != kept;
            view.key_kept = kept;
            changed
        });
    }

    /// A choice of team is one of all: uploads to others wait until they are chosen again.
    pub(crate) async fn leave_others(&self) {
        if let Err(error) = self.engine.disconnect_others().await {
            tracing::warn!(%error, "other teams are not left");
        }
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
        let connection = match server.listening().await {
            Ok(connection) => connection,
            Err(why) => return why,
        };
        let mut url = connection.url().to_string();
        match self.engine.connect(connection).await {
            // The page compares the two.
            Ok(ConnectionView::Connected { url: connected, .. }) => url = connected,
            Ok(_) => {}
            Err(error) => return error.message,
        }
        self.leave_others().await;
        self.set_server(ServerView::Running { url });
        if let Some(asked) = asked.take() {
            let _ = asked.send(Ok(()));
        }
        server.ended().await
    }

    async fn come_back(self, url: Url) {
        let Some(key) = keychain::find(&url).await else {
            tracing::warn!("the key to the team is not in the keychain; it has to be given again");
            return;
        };
        self.set_key_kept(KeyKept::Keychain);
        loop {
            let connection = Connection::with_key(url.clone(), key.clone());
            // One that was connected before takes files meanwhile, and the engine comes back to it.
            match self.engine.reconnect(connection).await {
                Ok(_) => return,
                // Asking again does not mend it, and the page says that somebody is needed.
                Err(error) if matches!(error.code, Code::SignedOut | Code::Forbidden) => return,
                Err(error) => tracing::info!(%error, "the team server does not answer yet"),
            }
            sleep(COME_BACK).await;
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

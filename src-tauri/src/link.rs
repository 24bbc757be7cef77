//! Which team this computer belongs to, and how it stays connected to it.
//!
//! One loop owns the choice. While a choice stands, a [`keeper`](crate::keeper) sees to it.

use std::sync::Arc;
use std::time::Duration;

use dailies_engine::error::{Code, EngineError};
use dailies_engine::team::{Connection, address};
use dailies_engine::{EngineHandle, EngineTask};
use secrecy::SecretString;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use url::Url;

use crate::keeper::{Answer, Keeper, Keeping};
use crate::keychain;
use crate::settings::{Choice, Settings};
use crate::team_server::Program;
use crate::view::{KeyKept, ServerView, ShellView};

/// Commands that may wait.
const COMMANDS: usize = 16;
/// For the engine to put its work down.
const ENGINE_STOP: Duration = Duration::from_secs(5);
/// For everything to end. The system's own patience with a program that is to end is not longer.
const STOP: Duration = Duration::from_secs(12);

/// What others hold of the loop.
#[derive(Clone, Debug)]
pub(crate) struct LinkHandle {
    commands: mpsc::Sender<Command>,
    view: watch::Receiver<ShellView>,
}

enum Command {
    UseThisComputer(Answer),
    Connect(Url, SecretString, Answer),
    Disconnect(Answer),
    TellOnce(oneshot::Sender<bool>),
    Stop(oneshot::Sender<()>),
}

/// The loop, to be run, and what others hold of it.
#[must_use]
pub(crate) fn prepare(
    engine: EngineHandle,
    task: EngineTask,
    settings: Settings,
    program: Program,
) -> (LinkHandle, Link) {
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let (view, views) = watch::channel(ShellView::empty());
    let keeping = Keeping { engine, program, view: Arc::new(view) };
    let link = Link { keeping, task: Some(task), settings, keeper: None, inbox };
    (LinkHandle { commands, view: views }, link)
}

impl LinkHandle {
    /// What the page sees of the shell.
    #[must_use]
    pub(crate) fn view(&self) -> ShellView {
        self.view.borrow().clone()
    }

    /// The same, and when it changes.
    #[must_use]
    pub(crate) fn views(&self) -> watch::Receiver<ShellView> {
        self.view.clone()
    }

    /// Starts the team server on this computer, and connects to it.
    ///
    /// # Errors
    /// [`Code::ServerFault`] with its reason. It is still tried.
    pub(crate) async fn use_this_computer(&self) -> Result<(), EngineError> {
        self.ask(Command::UseThisComputer).await?
    }

    /// Connects to another team server.
    ///
    /// # Errors
    /// Those of [`address::team_server`] and of [`EngineHandle::connect`]. The choice made before
    /// stands then.
    pub(crate) async fn connect(&self, url: &str, key: SecretString) -> Result<(), EngineError> {
        let url = address::team_server(url)?;
        self.ask(|done| Command::Connect(url, key, done)).await?
    }

    /// Belongs to no team any more, and forgets its key.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub(crate) async fn disconnect(&self) -> Result<(), EngineError> {
        self.ask(Command::Disconnect).await?
    }

    /// True once in the life of a profile: that uploads go on without a window is to be said now.
    pub(crate) async fn tell_once(&self) -> bool {
        self.ask(Command::TellOnce).await.unwrap_or(false)
    }

    /// Ends engine and server, within a limit.
    pub(crate) async fn stop(&self) {
        // A loop that has ended already is what was wanted.
        let _ = timeout(STOP, self.ask(Command::Stop)).await;
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, EngineError> {
        let stopped = || EngineError::new(Code::Stopped, "the app is about to end");
        let (done, answer) = oneshot::channel();
        self.commands.send(command(done)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())
    }
}

/// The loop.
pub(crate) struct Link {
    keeping: Keeping,
    task: Option<EngineTask>,
    settings: Settings,
    keeper: Option<Keeper>,
    inbox: mpsc::Receiver<Command>,
}

impl Link {
    /// Begins with what was chosen at an earlier start, and runs until it is stopped.
    pub(crate) async fn run(mut self) {
        match self.settings.values().team.clone() {
            Choice::None => {}
            Choice::ThisComputer => self.keeper = Some(self.keeping.this_computer(None)),
            Choice::Server { url } => self.keeper = Some(self.keeping.server(url)),
        }
        while let Some(command) = self.inbox.recv().await {
            match command {
                Command::UseThisComputer(done) => self.use_this_computer(done).await,
                Command::Connect(url, key, done) => self.connect(url, key, done).await,
                Command::Disconnect(done) => {
                    let _ = done.send(self.disconnect().await);
                }
                Command::TellOnce(done) => {
                    let told = self.settings.values().told_that_uploads_go_on;
                    self.settings.change(|values| values.told_that_uploads_go_on = true);
                    let _ = done.send(!told);
                }
                Command::Stop(done) => {
                    self.stop().await;
                    let _ = done.send(());
                    return;
                }
            }
        }
    }

    async fn use_this_computer(&mut self, done: Answer) {
        let view = self.keeping.view.borrow().clone();
        if matches!(view.server, ServerView::Running { .. }) {
            let _ = done.send(Ok(()));
            return;
        }
        self.end_keeper().await;
        self.choose(Choice::ThisComputer).await;
        self.keeping.set_key_kept(KeyKept::None);
        self.keeper = Some(self.keeping.this_computer(Some(done)));
    }

    async fn connect(&mut self, url: Url, key: SecretString, done: Answer) {
        let connection = Connection::with_key(url.clone(), key.clone());
        if let Err(error) = self.keeping.engine.connect(connection).await {
            let _ = done.send(Err(error));
            return;
        }
        // Asking somebody to unlock the keychain may take long.
        let _ = done.send(Ok(()));
        self.keeping.leave_others().await;
        self.end_keeper().await;
        self.keeping.set_server(ServerView::Off);
        self.choose(Choice::Server { url: url.clone() }).await;
        let kept = keychain::keep(&url, &key).await;
        self.keeping.set_key_kept(if kept { KeyKept::Keychain } else { KeyKept::Memory });
    }

    async fn disconnect(&mut self) -> Result<(), EngineError> {
        self.end_keeper().await;
        self.choose(Choice::None).await;
        self.keeping.set_server(ServerView::Off);
        self.keeping.set_key_kept(KeyKept::None);
        self.keeping.engine.disconnect().await
    }

    /// Remembers a choice, and forgets the key that belonged to the one before.
    async fn choose(&mut self, choice: Choice) {
        let before = self.settings.values().team.clone();
        if let Choice::Server { url } = &before
            && before != choice
        {
            keychain::forget(url).await;
        }
        self.settings.change(|values| values.team = choice);
    }

    /// The engine first, so that the server has nothing to wait for.
    async fn stop(&mut self) {
        if let Some(task) = self.task.take()
            && timeout(ENGINE_STOP, self.keeping.engine.stop(task)).await.is_err()
        {
            tracing::warn!("the engine did not stop in time; it goes on at the next start");
        }
        self.end_keeper().await;
    }

    async fn end_keeper(&mut self) {
        if let Some(keeper) = self.keeper.take() {
            keeper.end().await;
        }
    }
}

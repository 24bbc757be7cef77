//! Which teams this computer belongs to, and how it stays connected to them; and what somebody prefers.
//!
//! One loop owns what is remembered of that. While a team stands in it, a [`keeper`](crate::keeper)
//! sees to its connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use dailies_engine::error::{Code, EngineError};
use dailies_engine::net::{Clients, NetOptions};
use dailies_engine::team::{Connection, Credentials, Kept, SignedIn, Vault, address, sign_out};
use dailies_engine::view::ConnectionView;
use dailies_engine::{EngineHandle, EngineTask};
use secrecy::SecretString;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

use crate::keeper::{Answer, Keeper, Keeping};
use crate::keychain;
use crate::settings::{By, Preference, Settings, Team};
use crate::team_server::Program;
use crate::updates::UpdateView;
use crate::view::{EngineState, OpenedBy, ServerView, ShellView, TeamView};

/// Commands that may wait.
const COMMANDS: usize = 16;
/// For the engine to put its work down.
const ENGINE_STOP: Duration = Duration::from_secs(5);
/// For everything to end. The system's own patience with a program that is to end is not longer.
const STOP: Duration = Duration::from_secs(12);
/// For an issuer to forget a sign-in. What is kept nowhere any more is of use to nobody.
const SIGN_OUT: Duration = Duration::from_secs(20);

/// What others hold of the loop.
#[derive(Clone, Debug)]
pub(crate) struct LinkHandle {
    commands: mpsc::Sender<Command>,
    view: Arc<watch::Sender<ShellView>>,
}

enum Command {
    UseThisComputer(Answer),
    TurnOff(Answer),
    Connect(Url, SecretString, Answer),
    SignedIn(Url, Box<SignedIn>, Answer),
    Forget(Url, Answer),
    Prefer(Preference, oneshot::Sender<()>),
    TellOnce(oneshot::Sender<bool>),
    Stop { starts_again: bool, done: oneshot::Sender<()> },
}

/// The loop, to be run, and what others hold of it.
#[must_use]
pub(crate) fn prepare(
    engine: EngineHandle,
    task: EngineTask,
    settings: Settings,
    program: Program,
    vault: Vault,
) -> (LinkHandle, Link) {
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let view = Arc::new(watch::Sender::new(ShellView::of(settings.values())));
    let keeping = Keeping { engine, program, vault, view: Arc::clone(&view) };
    let (here, teams, leaving) = (None, HashMap::new(), JoinSet::new());
    let link = Link { keeping, task: Some(task), settings, here, teams, leaving, inbox };
    (LinkHandle { commands, view }, link)
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
        self.view.subscribe()
    }

    /// Says whether the app starts when its user signs in to the system.
    pub(crate) fn set_starts_at_login(&self, starts: Option<bool>) {
        self.view.send_modify(|view| view.starts_at_login = starts);
    }

    /// Says how it stands with newer versions.
    pub(crate) fn set_update(&self, update: UpdateView) {
        self.view.send_modify(|view| view.update = update);
    }

    /// Starts the team server on this computer, and connects to it.
    ///
    /// # Errors
    /// [`Code::ServerFault`] with its reason. It is still tried.
    pub(crate) async fn use_this_computer(&self) -> Result<(), EngineError> {
        self.ask(Command::UseThisComputer).await?
    }

    /// Ends the team server on this computer. Nothing that it has is touched.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub(crate) async fn turn_off(&self) -> Result<(), EngineError> {
        self.ask(Command::TurnOff).await?
    }

    /// Connects to another team server by its key; new files go there from now on.
    ///
    /// # Errors
    /// Those of [`address::team_server`] and of [`EngineHandle::connect`].
    pub(crate) async fn connect(&self, url: &str, key: SecretString) -> Result<(), EngineError> {
        let url = address::team_server(url)?;
        self.ask(|done| Command::Connect(url, key, done)).await?
    }

    /// The same, as somebody who signed in in the browser.
    ///
    /// # Errors
    /// Those of [`EngineHandle::connect`], and [`Code::LocalStorage`].
    pub(crate) async fn signed_in(&self, url: Url, by: SignedIn) -> Result<(), EngineError> {
        self.ask(|done| Command::SignedIn(url, Box::new(by), done)).await?
    }

    /// Belongs to a team no more, and forgets what opened it. Its uploads wait.
    ///
    /// # Errors
    /// [`Code::NotFound`] for none of the [teams](ShellView::teams).
    pub(crate) async fn forget(&self, url: &str) -> Result<(), EngineError> {
        let url = address::team_server(url)?;
        self.ask(|done| Command::Forget(url, done)).await?
    }

    /// Keeps what somebody prefers.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub(crate) async fn prefer(&self, preference: Preference) -> Result<(), EngineError> {
        self.ask(|done| Command::Prefer(preference, done)).await
    }

    /// True once in the life of a profile: that uploads go on without a window is to be said now.
    pub(crate) async fn tell_once(&self) -> bool {
        self.ask(Command::TellOnce).await.unwrap_or(false)
    }

    /// Ends engine and server, within a limit; for good, or to start again.
    pub(crate) async fn stop(&self, starts_again: bool) {
        // A loop that has ended already is what was wanted.
        let _ = timeout(STOP, self.ask(|done| Command::Stop { starts_again, done })).await;
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
    /// Of the team server on this computer.
    here: Option<Keeper>,
    /// Of those that were remembered at the start, by their addresses.
    teams: HashMap<Url, Keeper>,
    /// Sign-ins that their issuers are told to forget.
    leaving: JoinSet<()>,
    inbox: mpsc::Receiver<Command>,
}

impl Link {
    /// Begins with what was remembered of an earlier start, and runs until it is stopped.
    pub(crate) async fn run(mut self) {
        self.begin().await;
        let engine = self.keeping.engine.clone();
        let mut works = true;
        loop {
            tokio::select! {
                command = self.inbox.recv() => match command {
                    Some(Command::Stop { starts_again, done }) => {
                        self.settings.change(|values| values.starts_again = starts_again);
                        self.stop().await;
                        let _ = done.send(());
                        return;
                    }
                    Some(command) => self.obey(command).await,
                    None => return,
                },
                () = engine.ended(), if works => {
                    tracing::error!("the engine has ended although nobody wanted that");
                    works = false;
                    self.keeping.view.send_modify(|view| view.engine = EngineState::Broke);
                }
                Some(_) = self.leaving.join_next() => {}
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::UseThisComputer(done) => self.use_this_computer(done).await,
            Command::TurnOff(done) => {
                let _ = done.send(self.turn_off().await);
            }
            Command::Connect(url, key, done) => self.connect(url, key, done).await,
            Command::SignedIn(url, signed_in, done) => {
                let _ = done.send(self.signed_in(url, *signed_in).await);
            }
            Command::Forget(url, done) => {
                let _ = done.send(self.forget(&url).await);
            }
            Command::Prefer(preference, done) => {
                self.settings.change(|values| values.preferences.set(preference));
                let preferences = self.settings.values().preferences.clone();
                self.keeping.view.send_modify(|view| view.preferences = preferences);
                let _ = done.send(());
            }
            Command::TellOnce(done) => {
                let told = self.settings.values().told_that_uploads_go_on;
                self.settings.change(|values| values.told_that_uploads_go_on = true);
                let _ = done.send(!told);
            }
            // Ends the loop, which sees to it.
            Command::Stop { .. } => {}
        }
    }

    async fn begin(&mut self) {
        let values = self.settings.values().clone();
        // Where new files go is known before anything answers: none of them goes elsewhere meanwhile.
        for Team { url, .. } in &values.teams {
            let _ = self.keeping.engine.without(url.clone(), Code::NotConnected).await;
        }
        if values.this_computer {
            self.keeping.expect_this_computer().await;
            self.here = Some(self.keeping.this_computer(None));
        }
        for team in values.teams {
            self.teams.insert(team.url.clone(), self.keeping.team(team));
        }
    }

    async fn use_this_computer(&mut self, done: Answer) {
        if matches!(self.keeping.view.borrow().server, ServerView::Running { .. }) {
            let _ = done.send(Ok(()));
            return;
        }
        self.end_here().await;
        self.settings.change(|values| values.this_computer = true);
        self.here = Some(self.keeping.this_computer(Some(done)));
    }

    async fn turn_off(&mut self) -> Result<(), EngineError> {
        self.end_here().await;
        self.settings.change(|values| values.this_computer = false);
        self.keeping.set_server(ServerView::Off);
        match self.keeping.program.last_connection() {
            Some(connection) => self.keeping.engine.disconnect_from(connection.url()).await,
            None => Ok(()),
        }
    }

    async fn connect(&mut self, url: Url, key: SecretString, done: Answer) {
        let connection = Connection::with_key(url.clone(), key.clone());
        if let Err(error) = self.keeping.engine.try_connect(connection).await {
            let _ = done.send(Err(error));
            return;
        }
        // Asking somebody to unlock the keychain may take long.
        let _ = done.send(Ok(()));
        self.put(url.clone(), OpenedBy::KeyInMemory).await;
        if keychain::keep(&url, &key).await {
            self.put(url, OpenedBy::KeptKey).await;
        }
    }

    async fn signed_in(&mut self, url: Url, by: SignedIn) -> Result<(), EngineError> {
        let (engine, vault) = (&self.keeping.engine, &self.keeping.vault);
        let credentials = Credentials::OpenIdConnect(by);
        let connection = Connection::new(url.clone(), credentials.clone()).kept_in(vault.clone());
        // Nothing is kept that does not open anything.
        if let ConnectionView::Connected { protocol, .. } = engine.try_connect(connection).await? {
            vault.keep(Kept { server: url.clone(), kind: protocol, credentials }).await?;
        }
        self.put(url, OpenedBy::Browser).await;
        Ok(())
    }

    /// Remembers a team. What opened it before is forgotten where something else does now.
    async fn put(&mut self, url: Url, opened_by: OpenedBy) {
        if let Some(keeper) = self.teams.remove(&url) {
            keeper.end().await;
        }
        let by = match opened_by {
            OpenedBy::KeptKey | OpenedBy::KeyInMemory => By::Key,
            OpenedBy::Browser => By::Browser,
        };
        let before = self.settings.values().teams.iter().find(|team| team.url == url);
        if let Some(before) = before.cloned().filter(|before| before.by != by) {
            self.close(&before).await;
        }
        self.settings.change(|values| values.put(Team { url: url.clone(), by }));
        self.keeping.view.send_modify(|view| {
            let seen = TeamView { url: url.into(), opened_by };
            match view.teams.iter_mut().find(|team| team.url == seen.url) {
                Some(known) => *known = seen,
                None => view.teams.push(seen),
            }
        });
    }

    async fn forget(&mut self, url: &Url) -> Result<(), EngineError> {
        let known = self.settings.values().teams.iter().find(|team| team.url == *url).cloned();
        let none = || EngineError::new(Code::NotFound, "nobody is signed in there");
        let team = known.ok_or_else(none)?;
        if let Some(keeper) = self.teams.remove(url) {
            keeper.end().await;
        }
        self.keeping.engine.disconnect_from(url).await?;
        self.settings.change(|values| values.teams.retain(|team| team.url != *url));
        self.keeping.view.send_modify(|view| view.teams.retain(|team| team.url != url.as_str()));
        self.close(&team).await;
        Ok(())
    }

    /// Forgets what opens a team, here and at its issuer.
    async fn close(&mut self, Team { url, by }: &Team) {
        match by {
            By::Key => keychain::forget(url).await,
            By::Browser => match self.keeping.vault.forget(url).await {
                Ok(Some(Kept { credentials: Credentials::OpenIdConnect(signed_in), .. })) => {
                    self.leaving.spawn(leave(signed_in));
                }
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "a sign-in is still kept"),
            },
        }
    }

    /// The engine first, so that the server has nothing to wait for.
    async fn stop(&mut self) {
        if let Some(task) = self.task.take()
            && timeout(ENGINE_STOP, self.keeping.engine.stop(task)).await.is_err()
        {
            tracing::warn!("the engine did not stop in time; it goes on at the next start");
        }
        for (_, keeper) in self.teams.drain() {
            keeper.end().await;
        }
        self.end_here().await;
    }

    async fn end_here(&mut self) {
        if let Some(keeper) = self.here.take() {
            keeper.end().await;
        }
    }
}

async fn leave(signed_in: SignedIn) {
    let Ok(clients) = Clients::new(NetOptions::default()) else { return };
    match timeout(SIGN_OUT, sign_out(&signed_in, &clients)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the issuer was not told"),
        Err(_) => tracing::warn!("the issuer did not answer"),
    }
}

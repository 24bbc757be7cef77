//! The team servers that the engine is connected to, by their addresses. Each has a way of its own:
//! one that is lost, or refuses whoever calls, stops none of the others.

mod calls;
mod ways;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dailies_api::projects::UploadTarget;

use crate::engine::Engine;
use crate::error::{Code, EngineError};
use crate::handle::Goes;
use crate::heartbeat::Heartbeats;
use crate::looks::Looks;
use crate::net::Clients;
use crate::protocol::{ChunkedSessions, MuxDirect, UploadProtocol, UploadsApi, VideoActions};
use crate::send::Permits;
use crate::store::{Destination, Remembered, Setting};
use crate::team::{Api, Connection, Known, Team};
use crate::transfer::{Input, Lanes, Reach};
use crate::view::{ConnectionView, DestinationView, News};

use ways::Waiting;
pub(crate) use ways::{Bar, Question, Way};

/// A team and the protocol its uploads take.
pub(crate) struct Connected {
    pub(crate) team: Arc<Team>,
    pub(crate) protocol: Arc<dyn UploadProtocol>,
    /// At what the team makes of its videos.
    pub(crate) looks: Arc<Looks>,
    /// For parts under way to it.
    pub(crate) permits: Arc<Permits>,
    /// The way to it.
    pub(crate) reach: Reach,
    /// It has not answered since the engine started: what is known of it is what it said before,
    /// and this is how to ask.
    pub(crate) expected: Option<Connection>,
    /// It refuses whoever calls: nothing is started until somebody signs in again.
    pub(crate) paused: bool,
    /// Told apart from every other connection that was made.
    pub(crate) number: u64,
    pub(crate) heartbeats: Heartbeats,
    /// Where new files go.
    destination: Option<DestinationView>,
    /// Bytes since the permits were last told.
    moved: u64,
}

impl Connected {
    /// A connection to a team whose uploads take `protocol`.
    pub(crate) fn new(team: Arc<Team>, protocol: Arc<dyn UploadProtocol>, lanes: Lanes) -> Self {
        Self {
            team,
            looks: Arc::new(Looks::new(Arc::clone(&protocol))),
            protocol,
            permits: Arc::new(Permits::new(lanes)),
            reach: Reach::default(),
            expected: None,
            paused: false,
            number: 0,
            heartbeats: Heartbeats::default(),
            destination: None,
            moved: 0,
        }
    }

    pub(crate) fn server(&self) -> &str {
        self.team.client().base().as_str()
    }

    /// Work may be started over it.
    pub(crate) fn is_open(&self) -> bool {
        !self.paused && !self.reach.is_lost()
    }
}

/// What became of an address.
enum Standing {
    Connected(Box<Connected>),
    /// There is no connection, and why.
    Refused(Code),
}

/// Every address that somebody wanted to connect to.
pub(crate) struct Connections {
    all: BTreeMap<String, Standing>,
    /// Where somebody wants new files to go, at this start or an earlier one.
    chosen: Option<String>,
    made: u64,
    /// Who works beside the loop and waits for a way.
    waiting: Vec<Waiting>,
}

/// Which connections are to end.
#[derive(Clone, Debug)]
pub(crate) enum Ends {
    All,
    /// To this server.
    Of(String),
}

impl Connections {
    pub(crate) fn new(chosen: Option<String>) -> Self {
        Self { all: BTreeMap::new(), chosen, made: 0, waiting: Vec::new() }
    }

    pub(crate) fn get(&self, server: &str) -> Option<&Connected> {
        match self.all.get(server)? {
            Standing::Connected(connected) => Some(connected),
            Standing::Refused(_) => None,
        }
    }

    pub(crate) fn get_mut(&mut self, server: &str) -> Option<&mut Connected> {
        match self.all.get_mut(server)? {
            Standing::Connected(connected) => Some(connected),
            Standing::Refused(_) => None,
        }
    }

    /// Where new files go, while that is connected.
    pub(crate) fn current(&self) -> Option<&Connected> {
        self.get(self.current_server()?)
    }

    /// The chosen one, also while it is refused: files for one team do not go to another by
    /// themselves. Where none was chosen, or nobody connects to that one, the first there is.
    fn current_server(&self) -> Option<&str> {
        let chosen = self.chosen.as_deref().filter(|server| self.all.contains_key(*server));
        let connected = || self.iter().next().map(Connected::server);
        chosen.or_else(connected).or_else(|| self.all.keys().next().map(String::as_str))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Connected> {
        self.all.keys().filter_map(|server| self.get(server))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Connected> {
        self.all.values_mut().filter_map(|standing| match standing {
            Standing::Connected(connected) => Some(&mut **connected),
            Standing::Refused(_) => None,
        })
    }

    /// Whether work for a server may be started.
    pub(crate) fn is_open(&self, server: &str) -> bool {
        self.get(server).is_some_and(Connected::is_open)
    }

    /// Whether starting anything for a server would be in vain.
    pub(crate) fn is_lost(&self, server: &str) -> bool {
        self.get(server).is_some_and(|connected| connected.reach.is_lost())
    }

    /// Adds a connection in the place of an earlier one to the same server. New files go to it if
    /// somebody wants that, or if none was chosen before.
    pub(crate) fn put(&mut self, connected: Connected, wanted: bool) {
        self.made += 1;
        let server = connected.server().to_owned();
        if wanted || self.chosen.is_none() {
            self.chosen = Some(server.clone());
        }
        let connected = Connected { number: self.made, ..connected };
        self.all.insert(server, Standing::Connected(Box::new(connected)));
    }

    /// There is no connection to a server, and why. One that was made before stays as it is.
    fn refuse(&mut self, server: String, code: Code) {
        if self.get(&server).is_some() {
            return;
        }
        self.all.insert(server, Standing::Refused(code));
    }

    fn turn_away(&mut self, server: String, code: Code) {
        self.all.insert(server, Standing::Refused(code));
    }

    fn end(&mut self, ends: &Ends) {
        let ends = |server: &String| match ends {
            Ends::All => true,
            Ends::Of(this) => server == this,
        };
        self.all.retain(|server, _| !ends(server));
        if self.chosen.as_ref().is_some_and(ends) {
            self.chosen = self.current_server().map(str::to_owned);
        }
    }

    /// Bytes of an upload moved.
    pub(crate) fn count(&mut self, server: &str, bytes: u64) {
        if let Some(connected) = self.get_mut(server) {
            connected.moved += bytes;
        }
    }

    /// Tells every connection's permits what moved since they were last told.
    pub(crate) fn note(&mut self, passed: Duration) {
        for connected in self.iter_mut() {
            connected.permits.note(std::mem::take(&mut connected.moved), passed);
        }
    }

    /// The one that new files go to.
    pub(crate) fn view(&self) -> ConnectionView {
        self.current_server().map_or(ConnectionView::None, |server| self.view_of(server))
    }

    /// All of them.
    pub(crate) fn views(&self) -> Vec<ConnectionView> {
        self.all.keys().map(|server| self.view_of(server)).collect()
    }

    /// How a server answered; `None` while it is expected.
    pub(crate) fn answered(&self, server: &str) -> Option<ConnectionView> {
        let is_expected = self.get(server).is_some_and(|connected| connected.expected.is_some());
        (!is_expected).then(|| self.view_of(server))
    }

    fn view_of(&self, server: &str) -> ConnectionView {
        let url = server.to_owned();
        match self.all.get(server) {
            None => ConnectionView::None,
            Some(Standing::Refused(code)) => ConnectionView::Refused { url, code: *code },
            Some(Standing::Connected(connected)) if connected.paused => {
                ConnectionView::Refused { url, code: Code::SignedOut }
            }
            Some(Standing::Connected(connected)) => ConnectionView::Connected {
                url,
                protocol: connected.team.api().kind(),
                reachable: !connected.reach.is_lost(),
                destination: connected.destination.clone(),
            },
        }
    }
}

impl Engine {
    /// Takes the place of an earlier connection to the same server.
    pub(crate) async fn connect(&mut self, team: Team, wanted: bool) -> ConnectionView {
        let team = Arc::new(team);
        let server = team.client().base().to_string();
        let remembered = self.remembered(&server).await;
        match serde_json::to_string(&team.known()) {
            Ok(known) => {
                if let Err(error) = self.store.know(server.clone(), known).await {
                    tracing::error!(%error, "what a server said could not be kept");
                }
            }
            Err(error) => tracing::error!(%error, "what a server said could not be kept"),
        }
        let connected = Connected {
            destination: destination(&team, remembered.project_id.as_deref()),
            ..Connected::new(Arc::clone(&team), protocol(&team), self.options.lanes())
        };
        self.adopt(connected, wanted).await;
        self.steer_all(&Input::Connected, Some(&server)).await;
        self.connections.view_of(&server)
    }

    /// Takes files for a server that cannot be reached now but could be before, and asks it until it
    /// answers. `None` where nothing is known of it.
    pub(crate) async fn expect(
        &mut self,
        connection: Connection,
        clients: Clients,
        wanted: bool,
    ) -> Option<ConnectionView> {
        let server = connection.url().to_string();
        if self.connections.get(&server).is_some_and(|connected| !connected.paused) {
            return Some(self.connections.view_of(&server));
        }
        let remembered = self.remembered(&server).await;
        let known: Known = serde_json::from_str(&remembered.known?).ok()?;
        let team = Arc::new(Team::expected(connection.clone(), clients, known));
        let connected = Connected {
            destination: destination(&team, remembered.project_id.as_deref()),
            reach: Reach::lost(std::time::Instant::now()),
            expected: Some(connection),
            ..Connected::new(Arc::clone(&team), protocol(&team), self.options.lanes())
        };
        self.adopt(connected, wanted).await;
        Some(self.connections.view_of(&server))
    }

    async fn adopt(&mut self, connected: Connected, wanted: bool) {
        self.connections.put(connected, wanted);
        self.remember(Setting::Server, self.connections.chosen.clone()).await;
        self.ask_the_store_again();
        self.tell_connections();
    }

    async fn remembered(&self, server: &str) -> Remembered {
        self.store.remembered(server.to_owned()).await.unwrap_or_else(|error| {
            tracing::error!(%error, "what is known of a server could not be read");
            Remembered::default()
        })
    }

    pub(crate) fn refuse(&mut self, server: String, code: Code) {
        self.connections.refuse(server, code);
        self.tell_connections();
    }

    /// A server that was expected answers, and refuses whoever calls.
    pub(crate) fn turn_away(&mut self, server: String, code: Code) {
        self.connections.turn_away(server, code);
        self.tell_connections();
    }

    /// A server takes nobody's word any more: its uploads wait for the next sign-in.
    pub(crate) fn pause_connection(&mut self, server: &str) {
        if let Some(connected) = self.connections.get_mut(server) {
            connected.paused = true;
        }
        self.tell_connections();
    }

    pub(crate) async fn disconnect(&mut self, ends: Ends) {
        self.connections.end(&ends);
        for entry in self.queue.loaded() {
            if let Some(running) = &entry.running
                && self.connections.get(entry.server()).is_none()
            {
                running.stop.cancel();
            }
        }
        self.remember(Setting::Server, self.connections.chosen.clone()).await;
        self.tell_connections();
    }

    pub(crate) async fn choose(&mut self, server: String) -> Result<(), EngineError> {
        if !self.connections.all.contains_key(&server) {
            return Err(not_connected());
        }
        self.connections.chosen = Some(server.clone());
        self.remember(Setting::Server, Some(server)).await;
        self.tell_connections();
        Ok(())
    }

    pub(crate) async fn set_destination(&mut self, project: &str) -> Result<(), EngineError> {
        let server = self.connections.current_server().map(str::to_owned);
        let connected = server.as_deref().and_then(|server| self.connections.get_mut(server));
        let connected = connected.ok_or_else(not_connected)?;
        connected.destination = Some(target(&connected.team, project)?.into());
        let server = connected.server().to_owned();
        if let Err(error) = self.store.choose(server, project.to_owned()).await {
            tracing::error!(%error, "a choice could not be kept");
        }
        self.tell_connections();
        Ok(())
    }

    pub(crate) fn destination(&self, goes: Goes) -> Result<Destination, EngineError> {
        let connected = self.connections.current().ok_or_else(not_connected)?;
        let to = |project: &str| target(&connected.team, project).map(DestinationView::from);
        let (view, version_of) = match goes {
            Goes::Usual => {
                let none =
                    || EngineError::new(Code::NotFound, "the team has no project to upload to");
                (connected.destination.clone().ok_or_else(none)?, None)
            }
            Goes::To { project_id } => (to(&project_id)?, None),
            Goes::VersionOf { video_id, project_id } => (to(&project_id)?, Some(video_id)),
        };
        let DestinationView { project_id, project, team } = view;
        let server = connected.server().to_owned();
        Ok(Destination { server, project_id, project, team, version_of, visibility: None })
    }

    pub(crate) fn tell_connections(&mut self) {
        let (connection, connections) = (self.connections.view(), self.connections.views());
        self.publish(News::Connection { connection, connections });
    }
}

fn protocol(team: &Arc<Team>) -> Arc<dyn UploadProtocol> {
    let caller = || team.client().caller().clone();
    match team.api() {
        Api::VideoActions(_) => Arc::new(VideoActions::new(Arc::clone(team))),
        Api::ChunkedSessions => Arc::new(ChunkedSessions::new(caller())),
        Api::MuxDirect => Arc::new(MuxDirect::new(caller())),
        Api::UploadsApi => Arc::new(UploadsApi::new(caller())),
    }
}

/// Where new files go at a team: to the project that was chosen, or to its first.
fn destination(team: &Team, chosen: Option<&str>) -> Option<DestinationView> {
    let chosen = team.targets().iter().find(|target| Some(&*target.project_id) == chosen);
    chosen.cloned().or_else(|| team.first_target()).map(DestinationView::from)
}

/// The target with this id. A server that cannot name its targets is believed to have it.
fn target(team: &Team, project: &str) -> Result<UploadTarget, EngineError> {
    let found = team.targets().iter().find(|target| target.project_id == project);
    match found {
        Some(target) => Ok(target.clone()),
        None if team.targets().is_empty() => Ok(team.unlisted(project)),
        None => Err(EngineError::new(
            Code::NotFound,
            format!("there is no project {project} that you may upload to"),
        )),
    }
}

pub(crate) fn not_connected() -> EngineError {
    EngineError::new(Code::NotConnected, "no connection to a team has been made")
}

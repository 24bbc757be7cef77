//! What may be asked of the connections.

use std::sync::Arc;

use dailies_api::projects::UploadTarget;
use url::Url;

use super::{Ends, not_connected};
use crate::error::{Code, EngineError};
use crate::handle::{Command, EngineHandle};
use crate::net::Clients;
use crate::team::{Connection, Team};
use crate::view::ConnectionView;

impl EngineHandle {
    /// Connects to a team server, where new files go from now on, and lets the uploads that wait
    /// for it go on.
    ///
    /// # Errors
    /// [`Code::SignedOut`], [`Code::Unreachable`], [`Code::NotATeamServer`]; an upload that waits
    /// goes on waiting.
    pub async fn connect(&self, connection: Connection) -> Result<ConnectionView, EngineError> {
        self.connect_as(connection, true).await
    }

    /// Connects as [`Self::connect`] does, and new files go on going where they went.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_too(&self, connection: Connection) -> Result<ConnectionView, EngineError> {
        self.connect_as(connection, false).await
    }

    async fn connect_as(
        &self,
        connection: Connection,
        wanted: bool,
    ) -> Result<ConnectionView, EngineError> {
        let url = connection.url().clone();
        let connected = self.try_connect_as(connection, wanted).await;
        if let Err(error) = &connected {
            self.without(url, error.code).await?;
        }
        connected
    }

    /// Connects as [`Self::connect`] does. A refusal is the answer and nothing else: of a server that
    /// nobody is connected to nothing is known afterwards.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn try_connect(&self, connection: Connection) -> Result<ConnectionView, EngineError> {
        self.try_connect_as(connection, true).await
    }

    async fn try_connect_as(
        &self,
        connection: Connection,
        wanted: bool,
    ) -> Result<ConnectionView, EngineError> {
        let team = Box::new(Team::connect(connection, self.clients()?).await?);
        self.ask(|done| Command::Connected { team, wanted, done }).await
    }

    /// Says of a server that there is no connection to it, and why. One that there is stays.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub async fn without(&self, url: Url, code: Code) -> Result<(), EngineError> {
        self.ask(|done| Command::Refused { url, code, done }).await
    }

    /// Lets new files go to a server that somebody connects to.
    ///
    /// # Errors
    /// [`Code::NotConnected`] for another one.
    pub async fn choose(&self, server: &Url) -> Result<(), EngineError> {
        self.ask(|done| Command::Choose(server.to_string(), done)).await?
    }

    /// Comes back to a team server as [`Self::connect`] does. One that cannot be reached now but
    /// could be before is [expected](Self::expect).
    ///
    /// # Errors
    /// As [`Self::connect`]; [`Code::Unreachable`] for one that was never connected only.
    pub async fn reconnect(&self, connection: Connection) -> Result<ConnectionView, EngineError> {
        match self.connect(connection.clone()).await {
            Err(error) if matches!(error.code, Code::Unreachable | Code::ServerFault) => {
                self.expect_as(connection, true).await?.ok_or(error)
            }
            connected => connected,
        }
    }

    /// Takes files for a team server that was connected before, and connects to it as soon as it
    /// answers. Uploads wait until then. `None` for one that was never connected.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub async fn expect(
        &self,
        connection: Connection,
    ) -> Result<Option<ConnectionView>, EngineError> {
        self.expect_as(connection, false).await
    }

    async fn expect_as(
        &self,
        connection: Connection,
        wanted: bool,
    ) -> Result<Option<ConnectionView>, EngineError> {
        let (connection, clients) = (Box::new(connection), self.clients()?);
        self.ask(|done| Command::Expect { connection, clients, wanted, done }).await
    }

    /// How a team server answered that was [expected](Self::expect); `None` as long as it is. Every
    /// answer is a change of connections.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub async fn answered(&self, server: &Url) -> Result<Option<ConnectionView>, EngineError> {
        self.ask(|done| Command::Answered(server.to_string(), done)).await
    }

    /// The address of the server that new files went to last, at this start or an earlier one.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub async fn last_server(&self) -> Result<Option<String>, EngineError> {
        self.ask(Command::LastServer).await
    }

    /// The addresses of the servers to which uploads go that have not ended.
    ///
    /// # Errors
    /// [`Code::LocalStorage`].
    pub async fn servers(&self) -> Result<Vec<String>, EngineError> {
        self.ask(Command::Servers).await?
    }

    /// Ends every connection. Uploads wait until there is one again.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub async fn disconnect(&self) -> Result<(), EngineError> {
        self.ask(|done| Command::Disconnect(Ends::All, done)).await
    }

    /// Ends the connection to one server.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub async fn disconnect_from(&self, server: &Url) -> Result<(), EngineError> {
        let ends = Ends::Of(server.to_string());
        self.ask(|done| Command::Disconnect(ends, done)).await
    }

    /// Where uploads may go. Empty for a server that cannot say.
    ///
    /// # Errors
    /// [`Code::NotConnected`].
    pub async fn targets(&self) -> Result<Vec<UploadTarget>, EngineError> {
        Ok(self.team().await?.targets().to_vec())
    }

    /// Chooses the project that new files go to.
    ///
    /// # Errors
    /// [`Code::NotFound`] for none of [`Self::targets`].
    pub async fn set_destination(&self, project_id: String) -> Result<(), EngineError> {
        self.ask(|done| Command::SetDestination(project_id, done)).await?
    }

    /// The team that new files go to.
    pub(crate) async fn team(&self) -> Result<Arc<Team>, EngineError> {
        self.ask(Command::Team).await?.ok_or_else(not_connected)
    }

    /// Of one connection alone: what is lost on the way to one server says nothing of another.
    fn clients(&self) -> Result<Clients, EngineError> {
        Clients::new(self.net)
            .map_err(|error| EngineError::new(Code::LocalStorage, error.to_string()))
    }
}

//! A connection to a team server: what it speaks, where uploads may go, how videos are played.

use dailies_api::convex::FunctionKind::Query;
use dailies_api::projects::{Role, UploadTarget};
use dailies_api::videos::{Video, VideoArgs};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::EngineError;
use crate::net::Clients;
use crate::team::probe::{self, Recognised};
use crate::team::{Caller, Credentials, Identity, ProtocolKind, TeamClient, Vault, address};

/// How to reach a team server.
#[derive(Clone, Debug)]
pub struct Connection {
    url: Url,
    credentials: Credentials,
    kind: Option<ProtocolKind>,
    vault: Option<Vault>,
}

impl Connection {
    /// A connection to `url`, whose kind is found out.
    #[must_use]
    pub fn new(url: Url, credentials: Credentials) -> Self {
        Self { url: address::base(url), credentials, kind: None, vault: None }
    }

    /// The usual one: with an API key.
    #[must_use]
    pub fn with_key(url: Url, key: SecretString) -> Self {
        Self::new(url, Credentials::ApiKey { key })
    }

    /// To a server of this kind, and no other.
    #[must_use]
    pub fn of_kind(self, kind: Option<ProtocolKind>) -> Self {
        Self { kind, ..self }
    }

    /// New tokens of a sign-in are kept there before they are used.
    #[must_use]
    pub fn kept_in(self, vault: Vault) -> Self {
        Self { vault: Some(vault), ..self }
    }

    /// The server's address.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    fn caller(self, clients: Clients) -> Caller {
        let identity = Identity::new(self.url.clone(), self.credentials, self.vault, &clients);
        Caller::new(self.url, identity, clients)
    }
}

/// Which of the API's dialects a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// With multipart uploads, and a video's state to be asked for.
    Current,
    /// As documented: one PUT, nothing to ask.
    Documented,
}

/// What uploads are told a server by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// [`ProtocolKind::VideoActions`].
    VideoActions(Dialect),
    /// [`ProtocolKind::ChunkedSessions`].
    ChunkedSessions,
    /// [`ProtocolKind::MuxDirect`].
    MuxDirect,
    /// [`ProtocolKind::UploadsApi`].
    UploadsApi,
}

impl Api {
    /// Which it is.
    #[must_use]
    pub fn kind(self) -> ProtocolKind {
        match self {
            Self::VideoActions(_) => ProtocolKind::VideoActions,
            Self::ChunkedSessions => ProtocolKind::ChunkedSessions,
            Self::MuxDirect => ProtocolKind::MuxDirect,
            Self::UploadsApi => ProtocolKind::UploadsApi,
        }
    }
}

/// What a team server says of itself. Kept, so that files can be taken for it while it cannot be
/// reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Known {
    api: Api,
    targets: Vec<UploadTarget>,
}

/// A team server that has answered.
#[derive(Clone, Debug)]
pub struct Team {
    client: TeamClient,
    api: Api,
    targets: Vec<UploadTarget>,
}

impl Team {
    /// Asks a server what it is and where this caller may upload to.
    ///
    /// # Errors
    /// [`Code::SignedOut`](crate::error::Code::SignedOut), [`Code::Forbidden`](crate::error::Code::Forbidden), [`Code::Unreachable`](crate::error::Code::Unreachable), [`Code::ServerFault`](crate::error::Code::ServerFault) or
    /// [`Code::NotATeamServer`](crate::error::Code::NotATeamServer), in words.
    pub async fn connect(connection: Connection, clients: Clients) -> Result<Self, EngineError> {
        let kind = connection.kind;
        let caller = connection.caller(clients);
        let Recognised { api, targets } = probe::recognise(&caller, kind).await?;
        Ok(Self { client: TeamClient::new(caller), api, targets })
    }

    /// A server that has answered before, and is expected to be still what it was.
    #[must_use]
    pub fn expected(connection: Connection, clients: Clients, known: Known) -> Self {
        let Known { api, targets } = known;
        Self { client: TeamClient::new(connection.caller(clients)), api, targets }
    }

    /// What it says of itself.
    #[must_use]
    pub fn known(&self) -> Known {
        Known { api: self.api, targets: self.targets.clone() }
    }

    /// A server that is not asked, as one of the documented dialect would be.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn unasked(connection: Connection, clients: Clients) -> Self {
        let client = TeamClient::new(connection.caller(clients));
        Self { client, api: Api::VideoActions(Dialect::Documented), targets: Vec::new() }
    }

    /// For calls.
    #[must_use]
    pub fn client(&self) -> &TeamClient {
        &self.client
    }

    /// What uploads are told it by.
    #[must_use]
    pub fn api(&self) -> Api {
        self.api
    }

    /// How it speaks video actions: as documented, where nothing else is known.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.api {
            Api::VideoActions(dialect) => dialect,
            Api::ChunkedSessions | Api::MuxDirect | Api::UploadsApi => Dialect::Documented,
        }
    }

    /// Where uploads may go. Empty for a server that cannot say.
    #[must_use]
    pub fn targets(&self) -> &[UploadTarget] {
        &self.targets
    }

    /// Where new files go as long as nobody chooses; `None` where somebody has to.
    #[must_use]
    pub fn first_target(&self) -> Option<UploadTarget> {
        match self.api {
            Api::VideoActions(_) => self.targets.first().cloned(),
            // Its project is optional: the caller's own place.
            Api::ChunkedSessions => Some(self.unlisted("")),
            // A video is always in a project.
            Api::MuxDirect => None,
            Api::UploadsApi => Some(self.unlisted("root")),
        }
    }

    /// A target of a server that cannot name its targets.
    #[must_use]
    pub fn unlisted(&self, project: &str) -> UploadTarget {
        UploadTarget {
            project_id: project.to_owned(),
            project_name: project.to_owned(),
            project_path: project.to_owned(),
            team_id: String::new(),
            team_name: self.client.base().host_str().unwrap_or_default().to_owned(),
            team_slug: String::new(),
            role: Role::Member,
        }
    }

    /// A video of the team.
    ///
    /// # Errors
    /// [`Code::NotFound`](crate::error::Code::NotFound), and those of [`Self::connect`].
    pub async fn video(&self, video_id: &str) -> Result<Video, EngineError> {
        let args = VideoArgs { video_id: video_id.to_owned() };
        let video = self.client.call(Query, "videos:get", &args).await;
        video.map_err(|error| probe::refusal(self.client.base(), error.into()))
    }
}

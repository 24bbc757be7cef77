//! A connection to a team server: what it speaks, where uploads may go, how videos are played.

use dailies_api::convex::FunctionKind::{Action, Query};
use dailies_api::playback::PlaybackSession;
use dailies_api::projects::{ListUploadTargets, UploadTarget};
use dailies_api::videos::VideoArgs;
use secrecy::SecretString;
use url::Url;

use crate::error::{Code, EngineError};
use crate::net::Clients;
use crate::team::{Caller, TeamClient, TeamError};
use crate::transfer::{Failure, Timestamp};
use crate::view::PlaybackView;

/// How to reach a team server.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its address.
    pub url: Url,
    /// An API key.
    pub key: SecretString,
}

/// Which of the API's dialects a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// With multipart uploads, and a video's state to be asked for.
    Current,
    /// As documented: one PUT, nothing to ask.
    Documented,
}

/// A team server that has answered.
#[derive(Clone, Debug)]
pub struct Team {
    client: TeamClient,
    dialect: Dialect,
    targets: Vec<UploadTarget>,
}

impl Team {
    /// Asks a server who it is and where this caller may upload to.
    ///
    /// # Errors
    /// [`Code::SignedOut`], [`Code::Unreachable`] or [`Code::NotATeamServer`], in words.
    pub async fn connect(connection: Connection, clients: Clients) -> Result<Self, EngineError> {
        let client = TeamClient::new(Caller::new(connection.url, connection.key, clients));
        let (path, args) = ("projects:listUploadTargets", ListUploadTargets::default());
        match client.call(Query, path, &args).await {
            Ok(targets) => Ok(Self { client, dialect: Dialect::Current, targets }),
            // It speaks the protocol, but has no such function.
            Err(TeamError::Function { .. }) => {
                Ok(Self { client, dialect: Dialect::Documented, targets: Vec::new() })
            }
            Err(TeamError::Other(failure)) => Err(refusal(client.base(), failure)),
        }
    }

    /// A server that is not asked, as one of the documented dialect would be.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn unasked(connection: Connection, clients: Clients) -> Self {
        let client = TeamClient::new(Caller::new(connection.url, connection.key, clients));
        Self { client, dialect: Dialect::Documented, targets: Vec::new() }
    }

    /// For calls.
    #[must_use]
    pub fn client(&self) -> &TeamClient {
        &self.client
    }

    /// What it speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Where uploads may go. Empty for a server that cannot say.
    #[must_use]
    pub fn targets(&self) -> &[UploadTarget] {
        &self.targets
    }

    /// A session for playing a video.
    ///
    /// # Errors
    /// [`Code::WrongState`] while it cannot be played, and what the server refuses.
    pub async fn playback(&self, video_id: &str) -> Result<PlaybackView, EngineError> {
        let args = VideoArgs { video_id: video_id.to_owned() };
        let session: PlaybackSession = self
            .client
            .call(Action, "videoActions:getPlaybackSession", &args)
            .await
            .map_err(|error| refusal(self.client.base(), error.into()))?;
        // The documented dialect says only Mux's playback id and token.
        let url = session.url.or(session.playback_url).or_else(|| {
            let (id, token) = (session.playback_id?, session.token?);
            Some(format!("https://stream.mux.com/{id}.m3u8?token={token}"))
        });
        let url = url.ok_or_else(|| {
            EngineError::new(Code::UnexpectedAnswer, "the playback session names no address")
        })?;
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds are whole")]
        let expires_at = session.expires_at.map(|at| Timestamp(at as i64));
        Ok(PlaybackView {
            url,
            poster_url: session.poster_url,
            duration: session.duration,
            expires_at,
        })
    }
}

/// A failure, for somebody who is waiting for an answer.
fn refusal(base: &Url, failure: Failure) -> EngineError {
    let at = base.host_str().unwrap_or_default();
    match failure {
        Failure::Refused { code, reason } => EngineError::new(code, reason),
        Failure::Transport(why) => {
            EngineError::new(Code::Unreachable, format!("{at} cannot be reached: {why}"))
        }
        Failure::Busy { .. } | Failure::ServerFault { .. } => {
            EngineError::new(Code::ServerFault, format!("{at} has a fault; try again in a while"))
        }
        _ => EngineError::new(Code::NotATeamServer, format!("{at} is no team server")),
    }
}

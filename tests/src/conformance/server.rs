//! A real team server, by each of the protocols that it speaks.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use async_trait::async_trait;
use dailies_api::videos::VideoStatus;
use dailies_engine::net::Clients;
use dailies_engine::protocol::{
    ChunkedSessions, MuxDirect, UploadProtocol, UploadsApi, VideoActions,
};
use dailies_engine::store::{Session, SessionKind};
use dailies_engine::team::{Caller, Connection, Team};
use dailies_engine::testing::Call;
use secrecy::ExposeSecret as _;
use serde_json::json;
use url::Url;

use super::Side;
use crate::clips::Take;
use crate::media::{self, Media};
use crate::proxy::{Fault, Rule};
use crate::uploader::quick;
use crate::{FaultProxy, Stage, only_documented};

/// Bytes of a part; a file has five.
const PART: u64 = 5 << 20;
const MEBIBYTES: u64 = 24;
/// How long the media engine may take.
const PLAYABLE: Duration = Duration::from_secs(60);
/// A protocol of a team server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `videoActions`, as today's deployments have it.
    Current,
    /// `videoActions`, as it is documented.
    Documented,
    /// `videoUpload`.
    Chunked,
    /// `/upload`, to the media engine itself.
    Direct,
    /// Forms.
    Form,
}

/// A team server on a stage of its own.
pub struct AtServer {
    kind: Kind,
    /// Where it stands.
    pub stage: Stage,
    /// Before its team API.
    pub api: FaultProxy,
    team: Arc<Team>,
    caller: Caller,
    media: Media,
}

impl AtServer {
    /// Starts one.
    ///
    /// # Errors
    /// Where something does not start.
    pub async fn new(kind: Kind) -> Result<Self> {
        let api = FaultProxy::start().await?;
        let stage = if kind == Kind::Direct {
            Stage::behind(&api, PART).await?
        } else {
            let stage = Stage::with_parts(PART).await?;
            api.lead_to(stage.server.api_address()?);
            stage
        };
        if kind == Kind::Documented {
            api.obey(only_documented());
        }
        let (url, key) = (Url::parse(&api.url())?, stage.server.credentials.api_key.clone());
        let clients = Clients::new(quick().net)?;
        let connection = Connection::with_key(url, key);
        let team = match kind {
            Kind::Current | Kind::Documented => Team::connect(connection, clients).await?,
            Kind::Chunked | Kind::Direct | Kind::Form => Team::unasked(connection, clients),
        };
        let caller = team.client().caller().clone();
        let media = Media::of(&stage)?;
        Ok(Self { kind, stage, api, team: Arc::new(team), caller, media })
    }

    /// Waits until the team's only video is done, and answers how it ended.
    async fn processed(&self) -> Result<VideoStatus> {
        let waiting = async {
            loop {
                let videos = self.stage.team.videos().await?;
                ensure!(videos.len() == 1, "one video was expected: {videos:#?}");
                match videos[0].status {
                    VideoStatus::Processing => {}
                    status => return Ok(status),
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        match tokio::time::timeout(PLAYABLE, waiting).await {
            Ok(status) => status,
            Err(_) => bail!("still processing after {PLAYABLE:?}"),
        }
    }
}

#[async_trait]
impl Side for AtServer {
    fn protocol(&self) -> Arc<dyn UploadProtocol> {
        match self.kind {
            Kind::Current | Kind::Documented => Arc::new(VideoActions::new(Arc::clone(&self.team))),
            Kind::Chunked => Arc::new(ChunkedSessions::new(self.caller.clone())),
            Kind::Direct => Arc::new(MuxDirect::new(self.caller.clone())),
            Kind::Form => Arc::new(UploadsApi::new(self.caller.clone())),
        }
    }

    fn team(&self) -> Arc<Team> {
        Arc::clone(&self.team)
    }

    fn project(&self) -> String {
        match self.kind {
            Kind::Form => "root".into(),
            Kind::Current | Kind::Documented | Kind::Chunked | Kind::Direct => {
                self.stage.server.credentials.project_id.clone()
            }
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.stage.path(name)
    }

    fn file(&self) -> Result<PathBuf> {
        self.stage.clip("Größe \"7\" 素材.mp4", MEBIBYTES, Take::One)
    }

    fn part_size(&self) -> u64 {
        PART
    }

    fn unfindable(&self) -> &'static [Call] {
        match self.kind {
            Kind::Current | Kind::Direct | Kind::Form => &[],
            // Nothing can be listed, and every address leads to an object of its own.
            Kind::Documented => &[Call::Register, Call::Open, Call::Send],
            Kind::Chunked => &[Call::Open],
        }
    }

    async fn holds_just(&self, file: &Path) -> Result<()> {
        let status = self.processed().await?;
        ensure!(status == VideoStatus::Ready, "the video is {status:?}");
        if self.kind == Kind::Direct {
            return self.media.holds_just(file).await;
        }
        self.stage.one_whole_video(file).await?;
        Ok(())
    }

    async fn holds_nothing(&self) -> Result<()> {
        self.stage.storage.nothing_open().await?;
        let objects = self.stage.storage.objects().await?;
        ensure!(objects.is_empty(), "objects were left: {objects:?}");
        let videos = self.stage.team.videos().await?;
        let left = videos.iter().filter(|video| video.status != VideoStatus::Failed);
        ensure!(left.count() == 0, "videos were left: {videos:#?}");
        self.media.waits_for_nothing().await
    }

    async fn lose(&self, session: &Session) -> Result<()> {
        match session.kind {
            SessionKind::Chunked { .. } => {}
            SessionKind::InOrder { .. } => return self.media.cancel(&session.key).await,
            _ => return self.stage.storage.clear().await,
        }
        let credentials = &self.stage.server.credentials;
        let id: i64 = session.key.parse()?;
        let cancel =
            self.stage.team.http.post(format!("{}/videoUpload/cancelUpload", credentials.url));
        let cancel = cancel.bearer_auth(credentials.api_key.expose_secret());
        cancel.json(&json!({ "uploadSessionId": id })).send().await?.error_for_status()?;
        Ok(())
    }

    fn damage(&self) {
        self.stage.proxy.obey([Rule::part(2, Fault::Flip { at: 4 << 20 })]);
    }

    fn unplayable(&self) -> Result<PathBuf> {
        let path = self.path("noise.mp4");
        let mut bytes = vec![0; 1 << 20];
        fastrand::Rng::with_seed(7).fill(&mut bytes);
        bytes[..12].copy_from_slice(b"\0\0\0\x18ftypisom");
        std::fs::write(&path, bytes)?;
        Ok(path)
    }

    fn sent_again(&self) -> usize {
        if self.kind == Kind::Direct {
            return media::sent_again(&self.api.exchanges());
        }
        self.stage.server.log.stored_parts().iter().filter(|part| part.was_held).count()
    }

    async fn strike(self: Box<Self>) -> Result<()> {
        self.api.go_down().await;
        self.stage.strike().await
    }
}

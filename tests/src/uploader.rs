//! The engine in the test's own process, with a network that loses patience quickly.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use dailies_api::credentials::Credentials;
use dailies_engine::clock::{Clock, SystemClock};
use dailies_engine::net::NetOptions;
use dailies_engine::protocol::UploadProtocol;
use dailies_engine::rules::Switch;
use dailies_engine::team::{Connection, Team};
use dailies_engine::testing;
use dailies_engine::transfer::{List, Phase, UploadId};
use dailies_engine::view::UploadView;
use dailies_engine::{EngineHandle, EngineTask, Options, Profile};
use url::Url;

/// Usual options, but a stall is noticed after a second.
#[must_use]
pub fn quick() -> Options {
    let net = NetOptions {
        connect: Duration::from_secs(5),
        control: Duration::from_secs(20),
        stall: Duration::from_secs(1),
        // A busy test machine needs its time to make a part durable.
        answer: Duration::from_secs(20),
    };
    Options { net, ..Options::default() }
}

/// A running engine on a profile of its own.
#[derive(Debug)]
pub struct Uploader {
    /// To steer it.
    pub engine: EngineHandle,
    task: EngineTask,
    _profile: Profile,
}

impl Uploader {
    /// Starts an engine in `folder` and connects it.
    ///
    /// # Errors
    /// Where either fails.
    pub async fn start(folder: &Path, credentials: &Credentials) -> Result<Self> {
        Self::by_way_of(folder, credentials, &credentials.url).await
    }

    /// As [`Self::start`], but reaches the team API at another address.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn by_way_of(folder: &Path, credentials: &Credentials, url: &str) -> Result<Self> {
        Self::timed(folder, credentials, url, Arc::new(SystemClock)).await
    }

    /// As [`Self::by_way_of`], with another clock than the computer's.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn timed(
        folder: &Path,
        credentials: &Credentials,
        url: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let profile = Profile::lock(folder)?;
        let queue = Profile::queue(folder);
        let (engine, task) = dailies_engine::start(&queue, clock, quick()).await?;
        // This computer may itself be on a metered network.
        engine.turn(Switch::PauseOnMetered, false).await?;
        let key = credentials.api_key.clone();
        engine.connect(Connection::with_key(Url::parse(url)?, key)).await?;
        Ok(Self { engine, task, _profile: profile })
    }

    /// Starts an engine in `folder` whose uploads to `team` take `protocol`.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn with(
        folder: &Path,
        team: Arc<Team>,
        protocol: Arc<dyn UploadProtocol>,
    ) -> Result<Self> {
        let profile = Profile::lock(folder)?;
        let queue = Profile::queue(folder);
        let clock = Arc::new(SystemClock);
        let (engine, task) = testing::start(&queue, clock, quick(), team, protocol).await?;
        engine.turn(Switch::PauseOnMetered, false).await?;
        Ok(Self { engine, task, _profile: profile })
    }

    /// Adds one file.
    ///
    /// # Errors
    /// Where it is refused.
    pub async fn add(&self, file: PathBuf) -> Result<UploadId> {
        self.add_to(file, None).await
    }

    /// Adds one file, for a project of its own.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub async fn add_to(&self, file: PathBuf, project: Option<String>) -> Result<UploadId> {
        let added = self.engine.add(vec![file], project).await?;
        ensure!(added.refused.is_empty(), "refused: {:?}", added.refused);
        Ok(added.uploads.first().context("nothing was added")?.id)
    }

    /// An upload as it is now.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn view(&self, id: UploadId) -> Result<UploadView> {
        self.engine.uploads(vec![id]).await?.pop().context("no such upload")
    }

    /// Every upload, list by list.
    ///
    /// # Errors
    /// Of the queue.
    pub async fn views(&self) -> Result<Vec<UploadView>> {
        let mut views = Vec::new();
        for list in List::ALL {
            views.extend(self.engine.uploads(self.engine.ids(list).await?).await?);
        }
        Ok(views)
    }

    /// Waits until an upload satisfies `enough`.
    ///
    /// # Errors
    /// Where it does not within `limit`.
    pub async fn until(
        &self,
        id: UploadId,
        limit: Duration,
        enough: impl Fn(&UploadView) -> bool,
    ) -> Result<UploadView> {
        let mut changes = self.engine.subscribe();
        let waiting = async {
            loop {
                let view = self.view(id).await?;
                if enough(&view) {
                    return Ok(view);
                }
                // What matters is that something changed; what, the next look shows.
                let _ = changes.recv().await;
            }
        };
        match tokio::time::timeout(limit, waiting).await {
            Ok(view) => view,
            Err(_) => bail!("not within {limit:?}; it is {:#?}", self.view(id).await?),
        }
    }

    /// Waits until an upload can be played.
    ///
    /// # Errors
    /// Where it cannot within `limit`.
    pub async fn until_ready(&self, id: UploadId, limit: Duration) -> Result<UploadView> {
        self.until(id, limit, |view| view.phase == Phase::Ready).await
    }

    /// Stops the work, in order.
    pub async fn stop(self) {
        self.engine.stop(self.task).await;
    }
}

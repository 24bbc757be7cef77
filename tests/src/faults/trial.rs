//! One upload by the real programs, and what must be true after it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use dailies_api::videos::{Video, VideoStatus};
use dailies_engine::Profile;
use secrecy::ExposeSecret as _;

use super::wire::{BYTES, Side, Wire};
use crate::clips::{self, MIB, Take};
use crate::media::{self, Media};
use crate::{Dailies, FaultProxy, Running, Stage};

/// For anything; runs share two cores with others.
pub(super) const LIMIT: Duration = Duration::from_secs(90);
/// Bytes of a part.
pub(super) const PART: u64 = 5 * MIB;
/// More requests than any upload of three parts needs, however often it is disturbed.
const REQUESTS: usize = 250;

/// An upload, and everything that it passes through.
pub(super) struct Trial {
    pub(super) wire: Wire,
    pub(super) stage: Stage,
    pub(super) api: FaultProxy,
    /// Where the media engine takes the bytes itself.
    media: Option<Media>,
    pub(super) dailies: Dailies,
    pub(super) file: PathBuf,
}

impl Trial {
    pub(super) async fn begin(wire: Wire) -> Result<Self> {
        let api = FaultProxy::start().await?;
        let (stage, media) = if wire == Wire::Direct {
            let stage = Stage::behind(&api, PART).await?;
            let media = Media::of(&stage)?;
            (stage, Some(media))
        } else {
            let stage = Stage::with_parts(PART).await?;
            api.lead_to(stage.server.api_address()?);
            (stage, None)
        };
        api.obey(wire.rules());
        let dailies = Dailies::unconnected(stage.path("profile"));
        let key = stage.server.credentials.api_key.expose_secret();
        let login = ["--server", &api.url(), "login", "--key", "--kind", wire.kind()];
        let login = dailies.clone().told(key).run(LIMIT, &login).await?;
        ensure!(login.code() == Some(0), "no sign-in: {}\n{}", login.out, login.errors);
        let folder = stage.path("card");
        std::fs::create_dir(&folder)?;
        let file = folder.join("rushes.mp4");
        clips::copy(wire.mebibytes(), Take::One, &file)?;
        Ok(Self { wire, stage, api, media, dailies, file })
    }

    pub(super) fn proxy(&self, side: Side) -> &FaultProxy {
        match side {
            Side::Team => &self.api,
            Side::Storage => &self.stage.proxy,
        }
    }

    /// Starts a call that adds the file and waits for its video.
    pub(super) fn upload(&self) -> Result<Running> {
        let project = self.wire.project(&self.stage.server.credentials.project_id);
        let file = self.file.to_str().context("a test's own path")?;
        self.dailies.spawn(&["upload", file, "--project", &project, "--wait", "ready"])
    }

    /// Starts the call that somebody makes after the last one was killed: whose file was not yet in
    /// the queue offers it again.
    pub(super) async fn go_on(&self) -> Result<Running> {
        let listed = self.dailies.run(LIMIT, &["list"]).await?;
        if listed.events.is_empty() { self.upload() } else { self.dailies.spawn(&["run"]) }
    }

    /// Waits until a call has ended well.
    pub(super) async fn ends_well(&self, running: Running) -> Result<()> {
        let ended = running.ended(LIMIT).await?;
        let words = || format!("dailies ended otherwise: {}\n{}", ended.out, ended.errors);
        ensure!(ended.code() == Some(0), words());
        Ok(())
    }

    /// The team has the file as one video that plays, and the storage nothing besides. Where the
    /// protocol may have forgotten something, that there is such a video is all that it promises.
    pub(super) async fn is_whole(&self, forgetful: bool) -> Result<()> {
        let requests = self.api.exchanges().len() + self.stage.proxy.exchanges().len();
        ensure!(requests < REQUESTS, "{requests} requests for one upload");
        let videos = self.processed().await?;
        if let Some(media) = &self.media {
            self.stage.team.only_video().await?;
            media.holds(&self.file).await?;
            let objects = self.stage.storage.objects().await?;
            ensure!(objects.is_empty(), "the bytes went to the storage, too: {objects:?}");
            if !forgetful {
                media.waits_for_nothing().await?;
            }
            let again = self.sent_again();
            ensure!(again == 0, "{again} requests carried bytes that were acknowledged");
        } else if forgetful {
            let mut ready = videos.iter().filter(|video| video.status == VideoStatus::Ready);
            let first = ready.next().with_context(|| format!("none plays: {videos:#?}"))?;
            for video in ready.chain([first]) {
                self.stage.same(&video.id, &self.file).await?;
            }
            // A chunked session that nobody heard of keeps its multipart upload for a day.
            if self.wire != Wire::Chunks {
                self.stage.storage.nothing_open().await?;
            }
        } else {
            self.stage.one_whole_video(&self.file).await?;
        }
        self.queue_is_whole()
    }

    /// Parts that the storage took although it held them.
    pub(super) fn sent_again(&self) -> usize {
        if self.media.is_some() {
            return media::sent_again(&self.api.exchanges());
        }
        self.stage.server.log.stored_parts().iter().filter(|part| part.was_held).count()
    }

    /// The team's videos, once nothing is in work.
    async fn processed(&self) -> Result<Vec<Video>> {
        let waiting = async {
            loop {
                let videos = self.stage.team.videos().await?;
                if videos.iter().all(|video| video.status != VideoStatus::Processing) {
                    return Ok(videos);
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(LIMIT, waiting).await.context("still in work")?
    }

    /// The database is intact and holds no secret.
    fn queue_is_whole(&self) -> Result<()> {
        let queue = Profile::queue(self.dailies.profile());
        let database = rusqlite::Connection::open(&queue)?;
        let said: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        ensure!(said == "ok", "the queue is damaged: {said}");
        drop(database);
        let bytes = std::fs::read(&queue)?;
        let key = self.stage.server.credentials.api_key.expose_secret();
        let seen = self.api.exchanges();
        let addresses =
            seen.iter().filter_map(|one| one.asked.split_once(BYTES)?.1.rsplit('/').next());
        for secret in addresses.chain([key, "X-Amz-Signature"]) {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            ensure!(!found, "a secret is in the queue");
        }
        Ok(())
    }

    /// Ends it; where it went wrong, with the server's last words.
    pub(super) async fn end(self, ended: Result<()>) -> Result<()> {
        self.api.go_down().await;
        let Err(error) = ended else { return self.stage.strike().await };
        let log = self.stage.server.log.text();
        let lines: Vec<_> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(15)..].join("\n");
        Err(error.context(format!("the server's last words:\n{tail}")))
    }
}

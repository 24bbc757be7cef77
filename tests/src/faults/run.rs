//! One upload in trouble, by the real programs, and what must be true afterwards.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};
use dailies_api::videos::{Video, VideoStatus};
use dailies_engine::Profile;
use secrecy::ExposeSecret as _;

use super::Cell;
use super::trouble::Trouble;
use super::wire::{Mark, Side};
use crate::clips::{self, MIB, Take};
use crate::proxy::{End, Exchange, Rule};
use crate::{Dailies, FaultProxy, Running, Stage};

/// For anything; runs share two cores with others.
const LIMIT: Duration = Duration::from_secs(90);
/// Bytes of a part.
const PART: u64 = 5 * MIB;
/// More requests than any upload of three parts needs, however often it is disturbed.
const REQUESTS: usize = 250;
/// A call's body, about.
const CALL: u64 = 200;

/// Runs a cell with the luck of a seed.
///
/// # Errors
/// With what was otherwise than it must be.
pub async fn run(cell: Cell, seed: u64) -> Result<()> {
    let mut trial = Trial::begin(cell).await?;
    let ended = trial.run(seed).await;
    trial.end(ended).await
}

/// An upload, and everything that it passes through.
struct Trial {
    cell: Cell,
    mark: Mark,
    stage: Stage,
    api: FaultProxy,
    dailies: Dailies,
    file: PathBuf,
}

impl Trial {
    async fn begin(cell: Cell) -> Result<Self> {
        let mark = cell.wire.mark(cell.step).context("there is no such cell")?;
        let stage = Stage::with_parts(PART).await?;
        let api = FaultProxy::start().await?;
        api.lead_to(stage.server.api_address()?);
        api.obey(cell.wire.rules());
        let credentials = stage.credentials_by_way_of(&api.url())?;
        let dailies = Dailies::new(stage.path("profile"), &credentials);
        let folder = stage.path("card");
        std::fs::create_dir(&folder)?;
        let file = folder.join("rushes.mp4");
        clips::copy(cell.wire.mebibytes(), Take::One, &file)?;
        Ok(Self { cell, mark, stage, api, dailies, file })
    }

    fn proxy(&self) -> &FaultProxy {
        match self.mark.side {
            Side::Team => &self.api,
            Side::Storage => &self.stage.proxy,
        }
    }

    async fn run(&mut self, seed: u64) -> Result<()> {
        let mut luck = fastrand::Rng::with_seed(seed);
        let payload = if self.cell.step.carries_payload() { PART } else { CALL };
        let cell = self.cell;
        let by_proxy = cell.trouble.by_proxy(payload, &mut luck);
        if let Some(fault) = &by_proxy {
            // Half a minute of patience each is enough once.
            let times = if cell.trouble == Trouble::Stalled { 1 } else { luck.usize(1..=3) };
            self.proxy().obey([Rule::new(self.mark.what.clone(), times, fault.clone())]);
        }
        let project = self.cell.wire.project(&self.stage.server.credentials.project_id);
        let file = self.file.to_str().context("a test's own path")?.to_owned();
        let upload = ["upload", &file, "--project", &project, "--wait", "ready"];
        let mut running = self.dailies.spawn(&upload)?;
        if by_proxy.is_none() {
            let mark = self.mark.what.clone();
            self.proxy().until(LIMIT, |seen| seen.iter().any(|one| mark.fits(one))).await?;
            tokio::time::sleep(Duration::from_millis(luck.u64(0..25))).await;
            running = self.by_hand(running).await?;
        }
        let mut ended = running.ended(LIMIT).await?;
        if cell.trouble == Trouble::Unplugged && ended.code() != Some(0) {
            // A call that is waited for says what is missing, and ends; the next one goes on.
            let said = ended.event("failed").and_then(|event| event["code"].as_str());
            ensure!(said == Some("source_missing"), "{}\n{}", ended.out, ended.errors);
            ended = self.dailies.run(LIMIT, &["run"]).await?;
        }
        ensure!(
            ended.code() == Some(0),
            "dailies ended otherwise: {}\n{}",
            ended.out,
            ended.errors
        );
        self.holds(by_proxy.is_some()).await.with_context(|| ended.errors)
    }

    /// What no proxy can do.
    async fn by_hand(&mut self, mut running: Running) -> Result<Running> {
        match self.cell.trouble {
            Trouble::Down => {
                let proxy = self.proxy();
                proxy.go_down().await;
                tokio::time::sleep(Duration::from_secs(1)).await;
                proxy.come_up()?;
            }
            Trouble::Killed => running = self.killed(running).await?,
            Trouble::KilledTwice => {
                let asked = self.api.exchanges().len();
                running = self.killed(running).await?;
                let more = |seen: &[Exchange]| seen.len() > asked;
                tokio::select! {
                    asked = self.api.until(LIMIT, more) => asked?,
                    () = running.exit() => {}
                }
                running = self.killed(running).await?;
            }
            Trouble::Asleep => {
                running.freeze()?;
                tokio::time::sleep(Duration::from_secs(3)).await;
                running.thaw()?;
            }
            Trouble::ServerKilled => {
                self.stage.server.kill().await?;
                tokio::time::sleep(Duration::from_millis(300)).await;
                self.stage.server.start_again().await?;
            }
            Trouble::Touched => {
                let file = std::fs::File::options().append(true).open(&self.file)?;
                file.set_modified(SystemTime::now())?;
            }
            Trouble::Unplugged => {
                let (card, drawer) = (self.stage.path("card"), self.stage.path("drawer"));
                std::fs::rename(&card, &drawer)?;
                tokio::time::sleep(Duration::from_secs(2)).await;
                std::fs::rename(&drawer, &card)?;
            }
            by_proxy => bail!("{by_proxy:?} is the proxy's"),
        }
        Ok(running)
    }

    async fn killed(&self, running: Running) -> Result<Running> {
        running.kill().await?;
        self.dailies.spawn(&["run"])
    }

    /// What must be true after every upload.
    async fn holds(&self, by_proxy: bool) -> Result<()> {
        let cell = self.cell;
        let came = |one: &Exchange| {
            let faulted = one.end.is_some_and(|(_, end)| end == End::Faulted);
            self.mark.what.fits(one) && (faulted || !by_proxy)
        };
        ensure!(self.proxy().exchanges().iter().any(came), "the trouble never came");
        let videos = self.processed().await?;
        if cell.wire.forgets(cell.step) {
            // As much as such a protocol can promise.
            let ready: Vec<_> =
                videos.iter().filter(|video| video.status == VideoStatus::Ready).collect();
            ensure!(!ready.is_empty(), "no video is whole: {videos:#?}");
            for video in ready {
                self.stage.whole(&video.id, &self.file).await?;
            }
        } else {
            self.stage.one_whole_video(&self.file).await?;
            let again = self.stage.server.log.stored_parts();
            let again = again.iter().filter(|part| part.was_held).count();
            ensure!(
                !by_proxy || cell.step.carries_payload() || again == 0,
                "{again} parts were sent again that the storage held"
            );
        }
        let requests = self.api.exchanges().len() + self.stage.proxy.exchanges().len();
        ensure!(requests < REQUESTS, "{requests} requests for one upload");
        self.queue_is_whole()
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
        let key = self.stage.server.credentials.api_key.expose_secret();
        for secret in [key, "X-Amz-Signature"] {
            let bytes = std::fs::read(&queue)?;
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            ensure!(!found, "a secret is in the queue");
        }
        Ok(())
    }

    async fn end(self, ended: Result<()>) -> Result<()> {
        self.api.go_down().await;
        match ended {
            Ok(()) => self.stage.strike().await,
            Err(error) => {
                // The server's words are worth more than its orderly end.
                let log = self.stage.server.log.text();
                let tail: Vec<_> = log.lines().rev().take(15).collect();
                let tail: Vec<_> = tail.into_iter().rev().collect();
                Err(error.context(format!("the server's last words:\n{}", tail.join("\n"))))
            }
        }
    }
}

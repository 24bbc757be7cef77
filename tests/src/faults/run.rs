//! A cell: one upload in trouble.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};

use super::Cell;
use super::trial::{LIMIT, PART, Trial};
use super::trouble::Trouble;
use super::wire::{Mark, Step, Wire};
use crate::proxy::{Exchange, Rule};
use crate::{FaultProxy, Running};

/// A call's body, about.
const CALL: u64 = 200;

/// Runs a cell with the luck of a seed.
///
/// # Errors
/// With what was otherwise than it must be.
pub async fn run(cell: Cell, seed: u64) -> Result<()> {
    let mark = cell.wire.mark(cell.step).context("there is no such cell")?;
    let trial = Trial::begin(cell.wire).await?;
    let mut trouble = Troubled { cell, mark, trial };
    let ended = trouble.run(seed).await;
    trouble.trial.end(ended).await
}

struct Troubled {
    cell: Cell,
    mark: Mark,
    trial: Trial,
}

impl Troubled {
    async fn run(&mut self, seed: u64) -> Result<()> {
        let mut luck = fastrand::Rng::with_seed(seed);
        let cell = self.cell;
        let payload = if cell.step.carries_payload() { PART } else { CALL };
        match cell.trouble.by_proxy(payload, &mut luck) {
            Some(fault) => {
                // Half a minute of patience each is enough once.
                let most = if cell.trouble == Trouble::Stalled { 1 } else { 3 };
                let times = luck.usize(1..=most);
                self.proxy().obey([self.mark.rule(times, fault)]);
                self.trial.ends_well(self.trial.upload()?).await?;
                let unused = self.proxy().unused();
                let unused = unused.iter().filter(|rule| *rule.what() == self.mark.what);
                ensure!(unused.map(Rule::left).sum::<usize>() < times, "it never came");
                let again = self.trial.sent_again();
                // A chunk that was not confirmed is none to the team: it goes up once more.
                let may = cell.step.carries_payload() || cell.step == Step::Confirm;
                ensure!(may || again == 0, "{again} parts were sent again that the storage held");
            }
            None => {
                let running = self.trial.upload()?;
                self.proxy().until(LIMIT, |seen| self.mark.has_come(seen)).await?;
                tokio::time::sleep(Duration::from_millis(luck.u64(0..25))).await;
                let running = self.by_hand(running).await?;
                self.trial.ends_well(running).await?;
            }
        }
        // A server that is killed with the media engine's answer, before that is in its database,
        // leaves an address behind that nobody knows. It ends after its time.
        let left_over = matches!(
            cell,
            Cell { wire: Wire::Direct, step: Step::Register, trouble: Trouble::ServerKilled }
        );
        self.trial.is_whole(cell.wire.forgets(cell.step) || left_over).await
    }

    fn proxy(&self) -> &FaultProxy {
        self.trial.proxy(self.mark.side)
    }

    /// What no proxy can do. The call that works on the upload afterwards.
    async fn by_hand(&mut self, running: Running) -> Result<Running> {
        match self.cell.trouble {
            Trouble::Down => {
                let proxy = self.proxy();
                proxy.go_down().await;
                tokio::time::sleep(Duration::from_secs(1)).await;
                proxy.come_up()?;
            }
            Trouble::Killed => return self.killed(running).await,
            Trouble::KilledTwice => {
                let asked = self.trial.api.exchanges().len();
                let mut running = self.killed(running).await?;
                let more = |seen: &[Exchange]| seen.len() > asked;
                tokio::select! {
                    asked = self.trial.api.until(LIMIT, more) => asked?,
                    () = running.exit() => {}
                }
                return self.killed(running).await;
            }
            Trouble::Asleep => {
                running.freeze()?;
                tokio::time::sleep(Duration::from_secs(3)).await;
                running.thaw()?;
            }
            Trouble::ServerKilled => {
                let server = &mut self.trial.stage.server;
                server.kill().await?;
                tokio::time::sleep(Duration::from_millis(300)).await;
                server.start_again().await?;
            }
            Trouble::Touched => {
                let file = std::fs::File::options().append(true).open(&self.trial.file)?;
                file.set_modified(SystemTime::now())?;
            }
            Trouble::Unplugged => return self.unplugged(running).await,
            by_proxy => bail!("{by_proxy:?} is the proxy's"),
        }
        Ok(running)
    }

    async fn killed(&self, running: Running) -> Result<Running> {
        running.kill().await?;
        self.trial.go_on().await
    }

    async fn unplugged(&self, mut running: Running) -> Result<Running> {
        let stage = &self.trial.stage;
        let (card, drawer) = (stage.path("card"), stage.path("drawer"));
        std::fs::rename(&card, &drawer)?;
        // Long enough that it is noticed at most steps, and short enough for some that it is not.
        let _ = tokio::time::timeout(Duration::from_secs(2), running.exit()).await;
        std::fs::rename(&drawer, &card)?;
        let ended = running.ended(LIMIT).await?;
        // A call that somebody waits for says what is missing, and ends; the next one goes on.
        let missed = ended.events.iter().any(|event| event["code"] == "source_missing");
        let words = || format!("dailies ended otherwise: {}\n{}", ended.out, ended.errors);
        ensure!(missed || ended.code() == Some(0), words());
        self.trial.dailies.spawn(&["run"])
    }
}

//! Crash points: `dailies` is killed at a step of an upload, before or after the other side has done
//! what it was asked, and again at a step of what it does next.
//!
//! Between two requests lies what is made durable: killed with an answer under way, that of the
//! request before is on disk and that of this one is not.

use std::fmt;

use anyhow::{Context as _, Result};

use super::trial::{LIMIT, Trial};
use super::wire::{Step, Wire};
use crate::Running;
use crate::proxy::{End, Exchange, Fault};

/// Where `dailies` is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// While it waits for this …
    pub step: Step,
    /// … which is done already, or is not.
    pub done: bool,
}

/// Two kills in one upload by one protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// The protocol.
    pub wire: Wire,
    /// The first.
    pub first: Point,
    /// One in what is done after it, if that comes there.
    pub second: Option<Point>,
}

impl Crash {
    /// Every one that there is.
    pub fn all() -> impl Iterator<Item = Self> {
        Wire::ALL.into_iter().flat_map(|wire| {
            let points: Vec<_> = Point::all(wire).collect();
            let pairs = points.clone().into_iter().flat_map(move |first| {
                let seconds = points.clone().into_iter().map(Some);
                seconds.chain([None]).map(move |second| Self { wire, first, second })
            });
            pairs.collect::<Vec<_>>()
        })
    }

    /// Runs it.
    ///
    /// # Errors
    /// With what was otherwise than it must be.
    pub async fn run(self) -> Result<()> {
        let trial = Trial::begin(self.wire).await?;
        let ended = self.kills(&trial).await;
        trial.end(ended).await
    }

    async fn kills(self, trial: &Trial) -> Result<()> {
        let seen = self.first.hold(trial)?;
        self.first.kill(trial, trial.upload()?, seen).await?;
        if let Some(second) = self.second {
            let seen = second.hold(trial)?;
            second.kill(trial, trial.go_on().await?, seen).await?;
        }
        trial.ends_well(trial.go_on().await?).await?;
        let forgets = |point: Point| self.wire.forgets(point.step);
        trial.is_whole(forgets(self.first) || self.second.is_some_and(forgets)).await
    }
}

impl Point {
    fn all(wire: Wire) -> impl Iterator<Item = Self> {
        let steps = Step::ALL.into_iter().filter(move |step| wire.mark(*step).is_some());
        steps.flat_map(|step| [false, true].map(|done| Self { step, done }))
    }

    /// Has the next request of this step held. How many requests there were before.
    fn hold(self, trial: &Trial) -> Result<usize> {
        let mark = trial.wire.mark(self.step).context("there is no such step")?;
        let rule = mark.rule(1, Fault::Hold { done: self.done });
        let proxy = trial.proxy(mark.side);
        proxy.obey([rule]);
        Ok(proxy.exchanges().len())
    }

    /// Kills the call once it waits for what is held, unless it ends before it comes there.
    async fn kill(self, trial: &Trial, mut running: Running, before: usize) -> Result<()> {
        let mark = trial.wire.mark(self.step).context("there is no such step")?;
        let proxy = trial.proxy(mark.side);
        let held = |one: &Exchange| {
            mark.what.fits(one) && one.end.is_some_and(|(_, end)| end == End::Faulted)
        };
        tokio::select! {
            held = proxy.until(LIMIT, |seen| seen[before..].iter().any(held)) => held?,
            () = running.exit() => {}
        }
        running.kill().await?;
        proxy.behave();
        proxy.obey(trial.wire.rules());
        Ok(())
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wire, first, second } = self;
        write!(f, "{wire:?} killed {first}")?;
        match second {
            Some(second) => write!(f, ", then {second}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", if self.done { "after" } else { "before" }, self.step)
    }
}

//! One original on its way home, from its first byte to its place: tries, and what they wait for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use super::downloads::{DownloadState, DownloadView, Shared};
use super::kept::{Kept, Trouble, unless};
use super::original::{Original, Whole};
use crate::clock::{Clock as _, SystemClock};
use crate::connections::{Bar, Way};
use crate::error::Code;
use crate::source::Crc64;
use crate::store::Stands;
use crate::team::Team;
use crate::transfer::{Failure, Pace, Timestamp, Verdict, judge};

/// Between two views of one that moves.
const TOLD: Duration = Duration::from_millis(250);

/// A download that is not done.
pub(super) struct Download {
    pub(super) kept: Kept,
    pub(super) shared: Arc<Shared>,
    /// Somebody wants it tried again.
    pub(super) again: Arc<Notify>,
    /// It ends, or the program does.
    pub(super) stop: CancellationToken,
}

/// What a run of tries came to.
enum Ended {
    Told,
    /// Somebody has to do something.
    Asks(Code),
}

impl From<Trouble> for Ended {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Told => Self::Told,
            Trouble::Here(code) => Self::Asks(code),
            // Of what is tried again by itself.
            Trouble::There(_) => Self::Asks(Code::UnexpectedAnswer),
        }
    }
}

/// Removes what a download that nobody wants any more has left, and forgets it. Where its drive is not
/// there, that is done at a later start.
pub(super) async fn end(kept: Kept, arriving: Option<Original>, quits: CancellationToken) {
    let ending = async {
        let left = match arriving {
            Some(original) => Some(original),
            None => Original::take_up(&kept, &quits).await?,
        };
        if let Some(original) = left {
            original.remove().await?;
        }
        kept.forget().await
    };
    if let Err(trouble) = ending.await {
        tracing::info!(?trouble, "a half-made file is not removed yet");
    }
}

impl Download {
    /// Works until it is done or told to stop. `quits`, where the program ends.
    pub(super) async fn run(mut self, quits: CancellationToken) {
        let mut arriving = None;
        loop {
            let ended = match self.kept.row.stands {
                Stands::Failed { code } => Err(Ended::Asks(code)),
                _ => self.work(&mut arriving).await,
            };
            let told = match ended {
                Ok(()) => return,
                Err(Ended::Told) => true,
                Err(Ended::Asks(code)) => {
                    // It is looked at anew: a drive may come back as another.
                    arriving = None;
                    self.fails(code).await;
                    unless(&self.stop, self.again.notified()).await.is_err()
                }
            };
            if told {
                return self.put_down(arriving, quits).await;
            }
            self.stands(DownloadState::Waiting);
            if let Stands::Failed { .. } = self.kept.row.stands
                && let Err(trouble) = self.kept.change(|row| row.stands = Stands::Arriving).await
            {
                tracing::warn!(?trouble, "that a download goes on is not written down");
            }
        }
    }

    async fn put_down(mut self, arriving: Option<Original>, quits: CancellationToken) {
        let is_wanted = self.shared.lock().contains_key(&self.kept.row.id);
        if !is_wanted {
            return end(self.kept, arriving, quits).await;
        }
        if let Some(mut original) = arriving
            && let Err(trouble) = original.make_sure(&mut self.kept).await
        {
            tracing::warn!(?trouble, "some bytes of a download have to come again");
        }
    }

    async fn fails(&mut self, code: Code) {
        let stands = Stands::Failed { code };
        // Of one that gets its name it has to be looked whether it has it.
        if self.kept.row.stands == Stands::Arriving
            && let Err(trouble) = self.kept.change(|row| row.stands = stands).await
        {
            tracing::warn!(?trouble, "that a download stopped is not written down");
        }
        self.stands(DownloadState::Failed { code });
    }

    /// Tries until it is done, or until somebody has to do something.
    async fn work(&mut self, arriving: &mut Option<Original>) -> Result<(), Ended> {
        if let Stands::Placing { verified } = self.kept.row.stands
            && Original::was_put(&mut self.kept, verified).await?
        {
            self.is_done(verified);
            return Ok(());
        }
        let (clock, mut attempts) = (SystemClock, 0);
        loop {
            let team = self.way().await?;
            let before = arriving.as_ref().map_or(0, Original::arrived);
            let tried = {
                let shared = Arc::clone(&self.shared);
                let _turn = self.turn(&shared).await?;
                self.try_once(&team, arriving).await
            };
            let failure = match tried {
                Ok(()) => return Ok(()),
                Err(Trouble::There(failure)) => failure,
                Err(other) => return Err(other.into()),
            };
            tracing::info!(%failure, "a download stopped");
            if let Some(original) = arriving {
                original.make_sure(&mut self.kept).await?;
            }
            if arriving.as_ref().map_or(0, Original::arrived) > before {
                attempts = 0;
            }
            let now = clock.now();
            match judge(&failure, attempts, now, fastrand::f32()) {
                Verdict::WaitForNetwork { at } => {
                    self.stands(DownloadState::Offline);
                    self.rest(now, at).await?;
                    self.wait(Bar::Lost, Some(failure)).await?;
                }
                Verdict::TryAgain { at } | Verdict::AskAgain { at } => {
                    self.stands(DownloadState::Again);
                    self.rest(now, at).await?;
                }
                Verdict::FreshUrl => self.stands(DownloadState::Again),
                // Of an upload's file only.
                Verdict::WaitForSource => return Err(Ended::Asks(Code::UnexpectedAnswer)),
                Verdict::Ask(code @ Code::SignedOut) => {
                    self.wait(Bar::Closed(code), Some(failure)).await?;
                }
                Verdict::Ask(code) | Verdict::GiveUp(code) => return Err(Ended::Asks(code)),
            }
            attempts += 1;
        }
    }

    async fn try_once(
        &mut self,
        team: &Team,
        arriving: &mut Option<Original>,
    ) -> Result<(), Trouble> {
        let asking = team.original_of(&self.kept.row.wanted.video_id);
        let video = unless(&self.stop, asking).await??;
        let checksum = video.crc64nvme.as_deref().and_then(Crc64::from_wire);
        let whole = Whole { size: video.file_size, checksum };
        self.kept.row.size = whole.size.or(self.kept.row.size);
        let original = match arriving {
            Some(original) => original,
            None => {
                if self.kept.row.arrived.bytes > 0 {
                    self.stands(DownloadState::Checking);
                }
                let opened = Original::open(&mut self.kept, whole.size, &self.stop).await?;
                arriving.insert(opened)
            }
        };
        if whole.size.is_none_or(|size| original.arrived() < size) {
            let mut meter = Meter::new(original.arrived());
            let (shared, id) = (&self.shared, self.kept.row.id);
            let tell = |arrived, total| {
                if let Some(pace) = meter.note(arrived) {
                    shared.change(id, |entry| moves(&mut entry.view, arrived, total, pace));
                }
            };
            original.fetch(team, &mut self.kept, &self.stop, tell).await?;
        }
        let verified = original.compare(whole, &mut self.kept).await?;
        self.stands(DownloadState::Saving);
        // What is kept is no longer arriving, whatever becomes of it.
        let Some(original) = arriving.take() else { return Err(Failure::Stalled.into()) };
        original.keep(&mut self.kept, verified).await?;
        self.is_done(verified);
        Ok(())
    }

    /// Who answers at its team, as soon as somebody does.
    async fn way(&self) -> Result<Arc<Team>, Trouble> {
        let server = &self.kept.row.wanted.server;
        let mut was_barred = false;
        loop {
            let bar = match unless(&self.stop, self.kept.engine.way_to(server)).await?? {
                Way::Open(team) => {
                    if was_barred {
                        self.stands(DownloadState::Again);
                    }
                    return Ok(team);
                }
                Way::Barred(bar) => bar,
            };
            was_barred = true;
            self.wait(bar, None).await?;
        }
    }

    /// Waits until this no longer bars the way to its team.
    async fn wait(&self, bar: Bar, failure: Option<Failure>) -> Result<(), Trouble> {
        self.stands(match bar {
            Bar::Lost => DownloadState::Offline,
            Bar::Closed(code) => DownloadState::Held { code },
        });
        let server = &self.kept.row.wanted.server;
        let changes = self.kept.engine.way_changes(server, bar, failure);
        Ok(unless(&self.stop, changes).await??)
    }

    async fn turn<'a>(&self, shared: &'a Shared) -> Result<Option<SemaphorePermit<'a>>, Trouble> {
        if let Ok(turn) = shared.turns.try_acquire() {
            return Ok(Some(turn));
        }
        self.stands(DownloadState::Waiting);
        // Nobody closes it.
        Ok(unless(&self.stop, shared.turns.acquire()).await?.ok())
    }

    async fn rest(&self, now: Timestamp, until: Timestamp) -> Result<(), Trouble> {
        let wait = u64::try_from(until.0 - now.0).unwrap_or_default();
        unless(&self.stop, tokio::time::sleep(Duration::from_millis(wait))).await
    }

    fn stands(&self, state: DownloadState) {
        self.shared.change(self.kept.row.id, |entry| stand(&mut entry.view, state));
    }

    fn is_done(&self, verified: bool) {
        let place = self.kept.row.wanted.place.clone();
        self.shared.change(self.kept.row.id, |entry| {
            entry.place = place;
            stand(&mut entry.view, DownloadState::Done { verified });
        });
    }
}

fn moves(view: &mut DownloadView, arrived: u64, total: Option<u64>, pace: Pace) {
    view.state = DownloadState::Downloading;
    view.arrived_bytes = arrived;
    view.total_bytes = total.or(view.total_bytes);
    view.bytes_per_second = pace.bytes_per_second();
    let left = view.total_bytes.map(|total| total.saturating_sub(arrived));
    view.seconds_left = left.and_then(|left| pace.seconds_left(left));
}

/// It does not move in any of these.
fn stand(view: &mut DownloadView, state: DownloadState) {
    (view.state, view.bytes_per_second, view.seconds_left) = (state, 0, None);
    if let (DownloadState::Saving | DownloadState::Done { .. }, Some(total)) =
        (state, view.total_bytes)
    {
        view.arrived_bytes = total;
    }
}

/// How fast bytes come, seldom enough to be shown.
struct Meter {
    pace: Pace,
    told: Option<Instant>,
    arrived: u64,
}

impl Meter {
    fn new(arrived: u64) -> Self {
        Self { pace: Pace::default(), told: None, arrived }
    }

    fn note(&mut self, arrived: u64) -> Option<Pace> {
        let now = Instant::now();
        let passed = match self.told {
            Some(told) if now - told < TOLD => return None,
            Some(told) => now - told,
            None => Duration::ZERO,
        };
        self.pace.note(arrived.saturating_sub(self.arrived), passed);
        (self.told, self.arrived) = (Some(now), arrived);
        Some(self.pace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_is_told_seldom() {
        let mut meter = Meter::new(100);
        assert!(meter.note(200).is_some());
        assert!(meter.note(300).is_none());
    }
}

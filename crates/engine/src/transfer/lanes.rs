//! How many parts go to one host at the same time: more as long as that makes bytes go faster.
//!
//! On a clean line a few connections fill it; with losses each is slow, and only their number
//! counts. Nobody can know which it is but by trying.

use std::time::Duration;

/// For so long bytes are counted before anything follows from their number.
const EPOCH: Duration = Duration::from_millis(500);
/// Twice the lanes pay if they carry so many times as much …
const LEAP: f64 = 1.25;
/// … and a few lanes more if they carry so many times as much.
const GAIN: f64 = 1.03;
/// Epochs that a try is watched, after a first one in which its connections get going and fill the
/// system's buffers.
const WATCHED: u32 = 4;
/// Epochs between two tries; doubles with each that did not pay …
const REST: u32 = 4;
/// … up to this.
const LONGEST_REST: u32 = 320;

/// The first rest where few connections are enough on nearly every line: one that is opened beside
/// them takes some seconds of everybody's speed.
const UNHURRIED: u32 = 24;

/// Words of one moment about too much at once count as one.
const ONCE: Duration = Duration::from_secs(1);

/// What lost packets do to a connection of this computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Losses {
    /// It stays nearly as fast: few connections fill any line, and more are in each other's way.
    Harmless,
    /// It keeps a fraction of its speed: only the number of connections counts.
    Costly,
}

/// The number of lanes to one host, fed with what they carry.
#[derive(Clone, Copy, Debug)]
pub struct Lanes {
    open: usize,
    most: usize,
    stage: Stage,
    /// Of the next rest.
    rest: u32,
    /// The next try is with more lanes, not with fewer.
    up: bool,
    epoch: Epoch,
    /// Counted since lanes were closed because the host wanted it.
    since_cut: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Doubles while that pays; the lanes that were opened last get going first.
    Leaping { before: Option<Mark>, settled: bool },
    /// Stays as it is for some epochs; what they carried together.
    Resting { left: u32, watched: u32, carried: f64 },
    /// Has other lanes than at the mark.
    Trying { from: Mark, watched: u32, carried: f64 },
}

/// What so many lanes carried.
#[derive(Clone, Copy, Debug)]
struct Mark {
    lanes: usize,
    speed: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Epoch {
    bytes: f64,
    passed: Duration,
    /// There was more to send than lanes to send it.
    full: bool,
}

impl Lanes {
    /// Starts with `first` lanes and never has more than `most`, or fewer than one.
    #[must_use]
    pub fn new(first: usize, most: usize, losses: Losses) -> Self {
        let most = most.max(1);
        let rest = match losses {
            Losses::Harmless => UNHURRIED,
            Losses::Costly => REST,
        };
        let stage = match losses {
            Losses::Harmless => Stage::Resting { left: rest, watched: 0, carried: 0.0 },
            Losses::Costly => Stage::Leaping { before: None, settled: false },
        };
        Self {
            open: first.clamp(1, most),
            most,
            stage,
            rest,
            up: true,
            epoch: Epoch::default(),
            since_cut: ONCE,
        }
    }

    /// Parts that may be under way now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open
    }

    /// Takes note that `bytes` went to the host during `passed`. `full` says that a part waited for
    /// a lane: without that, more lanes would change nothing.
    pub fn note(&mut self, bytes: u64, passed: Duration, full: bool) {
        #[expect(clippy::cast_precision_loss, reason = "a speed needs no last digit")]
        let bytes = bytes as f64;
        self.since_cut = self.since_cut.saturating_add(passed);
        self.epoch.bytes += bytes;
        self.epoch.passed += passed;
        self.epoch.full |= full;
        if self.epoch.passed >= EPOCH {
            let Epoch { bytes, passed, full } = std::mem::take(&mut self.epoch);
            self.judge(bytes / passed.as_secs_f64(), full);
        }
    }

    /// The host wants less at once: half of it.
    pub fn slow_down(&mut self) {
        if self.since_cut < ONCE {
            return;
        }
        self.since_cut = Duration::ZERO;
        self.open = (self.open / 2).max(1);
        self.up = true;
        self.rest();
    }

    fn judge(&mut self, speed: f64, full: bool) {
        if !full {
            // What was tried was not put to the test.
            if let Stage::Trying { from, .. } = self.stage {
                self.open = from.lanes;
                self.rest();
            }
            return;
        }
        match &mut self.stage {
            Stage::Leaping { settled: settled @ false, .. } => *settled = true,
            Stage::Leaping { before, settled } => {
                let pays = before.is_none_or(|before| speed >= before.speed * LEAP);
                if pays && self.open < self.most {
                    *before = Some(Mark { lanes: self.open, speed });
                    *settled = false;
                    self.open = (self.open * 2).min(self.most);
                    return;
                }
                let (Some(before), false) = (*before, pays) else { return self.rest() };
                if speed < before.speed * GAIN {
                    self.open = before.lanes;
                }
                self.rest();
            }
            Stage::Resting { left, watched, carried } => {
                *watched += 1;
                *carried += speed;
                *left = left.saturating_sub(1);
                if *left == 0 {
                    let speed = *carried / f64::from(*watched);
                    self.attempt(speed);
                }
            }
            Stage::Trying { from, watched, carried } => {
                *watched += 1;
                if *watched == 1 {
                    return;
                }
                *carried += speed;
                if *watched <= WATCHED {
                    return;
                }
                let (from, speed) = (*from, *carried / f64::from(WATCHED));
                let needed = if self.up { from.speed * GAIN } else { from.speed };
                if speed >= needed {
                    self.rest = REST;
                    self.attempt(speed);
                } else {
                    self.open = from.lanes;
                    self.up = !self.up;
                    self.rest = (self.rest * 2).min(LONGEST_REST);
                    self.rest();
                }
            }
        }
    }

    /// Some lanes more, or fewer.
    fn attempt(&mut self, speed: f64) {
        let step = (self.open / 4).max(1);
        let other = if self.up { self.open + step } else { self.open.saturating_sub(step) };
        let other = other.clamp(1, self.most);
        if other == self.open {
            self.up = !self.up;
            return self.rest();
        }
        let from = Mark { lanes: self.open, speed };
        self.stage = Stage::Trying { from, watched: 0, carried: 0.0 };
        self.open = other;
    }

    fn rest(&mut self) {
        self.stage = Stage::Resting { left: self.rest, watched: 0, carried: 0.0 };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TICK: Duration = Duration::from_millis(100);
    const MBIT: f64 = 125_000.0;

    /// Sends for so long over a line that carries `speed(lanes)` bytes a second, give or take a
    /// few percent. What was carried on average, and the lanes at the end.
    fn send(lanes: &mut Lanes, seconds: u32, noise: f64, speed: impl Fn(usize) -> f64) -> f64 {
        let mut random = 1_u64;
        let mut carried = 0.0;
        for _ in 0..seconds * 10 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            #[expect(clippy::cast_precision_loss, reason = "a test's noise")]
            let luck = (random >> 32) as f64 / f64::from(u32::MAX) * 2.0 - 1.0;
            let bytes = speed(lanes.open()) * (1.0 + noise * luck) * TICK.as_secs_f64();
            carried += bytes;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "positive"
            )]
            lanes.note(bytes as u64, TICK, true);
        }
        carried / f64::from(seconds)
    }

    #[expect(clippy::cast_precision_loss, reason = "few lanes")]
    fn lossy(lanes: usize) -> f64 {
        (lanes as f64 * 2.0 * MBIT).min(100.0 * MBIT)
    }

    fn clean(_: usize) -> f64 {
        100.0 * MBIT
    }

    #[test]
    fn with_losses_all_lanes_are_open_within_seconds() {
        let mut lanes = Lanes::new(4, 32, Losses::Costly);
        send(&mut lanes, 4, 0.1, lossy);
        assert_eq!(lanes.open(), 32);
        let carried = send(&mut lanes, 600, 0.1, lossy);
        assert!(carried >= 0.97 * lossy(32), "{carried}");
    }

    #[test]
    fn on_a_clean_line_it_stays_at_few() {
        let mut lanes = Lanes::new(4, 32, Losses::Costly);
        send(&mut lanes, 1_200, 0.1, clean);
        assert!(lanes.open() <= 8, "{lanes:?}");
    }

    #[test]
    fn where_losses_do_no_harm_lanes_open_one_by_one() {
        let mut lanes = Lanes::new(4, 32, Losses::Harmless);
        send(&mut lanes, 10, 0.02, clean);
        assert_eq!(lanes.open(), 4, "a file of 100 MiB is gone by now");
        send(&mut lanes, 60, 0.02, clean);
        assert!((3..=5).contains(&lanes.open()), "{lanes:?}");
        send(&mut lanes, 600, 0.02, lossy);
        assert!(lanes.open() >= 24, "{lanes:?}");
    }

    #[test]
    fn more_lanes_than_are_good_are_closed_again() {
        let crowded = |lanes: usize| match u32::try_from(lanes).unwrap() {
            lanes @ ..=6 => f64::from(lanes) * 10.0 * MBIT,
            lanes => 60.0 * MBIT * 6.0 / f64::from(lanes),
        };
        let mut lanes = Lanes::new(4, 32, Losses::Costly);
        send(&mut lanes, 300, 0.02, crowded);
        assert!((4..=7).contains(&lanes.open()), "{lanes:?}");
        let carried = send(&mut lanes, 600, 0.02, crowded);
        assert!(carried >= 0.9 * 60.0 * MBIT, "{carried}");
    }

    #[test]
    fn a_line_that_gets_losses_gets_more_lanes() {
        let mut lanes = Lanes::new(4, 32, Losses::Costly);
        send(&mut lanes, 300, 0.02, clean);
        send(&mut lanes, 900, 0.02, lossy);
        assert!(lanes.open() >= 24, "{lanes:?}");
    }

    #[test]
    fn without_parts_that_wait_nothing_is_tried() {
        let mut lanes = Lanes::new(4, 32, Losses::Costly);
        for _ in 0..10_000 {
            lanes.note(1_000_000, TICK, false);
        }
        assert_eq!(lanes.open(), 4);
    }

    #[test]
    fn a_busy_host_gets_half_once_for_all_that_hear_it() {
        let mut lanes = Lanes::new(16, 32, Losses::Costly);
        for _ in 0..16 {
            lanes.slow_down();
        }
        assert_eq!(lanes.open(), 8);
        send(&mut lanes, 1, 0.0, clean);
        lanes.slow_down();
        assert_eq!(lanes.open(), 4);
    }

    proptest! {
        #[test]
        fn it_is_never_none_and_never_too_many(
            first in 0_usize..100,
            most in 0_usize..40,
            events in proptest::collection::vec((0_u64..1 << 40, 0_u64..3_000, 0_u8..4), 0..400),
        ) {
            let mut lanes = Lanes::new(first, most, Losses::Costly);
            for (bytes, millis, what) in events {
                if what == 0 {
                    lanes.slow_down();
                }
                lanes.note(bytes, Duration::from_millis(millis), what != 1);
                prop_assert!((1..=most.max(1)).contains(&lanes.open()), "{:?}", lanes);
            }
        }
    }
}

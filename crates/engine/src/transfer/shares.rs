//! Who may send the next bytes: uploads share the line evenly, however many connections each has,
//! and all of them together keep to a limit.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::transfer::{Rate, UploadId};

/// A file of at most this size does not wait for large ones: it gets three times the share of
/// others, which leaves a large one its quarter beside any number of small ones that come in turn.
const SMALL: u64 = 64 << 20;
/// What a byte of a small file costs its upload, and of any other.
const SMALL_TOLL: u64 = 1;
const TOLL: u64 = 3;
/// What it costs so many times while others go first: little enough goes that those get the line,
/// and enough that connections in use are not closed.
const YIELDING: u64 = 16;
/// What an upload may have paid more than another that wants bytes.
const LEAD: u64 = TOLL * (512 << 10);
/// An upload that wants nothing for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes are given in amounts that the line takes in about this time, so that little is read ahead
/// of those that come later …
const AMOUNT: Duration = Duration::from_millis(20);
/// … but of at least this many.
const SMALLEST: u64 = 64 << 10;
/// How often the line's speed is measured.
const MEASURE: Duration = Duration::from_millis(50);
/// What is measured above the speed that is believed in counts only so manieth: it may be the
/// buffers of new connections that take bytes, and not the line. Less is believed at once.
const DOUBT: u64 = 32;
/// The same with a limit, which is kept more exactly.
const BEAT: Duration = Duration::from_millis(50);
const SMALLEST_BEAT: u64 = 16 << 10;

/// The line, and the uploads on it.
#[derive(Clone, Debug)]
pub struct Shares {
    uploads: BTreeMap<UploadId, Share>,
    limit: Option<Rate>,
    /// When the limit lets bytes go again.
    free: Instant,
    /// Bytes that it takes in a second, as far as is believed.
    speed: u64,
    /// The most that is given at once.
    amount: u64,
    /// Bytes given since the line was last measured.
    given: u64,
    measured: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Share {
    toll: u64,
    first: bool,
    /// For the bytes it was given.
    paid: u64,
    /// When it last wanted bytes.
    wanted: Instant,
}

/// What an upload that wants to send is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// So many bytes.
    Bytes(u64),
    /// Others are behind: not before they were given bytes, or want none any more.
    Others,
    /// The limit is used up: not before this time has passed.
    Limit(Duration),
}

impl Shares {
    /// A line with nobody on it.
    #[must_use]
    pub fn new(limit: Option<Rate>, now: Instant) -> Self {
        let uploads = BTreeMap::new();
        Self { uploads, limit, free: now, speed: 0, amount: SMALLEST, given: 0, measured: now }
    }

    /// An upload of a file of `size` bytes begins to send.
    pub fn enter(&mut self, id: UploadId, size: u64, first: bool, now: Instant) {
        let toll = if size <= SMALL { SMALL_TOLL } else { TOLL };
        let paid = self.least(id, now).unwrap_or_default();
        self.uploads.insert(id, Share { toll, first, paid, wanted: now });
    }

    /// It has ended, or is stopped.
    pub fn leave(&mut self, id: UploadId) {
        self.uploads.remove(&id);
    }

    /// It goes before all others, or no longer.
    pub fn set_first(&mut self, id: UploadId, first: bool) {
        if let Some(share) = self.uploads.get_mut(&id) {
            share.first = first;
        }
    }

    /// All of them together keep to this from now on.
    pub fn set_limit(&mut self, limit: Option<Rate>, now: Instant) {
        (self.limit, self.free) = (limit, now);
    }

    /// Whether others go before this upload: it is to begin no part before they have all of theirs
    /// under way.
    #[must_use]
    pub fn yields(&self, id: UploadId) -> bool {
        let first = self.uploads.get(&id).is_some_and(|share| share.first);
        !first && self.uploads.values().any(|share| share.first)
    }

    /// Leave to send up to `wanted` bytes.
    pub fn ask(&mut self, id: UploadId, wanted: u64, now: Instant) -> Leave {
        self.measure(now);
        let least = self.least(id, now);
        let yielding = if self.yields(id) { YIELDING } else { 1 };
        let Some(share) = self.uploads.get_mut(&id) else { return Leave::Bytes(wanted) };
        let rested = now.saturating_duration_since(share.wanted) >= PATIENCE;
        share.wanted = now;
        let mut bytes = wanted.min(self.amount);
        if let Some(least) = least {
            if rested {
                // Nobody waited for it, and nobody owes it what it did not want.
                share.paid = share.paid.max(least);
            }
            if share.paid > least.saturating_add(LEAD) {
                return Leave::Others;
            }
        }
        if let Some(limit) = self.limit {
            let wait = self.free.saturating_duration_since(now);
            if !wait.is_zero() {
                return Leave::Limit(wait);
            }
            bytes = bytes.min(during(BEAT, limit.get()).max(SMALLEST_BEAT));
            // Whoever comes a little late gets what it has missed.
            let from = self.free.max(now.checked_sub(BEAT).unwrap_or(now));
            self.free = from + time(bytes, limit);
        }
        share.paid = share.paid.saturating_add(bytes.saturating_mul(share.toll * yielding));
        self.given = self.given.saturating_add(bytes);
        Leave::Bytes(bytes)
    }

    fn measure(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.measured);
        if passed >= MEASURE {
            let per_second = u128::from(self.given) * 1_000_000 / passed.as_micros();
            let per_second = u64::try_from(per_second).unwrap_or(u64::MAX);
            let more = per_second.saturating_sub(self.speed);
            self.speed = per_second.min(self.speed + more / DOUBT);
            self.amount = during(AMOUNT, self.speed).max(SMALLEST);
            (self.given, self.measured) = (0, now);
        }
    }

    /// What the upload that is most behind has paid, of the others that want bytes.
    fn least(&self, id: UploadId, now: Instant) -> Option<u64> {
        let others = self.uploads.iter().filter(|(other, _)| **other != id);
        let wants = |share: &&Share| now.saturating_duration_since(share.wanted) < PATIENCE;
        others.map(|(_, share)| share).filter(wants).map(|share| share.paid).min()
    }
}

/// Bytes that go in this time.
fn during(time: Duration, per_second: u64) -> u64 {
    let bytes = u128::from(per_second) * time.as_millis() / 1_000;
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// How long so many bytes take at this rate.
fn time(bytes: u64, rate: Rate) -> Duration {
    let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(rate.get());
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SLICE: u64 = 1 << 20;
    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;

    /// Uploads that all want to send, over a line of so many bytes a second.
    struct Line {
        shares: Shares,
        start: Instant,
        passed: Duration,
        rate: Rate,
    }

    impl Line {
        fn new(rate: u64, limit: Option<u64>) -> Self {
            let start = Instant::now();
            let shares = Shares::new(limit.and_then(Rate::new), start);
            Self { shares, start, passed: Duration::ZERO, rate: Rate::new(rate).unwrap() }
        }

        fn now(&self) -> Instant {
            self.start + self.passed
        }

        fn enter(&mut self, size: u64, first: bool) -> UploadId {
            let id = UploadId::in_order().next().unwrap();
            self.shares.enter(id, size, first, self.now());
            id
        }

        /// Each sends as much as it may, in turn, until one has sent so much. What each has sent.
        fn send(&mut self, until: u64, uploads: &[UploadId]) -> Vec<u64> {
            let mut sent = vec![0; uploads.len()];
            while !sent.contains(&until) {
                let mut nobody = true;
                for (sent, id) in sent.iter_mut().zip(uploads) {
                    let wanted = SLICE.min(until - *sent);
                    let now = self.start + self.passed;
                    if let Leave::Bytes(bytes) = self.shares.ask(*id, wanted, now) {
                        *sent += bytes;
                        self.passed += time(bytes, self.rate);
                        nobody = false;
                    }
                }
                if nobody {
                    self.passed += Duration::from_millis(1);
                }
            }
            sent
        }
    }

    #[test]
    fn a_small_file_beside_a_large_one_takes_less_than_twice_its_time() {
        let mut line = Line::new(MIB, None);
        let large = line.enter(50 * GIB, false);
        line.send(100 * MIB, &[large]);
        let small = line.enter(5 * MIB, false);
        let before = line.passed;
        // The large one has eight connections, and asks eight times as often.
        let sent =
            line.send(5 * MIB, &[large, large, large, small, large, large, large, large, large]);
        let took = line.passed - before;
        assert!(took < Duration::from_secs(10), "{took:?}");
        assert_eq!(sent[3], 5 * MIB);
    }

    #[test]
    fn a_fast_line_gets_large_amounts_and_a_slow_one_small() {
        for (rate, amount) in [(GIB, SLICE), (MIB, SMALLEST)] {
            let mut line = Line::new(rate, None);
            let one = line.enter(50 * GIB, false);
            line.send(rate, &[one]);
            assert_eq!(line.shares.ask(one, SLICE, line.now()), Leave::Bytes(amount));
        }
    }

    /// Whatever was given is read and waits for the line, before that of others.
    #[test]
    fn what_new_connections_take_at_once_is_not_the_lines_speed() {
        let mut line = Line::new(2 * MIB, None);
        let one = line.enter(50 * GIB, false);
        for _ in 0..20 {
            line.send(MIB, &[one]);
            let mut burst = 0;
            while burst < 2 * MIB {
                let Leave::Bytes(bytes) = line.shares.ask(one, SLICE, line.now()) else { break };
                burst += bytes;
            }
            line.passed += MEASURE;
            let Leave::Bytes(bytes) = line.shares.ask(one, SLICE, line.now()) else { break };
            assert!(bytes <= 2 * SMALLEST, "{bytes}");
        }
    }

    #[test]
    fn alone_nobody_is_held_back() {
        let mut line = Line::new(MIB, None);
        let one = line.enter(GIB, false);
        assert_eq!(line.shares.ask(one, SLICE, line.now()), Leave::Bytes(SMALLEST));
    }

    #[test]
    fn what_goes_first_gets_nearly_all() {
        let mut line = Line::new(MIB, None);
        let (other, first) = (line.enter(GIB, false), line.enter(GIB, false));
        line.shares.set_first(first, true);
        assert!(line.shares.yields(other) && !line.shares.yields(first));
        let sent = line.send(256 * MIB, &[other, first]);
        assert!(sent[0] <= sent[1] / 10, "{sent:?}");
        line.shares.leave(first);
        assert!(!line.shares.yields(other));
    }

    #[test]
    fn one_that_stands_still_is_not_waited_for_and_gets_nothing_back() {
        let mut line = Line::new(MIB, None);
        let (still, other) = (line.enter(GIB, false), line.enter(GIB, false));
        line.send(100 * MIB, &[other]);
        assert!(line.passed < Duration::from_secs(100) + 2 * PATIENCE);
        let sent = line.send(50 * MIB, &[still, other]);
        assert!(sent[0].abs_diff(sent[1]) <= 4 * MIB, "{sent:?}");
    }

    #[test]
    fn a_limit_holds_for_all_together_and_can_be_changed() {
        let mut line = Line::new(GIB, Some(MIB));
        let both = [line.enter(GIB, false), line.enter(GIB, false)];
        line.send(10 * MIB, &both);
        let seconds = line.passed.as_secs_f64();
        assert!((18.0..21.0).contains(&seconds), "{seconds}");
        line.shares.set_limit(Rate::new(10 * MIB), line.now());
        let before = line.passed;
        line.send(10 * MIB, &both);
        let seconds = (line.passed - before).as_secs_f64();
        assert!((1.8..2.2).contains(&seconds), "{seconds}");
        line.shares.set_limit(None, line.now());
        let before = line.passed;
        line.send(10 * MIB, &both);
        assert!((line.passed - before).as_secs_f64() < 0.1);
    }

    proptest! {
        #[test]
        fn a_limit_is_never_exceeded_by_more_than_a_beat(
            limit in 1_000_u64..1 << 30,
            waits in proptest::collection::vec(0_u64..200, 1..200),
        ) {
            let start = Instant::now();
            let mut shares = Shares::new(Rate::new(limit), start);
            let id = UploadId::in_order().next().unwrap();
            shares.enter(id, GIB, false, start);
            let (mut now, mut sent) = (start, 0);
            for wait in waits {
                now += Duration::from_millis(wait);
                if let Leave::Bytes(bytes) = shares.ask(id, SLICE, now) {
                    sent += bytes;
                }
                let may = u128::from(limit) * (now - start + 2 * BEAT).as_millis() / 1_000;
                prop_assert!(u128::from(sent) <= may + u128::from(2 * SMALLEST_BEAT));
            }
        }
    }
}

//! How fast bytes go, and how long they will still take.

use std::time::Duration;

/// Weight of the past falls to a third over this time.
const MEMORY: Duration = Duration::from_secs(4);
/// No time left is named before bytes have moved for this long.
const MEANINGFUL_AFTER: Duration = Duration::from_secs(2);

/// A smoothed speed, fed with the count of bytes that moved and the time that passed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// Bytes and seconds, each worth less the longer ago they were.
    bytes: f64,
    seconds: f64,
    watched: Duration,
}

impl Pace {
    /// Takes note that `bytes` moved during `passed`.
    pub fn note(&mut self, bytes: u64, passed: Duration) {
        let kept = (-passed.as_secs_f64() / MEMORY.as_secs_f64()).exp();
        #[expect(clippy::cast_precision_loss, reason = "a speed needs no last digit")]
        let bytes = bytes as f64;
        self.bytes = self.bytes * kept + bytes;
        self.seconds = self.seconds * kept + passed.as_secs_f64();
        self.watched += passed;
    }

    /// The speed, rounded.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative")]
    pub fn bytes_per_second(&self) -> u64 {
        if self.seconds > 0.0 { (self.bytes / self.seconds).round() as u64 } else { 0 }
    }

    /// How long `remaining` bytes will take, rounded up, once that can be said.
    #[must_use]
    pub fn seconds_left(&self, remaining: u64) -> Option<u64> {
        let speed = self.bytes_per_second();
        (self.watched >= MEANINGFUL_AFTER && speed > 0).then(|| remaining.div_ceil(speed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_millis(100);

    #[test]
    fn an_even_flow_is_told_exactly() {
        let mut pace = Pace::default();
        for _ in 0..100 {
            pace.note(100_000, TICK);
        }
        assert_eq!(pace.bytes_per_second(), 1_000_000);
        assert_eq!(pace.seconds_left(10_500_000), Some(11));
    }

    #[test]
    fn nothing_is_promised_too_early() {
        let mut pace = Pace::default();
        pace.note(100_000, TICK);
        assert_eq!(pace.seconds_left(1), None);
    }

    #[test]
    fn a_flow_that_stops_is_forgotten() {
        let mut pace = Pace::default();
        for _ in 0..100 {
            pace.note(100_000, TICK);
        }
        for _ in 0..400 {
            pace.note(0, TICK);
        }
        assert!(pace.bytes_per_second() < 100, "{}", pace.bytes_per_second());
    }
}

//! The time of day and the time slept, as something that tests can set.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::transfer::Timestamp;

/// Tells the time. It goes on while the computer sleeps.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;

    /// How long this computer has slept, since some fixed time in the past.
    fn slept(&self) -> Duration;
}

/// The computer's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// The clock that goes on in sleep, less the one that does not.
    #[cfg(target_os = "linux")]
    fn slept(&self) -> Duration {
        use rustix::time::{ClockId, clock_gettime};
        let read = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
        let awake = read(ClockId::Monotonic);
        read(ClockId::Boottime).saturating_sub(awake)
    }

    /// The time of day goes on in sleep, the one that [`std::time::Instant`] tells does not on
    /// macOS. A clock that is set forward looks like a sleep, and costs fresh connections.
    #[cfg(not(target_os = "linux"))]
    fn slept(&self) -> Duration {
        use std::sync::OnceLock;
        use std::time::Instant;
        static START: OnceLock<(Timestamp, Instant)> = OnceLock::new();
        let (then, awake) = START.get_or_init(|| (self.now(), Instant::now()));
        let passed = u64::try_from(self.now().0 - then.0).unwrap_or_default();
        Duration::from_millis(passed).saturating_sub(awake.elapsed())
    }
}

//! Whether a file is finished: its writer has closed it, or it has been still for a time that fits
//! how it was written; and its container is complete.
//!
//! Times are passed in, by a clock that nobody sets.

use std::fs::Metadata;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::watch::Container;

/// After a close: writers that touch times, or open the file again for its head, do it at once.
const AFTER_CLOSE: Duration = Duration::from_secs(1);
/// After a close, of a container that does not say that it is complete.
const AFTER_CLOSE_UNTOLD: Duration = Duration::from_secs(2);
/// Of a complete container whose writer nobody has seen.
const STILL: Duration = Duration::from_secs(2);
/// The same, where looks are all there is: network drives show sizes and times late.
const STILL_POLLED: Duration = Duration::from_secs(10);
/// So many looks must show the same there.
const SAME_LOOKS: u32 = 3;
/// Of a container that could grow, and of anything unknown, whose writer nobody has seen.
const STILL_UNTOLD: Duration = Duration::from_secs(30);
/// Of a complete container that somebody has written to and keeps open.
const STILL_OPEN: Duration = Duration::from_secs(600);
/// A writer that paused may pause again, and longer.
const PAUSES: u32 = 3;
/// No pause makes anybody wait longer.
const LONGEST: Duration = Duration::from_secs(600);

/// Which file lies at a path, in which version, as far as its metadata tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Version {
    /// Bytes.
    pub size: u64,
    /// When its content was changed last; nanoseconds since 1970.
    pub modified_ns: i64,
    /// Its number on its drive, where the system has one. Cards and sticks give other ones each
    /// time they are put in.
    pub file: Option<u64>,
}

impl Version {
    /// Whether a file that was this one still is, after whatever time.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        (self.size, self.modified_ns) == (other.size, other.modified_ns)
    }

    /// Out of a file's metadata.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok();
        let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified_ns = since.and_then(|since| i64::try_from(since.as_nanos()).ok());
        #[cfg(unix)]
        let file = Some(std::os::unix::fs::MetadataExt::ino(metadata));
        #[cfg(not(unix))]
        let file = None;
        Self { size: metadata.len(), modified_ns: modified_ns.unwrap_or_default(), file }
    }
}

/// How a folder's changes are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Senses {
    /// The system tells of them.
    Events,
    /// By looking again and again.
    Polling {
        /// Between two looks.
        every: Duration,
    },
}

/// What is known of whoever writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writer {
    /// Nothing.
    Unseen,
    /// It has written since it was last seen to close.
    Open,
    /// It has closed the file since it last wrote.
    Closed,
}

/// What became of a look at a file that is not finished yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is finished.
    Ready,
    /// It may be finished then, if nothing changes.
    Still {
        /// When, by the clock that was passed in.
        until: Duration,
    },
    /// Only a change can finish it.
    Unfinished,
}

/// A file that may be written to.
#[derive(Clone, Copy, Debug)]
pub struct Settle {
    version: Version,
    /// Nothing has happened to it since then.
    since: Duration,
    /// The longest time in which nothing happened, before something did.
    longest_pause: Duration,
    /// The longest time after a close, before it was written to again.
    longest_closed: Duration,
    writer: Writer,
}

impl Settle {
    /// A file that is seen for the first time.
    #[must_use]
    pub fn new(version: Version, now: Duration) -> Self {
        Self {
            version,
            since: now,
            longest_pause: Duration::ZERO,
            longest_closed: Duration::ZERO,
            writer: Writer::Unseen,
        }
    }

    /// As it was seen last.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// It was looked at.
    pub fn looked(&mut self, version: Version, now: Duration) {
        if version.file != self.version.file {
            // Another file in its place has another writer.
            *self = Self::new(version, now);
        } else if version != self.version {
            self.version = version;
            self.moved(now);
        }
    }

    /// Somebody wrote to it.
    pub fn written(&mut self, now: Duration) {
        if self.writer == Writer::Closed {
            self.longest_closed = self.longest_closed.max(now.saturating_sub(self.since));
        }
        self.writer = Writer::Open;
        self.moved(now);
    }

    /// Somebody who may have written to it has closed it.
    pub fn closed(&mut self, now: Duration) {
        self.writer = Writer::Closed;
        self.moved(now);
    }

    /// What was told of its writer may be wrong: something that happened was not told.
    pub fn doubt(&mut self) {
        self.writer = Writer::Unseen;
    }

    fn moved(&mut self, now: Duration) {
        self.longest_pause = self.longest_pause.max(now.saturating_sub(self.since));
        self.since = now;
    }

    /// When it may be finished, if nothing changes and its container turns out complete: only then
    /// the file has to be read.
    #[must_use]
    pub fn due(&self, senses: Senses) -> Duration {
        self.since + self.stillness(Container::Complete, senses).unwrap_or(STILL_OPEN)
    }

    /// Whether it is finished, with the container that the version seen last has.
    #[must_use]
    pub fn verdict(&self, container: Container, senses: Senses, now: Duration) -> Verdict {
        match self.stillness(container, senses).map(|stillness| self.since + stillness) {
            None => Verdict::Unfinished,
            Some(until) if until <= now => Verdict::Ready,
            Some(until) => Verdict::Still { until },
        }
    }

    /// How long nothing must happen to it; `None` where something has to.
    fn stillness(&self, container: Container, senses: Senses) -> Option<Duration> {
        let after_pauses = (self.longest_pause * PAUSES).min(LONGEST);
        let after_closes = (self.longest_closed * PAUSES).min(LONGEST);
        let stillness = match (self.writer, container) {
            (_, Container::Incomplete) => return None,
            (Writer::Open, Container::Complete) => STILL_OPEN,
            (Writer::Open, Container::OpenEnded | Container::Untold) => return None,
            (Writer::Closed, Container::Complete) => AFTER_CLOSE.max(after_closes),
            (Writer::Closed, Container::OpenEnded | Container::Untold) => {
                AFTER_CLOSE_UNTOLD.max(after_closes)
            }
            (Writer::Unseen, Container::Complete) => STILL.max(after_pauses),
            (Writer::Unseen, Container::OpenEnded | Container::Untold) => {
                STILL_UNTOLD.max(after_pauses)
            }
        };
        Some(match senses {
            Senses::Events => stillness,
            Senses::Polling { every } => stillness.max(STILL_POLLED).max(every * SAME_LOOKS),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EVENTS: Senses = Senses::Events;

    fn version(size: u64) -> Version {
        Version { size, modified_ns: 0, file: Some(1) }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_closed_file_is_ready_soon_and_an_open_one_is_not() {
        let mut file = Settle::new(version(1), seconds(0));
        file.written(seconds(1));
        assert_eq!(file.verdict(Container::OpenEnded, EVENTS, seconds(9000)), Verdict::Unfinished);
        assert_eq!(
            file.verdict(Container::Complete, EVENTS, seconds(60)),
            Verdict::Still { until: seconds(601) }
        );
        file.closed(seconds(300));
        assert_eq!(file.due(EVENTS), seconds(301));
        assert_eq!(file.verdict(Container::Complete, EVENTS, seconds(301)), Verdict::Ready);
        assert_eq!(file.verdict(Container::Incomplete, EVENTS, seconds(900)), Verdict::Unfinished);
        // It was not the last time.
        file.written(seconds(304));
        file.closed(seconds(304));
        assert_eq!(file.due(EVENTS), seconds(304 + 12));
    }

    #[test]
    fn who_pauses_is_waited_for() {
        let mut file = Settle::new(version(1), seconds(0));
        assert_eq!(file.due(EVENTS), seconds(2));
        file.looked(version(2), seconds(5));
        assert_eq!(file.due(EVENTS), seconds(5 + 15));
        let polling = Senses::Polling { every: seconds(6) };
        assert_eq!(file.due(polling), seconds(5 + 18));
        // Another file was moved into its place.
        file.looked(Version { file: Some(2), ..version(2) }, seconds(6));
        assert_eq!(file.due(EVENTS), seconds(8));
    }

    #[test]
    fn a_doubt_ends_what_was_known() {
        let mut file = Settle::new(version(1), seconds(0));
        file.written(seconds(0));
        file.doubt();
        assert_eq!(file.verdict(Container::Complete, EVENTS, seconds(2)), Verdict::Ready);
    }

    proptest! {
        /// Whatever happens, nothing is ready in the second after it.
        #[test]
        fn what_moves_is_never_ready(steps in prop::collection::vec((0_u64..5000, 0_u8..4), 1..30)) {
            let mut now = Duration::ZERO;
            let mut file = Settle::new(version(0), now);
            for (nth, (wait, what)) in (1..).zip(steps) {
                now += Duration::from_millis(wait);
                match what {
                    0 => file.written(now),
                    1 => file.closed(now),
                    2 => file.looked(version(nth), now),
                    _ => file.looked(Version { file: Some(nth), ..version(nth) }, now),
                }
                for container in [Container::Complete, Container::OpenEnded, Container::Untold] {
                    let soon = now + Duration::from_millis(999);
                    prop_assert_ne!(file.verdict(container, EVENTS, soon), Verdict::Ready);
                }
                prop_assert!(file.due(EVENTS) > now);
            }
        }
    }
}

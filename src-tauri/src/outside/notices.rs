//! What is said outside the window, and when: that videos are ready, that uploads need somebody, that
//! everything is sent. Many at once are said once.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use dailies_engine::transfer::{Hold, Phase, UploadId};
use dailies_engine::view::{Totals, UploadView};

use crate::settings::Preferences;

/// After the last of several things of one kind, until they are said together.
const QUIET: Duration = Duration::from_secs(2);
/// Between two notifications of one kind.
const REST: Duration = Duration::from_secs(30);
/// Uploads of which it is known that they were spoken of. Of older ones nothing is heard again.
const KNOWN: usize = 4096;
/// Uploads that make a batch: what becomes of one is said of itself.
const BATCH: u64 = 2;

/// What is to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Videos can be played.
    Ready {
        /// How many.
        count: u64,
        /// Of the first one.
        title: String,
    },
    /// Uploads wait for somebody.
    Needs {
        /// How many.
        count: u64,
        /// Of the first one.
        title: String,
    },
    /// Everything that was to be sent is with its team.
    Sent {
        /// How many.
        count: u64,
    },
}

/// What has happened, and what of it was said.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    ready: Kind,
    needs: Kind,
    sent: Known,
    /// Uploads that were sent since everything was.
    batch: u64,
}

impl Notices {
    /// Hears of uploads that changed.
    pub(crate) fn hear(&mut self, uploads: &[UploadView], now: Instant) {
        for upload in uploads {
            let arrived = matches!(upload.phase, Phase::Processing | Phase::Ready);
            if arrived && upload.uploaded_at.is_some() && self.sent.insert(upload.id) {
                self.batch += 1;
            }
            let needs = match upload.hold {
                Hold::NeedsUser { .. } | Hold::Failed { .. } | Hold::SourceMissing => true,
                Hold::None
                | Hold::Paused
                | Hold::Backoff { .. }
                | Hold::Offline { .. }
                | Hold::Cancelled => false,
            };
            if needs {
                self.needs.hear(upload, now);
            } else {
                // It goes on; should it wait again, that is news again.
                self.needs.known.forget(upload.id);
                if upload.phase == Phase::Ready && upload.hold == Hold::None {
                    self.ready.hear(upload, now);
                }
            }
        }
    }

    /// What is to be said now. While somebody looks at the window, they have seen it.
    pub(crate) fn due(
        &mut self,
        totals: &Totals,
        wanted: &Preferences,
        seen: bool,
        now: Instant,
    ) -> Vec<Notice> {
        let ready = self.ready.due(now).filter(|_| wanted.notify_ready);
        let needs = self.needs.due(now).filter(|_| wanted.notify_needs);
        let mut notices = Vec::new();
        if totals.coming == 0 && totals.paused == 0 {
            let count = std::mem::take(&mut self.batch);
            if count >= BATCH && wanted.notify_sent {
                notices.push(Notice::Sent { count });
            }
        }
        notices.extend(ready.map(|Heard { count, title, .. }| Notice::Ready { count, title }));
        notices.extend(needs.map(|Heard { count, title, .. }| Notice::Needs { count, title }));
        if seen { Vec::new() } else { notices }
    }
}

impl Notices {
    /// Something was heard that is not said yet.
    pub(crate) fn wait(&self) -> bool {
        self.ready.heard.is_some() || self.needs.heard.is_some()
    }
}

/// One kind of thing that is said.
#[derive(Debug, Default)]
struct Kind {
    known: Known,
    heard: Option<Heard>,
    said: Option<Instant>,
}

/// What was heard, and is not said yet.
#[derive(Debug)]
struct Heard {
    count: u64,
    title: String,
    last: Instant,
}

impl Kind {
    fn hear(&mut self, upload: &UploadView, now: Instant) {
        if !self.known.insert(upload.id) {
            return;
        }
        match &mut self.heard {
            Some(heard) => (heard.count, heard.last) = (heard.count + 1, now),
            None => {
                let title = upload.title.clone();
                self.heard = Some(Heard { count: 1, title, last: now });
            }
        }
    }

    fn due(&mut self, now: Instant) -> Option<Heard> {
        let quiet = self.heard.as_ref().is_some_and(|heard| now - heard.last >= QUIET);
        let rested = self.said.is_none_or(|said| now - said >= REST);
        if !(quiet && rested) {
            return None;
        }
        self.said = Some(now);
        self.heard.take()
    }
}

/// The uploads that were known last.
#[derive(Debug, Default)]
struct Known {
    ids: HashSet<UploadId>,
    order: VecDeque<UploadId>,
}

impl Known {
    /// False for one that is known.
    fn insert(&mut self, id: UploadId) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > KNOWN
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }

    fn forget(&mut self, id: UploadId) {
        if self.ids.remove(&id) {
            self.order.retain(|other| *other != id);
        }
    }
}

#[cfg(test)]
mod tests {
    use dailies_engine::error::Code;
    use dailies_engine::transfer::Timestamp;
    use dailies_engine::view::{DestinationView, ProgressView};

    use super::*;

    fn upload(id: UploadId, phase: Phase, hold: Hold) -> UploadView {
        UploadView {
            id,
            title: "reel-04".into(),
            server: "https://team.example/".into(),
            path: "/footage/reel-04.mov".into(),
            destination: DestinationView {
                project_id: "p".into(),
                project: "Rushes".into(),
                team: "North".into(),
            },
            phase,
            hold,
            active: false,
            growing: false,
            place: 0,
            first: false,
            progress: ProgressView {
                total_bytes: 1,
                confirmed_bytes: 1,
                in_flight_bytes: 0,
                bytes_per_second: 0,
                seconds_left: None,
            },
            added_at: Timestamp(0),
            uploaded_at: (phase >= Phase::Processing).then_some(Timestamp(1)),
            video_id: None,
            duration: None,
            reason: None,
        }
    }

    fn ids(count: usize) -> Vec<UploadId> {
        UploadId::in_order().take(count).collect()
    }

    const NEEDS: Hold = Hold::NeedsUser { code: Code::QuotaExceeded };

    #[test]
    fn a_flood_is_said_once() {
        let (mut notices, wanted, start) =
            (Notices::default(), Preferences::default(), Instant::now());
        let totals = Totals { coming: 1, ..Totals::default() };
        let mut said = Vec::new();
        let mut now = start;
        for id in ids(500) {
            notices.hear(&[upload(id, Phase::Processing, Hold::None)], now);
            notices.hear(&[upload(id, Phase::Ready, Hold::None)], now);
            now += Duration::from_millis(20);
            said.extend(notices.due(&totals, &wanted, false, now));
        }
        assert_eq!(said, [], "they come one after the other");
        said.extend(notices.due(&totals, &wanted, false, now + QUIET));
        assert_eq!(said, [Notice::Ready { count: 500, title: "reel-04".into() }]);
        let sent = notices.due(&Totals::default(), &wanted, false, now + QUIET);
        assert_eq!(sent, [Notice::Sent { count: 500 }]);
        assert_eq!(notices.due(&Totals::default(), &wanted, false, now + REST), []);
    }

    #[test]
    fn what_waits_again_is_news_again() {
        let (mut notices, wanted, start) =
            (Notices::default(), Preferences::default(), Instant::now());
        let (id, totals) = (ids(1)[0], Totals::default());
        let needs = || vec![Notice::Needs { count: 1, title: "reel-04".into() }];
        for _ in 0..3 {
            notices.hear(&[upload(id, Phase::Uploading, NEEDS)], start);
        }
        assert_eq!(notices.due(&totals, &wanted, false, start + QUIET), needs());
        notices.hear(&[upload(id, Phase::Uploading, NEEDS)], start);
        assert_eq!(notices.due(&totals, &wanted, false, start + QUIET + REST), []);
        notices.hear(&[upload(id, Phase::Uploading, Hold::None)], start);
        notices.hear(&[upload(id, Phase::Uploading, NEEDS)], start);
        assert_eq!(notices.due(&totals, &wanted, false, start + QUIET + REST), needs());
    }

    #[test]
    fn nothing_is_said_that_nobody_wants_or_has_seen() {
        let start = Instant::now();
        let none = Preferences {
            notify_ready: false,
            notify_needs: false,
            notify_sent: false,
            ..Preferences::default()
        };
        for (wanted, seen) in [(none, false), (Preferences::default(), true)] {
            let mut notices = Notices::default();
            for id in ids(2) {
                notices.hear(&[upload(id, Phase::Ready, Hold::None)], start);
            }
            notices.hear(&[upload(ids(1)[0], Phase::Uploading, NEEDS)], start);
            let now = start + QUIET;
            assert_eq!(notices.due(&Totals::default(), &wanted, seen, now), []);
            let later = now + REST;
            let wanted = Preferences::default();
            assert_eq!(notices.due(&Totals::default(), &wanted, false, later), [], "nor later");
        }
    }

    #[test]
    fn one_video_is_no_batch() {
        let mut notices = Notices::default();
        notices.hear(&[upload(ids(1)[0], Phase::Processing, Hold::None)], Instant::now());
        let said = notices.due(&Totals::default(), &Preferences::default(), false, Instant::now());
        assert_eq!(said, []);
    }
}

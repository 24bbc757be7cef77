//! Whether there is a way to the other side: when to ask, and what its answers mean.

use std::time::{Duration, Instant};

/// Between two questions while the way is lost. With an answer's own time, work goes on within two
/// seconds of the network's return.
const WHILE_LOST: Duration = Duration::from_secs(1);
/// Between two questions while there is a way, and something makes doubt it again and again.
const WHILE_THERE: Duration = Duration::from_secs(3);

/// The way to the other side, as far as is known. Somebody who asks (with a request of his own, so
/// that proxies and names are part of the way) feeds it with what came of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reach {
    way: Way,
    /// Something failed, or nothing moves, since the last question.
    doubted: bool,
    /// When the last question began, if any did since the computer woke up.
    asked: Option<Instant>,
    /// No answer to it is known yet.
    asking: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Way {
    #[default]
    There,
    Lost {
        since: Instant,
    },
}

/// A change of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing gets through: starting anything is in vain.
    Lost,
    /// It is there again.
    Back {
        /// Since when it was lost: what has not moved since then will not by itself.
        lost: Instant,
    },
}

impl Reach {
    /// A way that is lost since `since`.
    #[must_use]
    pub fn lost(since: Instant) -> Self {
        Self { way: Way::Lost { since }, ..Self::default() }
    }

    /// Something makes doubt that there is a way.
    pub fn doubt(&mut self) {
        self.doubted = true;
    }

    /// The computer has slept: what was known is worth nothing.
    pub fn wake(&mut self) {
        *self = Self { way: self.way, doubted: true, asked: None, asking: false };
    }

    /// Whether the way is lost.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.way != Way::There
    }

    /// Whether the way is there, and nothing has made doubt of it since somebody asked.
    #[must_use]
    pub fn is_sure(&self) -> bool {
        !self.is_lost() && !self.doubted && !self.asking
    }

    /// When to ask next; `None` while nobody doubts, or an answer is still to come.
    #[must_use]
    pub fn due(&self, now: Instant) -> Option<Instant> {
        if self.asking || (self.way == Way::There && !self.doubted) {
            return None;
        }
        let pause = if self.is_lost() { WHILE_LOST } else { WHILE_THERE };
        Some(self.asked.map_or(now, |asked| asked + pause))
    }

    /// The question is asked now.
    pub fn ask(&mut self, now: Instant) {
        self.asked = Some(now);
        self.asking = true;
        self.doubted = false;
    }

    /// What came of the question.
    pub fn answered(&mut self, reached: bool) -> Option<Turn> {
        self.asking = false;
        match (self.way, reached, self.asked) {
            (Way::There, false, Some(since)) => {
                self.way = Way::Lost { since };
                Some(Turn::Lost)
            }
            (Way::Lost { since }, true, _) => {
                self.way = Way::There;
                Some(Turn::Back { lost: since })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(10);

    #[test]
    fn nobody_asks_where_nobody_doubts() {
        assert_eq!(Reach::default().due(Instant::now()), None);
    }

    #[test]
    fn one_question_at_a_time() {
        let now = Instant::now();
        let mut reach = Reach::default();
        assert!(reach.is_sure());
        reach.doubt();
        assert_eq!(reach.due(now), Some(now));
        reach.ask(now);
        assert!(!reach.is_sure(), "no answer is known yet");
        reach.doubt();
        assert_eq!(reach.due(now), None);
        assert_eq!(reach.answered(true), None, "it was never lost");
        assert!(!reach.is_sure(), "it was doubted meanwhile");
        assert_eq!(reach.due(now), Some(now + WHILE_THERE));
    }

    #[test]
    fn a_computer_that_wakes_asks_at_once() {
        let now = Instant::now();
        let mut reach = Reach::default();
        reach.doubt();
        reach.ask(now);
        reach.answered(false);
        reach.wake();
        assert!(reach.is_lost());
        assert_eq!(reach.due(now), Some(now));
    }

    /// What a question meets that begins at `asked`: packets are lost without a word until `back`.
    /// Its first packet is sent again after a second; it is given up after two.
    fn question(asked: Duration, back: Duration, trip: Duration) -> (bool, Duration) {
        let sent = [Duration::ZERO, Duration::from_secs(1)].map(|after| asked + after);
        match sent.into_iter().find(|sent| *sent >= back) {
            Some(sent) => (true, sent + trip),
            None => (false, asked + Duration::from_secs(2)),
        }
    }

    proptest! {
        #[test]
        fn work_goes_on_within_two_seconds_of_the_networks_return(
            back in 0_u64..100_000, trip in 1_u64..600
        ) {
            let (back, trip) = (Duration::from_millis(back), Duration::from_millis(trip));
            let start = Instant::now();
            let mut reach = Reach::default();
            reach.doubt();
            reach.ask(start);
            prop_assert_eq!(reach.answered(false), Some(Turn::Lost));
            let (mut clock, mut asked) = (Duration::ZERO, 0);
            let returned = loop {
                let due = reach.due(start + clock);
                let due = due.map_or(clock, |due| due.saturating_duration_since(start));
                clock = clock.max(due);
                reach.ask(start + clock);
                asked += 1;
                let (reached, done) = question(clock, back, trip);
                clock = done.max(clock + MOMENT);
                if reach.answered(reached).is_some() {
                    break clock;
                }
            };
            prop_assert!(returned <= back + Duration::from_secs(2), "{returned:?} for {back:?}");
            prop_assert!(asked <= 2 + back.as_secs(), "{asked} questions in {back:?}");
        }
    }
}

//! Whose turn it is, among parts that arrive in any order and are confirmed in theirs.

use tokio::sync::watch;

use crate::transfer::PartNumber;

/// The parts of one sending, each of which waits for those before it.
#[derive(Debug)]
pub(super) struct Turns {
    /// In order.
    parts: Vec<PartNumber>,
    standing: watch::Sender<Standing>,
}

#[derive(Debug)]
enum Standing {
    /// So many have had their turn.
    Had(usize),
    /// None has a turn any more: what is under way is finished, and nothing else begun.
    Ended,
}

impl Turns {
    /// The turns of parts that come in order.
    pub(super) fn new(parts: impl Iterator<Item = PartNumber>) -> Self {
        Self { parts: parts.collect(), standing: watch::Sender::new(Standing::Had(0)) }
    }

    /// Waits for a part's turn; whether it comes. Lanes carry the lowest parts first, so the part
    /// that all others wait for is with one of them.
    pub(super) async fn of(&self, part: PartNumber) -> bool {
        let place = self.parts.partition_point(|other| *other < part);
        let mut standing = self.standing.subscribe();
        let comes = |standing: &Standing| match standing {
            Standing::Had(had) => *had >= place,
            Standing::Ended => true,
        };
        // The sender is not dropped while it is borrowed here.
        let came = standing.wait_for(comes).await;
        came.is_ok_and(|standing| matches!(*standing, Standing::Had(_)))
    }

    /// The turn of the next part.
    pub(super) fn next(&self) {
        self.standing.send_modify(|standing| {
            if let Standing::Had(had) = standing {
                *had += 1;
            }
        });
    }

    pub(super) fn end(&self) {
        self.standing.send_replace(Standing::Ended);
    }

    pub(super) fn have_ended(&self) -> bool {
        matches!(*self.standing.borrow(), Standing::Ended)
    }

    /// Waits until none has a turn any more.
    pub(super) async fn ended(&self) {
        let ended = |standing: &Standing| matches!(standing, Standing::Ended);
        drop(self.standing.subscribe().wait_for(ended).await);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn part(number: u32) -> PartNumber {
        PartNumber::new(number).unwrap()
    }

    #[tokio::test]
    async fn parts_have_their_turns_in_order() {
        let turns = Arc::new(Turns::new([2, 5, 7].into_iter().map(part)));
        let had = Arc::new(Mutex::new(Vec::new()));
        let waiting = [7, 2, 5].map(|number| {
            let (turns, had) = (Arc::clone(&turns), Arc::clone(&had));
            tokio::spawn(async move {
                assert!(turns.of(part(number)).await);
                had.lock().unwrap().push(number);
                turns.next();
            })
        });
        for task in waiting {
            task.await.unwrap();
        }
        assert_eq!(*had.lock().unwrap(), [2, 5, 7]);
    }

    #[tokio::test]
    async fn nobody_waits_for_a_turn_that_does_not_come() {
        let turns = Arc::new(Turns::new([1, 2].into_iter().map(part)));
        let waiting = tokio::spawn({
            let turns = Arc::clone(&turns);
            async move { turns.of(part(2)).await }
        });
        tokio::task::yield_now().await;
        turns.end();
        assert!(!waiting.await.unwrap());
        turns.ended().await;
        turns.next();
        assert!(turns.have_ended());
    }
}

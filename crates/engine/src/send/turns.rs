//! Whose turn it is, among parts that arrive in any order and are confirmed in theirs.

use tokio::sync::watch;

use crate::transfer::PartNumber;

/// The parts of one sending, each of which waits for those before it.
#[derive(Debug)]
pub(super) struct Turns {
    /// In order.
    parts: Vec<PartNumber>,
    /// How many have had their turn.
    had: watch::Sender<usize>,
}

impl Turns {
    /// The turns of parts that come in order.
    pub(super) fn new(parts: impl Iterator<Item = PartNumber>) -> Self {
        Self { parts: parts.collect(), had: watch::Sender::new(0) }
    }

    /// Waits for a part's turn. Lanes carry the lowest parts first, so the part that all others
    /// wait for is with one of them; a lane that gives up ends them all.
    pub(super) async fn of(&self, part: PartNumber) {
        let place = self.parts.partition_point(|other| *other < part);
        // The sender is not dropped while it is borrowed here.
        let _ = self.had.subscribe().wait_for(|had| *had >= place).await;
    }

    /// The turn of the next part.
    pub(super) fn next(&self) {
        self.had.send_modify(|had| *had += 1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test]
    async fn parts_have_their_turns_in_order() {
        let part = |number| PartNumber::new(number).unwrap();
        let turns = Arc::new(Turns::new([2, 5, 7].into_iter().map(part)));
        let had = Arc::new(Mutex::new(Vec::new()));
        let waiting = [7, 2, 5].map(|number| {
            let (turns, had) = (Arc::clone(&turns), Arc::clone(&had));
            tokio::spawn(async move {
                turns.of(part(number)).await;
                had.lock().unwrap().push(number);
                turns.next();
            })
        });
        for task in waiting {
            task.await.unwrap();
        }
        assert_eq!(*had.lock().unwrap(), [2, 5, 7]);
    }
}

//! What is done for the queue's file besides: room that is kept for it, a check, and backups. Away from the loop.

use std::time::Duration;

use crate::engine::Engine;

/// A start has more urgent things to do than to read a large file from end to end.
const AFTER_A_START: Duration = Duration::from_secs(10);
/// Between two looks whether there is room again to be kept for the queue.
const ROOM_LOOK: Duration = Duration::from_secs(15);

impl Engine {
    /// Begins to look after the queue's file.
    pub(crate) fn take_care(&mut self) {
        if !self.store.is_small() {
            let store = self.store.clone();
            self.chores.spawn(async move {
                tokio::time::sleep(AFTER_A_START).await;
                store.check().await;
            });
        }
        let store = self.store.clone();
        self.chores.spawn(async move {
            loop {
                if store.keep_room().await {
                    store.room_given_up().await;
                }
                tokio::time::sleep(ROOM_LOOK).await;
            }
        });
        let (store, clock, every) = (self.store.clone(), self.clock.clone(), self.options.backup);
        self.chores.spawn(async move {
            loop {
                tokio::time::sleep(every).await;
                if let Err(error) = store.back_up(clock.now(), every).await {
                    tracing::warn!(%error, "the queue could not be backed up");
                }
            }
        });
    }

    /// Ends it, with a backup where that takes no time: a call of the command line is over long
    /// before the first one is due.
    pub(crate) async fn end_care(&mut self) {
        self.chores.shutdown().await;
        if self.store.is_small()
            && let Err(error) = self.store.back_up(self.clock.now(), self.options.backup).await
        {
            tracing::warn!(%error, "the queue could not be backed up");
        }
    }
}

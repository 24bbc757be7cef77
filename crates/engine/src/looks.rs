//! Looks at what a team makes of its videos: whoever wants to know something at the same time asks
//! together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::protocol::{Awaited, Processing, UploadProtocol};
use crate::transfer::Failure;

/// Between two questions to one team: time for others to join.
const PAUSE: Duration = Duration::from_millis(250);

type Said = Result<Processing, Failure>;

/// The looks at one team's videos that somebody waits for.
pub(crate) struct Looks {
    protocol: Arc<dyn UploadProtocol>,
    /// When the last question was answered. Whoever has this asks, for everybody.
    asking: tokio::sync::Mutex<Option<Instant>>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    looks: HashMap<u64, Look>,
    entered: u64,
}

struct Look {
    video: Awaited,
    due: Instant,
    tell: oneshot::Sender<Said>,
}

impl Looks {
    pub(crate) fn new(protocol: Arc<dyn UploadProtocol>) -> Self {
        Self { protocol, asking: tokio::sync::Mutex::default(), waiting: Mutex::default() }
    }

    /// Where a video stands: at `due`, or before it where somebody else's answer says it anyway.
    pub(crate) async fn at(&self, due: Instant, video: Awaited) -> Said {
        let (tell, mut said) = oneshot::channel();
        let _entered = self.enter(Look { video, due, tell });
        // It is told or taken back, and never just dropped.
        let lost = |_| Err(Failure::UnexpectedAnswer("a look was lost".into()));
        tokio::select! {
            said = &mut said => return said.unwrap_or_else(lost),
            () = tokio::time::sleep_until(due) => {}
        }
        loop {
            tokio::select! {
                biased;
                said = &mut said => return said.unwrap_or_else(lost),
                last = self.asking.lock() => self.ask(last).await,
            }
        }
    }

    fn enter(&self, look: Look) -> Entered<'_> {
        let mut waiting = self.lock();
        waiting.entered += 1;
        let number = waiting.entered;
        waiting.looks.insert(number, look);
        Entered { looks: self, number }
    }

    /// Asks about every video whose time has come, or comes before the next question may be asked.
    async fn ask(&self, mut last: tokio::sync::MutexGuard<'_, Option<Instant>>) {
        if let Some(last) = *last {
            tokio::time::sleep_until(last + PAUSE).await;
        }
        let soon = Instant::now() + PAUSE;
        let due: Vec<_> = {
            let waiting = self.lock();
            let due = waiting.looks.values().filter(|look| look.due <= soon);
            due.map(|look| look.video.clone()).collect()
        };
        let standings = self.protocol.processing(&due).await;
        *last = Some(Instant::now());
        let mut waiting = self.lock();
        for (number, look) in std::mem::take(&mut waiting.looks) {
            match standings.get(&look.video.video_id) {
                // Whoever is told may have gone.
                Some(said) => drop(look.tell.send(said.clone())),
                None => drop(waiting.looks.insert(number, look)),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A look that somebody waits for; dropped, nobody does.
struct Entered<'a> {
    looks: &'a Looks,
    number: u64,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.looks.lock().looks.remove(&self.number);
    }
}

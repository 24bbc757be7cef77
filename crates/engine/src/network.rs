//! What the loop does about the network: it notices that there is no way to the other side, starts
//! nothing until there is one, and then goes on at once; it notices that the computer has slept.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::engine::Engine;
use crate::job::Kind;
use crate::queue::Entry;
use crate::transfer::{Failure, Hold, Input, Reach, Turn};

/// A job that moves no byte for so long makes doubt that there is a network.
const SILENCE: Duration = Duration::from_secs(3);
/// Less than this is no sleep, but clocks that are read one after the other.
const SHORTEST_SLEEP: Duration = Duration::from_secs(1);

/// What the loop knows of the network.
#[derive(Debug)]
pub(crate) struct Network {
    reach: Reach,
    /// Asks whether the other side answers, one question at a time.
    asking: JoinSet<bool>,
    /// As the clock said it last.
    slept: Duration,
}

impl Network {
    pub(crate) fn new(slept: Duration) -> Self {
        Self { reach: Reach::default(), asking: JoinSet::new(), slept }
    }

    /// Starting anything is in vain.
    pub(crate) fn is_lost(&self) -> bool {
        self.reach.is_lost()
    }

    /// A job's end, as far as it says something of the network.
    pub(crate) fn note(&mut self, failure: &Failure) {
        if let Failure::Transport(_) | Failure::Stalled = failure {
            self.reach.doubt();
        }
    }

    /// What came of the question; never, where none is asked.
    pub(crate) async fn answer(&mut self) -> Result<bool, JoinError> {
        match self.asking.join_next().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

impl Engine {
    /// After a sleep all connections are dead and do not know it: work starts anew on fresh ones.
    pub(crate) fn notice_sleep(&mut self) {
        let slept = self.clock.slept();
        let since = slept.saturating_sub(self.network.slept);
        self.network.slept = slept;
        if since < SHORTEST_SLEEP {
            return;
        }
        tracing::info!(seconds = since.as_secs(), "the computer has slept");
        self.network.reach.wake();
        self.network.asking = JoinSet::new();
        self.renew_connections();
        for running in self.queue.loaded().filter_map(|entry| entry.running.as_ref()) {
            running.stop.cancel();
        }
    }

    /// Asks whether there is a way to the other side, if it is time to.
    pub(crate) fn ask_for_a_way(&mut self) {
        let now = Instant::now().into_std();
        let due = self.next_question().is_some_and(|due| due.into_std() <= now);
        if let (true, Some(connected)) = (due, &self.connected) {
            self.network.reach.ask(now);
            let protocol = Arc::clone(&connected.protocol);
            self.network.asking.spawn(async move { protocol.answers().await });
        }
    }

    /// When to ask next. Nobody does where nothing is to be sent.
    pub(crate) fn next_question(&self) -> Option<Instant> {
        let work = self.queue.census().totals().coming > 0 || self.queue.loaded().next().is_some();
        let due = self.network.reach.due(Instant::now().into_std())?;
        (work && self.connected.is_some()).then_some(due.into())
    }

    pub(crate) async fn answered(&mut self, answer: Result<bool, JoinError>) {
        // A question that broke says nothing; to believe in a network costs one try.
        match self.network.reach.answered(answer.unwrap_or(true)) {
            Some(Turn::Lost) => tracing::info!("there is no way to the other side"),
            Some(Turn::Back { lost }) => self.back_online(lost.into()).await,
            None => {}
        }
    }

    /// Lets everything go on that waits for the network, and starts anew what hangs since it went.
    async fn back_online(&mut self, lost: Instant) {
        tracing::info!("there is a way to the other side again");
        self.renew_connections();
        self.permits.start_over(self.options.first_lanes());
        let mut waiting = Vec::new();
        for entry in self.queue.loaded() {
            match &entry.running {
                // Its own time to be sent again may be half a minute away.
                Some(running) if running.kind != Kind::Send || entry.stirred < lost => {
                    running.stop.cancel();
                }
                _ => {}
            }
            if let Hold::Offline { .. } = entry.row.state.hold {
                waiting.push((entry.row.clone(), entry.progress.confirmed()));
            }
        }
        self.apply_all(waiting, &Input::Online).await;
    }

    /// Nothing moves that should.
    pub(crate) fn notice_silence(&mut self) {
        let silent = |entry: &Entry| {
            let works = entry.running.as_ref().is_some_and(|running| running.kind != Kind::Watch);
            works && entry.stirred.elapsed() >= SILENCE
        };
        if self.queue.loaded().any(silent) {
            self.network.reach.doubt();
        }
    }

    /// Whether an upload's time to be tried again does not count, because it would be in vain.
    pub(crate) fn waits_for_a_way(&self, entry: &Entry) -> bool {
        self.network.is_lost() && matches!(entry.row.state.hold, Hold::Offline { .. })
    }

    fn renew_connections(&self) {
        if let Some(connected) = &self.connected {
            connected.team.client().clients().renew();
        }
    }
}

//! What the loop does about the network: it notices that there is no way to the other side, starts
//! nothing until there is one, and then goes on at once; it notices that the computer has slept.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::connections::Connected;
use crate::engine::Engine;
use crate::error::{Code, EngineError};
use crate::job::Kind;
use crate::queue::Entry;
use crate::team::Team;
use crate::transfer::{Failure, Hold, Input, Turn};

/// A job that moves no byte for so long makes doubt that there is a network.
const SILENCE: Duration = Duration::from_secs(3);
/// Less than this is no sleep, but clocks that are read one after the other.
const SHORTEST_SLEEP: Duration = Duration::from_secs(1);

/// What the loop knows of the network, besides the way to each server.
#[derive(Debug)]
pub(crate) struct Network {
    /// Asks whether servers answer, each one question at a time.
    asking: FuturesUnordered<Question>,
    /// As the clock said it last.
    slept: Duration,
}

/// Dropping it ends it.
type Question = Pin<Box<dyn Future<Output = Asked> + Send + Sync>>;

/// What came of a question.
pub(crate) struct Asked {
    server: String,
    /// The number of the connection that it was asked for.
    number: u64,
    answer: Answer,
}

enum Answer {
    /// Whether there is a way.
    Way(bool),
    /// Of a server that is expected: what it is.
    Team(Box<Result<Team, EngineError>>),
}

impl Network {
    pub(crate) fn new(slept: Duration) -> Self {
        Self { asking: FuturesUnordered::new(), slept }
    }

    /// What came of a question; never, where none is asked.
    pub(crate) async fn answer(&mut self) -> Asked {
        match self.asking.next().await {
            Some(asked) => asked,
            None => std::future::pending().await,
        }
    }
}

fn question(connected: &Connected) -> Question {
    let (server, number) = (connected.server().to_owned(), connected.number);
    let protocol = Arc::clone(&connected.protocol);
    let expected = connected.expected.clone();
    let clients = connected.team.client().clients().clone();
    let is_expected = expected.is_some();
    let asking = AbortOnDropHandle::new(tokio::spawn(async move {
        match (protocol.answers().await, expected) {
            (true, Some(connection)) => {
                Answer::Team(Box::new(Team::connect(connection, clients).await))
            }
            (reached, _) => Answer::Way(reached),
        }
    }));
    Box::pin(async move {
        // A question that broke says nothing; to believe in a network costs one try.
        let answer = asking.await.unwrap_or(Answer::Way(!is_expected));
        Asked { server, number, answer }
    })
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
        self.network.asking.clear();
        for connected in self.connections.iter_mut() {
            connected.reach.wake();
            connected.team.client().clients().renew();
        }
        for running in self.queue.loaded().filter_map(|entry| entry.running.as_ref()) {
            running.stop.cancel();
        }
    }

    /// Asks whether there is a way to each server, where it is time to.
    pub(crate) fn ask_for_a_way(&mut self) {
        let (now, works) = (Instant::now().into_std(), self.has_work());
        let awaited = self.connections.awaited();
        for connected in self.connections.iter_mut() {
            let wanted =
                works || connected.expected.is_some() || awaited.contains(connected.server());
            if wanted && connected.reach.due(now).is_some_and(|due| due <= now) {
                connected.reach.ask(now);
                self.network.asking.push(question(connected));
            }
        }
    }

    /// When to ask next. Nobody does where nothing is to be sent and nobody waits, but a server that
    /// is expected.
    pub(crate) fn next_question(&self) -> Option<Instant> {
        let (now, works) = (Instant::now().into_std(), self.has_work());
        let awaited = self.connections.awaited();
        let wanted = |connected: &&Connected| {
            works || connected.expected.is_some() || awaited.contains(connected.server())
        };
        let wanted = self.connections.iter().filter(wanted);
        wanted.filter_map(|connected| connected.reach.due(now)).min().map(Instant::from)
    }

    fn has_work(&self) -> bool {
        self.queue.census().totals().coming > 0 || self.queue.loaded().next().is_some()
    }

    pub(crate) async fn answered(&mut self, asked: Asked) {
        let Asked { server, number, answer } = asked;
        let connected = self.connections.get_mut(&server);
        let Some(connected) = connected.filter(|connected| connected.number == number) else {
            return;
        };
        let reached = match answer {
            Answer::Way(reached) => reached,
            Answer::Team(answer) => match *answer {
                Ok(team) => {
                    tracing::info!(%server, "it answers");
                    self.connect(team, false).await;
                    return;
                }
                // Asking again does not mend it.
                Err(error) if matches!(error.code, Code::SignedOut | Code::Forbidden) => {
                    tracing::warn!(%server, %error, "it answers, and refuses");
                    self.turn_away(server, error.code);
                    return;
                }
                Err(_) => false,
            },
        };
        match connected.reach.answered(reached) {
            Some(Turn::Lost) => {
                tracing::info!(%server, "there is no way to it");
                self.tell_connections();
            }
            Some(Turn::Back { lost }) => {
                self.tell_connections();
                self.back_online(&server, lost.into()).await;
            }
            None => {}
        }
    }

    /// Lets everything go on that waits for the way to a server, and starts anew what hangs since
    /// it went.
    async fn back_online(&mut self, server: &str, lost: Instant) {
        tracing::info!(%server, "there is a way to it again");
        if let Some(connected) = self.connections.get(server) {
            connected.team.client().clients().renew();
            connected.permits.start_over(self.options.lanes());
        }
        self.ask_the_store_again();
        let mut waiting = Vec::new();
        for entry in self.queue.loaded().filter(|entry| entry.server() == server) {
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

    /// A job's end, as far as it says something of the way to its server.
    pub(crate) fn note(&mut self, server: &str, failure: &Failure) {
        if let Failure::Transport(_) | Failure::Stalled = failure
            && let Some(connected) = self.connections.get_mut(server)
        {
            connected.reach.doubt();
        }
    }

    /// Nothing moves that should.
    pub(crate) fn notice_silence(&mut self) {
        for entry in self.queue.loaded() {
            let works = match entry.running.as_ref().map(|running| running.kind) {
                None | Some(Kind::Watch) => false,
                // Nothing moves while its file does not grow.
                Some(Kind::Follow) => entry.progress.in_flight() > 0,
                Some(_) => true,
            };
            if works
                && entry.stirred.elapsed() >= SILENCE
                && let Some(connected) = self.connections.get_mut(entry.server())
            {
                connected.reach.doubt();
            }
        }
    }

    /// Whether an upload's time to be tried again does not count, because it would be in vain.
    pub(crate) fn waits_for_a_way(&self, entry: &Entry) -> bool {
        self.connections.is_lost(entry.server())
            && matches!(entry.row.state.hold, Hold::Offline { .. })
    }
}

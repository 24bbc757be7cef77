//! Ways to servers, for those who work beside the loop: whether there is one, and when there is one
//! again. They wait as uploads do: one question a second finds the way, however many they are.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Connections, Standing};
use crate::engine::Engine;
use crate::error::{Code, EngineError};
use crate::handle::{Command, EngineHandle};
use crate::team::Team;
use crate::transfer::Failure;

/// How it stands with the way to a server.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// This is who answers there.
    Open(Arc<Team>),
    /// There is none.
    Barred(Bar),
}

/// Why there is no way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bar {
    /// Nothing gets through. It goes on by itself.
    Lost,
    /// Somebody has to do something.
    Closed(Code),
}

/// What the loop is asked about ways. Each is answered.
#[derive(Debug)]
pub(crate) enum Question {
    /// How it stands.
    Way(String, oneshot::Sender<Way>),
    /// When that is no longer the bar, and somebody's failure that may have shown it.
    Change(String, Bar, Option<Failure>, oneshot::Sender<()>),
}

/// Somebody who waits for the way to a server.
#[derive(Debug)]
pub(super) struct Waiting {
    server: String,
    bar: Bar,
    done: oneshot::Sender<()>,
}

impl EngineHandle {
    /// How it stands with the way to a server.
    pub(crate) async fn way_to(&self, server: &str) -> Result<Way, EngineError> {
        self.ask(|done| Command::Ways(Question::Way(server.to_owned(), done))).await
    }

    /// Waits until this no longer bars the way to a server, for as long as that takes. Whether a
    /// failure was the network's is asked first.
    pub(crate) async fn way_changes(
        &self,
        server: &str,
        bar: Bar,
        failure: Option<Failure>,
    ) -> Result<(), EngineError> {
        let server = server.to_owned();
        self.ask(|done| Command::Ways(Question::Change(server, bar, failure, done))).await
    }
}

impl Connections {
    fn way_to(&self, server: &str) -> Way {
        Way::Barred(match self.all.get(server) {
            None => Bar::Closed(Code::NotConnected),
            // Whoever keeps the connection tries again by himself.
            Some(Standing::Refused(Code::Unreachable | Code::ServerFault)) => Bar::Lost,
            Some(Standing::Refused(code)) => Bar::Closed(*code),
            Some(Standing::Connected(connected)) if connected.paused => {
                Bar::Closed(Code::SignedOut)
            }
            Some(Standing::Connected(connected)) if connected.reach.is_lost() => Bar::Lost,
            Some(Standing::Connected(connected)) => return Way::Open(Arc::clone(&connected.team)),
        })
    }

    /// Tells those whose wait is over.
    pub(crate) fn let_go_on(&mut self) {
        for waiting in std::mem::take(&mut self.waiting) {
            let is_over = match self.way_to(&waiting.server) {
                // Not before it is known that it was not the network.
                Way::Open(_) => {
                    self.get(&waiting.server).is_some_and(|connected| connected.reach.is_sure())
                }
                Way::Barred(bar) => bar != waiting.bar,
            };
            if is_over {
                // One that has gone away is not waited for.
                let _ = waiting.done.send(());
            } else if !waiting.done.is_closed() {
                self.waiting.push(waiting);
            }
        }
    }

    /// The servers that somebody waits for.
    pub(crate) fn awaited(&self) -> HashSet<String> {
        self.waiting.iter().map(|waiting| waiting.server.clone()).collect()
    }
}

impl Engine {
    pub(crate) fn answer_about_ways(&mut self, question: Question) {
        match question {
            Question::Way(server, done) => {
                let _ = done.send(self.connections.way_to(&server));
            }
            Question::Change(server, bar, failure, done) => {
                if let Some(failure) = failure {
                    self.note(&server, &failure);
                    if let Failure::Refused { code: Code::SignedOut, .. } = failure {
                        self.pause_connection(&server);
                    }
                }
                self.connections.waiting.push(Waiting { server, bar, done });
            }
        }
    }
}

//! Uploads that have begun and wait, for somebody or for their turn: their teams would remove what
//! nothing happens to for a day. Each is named to its team every few hours, one at a time.

use std::collections::VecDeque;
use std::time::Duration;

use crate::engine::Engine;
use crate::error::Code;
use crate::job::Kind;
use crate::queue::Entry;
use crate::transfer::{Failure, Timestamp, UploadId};

/// Between two of an upload: several may be lost before the day is over.
pub(crate) const EVERY: Duration = Duration::from_secs(4 * 60 * 60);
/// The clock is looked at so often: it may jump.
const LONGEST_NAP: Duration = Duration::from_secs(600);

/// The heartbeats of what goes to one server.
#[derive(Debug, Default)]
pub(crate) struct Heartbeats {
    /// When the next round begins; at once where there was none since the connection was made.
    due: Option<Timestamp>,
    /// Uploads that are still to be named in this round.
    left: VecDeque<UploadId>,
}

impl Engine {
    /// Names the next upload that waits to each team.
    pub(crate) async fn send_heartbeats(&mut self) {
        let open = self.connections.iter().filter(|connected| connected.is_open());
        let servers: Vec<_> = open.map(|connected| connected.server().to_owned()).collect();
        for server in servers {
            let beats = |entry: &Entry| {
                let kind = entry.running.as_ref().map(|running| running.kind);
                kind == Some(Kind::Heartbeat) && entry.server() == server
            };
            if !self.queue.loaded().any(beats) {
                self.send_heartbeat(&server).await;
            }
        }
    }

    async fn send_heartbeat(&mut self, server: &str) {
        let now = self.now();
        let Some(connected) = self.connections.get_mut(server) else { return };
        if connected.heartbeats.due.is_none_or(|due| due.is_over(now, EVERY)) {
            connected.heartbeats.due = Some(now.after(EVERY));
            match self.store.begun_for(server.to_owned()).await {
                Ok(ids) => connected.heartbeats.left = ids.into(),
                Err(error) => tracing::error!(%error, "what has begun could not be read"),
            }
        }
        let Some(id) = connected.heartbeats.left.pop_front() else { return };
        match self.rows(vec![id]).await {
            Ok(rows) => {
                for (row, confirmed) in rows {
                    self.queue.load(row, confirmed);
                }
            }
            Err(error) => tracing::error!(%error, "an upload could not be read"),
        }
        // What works is heard of anyway.
        if self.queue.get(id).is_some_and(|entry| entry.running.is_none() && entry.has_begun()) {
            self.run_job(id, Kind::Heartbeat).await;
        } else {
            self.queue.let_go(id);
        }
    }

    /// A heartbeat has ended, well or not: the next one is not far.
    pub(crate) fn heartbeat_ended(&mut self, id: UploadId, failure: Option<&Failure>) {
        let Some(entry) = self.queue.get_mut(id) else { return };
        // Addresses that were known before may be good no more.
        entry.opened = None;
        let server = entry.server().to_owned();
        self.queue.let_go(id);
        let Some(failure) = failure else { return };
        tracing::debug!(upload = %id, %failure, "a heartbeat failed");
        self.note(&server, failure);
        if let Failure::Refused { code: Code::SignedOut, .. } = failure {
            self.pause_connection(&server);
        }
    }

    /// How long there is no heartbeat to be sent.
    pub(crate) fn next_heartbeat(&self) -> Option<Duration> {
        let now = self.now();
        let open = self.connections.iter().filter(|connected| connected.is_open());
        let due = open.filter_map(|connected| connected.heartbeats.due).min()?;
        let wait = Duration::from_millis(u64::try_from(due.0 - now.0).unwrap_or_default());
        Some(wait.min(LONGEST_NAP))
    }
}

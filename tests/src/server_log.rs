//! What a server says on standard error: one JSON object per line, kept in order.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

/// A server's log, over all its restarts.
#[derive(Clone, Debug, Default)]
pub struct ServerLog(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    lines: Mutex<Vec<(Instant, String)>>,
    news: Notify,
}

/// A part that the storage took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPart {
    /// When this was read; the line was written a little earlier.
    pub at: Instant,
    /// Of the storage.
    pub upload_id: String,
    /// From one on.
    pub number: u64,
    /// The upload held this part already.
    pub was_held: bool,
}

impl ServerLog {
    pub(crate) fn push(&self, line: String) {
        self.lines().push((Instant::now(), line));
        self.0.news.notify_waiters();
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Vec<(Instant, String)>> {
        self.0.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// All of it, as it was written.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines().iter().map(|(_, line)| format!("{line}\n")).collect()
    }

    /// The fields of every line of one event, with the time at which each was read.
    #[must_use]
    pub fn events(&self, event: &str) -> Vec<(Instant, Value)> {
        let lines = self.lines();
        let parsed = lines.iter().filter_map(|(at, line)| {
            let mut line: Value = serde_json::from_str(line).ok()?;
            (line["fields"]["event"] == event).then(|| (*at, line["fields"].take()))
        });
        parsed.collect()
    }

    /// Every part that the storage took, in order.
    #[must_use]
    pub fn stored_parts(&self) -> Vec<StoredPart> {
        let part = |(at, fields): (Instant, Value)| StoredPart {
            at,
            upload_id: fields["upload_id"].as_str().unwrap_or_default().to_owned(),
            number: fields["part_number"].as_u64().unwrap_or_default(),
            was_held: fields["was_held"].as_bool().unwrap_or_default(),
        };
        self.events("part_stored").into_iter().map(part).collect()
    }

    /// Waits until the log as a whole satisfies `enough`.
    ///
    /// # Errors
    /// Where it does not within `limit`.
    pub async fn until(&self, limit: Duration, enough: impl Fn(&Self) -> bool) -> Result<()> {
        let waiting = async {
            loop {
                let news = self.0.news.notified();
                if enough(self) {
                    return;
                }
                news.await;
            }
        };
        if tokio::time::timeout(limit, waiting).await.is_err() {
            bail!(
                "the server's log did not come to it within {limit:?}; it ends:\n{}",
                self.tail()
            );
        }
        Ok(())
    }

    /// The last lines, for messages.
    #[must_use]
    pub fn tail(&self) -> String {
        let lines = self.lines();
        let from = lines.len().saturating_sub(30);
        lines[from..].iter().map(|(_, line)| format!("  {line}\n")).collect()
    }
}

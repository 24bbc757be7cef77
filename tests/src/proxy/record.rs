//! What passed through the proxy.

use std::sync::Arc;

use tokio::time::Instant;

use super::message::Head;
use super::{Shared, lock};

/// One request and what became of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// `partNumber` of its query.
    pub part: Option<u32>,
    /// Its method and path, without the query, which may open something.
    pub asked: String,
    /// Offsets of its body's first and last byte, where it says them.
    pub bytes: Option<(u64, u64)>,
    /// The size of what they are bytes of, where it says it.
    pub whole: Option<u64>,
    /// The first byte that it asks for, where it asks for some only.
    pub from: Option<u64>,
    /// The function it calls, at a team API.
    pub function: Option<String>,
    /// Whether it carries anything besides a call.
    pub has_body: bool,
    /// When its head had arrived.
    pub began: Instant,
    /// When it ended, and how.
    pub end: Option<(Instant, End)>,
}

impl Exchange {
    pub(super) fn new(head: &Head, function: Option<String>, has_body: bool) -> Self {
        Self {
            part: head.part(),
            asked: head.asked(),
            bytes: head.bytes_sent(),
            whole: head.whole(),
            from: head.asked_from(),
            function,
            has_body,
            began: Instant::now(),
            end: None,
        }
    }
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The other side's answer was passed on.
    Answered(u16),
    /// The script had something else in mind.
    Faulted,
    /// One of the two sides went away.
    Broken,
}

/// Notes the end of an exchange, whichever way it comes: dropped, it is a broken one.
pub(super) struct Note {
    shared: Arc<Shared>,
    index: usize,
    end: End,
}

impl Note {
    pub(super) fn begin(shared: &Arc<Shared>, exchange: Exchange) -> Self {
        let mut exchanges = lock(&shared.exchanges);
        let index = exchanges.len();
        exchanges.push(exchange);
        drop(exchanges);
        shared.news.notify_waiters();
        Self { shared: Arc::clone(shared), index, end: End::Broken }
    }

    pub(super) fn end(mut self, end: End) {
        self.end = end;
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        lock(&self.shared.exchanges)[self.index].end = Some((Instant::now(), self.end));
        self.shared.news.notify_waiters();
    }
}

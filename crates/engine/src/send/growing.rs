//! Sending what is final of a file that grows, and comparing all of it once it has grown.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::{Fuse, FusedFuture as _};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _, TryFutureExt as _, TryStreamExt as _, stream};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::heartbeat::EVERY;
use crate::send::last_part::LastPart;
use crate::send::{Missing, Sending, blocking, compared, local};
use crate::source::{Fingerprint, Source, SourceError};
use crate::store::{Receipt, SessionKind};
use crate::transfer::{ByteRange, Failure, PartNumber, PartPlan};
use crate::watch::{Growing, Head};

/// Between two looks at a file that grows.
pub(super) const LOOK: Duration = Duration::from_millis(500);
/// Groups of parts that are under way at the same time: each began when its parts were final.
const CARRIED_AT_ONCE: usize = 4;
/// Between two times that something is done ahead of a file's end.
const AHEAD_AGAIN: Duration = Duration::from_secs(60);

/// What is known of whoever writes a file that goes up meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Writer {
    #[default]
    Writes,
    /// It has closed the file, and may open it again.
    Closed,
    /// It has ended, and the file is finished: nothing more is to be begun, and what is under way may
    /// end.
    Ended,
}

/// What was seen of a file that grows.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    /// `None` for one that is not valid while it grows any more: its writer comes to an end.
    growing: Option<Growing>,
    pub(super) size: u64,
    /// Bytes from the start that are final, but for the head.
    pub(super) sealed: u64,
}

impl Sending {
    /// Sends whole parts of what is final, until its writer has ended. The first one waits until the
    /// file is closed where recorders write its head anew: whether it stays like that is known a
    /// moment later, and what does not is compared and sent again.
    pub(crate) async fn follow(
        self,
        path: PathBuf,
        mut writer: watch::Receiver<Writer>,
    ) -> Result<(), Failure> {
        let source = blocking(move || Source::open_growing(&path)).await?;
        let (part_size, part_count) = match self.opened.session.kind {
            SessionKind::Multipart { part_size, part_count, .. } => (part_size, part_count),
            SessionKind::InOrder { chunk_size } => {
                return self.follow_in_order(&source, chunk_size, writer).await;
            }
            _ => return Err(Failure::UnexpectedAnswer("no parts for a file that grows".into())),
        };
        let mut seen = look(&source, None).await?;
        let mut held =
            self.held(&source, &whole_parts(seen.sealed, part_size, part_count)?).await?;
        let mut heard = Instant::now();
        // A part does not wait for the one before it: the file's end would find both of them here.
        let mut carrying = FuturesUnordered::new();
        let going_ahead = Fuse::terminated();
        tokio::pin!(going_ahead);
        let (mut closes, mut closed) = (false, None::<Close>);
        loop {
            if let Some(last) = closed.as_mut().and_then(|closed| closed.outgrown(seen.size)) {
                going_ahead.set(Fuse::terminated());
                self.forget_last(last).await?;
            }
            if std::mem::take(&mut closes) {
                let last = LastPart::of(seen.size, part_size, part_count);
                going_ahead.set(self.go_ahead(&source, part_size, last).fuse());
                closed = Some(Close { at: Instant::now(), size: seen.size, last });
            }
            self.progress.grow(seen.size);
            // What follows the last thing that is final may be the end of the file.
            let ends = closed.as_ref().is_some_and(|closed| closed.size == seen.size);
            let sealed = if ends { seen.size } else { seen.sealed };
            let plan = whole_parts(sealed, part_size, part_count)?;
            let has_its_head = closed.is_some() || seen.has_its_head();
            let parts = plan.parts().skip(usize::from(!has_its_head));
            let parts =
                parts.filter(|(part, range)| range.length == part_size && !held.contains(part));
            let parts: Vec<_> = parts.collect();
            if !parts.is_empty() && carrying.len() < CARRIED_AT_ONCE {
                held.extend(parts.iter().map(|(part, _)| *part));
                let missing = Missing { parts, unconfirmed: Vec::new() };
                carrying.push(self.carry(&source, plan, missing).map_ok(drop));
            }
            tokio::select! {
                biased;
                Ok(()) = writer.changed() => match *writer.borrow_and_update() {
                    Writer::Writes => {}
                    Writer::Closed => closes = !closed.as_ref().is_some_and(Close::was_lately),
                    Writer::Ended => break,
                },
                () = &mut going_ahead => {}
                Some(carried) = carrying.next() => {
                    carried?;
                    heard = Instant::now();
                }
                () = tokio::time::sleep(LOOK) => {}
            }
            if heard.elapsed() >= EVERY {
                // Its recorder makes a long pause; its team would take it for given up.
                self.protocol.heartbeat(&self.intent, &self.opened.session).await?;
                heard = Instant::now();
            }
            seen = look(&source, Some(seen)).await?;
        }
        // What is not done ahead by then would have to be begun anew.
        let going_ahead = async {
            if !going_ahead.is_terminated() {
                going_ahead.await;
            }
            Ok(())
        };
        tokio::try_join!(carrying.try_collect::<()>(), going_ahead)?;
        let size = look(&source, Some(seen)).await?.size;
        match closed.and_then(|mut closed| closed.outgrown(size)) {
            Some(last) => self.forget_last(last).await,
            None => Ok(()),
        }
    }

    /// What the end would have to wait for, begun while it is waited whether this is the end. What
    /// could not be done is done then, and what is wrong is said then.
    async fn go_ahead(&self, source: &Source, part_size: u64, last: Option<LastPart>) {
        let sent = async {
            match last {
                Some(last) => self.send_last(source, last).await,
                None => Ok(()),
            }
        };
        let (compared, sent) = tokio::join!(self.compare_ahead(source, part_size), sent);
        for failure in [compared.err(), sent.err()].into_iter().flatten() {
            tracing::debug!(upload = %self.intent.id, %failure, "not done ahead");
        }
    }

    /// Reads again what was sent of a file while it grew, but for what was compared with this version
    /// of it ahead. The parts that are other ones now are forgotten; those of them that there still
    /// are, to be sent again.
    pub(super) async fn rewritten(
        &self,
        source: &Source,
        version: &Fingerprint,
        plan: &PartPlan,
        missing: &[(PartNumber, ByteRange)],
    ) -> Result<Vec<(PartNumber, ByteRange)>, Failure> {
        let id = self.intent.id;
        let missing: HashSet<_> = missing.iter().map(|(part, _)| *part).collect();
        let receipts = self.store.receipts(id).await.map_err(local)?;
        let to_compare = |receipt: &Receipt| {
            !missing.contains(&receipt.part) && !self.compared.is_same(version, receipt)
        };
        let sent = receipts.into_iter().filter(to_compare);
        let compared = stream::iter(sent).map(|receipt| async move {
            let range = plan.range(receipt.part);
            let same = match range.filter(|range| range.length == receipt.size) {
                Some(range) => source.checksum(range, &self.slices).await? == receipt.checksum,
                None => false,
            };
            Ok::<_, Failure>((!same).then_some((receipt, range)))
        });
        let changed = compared.buffer_unordered(compared::AT_ONCE);
        let changed = changed.try_filter_map(async |changed| Ok(changed));
        let changed: Vec<_> = changed.try_collect().await?;
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        tracing::warn!(upload = %id, parts = changed.len(), "what was sent has changed since");
        let parts = changed.iter().map(|(receipt, _)| receipt.part).collect();
        self.store.forget(id, parts).await.map_err(local)?;
        let bytes: u64 = changed.iter().map(|(receipt, _)| receipt.size).sum();
        self.progress.take_back(bytes);
        self.progress.rewrite(changed.len() as u64);
        let mut again: Vec<_> = changed
            .into_iter()
            .filter_map(|(receipt, range)| Some((receipt.part, range?)))
            .collect();
        again.sort_unstable_by_key(|(part, _)| *part);
        Ok(again)
    }
}

/// Its writer has closed a file, and may open it again.
struct Close {
    at: Instant,
    /// Bytes that it had then.
    size: u64,
    /// Sent because it is the last one, if the file has come to its end.
    last: Option<LastPart>,
}

impl Close {
    /// Some recorders close it again and again.
    fn was_lately(&self) -> bool {
        self.at.elapsed() < AHEAD_AGAIN
    }

    /// What is not the last part of a file that has so many bytes now.
    fn outgrown(&mut self, size: u64) -> Option<LastPart> {
        self.last.take_if(|_| self.size != size)
    }
}

impl Seen {
    /// Whether what lies at the start is final, too.
    fn has_its_head(&self) -> bool {
        self.growing.is_some_and(|growing| growing.head() == Head::Stays)
    }
}

/// The parts that lie in the first `sealed` bytes.
fn whole_parts(sealed: u64, part_size: u64, most: u32) -> Result<PartPlan, Failure> {
    let parts = sealed.checked_div(part_size).unwrap_or_default().min(most.into());
    let count = u32::try_from(parts.max(1)).unwrap_or(u32::MAX);
    PartPlan::multipart(parts * part_size, part_size, count)
        .map_err(|error| Failure::UnexpectedAnswer(error.to_string()))
}

/// Looks at a file that grows, in which so much was seen before.
pub(super) async fn look(source: &Source, before: Option<Seen>) -> Result<Seen, Failure> {
    let source = source.clone();
    blocking(move || {
        source.check()?;
        let (size, mut file) = (source.size()?, source.reader());
        if before.is_some_and(|before| size < before.size) {
            // Whoever writes has begun anew.
            return Err(SourceError::Changed);
        }
        let unread = |error| SourceError::Read { offset: 0, error };
        let growing = match before {
            Some(before) => before.growing,
            None => Growing::find(&mut file, size).map_err(unread)?,
        };
        let Some(mut growing) = growing else { return Ok(Seen { growing, size, sealed: 0 }) };
        let sealed = growing.sealed(&mut file, size).map_err(unread)?;
        Ok(Seen { growing: Some(growing), size, sealed })
    })
    .await
}

//! Sending an upload's parts: what is missing is found out, prepared, and carried by lanes.

mod compared;
mod confirm;
mod growing;
mod growing_in_order;
mod in_order;
mod last_part;
mod line;
mod permits;
mod turns;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

pub(crate) use self::compared::Compared;
pub(crate) use self::growing::Writer;
pub(crate) use self::line::{Line, Place};
pub(crate) use self::permits::{Permit, Permits};
use self::turns::Turns;
use crate::clock::Clock;
use crate::progress::{InFlight, Progress};
use crate::protocol::{Asked, Intent, Opened, Sent, Ticket, UploadProtocol};
use crate::source::{Fingerprint, Kept, PartBody, Slices, Source, SourceError};
use crate::store::{Proof, Receipt, SessionKind, Store};
use crate::transfer::{ByteRange, Failure, PartNumber, PartPlan};

/// Bytes whose checksums are computed ahead of the lanes.
const AHEAD: u64 = 64 << 20;
/// Tries of one part before its upload makes a pause.
const TRIES: u32 = 4;
/// Parts for which there is leave before a lane is free to carry them.
const PREPARED: usize = 4;
/// A team that gives leave within this is asked for one part after the other, and what was read for
/// the checksum stays in memory until it is sent. At 1 GB/s and more nobody notices the questions.
const NEAR: Duration = Duration::from_millis(5);
/// A wait longer than this is the upload's business, not one part's.
const LONGEST_LANE_WAIT: Duration = Duration::from_secs(20);

/// What is left to do of a session's parts.
struct Missing {
    /// To be sent.
    parts: Vec<(PartNumber, ByteRange)>,
    /// The storage took them, and the team may not have been told.
    unconfirmed: Vec<(PartNumber, ByteRange)>,
}

/// What every lane of an upload works with.
#[derive(Clone)]
pub(crate) struct Sending {
    pub(crate) protocol: Arc<dyn UploadProtocol>,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) intent: Arc<Intent>,
    pub(crate) opened: Arc<Opened>,
    /// Its session has just been begun, so that no part of it has a receipt.
    pub(crate) anew: bool,
    pub(crate) slices: Slices,
    /// For parts under way over all uploads to this host.
    pub(crate) permits: Arc<Permits>,
    /// The most of them that one upload may have.
    pub(crate) lanes: usize,
    /// Among the uploads that send.
    pub(crate) place: Arc<Place>,
    pub(crate) progress: Arc<Progress>,
    /// Of a file that grows, what need not be read again at its end.
    pub(crate) compared: Compared,
}

impl Sending {
    /// Sends every part that the other side does not hold. Dropping it stops all of it. What went up
    /// in one piece has no receipt on disk yet: whoever writes down that all is sent keeps it with that.
    pub(crate) async fn run(
        self,
        path: std::path::PathBuf,
        fingerprint: Fingerprint,
    ) -> Result<Option<Receipt>, Failure> {
        if self.opened.session.kind == SessionKind::AlreadyThere {
            return Ok(None);
        }
        let version = fingerprint.clone();
        let source = blocking(move || Source::open(&path, &fingerprint)).await?;
        if let SessionKind::InOrder { chunk_size } = self.opened.session.kind {
            return self.in_order(&source, chunk_size).await.map(|()| None);
        }
        let plan = self
            .opened
            .session
            .plan(self.intent.size)
            .map_err(|error| Failure::UnexpectedAnswer(error.to_string()))?;
        let missing = self.missing(&source, &plan).await?;
        if self.intent.growth.is_none() {
            return self.carry(&source, plan, missing).await;
        }
        let rewritten = missing.parts.clone();
        let rewritten = self.rewritten(&source, &version, &plan, &rewritten);
        let (again, only) = tokio::try_join!(rewritten, self.carry(&source, plan, missing))?;
        let again = Missing { parts: again, unconfirmed: Vec::new() };
        Ok(self.carry(&source, plan, again).await?.or(only))
    }

    /// Sends parts, and tells the team of those that it may not have been told of. Of an only one, the
    /// receipt that is to be kept.
    async fn carry(
        &self,
        source: &Source,
        plan: PartPlan,
        missing: Missing,
    ) -> Result<Option<Receipt>, Failure> {
        let Missing { parts: missing, unconfirmed } = missing;
        let (give, tickets) = mpsc::channel(PREPARED);
        let tickets = Arc::new(Mutex::new(tickets));
        let mut all: Vec<_> = missing.iter().chain(&unconfirmed).map(|(part, _)| *part).collect();
        all.sort_unstable();
        let turns = Arc::new(Turns::new(all.into_iter()));
        let mut lanes = JoinSet::new();
        for _ in 0..self.lanes.min(missing.len()) {
            let turns = Arc::clone(&turns);
            let lane = Lane { sending: self.clone(), source: source.clone(), plan, turns };
            lanes.spawn(lane.run(Arc::clone(&tickets)));
        }
        // The lanes hold the only receivers: when all have ended, so has the preparing.
        drop(tickets);
        let preparing = self.prepare(source, missing, give);
        let confirming = self.confirm_all(unconfirmed, &turns);
        tokio::pin!(preparing, confirming);
        let (mut prepared, mut confirmed) = (false, false);
        let (mut only, mut failed) = (None, Ok(()));
        loop {
            let done = tokio::select! {
                done = &mut preparing, if !prepared => {
                    prepared = true;
                    done
                }
                done = &mut confirming, if !confirmed => {
                    confirmed = true;
                    done
                }
                Some(lane) = lanes.join_next() => {
                    let broke = |error| Failure::LocalStorage(format!("a lane broke: {error}"));
                    let ended = lane.map_err(broke)?;
                    if !turns.have_ended() {
                        only = only.or(ended?);
                        continue;
                    }
                    ended.map(drop)
                }
                else => return failed.map(|()| only),
            };
            if done.is_err() {
                // The team's trouble, not the storage's: parts that are under way need not go again.
                turns.end();
                failed = failed.and(done);
            }
        }
    }

    /// The parts to send, after what the other side holds is compared with our receipts.
    async fn missing(&self, source: &Source, plan: &PartPlan) -> Result<Missing, Failure> {
        let held = self.held(source, plan).await?;
        let (mut done, parts): (Vec<_>, Vec<_>) =
            plan.parts().partition(|(part, _)| held.contains(part));
        // The storage took these, and the team says only what it was told.
        let chunked = matches!(self.opened.session.kind, SessionKind::Chunked { .. });
        let told: HashSet<_> = self.opened.arrived.parts().iter().map(|a| a.part).collect();
        done.retain(|(part, _)| chunked && !told.contains(part));
        Ok(Missing { parts, unconfirmed: done })
    }

    /// The parts that the other side holds, by our receipts and by what it says.
    async fn held(&self, source: &Source, plan: &PartPlan) -> Result<HashSet<PartNumber>, Failure> {
        let id = self.intent.id;
        let receipts = match self.anew {
            true => Vec::new(),
            false => self.store.receipts(id).await.map_err(local)?,
        };
        let mut held: HashSet<_> = receipts.iter().map(|receipt| receipt.part).collect();
        // A single PUT says nothing of what arrived: its receipt is all there is.
        if let SessionKind::Multipart { .. } = self.opened.session.kind {
            let arrived = self.opened.arrived.parts();
            let arrived: HashMap<_, _> = arrived.iter().map(|a| (a.part, a)).collect();
            let is_there = |receipt: &&Receipt| {
                let part = arrived.get(&receipt.part);
                part.is_some_and(|a| a.etag.as_ref().is_none_or(|etag| *etag == receipt.etag))
            };
            let lost = receipts.iter().filter(|receipt| !is_there(receipt));
            let lost: Vec<_> = lost.map(|receipt| receipt.part).collect();
            for part in &lost {
                held.remove(part);
            }
            if !lost.is_empty() {
                tracing::warn!(upload = %id, parts = lost.len(), "the storage has lost parts");
                self.store.forget(id, lost).await.map_err(local)?;
            }
            // A part whose answer was lost counts if it is, byte for byte, the one on disk: nothing
            // but its content proves that it is not a part of another file.
            for arrived in arrived.values() {
                if held.contains(&arrived.part) {
                    continue;
                }
                let Some(range) = plan.range(arrived.part) else { continue };
                let Some((size, checksum)) = arrived.content else { continue };
                if size != range.length || source.checksum(range, &self.slices).await? != checksum {
                    continue;
                }
                let (part, etag) = (arrived.part, arrived.etag.clone().unwrap_or_default());
                let receipt = Receipt { part, size, etag, checksum, proof: Proof::Reported };
                self.store.keep(id, receipt).await.map_err(local)?;
                held.insert(part);
            }
        }
        let bytes = held.iter().filter_map(|part| Some(plan.range(*part)?.length));
        self.progress.set_confirmed(bytes.sum());
        Ok(held)
    }

    /// Gets leave for the missing parts, ahead of the lanes: a batch, or one part where the team is near.
    async fn prepare(
        &self,
        source: &Source,
        missing: Vec<(PartNumber, ByteRange)>,
        give: mpsc::Sender<(Ticket, Kept)>,
    ) -> Result<(), Failure> {
        let mut missing = missing.into_iter().peekable();
        // The first batch is small, so that bytes flow at once.
        let (mut most, mut near) = (PREPARED, false);
        while missing.peek().is_some() {
            let mut batch = Vec::new();
            let mut kept = HashMap::new();
            let mut bytes = 0;
            while batch.len() < most.min(self.protocol.tickets_at_once())
                && let Some((part, range)) =
                    missing.next_if(|(_, range)| batch.is_empty() || bytes + range.length <= AHEAD)
            {
                bytes += range.length;
                let (asked, read) = self.ask_for(source, part, range, near).await?;
                kept.insert(part, read);
                batch.push(asked);
            }
            let asked = Instant::now();
            let tickets = self.protocol.tickets(&self.intent, &self.opened, &batch).await?;
            near = asked.elapsed() < NEAR;
            most = if near { 1 } else { usize::MAX };
            for ticket in tickets {
                let kept = kept.remove(&ticket.part).unwrap_or_default();
                if give.send((ticket, kept)).await.is_err() {
                    // Every lane has ended; why is for whoever joins them.
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Leave to have one more part under way.
    async fn permit(&self) -> Permit {
        self.place.turn().await;
        self.permits.acquire(self.intent.id).await
    }

    /// Sends fewer parts at once to a host that is overworked, or over a way that is.
    fn take_it_easy(&self, failure: &Failure) {
        match failure {
            Failure::Busy { after } => self.permits.slow_down(*after),
            Failure::Stalled => self.permits.slow_down(None),
            _ => {}
        }
    }

    /// What leave is asked for: with the part's checksum, where the session signs that into its address.
    /// And what is kept of the bytes that were read for it.
    async fn ask_for(
        &self,
        source: &Source,
        part: PartNumber,
        range: ByteRange,
        keep: bool,
    ) -> Result<(Asked, Kept), Failure> {
        let (checksum, kept) = match self.opened.session.kind {
            SessionKind::Multipart { signs_checksums: true, .. } if keep => {
                let (checksum, kept) = source.checksum_and_keep(range, &self.slices).await?;
                (Some(checksum), kept)
            }
            SessionKind::Multipart { signs_checksums: true, .. } => {
                (Some(source.checksum(range, &self.slices).await?), Kept::default())
            }
            _ => (None, Kept::default()),
        };
        Ok((Asked { part, length: range.length, checksum }, kept))
    }
}

/// Carries one part after the other.
struct Lane {
    sending: Sending,
    source: Source,
    plan: PartPlan,
    turns: Arc<Turns>,
}

impl Lane {
    /// The receipt that whoever sends has to keep, if there is one.
    async fn run(
        self,
        tickets: Arc<Mutex<mpsc::Receiver<(Ticket, Kept)>>>,
    ) -> Result<Option<Receipt>, Failure> {
        let mut only = None;
        loop {
            let next = async {
                // Before the ticket: an address that waits for a permit would grow old.
                let permit = self.sending.permit().await;
                Some((permit, tickets.lock().await.recv().await?))
            };
            let next = tokio::select! {
                biased;
                () = self.turns.ended() => None,
                next = next => next,
            };
            let Some((permit, (ticket, kept))) = next else { return Ok(only) };
            let range = self.plan.range(ticket.part).ok_or_else(|| {
                Failure::UnexpectedAnswer("leave for a part that is not in the plan".into())
            })?;
            only = self.part(ticket, kept, range, permit).await?;
        }
    }

    /// One part, with a few tries: a single cut connection is not worth stopping the others.
    async fn part(
        &self,
        mut ticket: Ticket,
        mut kept: Kept,
        range: ByteRange,
        mut permit: Permit,
    ) -> Result<Option<Receipt>, Failure> {
        let sending = &self.sending;
        let part = ticket.part;
        let mut tries = 0;
        let receipt = loop {
            let failure = match self.once(&ticket, std::mem::take(&mut kept), range).await {
                Ok(receipt) => break receipt,
                Err(failure) => failure,
            };
            sending.take_it_easy(&failure);
            drop(permit);
            tracing::debug!(part = part.get(), %failure, tries, "a part failed");
            if let SessionKind::Form(_) = sending.opened.session.kind {
                // It may have arrived: whoever opens the session again looks for it.
                return Err(failure);
            }
            if self.turns.have_ended() {
                return Err(failure);
            }
            let failure = sending.pause(failure, tries).await?;
            sending.progress.retry();
            let anew = match failure {
                Failure::UrlExpired => true,
                // A checksum that is signed may be that of other bytes. An address without one takes
                // the same bytes again; whoever opened the session anew would find the damaged ones.
                Failure::PartDamaged => ticket.checksum.is_some(),
                _ => false,
            };
            if anew {
                ticket = self.fresh(part, range).await?;
            }
            permit = sending.permit().await;
            tries += 1;
        };
        // Others need not wait while this part waits for its turn.
        drop(permit);
        if let SessionKind::Single | SessionKind::Form(_) = sending.opened.session.kind {
            // Nothing comes between it and the word that all is sent: one commit is enough for both.
            return Ok(Some(receipt));
        }
        sending.store.keep(sending.intent.id, receipt).await.map_err(local)?;
        sending.progress.confirm(range.length);
        if let SessionKind::Chunked { .. } = sending.opened.session.kind {
            sending.confirm(part, range, &self.turns).await.inspect_err(|_| self.turns.end())?;
        }
        Ok(None)
    }

    async fn once(
        &self,
        ticket: &Ticket,
        kept: Kept,
        range: ByteRange,
    ) -> Result<Receipt, Failure> {
        let sending = &self.sending;
        let in_flight = InFlight::of(&sending.progress, &sending.place);
        let (checksum, sent, proof) = if let Some(told) = ticket.checksum {
            // The storage refuses other bytes than those: they need not be summed a second time.
            let slices = &sending.slices;
            let body = PartBody::read(&self.source, range, kept, slices, in_flight.clone());
            let sent = self.carry(ticket, range, body).await?;
            // What was read while somebody wrote is of no use.
            let source = self.source.clone();
            blocking(move || source.check()).await?;
            (told, sent, Proof::Signed)
        } else {
            let (body, read) =
                PartBody::read_and_sum(&self.source, range, &sending.slices, in_flight.clone());
            let sent = self.carry(ticket, range, body).await?;
            // A confirmation before the last byte was read is none.
            let checksum = *read.get().ok_or(Failure::PartDamaged)?;
            let proof = if sent.checksum.is_some() { Proof::Reported } else { Proof::Size };
            (checksum, sent, proof)
        };
        if sent.checksum.is_some_and(|said| said != checksum) {
            return Err(Failure::PartDamaged);
        }
        Ok(Receipt { part: ticket.part, size: range.length, etag: sent.etag, checksum, proof })
    }

    async fn carry(
        &self,
        ticket: &Ticket,
        range: ByteRange,
        body: PartBody,
    ) -> Result<Sent, Failure> {
        let Sending { protocol, intent, opened, .. } = &self.sending;
        protocol.send(intent, opened, ticket, range, body).await
    }

    async fn fresh(&self, part: PartNumber, range: ByteRange) -> Result<Ticket, Failure> {
        let sending = &self.sending;
        if sending.opened.url.is_some() {
            // A single PUT's address comes with its session only.
            return Err(Failure::UrlExpired);
        }
        let (asked, _) = sending.ask_for(&self.source, part, range, false).await?;
        let mut tickets =
            sending.protocol.tickets(&sending.intent, &sending.opened, &[asked]).await?;
        tickets.pop().ok_or_else(|| Failure::UnexpectedAnswer("no leave was given".into()))
    }
}

/// A failure of this computer's own database.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn local(error: dailies_database::DatabaseError) -> Failure {
    Failure::LocalStorage(error.to_string())
}

/// Work that may wait for a disk, away from the network's threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(Failure::LocalStorage(error.to_string())),
    }
}

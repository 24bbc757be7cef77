//! A file that grows where bytes go up in order only: what a session holds of it can be taken back
//! in no part, so that each byte in it has to be proven to be the file's still.

use dailies_api::direct_uploads::GRANULE;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::heartbeat::EVERY;
use crate::send::growing::{LOOK, Writer, look};
use crate::send::{Sending, local};
use crate::source::{Crc64, Source};
use crate::store::Receipt;
use crate::transfer::{ByteRange, Failure};

impl Sending {
    /// Sends what is final, a whole chunk at a time, until its writer has ended.
    pub(super) async fn follow_in_order(
        &self,
        source: &Source,
        chunk_size: u64,
        mut writer: watch::Receiver<Writer>,
    ) -> Result<(), Failure> {
        // What is not the last must be a multiple of it.
        let chunk_size = (chunk_size / GRANULE).max(1) * GRANULE;
        let mut held = self.held_so_far(source).await?;
        let mut seen = look(source, None).await?;
        let mut heard = Instant::now();
        loop {
            self.progress.grow(seen.size);
            if seen.sealed >= held.size + chunk_size {
                held = self.next_in_order(source, &held, chunk_size).await?;
                heard = Instant::now();
            } else {
                tokio::select! {
                    Ok(()) = writer.changed() => {}
                    () = tokio::time::sleep(LOOK) => {}
                }
            }
            if *writer.borrow_and_update() == Writer::Ended {
                return Ok(());
            }
            if heard.elapsed() >= EVERY {
                self.protocol.heartbeat(&self.intent, &self.opened.session).await?;
                heard = Instant::now();
            }
            seen = look(source, Some(seen)).await?;
        }
    }

    /// Writes down which bytes go up next: of a request that is cut off, the other side may hold some
    /// without anybody having heard so.
    pub(super) async fn set_out(&self, source: &Source, range: ByteRange) -> Result<(), Failure> {
        let checksum = source.checksum(range, &self.slices).await?;
        self.store.set_out(self.intent.id, range, checksum).await.map_err(local)
    }

    /// The checksum of `stored` bytes that are held, of which `known` is proven, and the rest went up
    /// in one request whose answer was lost.
    ///
    /// # Errors
    /// [`Failure::SessionGone`] where that request's bytes are other ones in the file now, or where it
    /// was another one: the next session begins with nothing.
    pub(super) async fn proven_up_to(
        &self,
        source: &Source,
        known: &Receipt,
        stored: u64,
    ) -> Result<Crc64, Failure> {
        let under_way = self.store.under_way(self.intent.id).await.map_err(local)?;
        if let Some((range, checksum)) = under_way
            && range.offset == known.size
            && let Some(length) = stored.checked_sub(known.size)
            && length <= range.length
        {
            let part = ByteRange { offset: known.size, length };
            let part = source.checksum(part, &self.slices).await?;
            // After its part: what was read of that is then what went up, too.
            if source.checksum(range, &self.slices).await? == checksum {
                return Ok(known.checksum.then(part, length));
            }
        }
        Err(self.throw_away(known.size).await)
    }

    /// Reads again all that was sent of a file while it grew.
    ///
    /// # Errors
    /// [`Failure::SessionGone`] where some of it is another now.
    pub(super) async fn compare_in_order(
        &self,
        source: &Source,
        held: &Receipt,
    ) -> Result<(), Failure> {
        let sent = ByteRange { offset: 0, length: held.size };
        let is_same = held.size <= self.intent.size
            && source.checksum(sent, &self.slices).await? == held.checksum;
        if is_same { Ok(()) } else { Err(self.throw_away(held.size).await) }
    }

    /// Gives up a session whose bytes are not the file's, of which so many were held.
    async fn throw_away(&self, held: u64) -> Failure {
        let session = &self.opened.session;
        tracing::warn!(upload = %self.intent.id, bytes = held, "what was sent has changed since");
        if let Err(failure) = self.protocol.discard(&self.intent, session).await {
            return failure;
        }
        let parts = session.plan(held).map_or(1, |plan| plan.count());
        self.progress.rewrite(parts.into());
        Failure::SessionGone
    }
}

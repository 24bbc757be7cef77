//! Sending in order: one request after the other, driven by nothing but what the other side says
//! it holds.

use crate::progress::InFlight;
use crate::send::{Sending, blocking, local};
use crate::source::{Crc64, PartBody, Source};
use crate::store::{Proof, Receipt};
use crate::transfer::{ByteRange, Failure, PartNumber};

/// Requests in a row of which the other side kept nothing, before its upload makes a pause.
const PATIENCE: u32 = 4;

impl Sending {
    /// Sends what follows the bytes that the other side holds, until it holds all. After any
    /// failure the session is opened again, which asks where it stands.
    pub(super) async fn in_order(&self, source: &Source, chunk_size: u64) -> Result<(), Failure> {
        let total = self.intent.size;
        let mut held = self.held_so_far(source).await?;
        let mut in_vain = 0;
        while held.size < total {
            let range = ByteRange { offset: held.size, length: chunk_size.min(total - held.size) };
            let tickets = [(PartNumber::FIRST, None)];
            let mut tickets = self.protocol.tickets(&self.intent, &self.opened, &tickets).await?;
            let ticket = tickets
                .pop()
                .ok_or_else(|| Failure::UnexpectedAnswer("no leave was given".into()))?;
            let permit = self.permit().await;
            let in_flight = InFlight::of(&self.progress, &self.place, permit, range.length);
            let (body, read) = PartBody::read_and_sum(source, range, &self.slices, in_flight);
            let sent = self.protocol.send(&self.intent, &self.opened, &ticket, range, body).await;
            let sent = sent.inspect_err(|failure| self.take_it_easy(failure))?;
            let checked = source.clone();
            blocking(move || checked.check()).await?;

            let end = range.offset + range.length;
            let stored = sent.stored.unwrap_or(end);
            let (size, checksum) = match read.get() {
                Some(sum) if stored == end => (end, held.checksum.then(*sum, range.length)),
                // Less than was sent, or some of what it held before is lost: what counts is what
                // it says now.
                _ if stored < end => (stored, self.sum_up_to(source, stored).await?),
                _ => {
                    let words = format!("{stored} bytes are said to be held after {end} were sent");
                    return Err(Failure::UnexpectedAnswer(words));
                }
            };
            in_vain = if size > held.size { 0 } else { in_vain + 1 };
            if in_vain >= PATIENCE {
                return Err(Failure::UnexpectedAnswer("nothing that is sent is kept".into()));
            }
            held = Receipt { size, checksum, ..held };
            self.keep(&held).await?;
        }
        Ok(())
    }

    /// What the other side holds, with the checksum of those bytes on this computer.
    async fn held_so_far(&self, source: &Source) -> Result<Receipt, Failure> {
        let stored = self.opened.arrived.in_order();
        let receipts = self.store.receipts(self.intent.id).await.map_err(local)?;
        let known = receipts.into_iter().next().filter(|receipt| receipt.size == stored);
        if let Some(receipt) = known {
            self.progress.set_confirmed(receipt.size);
            return Ok(receipt);
        }
        let receipt = Receipt {
            part: PartNumber::FIRST,
            size: stored,
            etag: String::new(),
            checksum: self.sum_up_to(source, stored).await?,
            proof: Proof::Size,
        };
        self.keep(&receipt).await?;
        Ok(receipt)
    }

    async fn sum_up_to(&self, source: &Source, end: u64) -> Result<Crc64, Failure> {
        if end > self.intent.size {
            let words = format!("{end} bytes are said to be held of {}", self.intent.size);
            return Err(Failure::UnexpectedAnswer(words));
        }
        Ok(source.checksum(ByteRange { offset: 0, length: end }, &self.slices).await?)
    }

    /// Nothing held is no receipt.
    async fn keep(&self, held: &Receipt) -> Result<(), Failure> {
        let id = self.intent.id;
        if held.size == 0 {
            self.store.forget(id, vec![held.part]).await.map_err(local)?;
        } else {
            self.store.keep(id, held.clone()).await.map_err(local)?;
        }
        self.progress.set_confirmed(held.size);
        Ok(())
    }
}

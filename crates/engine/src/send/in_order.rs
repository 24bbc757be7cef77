//! Sending in order: one request after the other, driven by nothing but what the other side says
//! it holds.

use crate::progress::InFlight;
use crate::protocol::Asked;
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
        if self.intent.growth.is_some() {
            self.compare_in_order(source, &held).await?;
        }
        let mut in_vain = 0;
        while held.size < total {
            let length = chunk_size.min(total - held.size);
            let before = held.size;
            held = self.next_in_order(source, &held, length).await?;
            in_vain = if held.size > before { 0 } else { in_vain + 1 };
            if in_vain >= PATIENCE {
                return Err(Failure::UnexpectedAnswer("nothing that is sent is kept".into()));
            }
        }
        Ok(())
    }

    /// Sends the next `length` bytes. What is held afterwards may be less than them all.
    pub(super) async fn next_in_order(
        &self,
        source: &Source,
        held: &Receipt,
        length: u64,
    ) -> Result<Receipt, Failure> {
        let range = ByteRange { offset: held.size, length };
        if self.intent.growth.is_some() {
            self.set_out(source, range).await?;
        }
        let asked = [Asked { part: PartNumber::FIRST, length, checksum: None }];
        let mut tickets = self.protocol.tickets(&self.intent, &self.opened, &asked).await?;
        let ticket =
            tickets.pop().ok_or_else(|| Failure::UnexpectedAnswer("no leave was given".into()))?;
        let permit = self.permit().await;
        let in_flight = InFlight::of(&self.progress, &self.place);
        let (body, read) = PartBody::read_and_sum(source, range, &self.slices, in_flight);
        let sent = self.protocol.send(&self.intent, &self.opened, &ticket, range, body).await;
        let sent = sent.inspect_err(|failure| self.take_it_easy(failure))?;
        drop(permit);
        let checked = source.clone();
        blocking(move || checked.check()).await?;

        let end = range.offset + range.length;
        let stored = sent.stored.unwrap_or(end);
        let held = match read.get() {
            Some(sum) if stored == end => {
                Receipt { size: end, checksum: held.checksum.then(*sum, length), ..held.clone() }
            }
            // Less than was sent, or some of what it held before is lost: what counts is what it
            // says now.
            _ if stored < end => self.held_up_to(source, Some(held), stored).await?,
            _ => {
                let words = format!("{stored} bytes are said to be held after {end} were sent");
                return Err(Failure::UnexpectedAnswer(words));
            }
        };
        self.keep(&held).await?;
        Ok(held)
    }

    /// What the other side holds, with the checksum of those bytes on this computer.
    pub(super) async fn held_so_far(&self, source: &Source) -> Result<Receipt, Failure> {
        let stored = self.opened.arrived.in_order();
        let receipts = self.store.receipts(self.intent.id).await.map_err(local)?;
        let known = receipts.into_iter().next();
        if let Some(receipt) = known.as_ref().filter(|receipt| receipt.size == stored) {
            self.progress.set_confirmed(receipt.size);
            return Ok(receipt.clone());
        }
        let receipt = self.held_up_to(source, known.as_ref(), stored).await?;
        self.keep(&receipt).await?;
        Ok(receipt)
    }

    /// What is held where the other side holds so many bytes, and `known` was known before.
    async fn held_up_to(
        &self,
        source: &Source,
        known: Option<&Receipt>,
        stored: u64,
    ) -> Result<Receipt, Failure> {
        let nothing = Receipt {
            part: PartNumber::FIRST,
            size: 0,
            etag: String::new(),
            checksum: Crc64::EMPTY,
            proof: Proof::Size,
        };
        let checksum = if stored == 0 {
            Crc64::EMPTY
        } else if self.intent.growth.is_some() {
            self.proven_up_to(source, known.unwrap_or(&nothing), stored).await?
        } else {
            self.sum_up_to(source, stored).await?
        };
        Ok(Receipt { size: stored, checksum, ..nothing })
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

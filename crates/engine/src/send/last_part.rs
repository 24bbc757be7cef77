//! The last part of a recording, shorter than the others: sent as soon as its writer has closed the
//! file, while it is waited whether it stays like that.

use crate::send::{Missing, Sending, local};
use crate::source::Source;
use crate::store::Receipt;
use crate::transfer::{ByteRange, Failure, PartNumber, PartPlan};

/// The part that is the last one of a file that does not grow any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LastPart {
    plan: PartPlan,
    part: PartNumber,
    range: ByteRange,
}

impl LastPart {
    /// `None` where all parts are whole, or there would be too many.
    pub(super) fn of(size: u64, part_size: u64, most: u32) -> Option<Self> {
        let count = u32::try_from(size.div_ceil(part_size)).ok().filter(|count| *count <= most)?;
        let plan = PartPlan::multipart(size, part_size, count).ok()?;
        let (part, range) = plan.parts().last()?;
        let is_short = (1..part_size).contains(&range.length);
        is_short.then_some(Self { plan, part, range })
    }
}

impl Sending {
    /// # Errors
    /// As of every part.
    pub(super) async fn send_last(&self, source: &Source, last: LastPart) -> Result<(), Failure> {
        let parts = vec![(last.part, last.range)];
        self.carry(source, last.plan, Missing { parts, unconfirmed: Vec::new() }).await.map(drop)
    }

    /// Forgets a part that was the last one, because the file has grown.
    ///
    /// # Errors
    /// Of the database.
    pub(super) async fn forget_last(&self, last: LastPart) -> Result<(), Failure> {
        let id = self.intent.id;
        let receipts = self.store.receipts(id).await.map_err(local)?;
        let was_sent = |receipt: &&Receipt| receipt.part == last.part;
        if let Some(sent) = receipts.iter().find(was_sent) {
            self.progress.take_back(sent.size);
            self.store.forget(id, vec![last.part]).await.map_err(local)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn only_a_part_that_is_shorter_than_others_is_the_last_one() {
        let part = |size| LastPart::of(size, 8 * MIB, 3).map(|last| (last.part.get(), last.range));
        let at = |offset, length| ByteRange { offset, length };
        assert_eq!(part(0), None);
        assert_eq!(part(1), Some((1, at(0, 1))));
        assert_eq!(part(8 * MIB), None, "it is whole");
        assert_eq!(part(20 * MIB), Some((3, at(16 * MIB, 4 * MIB))));
        assert_eq!(part(25 * MIB), None, "there may be no fourth");
    }
}

//! How a file's bytes are divided into parts.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// A part's number, from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PartNumber(NonZeroU32);

impl PartNumber {
    /// The first part.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// `None` for zero.
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// As the wire says it.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

/// A stretch of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// Of its first byte.
    pub offset: u64,
    /// In bytes.
    pub length: u64,
}

/// Equal parts but for the last. Fixed for the life of a session: a storage such as R2 refuses
/// parts of unequal size at the end (FAULTS: `InvalidPart`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartPlan {
    total: u64,
    part_size: u64,
    count: u32,
}

/// A plan that a server offered and that cannot be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Parts of no bytes never end.
    #[error("a part size of zero")]
    NoPartSize,
    /// The count does not fit the sizes.
    #[error("{said} parts were offered where {needed} are needed")]
    WrongCount {
        /// The server's.
        said: u32,
        /// By division.
        needed: u64,
    },
}

impl PartPlan {
    /// The whole file as one part.
    #[must_use]
    pub fn single(total: u64) -> Self {
        Self { total, part_size: total.max(1), count: 1 }
    }

    /// Parts of `part_size` bytes, checked against the count that the server derived.
    ///
    /// # Errors
    /// Where sizes and count contradict each other: bytes would be lost or sent twice.
    pub fn multipart(total: u64, part_size: u64, count: u32) -> Result<Self, PlanError> {
        if part_size == 0 {
            return Err(PlanError::NoPartSize);
        }
        let needed = total.div_ceil(part_size).max(1);
        if u64::from(count) == needed {
            Ok(Self { total, part_size, count })
        } else {
            Err(PlanError::WrongCount { said: count, needed })
        }
    }

    /// Requests of `chunk_size` bytes, one after the other. Where the other side stands decides
    /// what each of them carries: this says how they divide a file if all goes well.
    ///
    /// # Errors
    /// [`PlanError::NoPartSize`].
    pub fn in_order(total: u64, chunk_size: u64) -> Result<Self, PlanError> {
        if chunk_size == 0 {
            return Err(PlanError::NoPartSize);
        }
        let needed = total.div_ceil(chunk_size).max(1);
        let count = u32::try_from(needed).unwrap_or(u32::MAX);
        Ok(Self { total, part_size: chunk_size, count })
    }

    /// How many parts.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Bytes of every part but the last.
    #[must_use]
    pub fn part_size(&self) -> u64 {
        self.part_size
    }

    /// Where a part lies, `None` for a number that is not in the plan.
    #[must_use]
    pub fn range(&self, part: PartNumber) -> Option<ByteRange> {
        if part.get() > self.count {
            return None;
        }
        let offset = u64::from(part.get() - 1) * self.part_size;
        Some(ByteRange { offset, length: self.part_size.min(self.total - offset) })
    }

    /// Every part in order.
    pub fn parts(&self) -> impl Iterator<Item = (PartNumber, ByteRange)> + use<> {
        let plan = *self;
        (1..=plan.count).filter_map(move |number| {
            let part = PartNumber::new(number)?;
            Some((part, plan.range(part)?))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 10,000 parts of 5 GiB.
    const LARGEST: u64 = 10_000 * (5 << 30);

    proptest! {
        #[test]
        fn parts_cover_every_byte_once(total in 0..LARGEST, count in 1_u64..=10_000) {
            let part_size = total.div_ceil(count).max(1);
            let needed = total.div_ceil(part_size).max(1);
            let plan = PartPlan::multipart(total, part_size, u32::try_from(needed).unwrap()).unwrap();
            let mut at = 0;
            for (_, range) in plan.parts() {
                prop_assert_eq!(range.offset, at);
                prop_assert!(range.length > 0 || total == 0);
                prop_assert!(range.length <= part_size);
                at += range.length;
            }
            prop_assert_eq!(at, total);
        }

        #[test]
        fn a_count_that_loses_bytes_is_refused(
            total in 1..LARGEST, part_size in 1_u64..(5 << 30), off in 1_u32..100
        ) {
            let needed = total.div_ceil(part_size);
            prop_assume!(needed <= 1_000_000);
            let needed = u32::try_from(needed).unwrap();
            prop_assert!(PartPlan::multipart(total, part_size, needed + off).is_err());
            prop_assert!(PartPlan::multipart(total, part_size, needed.saturating_sub(off)).is_err());
        }
    }

    #[test]
    fn the_last_part_is_what_is_left() {
        let plan = PartPlan::multipart(20, 8, 3).unwrap();
        let last = PartNumber::new(3).unwrap();
        assert_eq!(plan.range(last), Some(ByteRange { offset: 16, length: 4 }));
        assert_eq!(plan.range(PartNumber::new(4).unwrap()), None);
        assert_eq!(PartPlan::multipart(20, 0, 3), Err(PlanError::NoPartSize));
    }
}

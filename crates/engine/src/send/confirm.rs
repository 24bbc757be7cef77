//! Telling the team of parts that the storage took, where it wants to be told: one at a time, in the
//! parts' order. Their bytes need not go up again, whatever becomes of that.

use std::time::Duration;

use super::turns::Turns;
use super::{LONGEST_LANE_WAIT, Sending, TRIES, local};
use crate::transfer::{ByteRange, Failure, PartNumber, Verdict, judge};

impl Sending {
    /// Tells the team of parts that an earlier sending brought to the storage.
    pub(super) async fn confirm_all(
        &self,
        parts: Vec<(PartNumber, ByteRange)>,
        turns: &Turns,
    ) -> Result<(), Failure> {
        for (part, range) in parts {
            self.confirm(part, range, turns).await?;
        }
        Ok(())
    }

    /// Tells the team of a part when it is its turn, if that comes, and again where the team is only
    /// busy. After any other failure it may have heard of it: whoever opens the session again asks.
    pub(super) async fn confirm(
        &self,
        part: PartNumber,
        range: ByteRange,
        turns: &Turns,
    ) -> Result<(), Failure> {
        if !turns.of(part).await {
            return Ok(());
        }
        let Self { protocol, intent, opened, .. } = self;
        let mut tries = 0;
        while let Err(failure) = protocol.confirm(intent, opened, part, range).await {
            tracing::debug!(part = part.get(), %failure, tries, "a part was not confirmed");
            match failure {
                Failure::Busy { .. } => drop(self.pause(failure, tries).await?),
                // What the storage has is not what it took: it has to be sent again after all.
                Failure::PartDamaged => {
                    self.store.forget(intent.id, vec![part]).await.map_err(local)?;
                    return Err(failure);
                }
                failure => return Err(failure),
            }
            tries += 1;
        }
        turns.next();
        Ok(())
    }

    /// Waits before the next try; gives the failure back as an error where that is not a lane's
    /// business.
    pub(super) async fn pause(&self, failure: Failure, tries: u32) -> Result<Failure, Failure> {
        let now = self.clock.now();
        let at = match judge(&failure, tries, now, fastrand::f32()) {
            _ if tries >= TRIES => return Err(failure),
            Verdict::FreshUrl => now,
            Verdict::TryAgain { at } | Verdict::WaitForNetwork { at } => at,
            _ => return Err(failure),
        };
        let wait = Duration::from_millis((at.0 - now.0).max(0).unsigned_abs());
        if wait > LONGEST_LANE_WAIT {
            return Err(failure);
        }
        tokio::time::sleep(wait).await;
        Ok(failure)
    }
}

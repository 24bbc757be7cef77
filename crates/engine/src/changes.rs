//! Uploads whose file was changed while it went up.

use std::time::Duration;

use crate::engine::Engine;
use crate::error::Code;
use crate::preferences::OnChange;
use crate::transfer::{Growth, Hold, Input, UploadId};

/// A file that changed so often …
const OFTEN: usize = 3;
/// … in so long keeps changing: somebody is asked what to do about it.
const LATELY: Duration = Duration::from_secs(3600);

impl Engine {
    /// Lets a changed file go up as it is now, if somebody prefers that to being asked.
    pub(crate) async fn changed(&mut self, id: UploadId) {
        let asks = Hold::NeedsUser { code: Code::SourceChanged };
        let row = match self.rows(vec![id]).await {
            Ok(rows) => rows.into_iter().next().map(|(row, _)| row),
            Err(_) => None,
        };
        let waits = row.as_ref().is_some_and(|row| row.state.hold == asks);
        if waits && row.is_some_and(|row| row.growth == Some(Growth::Growing)) {
            // Whoever records has begun anew. Its folder says when there is something to be sent.
            if let Err(error) = self.steer(vec![id], &Input::Cancel).await {
                tracing::error!(upload = %id, %error, "a recording that ended is still there");
            }
            return;
        }
        let again = waits && self.preferences.changes == OnChange::StartAgain;
        if again
            && !self.keeps_changing(id).await
            && let Err(error) = self.steer(vec![id], &Input::Retry).await
        {
            // It cannot be taken as it is now: somebody is asked after all.
            tracing::info!(upload = %id, %error, "a changed file is not started again");
        }
    }

    async fn keeps_changing(&self, id: UploadId) -> bool {
        let mut before = id;
        for _ in 0..OFTEN {
            match self.store.in_place_of(before).await {
                Ok(Some(earlier)) => before = earlier,
                _ => return false,
            }
        }
        let rows = self.rows(vec![before]).await.unwrap_or_default();
        rows.iter().any(|(row, _)| row.added_at.after(LATELY) > self.now())
    }
}

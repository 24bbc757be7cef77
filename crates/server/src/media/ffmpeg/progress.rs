//! How far a piece of work is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The share of a piece of work that is done. Clones share it. Kept in memory only.
#[derive(Clone, Debug, Default)]
pub(in crate::media) struct Progress(Arc<AtomicU32>);

impl Progress {
    /// Notes a share from 0 to 1.
    pub(super) fn set(&self, share: f64) {
        let share = (share.clamp(0.0, 1.0) * 1e6) as u32;
        self.0.fetch_max(share, Ordering::Relaxed);
    }

    /// From 0 to 1.
    pub(in crate::media) fn share(&self) -> f64 {
        f64::from(self.0.load(Ordering::Relaxed)) / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn progress_never_goes_back_or_beyond() {
        let progress = Progress::default();
        for (noted, shown) in [(-1.0, 0.0), (0.5, 0.5), (0.25, 0.5), (f64::NAN, 0.5), (7.0, 1.0)] {
            progress.set(noted);
            assert!((progress.share() - shown).abs() < 1e-6, "{noted}");
        }
    }
}

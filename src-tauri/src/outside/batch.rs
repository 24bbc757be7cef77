//! How much of what was to be sent is sent, since there was nothing to send.

use dailies_engine::view::Totals;

/// What was to be sent, and what is left of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    whole: u64,
    left: u64,
}

/// What is shown of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    /// There is nothing to send, or it all waits for somebody.
    #[default]
    None,
    /// It is on its way.
    Sending {
        /// Videos that are not with their team yet.
        videos: u64,
        /// Rounded down: what is shown as whole is whole.
        percent: u8,
    },
    /// Somebody paused it.
    Paused {
        /// Videos that wait for them.
        videos: u64,
    },
}

impl Batch {
    /// Takes in how it stands now.
    pub(crate) fn note(&mut self, totals: &Totals) -> Progress {
        if totals.unsent == 0 {
            *self = Self::default();
            return Progress::None;
        }
        // What is new makes the whole larger; what is less was sent, or is not wanted any more.
        self.whole += totals.unsent_bytes.saturating_sub(self.left);
        self.left = totals.unsent_bytes;
        if totals.coming == 0 {
            return match totals.paused {
                0 => Progress::None,
                videos => Progress::Paused { videos },
            };
        }
        let sent = self.whole - self.left;
        let percent = u128::from(sent) * 100 / u128::from(self.whole.max(1));
        // All of it is there when the team says so, and then nothing is left to be sent.
        let percent = u8::try_from(percent).unwrap_or(100).min(99);
        Progress::Sending { videos: totals.coming, percent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(unsent: u64, unsent_bytes: u64, coming: u64, paused: u64) -> Totals {
        Totals { unsent, unsent_bytes, coming, paused, ..Totals::default() }
    }

    #[test]
    fn the_whole_is_what_there_was_to_send() {
        let mut batch = Batch::default();
        let sending = |videos, percent| Progress::Sending { videos, percent };
        assert_eq!(batch.note(&totals(2, 1000, 2, 0)), sending(2, 0));
        assert_eq!(batch.note(&totals(2, 400, 2, 0)), sending(2, 60));
        // More comes, of which nothing is sent.
        assert_eq!(batch.note(&totals(3, 1400, 3, 0)), sending(3, 30));
        assert_eq!(batch.note(&totals(1, 1, 1, 0)), sending(1, 99));
        assert_eq!(batch.note(&totals(1, 0, 1, 0)), sending(1, 99));
        assert_eq!(batch.note(&totals(0, 0, 0, 0)), Progress::None);
        assert_eq!(batch.note(&totals(1, 50, 1, 0)), sending(1, 0));
    }

    #[test]
    fn a_pause_is_no_progress() {
        let mut batch = Batch::default();
        batch.note(&totals(2, 1000, 2, 0));
        batch.note(&totals(2, 500, 2, 0));
        assert_eq!(batch.note(&totals(2, 500, 0, 2)), Progress::Paused { videos: 2 });
        assert_eq!(batch.note(&totals(2, 500, 2, 0)), Progress::Sending { videos: 2, percent: 50 });
        assert_eq!(batch.note(&totals(1, 500, 0, 0)), Progress::None, "it waits for somebody");
    }
}

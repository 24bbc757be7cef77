//! Progress bars on a terminal.

use std::collections::HashMap;

use dailies_engine::transfer::{Hold, Phase, UploadId};
use dailies_engine::view::{AllowanceView, UploadView};
use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressStyle};

use crate::events;

/// One bar for each upload that has begun and not ended.
#[derive(Debug, Default)]
pub(crate) struct Bars {
    all: MultiProgress,
    bars: HashMap<UploadId, ProgressBar>,
}

impl Bars {
    /// Shows an upload as it is now, where this holds for the bytes of all.
    pub(crate) fn show(&mut self, upload: &UploadView, allowance: AllowanceView) {
        let ended = upload.phase == Phase::Ready || upload.hold.is_end();
        if ended {
            if let Some(bar) = self.bars.remove(&upload.id) {
                bar.finish_and_clear();
            }
            return;
        }
        if upload.phase == Phase::Queued && upload.hold == Hold::None {
            return;
        }
        let bar = self.bars.entry(upload.id).or_insert_with(|| {
            let bar = self.all.add(ProgressBar::new(upload.progress.total_bytes));
            // The template is this program's own; a wrong one would show in the first test.
            if let Ok(style) = ProgressStyle::with_template("{prefix:24!} {bar:32} {msg}") {
                bar.set_style(style);
            }
            bar.set_prefix(upload.title.clone());
            bar
        });
        let progress = upload.progress;
        bar.set_position(progress.confirmed_bytes);
        let speed = match progress.bytes_per_second {
            0 => String::new(),
            speed => format!("  {}/s", HumanBytes(speed)),
        };
        let left = progress.seconds_left.map(|left| format!("  {left} s left")).unwrap_or_default();
        bar.set_message(format!(
            "{:>3} %  {}{speed}{left}",
            events::percent(upload),
            events::state(upload, allowance)
        ));
    }

    /// Prints a line above the bars.
    pub(crate) fn line(&self, line: &str) {
        self.all.suspend(|| events::say(line));
    }
}

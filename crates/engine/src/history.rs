//! What of an upload's step is told in its history.

use crate::error::Code;
use crate::progress::Progress;
use crate::store::{Happened, Upload};
use crate::transfer::{Event, Failure, Hold, Input, Phase, Why, Words};

/// What happened to single parts since this was last asked.
pub(crate) fn of_parts(progress: &Progress) -> impl Iterator<Item = Happened> + use<> {
    let counted = [
        (Event::PartsSentAgain, progress.take_retries()),
        (Event::Rewritten, progress.take_rewritten()),
    ];
    let happened = counted.into_iter().filter(|(_, times)| *times > 0);
    happened.map(|(event, times)| Happened { event, times })
}

/// What a step from `before` to `after` by `input` is called. `thrown_away` says that what had gone up
/// was given up meanwhile, because its file holds other bytes now.
pub(crate) fn of_step(
    before: &Upload,
    input: &Input,
    after: &Upload,
    thrown_away: bool,
) -> Vec<Happened> {
    let mut happened = Vec::new();
    if before.session.is_some() && !after.has_session_of(before) {
        happened.push(Event::SessionReplaced.into());
    }
    let moved = after.state.phase > before.state.phase;
    let changed = after.state != before.state;
    let event = match input {
        Input::Admitted if before.state.phase == Phase::Queued && moved => Some(Event::Begun),
        Input::Registered if after.registration != before.registration => Some(Event::Registered),
        Input::Opened if moved => Some(Event::Opened),
        Input::Sent if moved => Some(Event::Sent),
        Input::Finished if moved => Some(Event::Finished),
        Input::BecamePlayable if moved => Some(Event::BecamePlayable),
        Input::ProcessingFailed if changed => {
            Some(Event::ProcessingFailed { reason: after.reason.as_deref().map(Words::of) })
        }
        // Its session went on purpose, which is told already.
        Input::Failed { failure: Failure::SessionGone, .. } if thrown_away => None,
        Input::Failed { failure, .. } if before.state.can_run() => {
            Some(Event::Failed { why: Why::from(failure), then: after.state.hold.kind() })
        }
        Input::Lost if changed => Some(Event::SentAgain),
        Input::Settled if after.growth != before.growth => Some(Event::Settled),
        Input::SourceBack if changed => Some(Event::SourceBack),
        Input::Connected if changed => Some(Event::Connected),
        Input::Pause if changed => Some(Event::Paused),
        Input::Resume if changed => Some(Event::Resumed),
        Input::Retry if changed => match before.state.hold {
            Hold::NeedsUser { code: Code::Duplicate } => Some(Event::SentAnyway),
            _ => Some(Event::Retried),
        },
        Input::Cancel if changed => Some(Event::Cancelled),
        Input::CleanedUp if changed => Some(Event::CleanedUp),
        // Time passes, bytes move, and nothing that means nothing in a state happens to it.
        Input::Admitted
        | Input::Registered
        | Input::Opened
        | Input::Progressed
        | Input::Sent
        | Input::Finished
        | Input::BecamePlayable
        | Input::ProcessingFailed
        | Input::Failed { .. }
        | Input::Lost
        | Input::Settled
        | Input::Due
        | Input::SourceBack
        | Input::Connected
        | Input::Online
        | Input::Pause
        | Input::Resume
        | Input::Retry
        | Input::Cancel
        | Input::CleanedUp => None,
    };
    happened.extend(event.map(Happened::from));
    happened
}

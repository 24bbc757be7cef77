//! The only writer of [`Phase`] and [`Hold`].

use serde::{Deserialize, Serialize};

use crate::error::Code;
use crate::transfer::{Failure, Hold, LONGEST_OBEYED, Phase, Timestamp, Verdict, judge};

/// An upload's state, as far as the machine is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// How far it is.
    pub phase: Phase,
    /// Why it is not moving.
    pub hold: Hold,
    /// Failures in a row without progress.
    pub attempts: u32,
    /// Something of it lies on the other side that must be removed there.
    pub cleanup: bool,
}

impl State {
    /// Of an upload that was just added.
    pub const NEW: Self =
        Self { phase: Phase::Queued, hold: Hold::None, attempts: 0, cleanup: false };

    /// A job may work on it.
    #[must_use]
    pub fn can_run(self) -> bool {
        self.hold == Hold::None && self.phase != Phase::Ready
    }

    /// The other side may hold some of it that nobody will ever want.
    fn lies_there(self) -> bool {
        self.phase > Phase::Queued && self.phase < Phase::Processing
    }
}

/// What happens to an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Its turn has come.
    Admitted,
    /// The team knows the video.
    Registered,
    /// There is a session, and it is known what the other side holds.
    Opened,
    /// The other side has confirmed bytes.
    Progressed,
    /// Every part is confirmed.
    Sent,
    /// The object is put together, and has the right size and checksum.
    Finished,
    /// It can be played.
    BecamePlayable,
    /// The media engine gave up.
    ProcessingFailed,
    /// A job ended with a failure.
    Failed {
        /// Which.
        failure: Failure,
        /// From 0 to 1 in thousandths, to spread waits.
        luck: u16,
    },
    /// The other side has lost what was sent before it was put together, and it was not sent again
    /// before.
    Lost,
    /// Its file, of which bytes went up while it grew, is finished.
    Settled,
    /// The time of its hold has come.
    Due,
    /// Its file is back.
    SourceBack,
    /// The connection is good again, or another one.
    Connected,
    /// There is a way to the other side again.
    Online,
    /// Somebody wants it to wait.
    Pause,
    /// Somebody wants it to go on.
    Resume,
    /// Somebody wants it tried again.
    Retry,
    /// Somebody does not want it.
    Cancel,
    /// What it had left on the other side is removed.
    CleanedUp,
}

/// What the engine has to do after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Start the job that the state calls for.
    Run,
    /// End the job that runs.
    Stop,
    /// End the job that runs, after the parts that it has under way.
    WindUp,
    /// Forget presigned URLs and what the other side was known to hold: ask again.
    ForgetSession,
    /// Remove from the other side what lies there.
    CleanUp,
    /// Add the same file once more, as it is now.
    AddAgain,
    /// Have the media engine start once more with the bytes that are there.
    ProcessAgain,
}

/// The next state and what has to be done for it. An input that means nothing in a state changes
/// nothing.
#[must_use]
pub fn step(state: State, input: Input, now: Timestamp) -> (State, Vec<Effect>) {
    let idle = (state, Vec::new());
    match input {
        Input::CleanedUp => (State { cleanup: false, ..state }, Vec::new()),
        // A job's last word may come after somebody has decided: the decision stands.
        _ if state.hold == Hold::Cancelled => idle,
        Input::Admitted if state.can_run() => {
            let phase = state.phase.max(Phase::Beginning);
            (State { phase, ..state }, vec![Effect::Run])
        }
        Input::Registered if state.phase == Phase::Beginning => go_on(state, Phase::Beginning),
        Input::Opened if in_bytes(state.phase) => go_on(state, state.phase.max(Phase::Uploading)),
        Input::Progressed => (State { attempts: 0, ..state }, Vec::new()),
        Input::Sent if state.phase == Phase::Uploading => go_on(state, Phase::Finishing),
        Input::Finished if state.phase == Phase::Finishing => {
            // What the team has cannot be paused any more.
            go_on(State { hold: Hold::None, ..state }, Phase::Processing)
        }
        Input::BecamePlayable if state.phase == Phase::Processing => {
            (State { phase: Phase::Ready, hold: Hold::None, attempts: 0, ..state }, Vec::new())
        }
        Input::ProcessingFailed if state.phase == Phase::Processing => {
            (State { hold: Hold::Failed { code: Code::ProcessingFailed }, ..state }, Vec::new())
        }
        Input::Failed { failure, luck } if state.can_run() => fail(state, &failure, now, luck),
        Input::Lost if state.phase == Phase::Finishing && state.can_run() => {
            // The only way back there is. A session that cannot be finished may still say that all
            // of it is there: it is not asked.
            let state = State { phase: Phase::Beginning, attempts: 0, ..state };
            (state, vec![Effect::ForgetSession, Effect::Run])
        }
        Input::Settled if state.phase < Phase::Finishing && !state.hold.is_end() => {
            // The session is told the size. Whatever job runs knows the file as it was before.
            let hold = match state.hold {
                Hold::SourceMissing => Hold::None,
                hold => hold,
            };
            (State { hold, attempts: 0, ..state }, vec![Effect::WindUp, Effect::ForgetSession])
        }
        Input::Due => match state.hold.due() {
            Some(due) if due.is_over(now, LONGEST_OBEYED) => {
                (State { hold: Hold::None, ..state }, Vec::new())
            }
            _ => idle,
        },
        Input::SourceBack if state.hold == Hold::SourceMissing => {
            (State { hold: Hold::None, attempts: 0, ..state }, Vec::new())
        }
        Input::Online => match state.hold {
            Hold::Offline { .. } => (State { hold: Hold::None, ..state }, Vec::new()),
            _ => idle,
        },
        Input::Connected => match state.hold {
            Hold::NeedsUser { code: Code::SignedOut | Code::NotConnected }
            | Hold::Offline { .. } => {
                (State { hold: Hold::None, attempts: 0, ..state }, Vec::new())
            }
            _ => idle,
        },
        Input::Pause if state.phase < Phase::Processing && !state.hold.is_end() => {
            match state.hold {
                Hold::NeedsUser { .. } | Hold::Paused => idle,
                _ => (State { hold: Hold::Paused, ..state }, vec![Effect::Stop]),
            }
        }
        Input::Resume if state.hold == Hold::Paused => {
            (State { hold: Hold::None, attempts: 0, ..state }, Vec::new())
        }
        Input::Retry => retry(state),
        Input::Cancel if state.phase < Phase::Processing => {
            let cleanup = state.lies_there();
            let mut effects = vec![Effect::Stop];
            if cleanup {
                effects.push(Effect::CleanUp);
            }
            (State { hold: Hold::Cancelled, cleanup, ..state }, effects)
        }
        _ => idle,
    }
}

/// Phases in which a session is opened, or opened once more.
fn in_bytes(phase: Phase) -> bool {
    matches!(phase, Phase::Beginning | Phase::Uploading)
}

/// On to a phase, if nothing holds the upload there.
fn go_on(state: State, phase: Phase) -> (State, Vec<Effect>) {
    let state = State { phase, attempts: 0, ..state };
    let effects = if state.can_run() { vec![Effect::Run] } else { Vec::new() };
    (state, effects)
}

fn fail(state: State, failure: &Failure, now: Timestamp, luck: u16) -> (State, Vec<Effect>) {
    let luck = f32::from(luck.min(1000)) / 1000.0;
    let counted = State { attempts: state.attempts.saturating_add(1), ..state };
    match judge(failure, state.attempts, now, luck) {
        Verdict::TryAgain { at } => {
            (State { hold: Hold::Backoff { until: at }, ..counted }, vec![])
        }
        Verdict::WaitForNetwork { at } => {
            // The other side may have got more than it could say: it is asked before going on.
            (State { hold: Hold::Offline { until: at }, ..state }, vec![Effect::ForgetSession])
        }
        Verdict::AskAgain { at } => {
            (State { hold: Hold::Backoff { until: at }, ..counted }, vec![Effect::ForgetSession])
        }
        Verdict::FreshUrl => (counted, vec![Effect::ForgetSession, Effect::Run]),
        Verdict::WaitForSource => (State { hold: Hold::SourceMissing, ..state }, vec![]),
        Verdict::Ask(Code::SourceChanged) => {
            // What arrived belongs to a file that is no more: it can never be completed.
            let cleanup = state.lies_there();
            let hold = Hold::NeedsUser { code: Code::SourceChanged };
            let effects = if cleanup { vec![Effect::CleanUp] } else { vec![] };
            (State { hold, cleanup, ..state }, effects)
        }
        Verdict::Ask(code) => {
            (State { hold: Hold::NeedsUser { code }, ..state }, vec![Effect::ForgetSession])
        }
        Verdict::GiveUp(code) => {
            let cleanup = state.lies_there();
            let effects = if cleanup { vec![Effect::CleanUp] } else { vec![] };
            (State { hold: Hold::Failed { code }, cleanup, ..state }, effects)
        }
    }
}

fn retry(state: State) -> (State, Vec<Effect>) {
    match state.hold {
        // The old upload can never be completed: the file goes up as a new one.
        Hold::NeedsUser { code: Code::SourceChanged } => {
            (State { hold: Hold::Cancelled, ..state }, vec![Effect::AddAgain])
        }
        Hold::Failed { .. } if state.phase < Phase::Processing => {
            (State { hold: Hold::Cancelled, ..state }, vec![Effect::AddAgain])
        }
        // The bytes are there: nothing of them is sent again.
        Hold::Failed { .. } => {
            (State { hold: Hold::None, attempts: 0, ..state }, vec![Effect::ProcessAgain])
        }
        // Whoever looks for the file need not any more.
        Hold::SourceMissing => {
            (State { hold: Hold::None, attempts: 0, ..state }, vec![Effect::Stop])
        }
        Hold::Backoff { .. } | Hold::Offline { .. } | Hold::NeedsUser { .. } => {
            (State { hold: Hold::None, attempts: 0, ..state }, vec![])
        }
        Hold::None | Hold::Paused | Hold::Cancelled => (state, vec![]),
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;

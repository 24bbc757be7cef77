//! What can go wrong with an upload, and what follows from it.

use std::time::Duration;

use crate::error::Code;
use crate::transfer::{Timestamp, UploadId, Words};

/// Waits between tries double from here …
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// … up to here.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How often the way to the other side is tried while there is none.
const OFFLINE_PROBE: Duration = Duration::from_secs(2);
/// A server that asks for more patience than this is asked again after this. No upload waits longer
/// by itself.
pub(crate) const LONGEST_OBEYED: Duration = Duration::from_secs(300);
/// Tries in a row without progress before somebody is asked.
const PATIENCE: u32 = 12;
/// Tries in a row of what should work at once, before somebody is asked.
pub(crate) const LITTLE_PATIENCE: u32 = 4;

/// A failure, told apart by what follows from it. Shown in [`Words`], without addresses
/// and secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The bytes did not get through: no network, a cut connection.
    #[error("the connection failed: {}", Words::of(.0))]
    Transport(String),
    /// Nothing of a part moved for too long.
    #[error("the connection has stalled")]
    Stalled,
    /// A page of the network answers for the other side: a hotel wants its room number first.
    #[error("the network answers with a page of its own")]
    Portal,
    /// The other side asked to slow down.
    #[error("the other side is busy")]
    Busy {
        /// For how long, if it said.
        after: Option<Duration>,
    },
    /// The other side has a fault of its own.
    #[error("the other side failed with {status}")]
    ServerFault {
        /// HTTP status.
        status: u16,
    },
    /// A presigned URL is no longer good. Never the upload's fault.
    #[error("the address has expired")]
    UrlExpired,
    /// The session is gone from the other side; what it held is gone with it.
    #[error("the upload session is gone")]
    SessionGone,
    /// A part arrived damaged.
    #[error("a part arrived damaged")]
    PartDamaged,
    /// What came back is none of the protocol's answers.
    #[error("the answer made no sense: {}", Words::of(.0))]
    UnexpectedAnswer(String),
    /// The file is not there any more.
    #[error("the file is gone")]
    SourceMissing,
    /// The file is not the one that was added any more.
    #[error("the file has changed")]
    SourceChanged,
    /// The same project has the same content already.
    #[error("its content is that of upload {of}")]
    Duplicate {
        /// The upload that brought it there.
        of: UploadId,
    },
    /// The file cannot be read at some place.
    #[error("the file cannot be read: {}", Words::of(.0))]
    SourceUnreadable(String),
    /// This computer's own storage failed.
    #[error("this computer's storage failed: {}", Words::of(.0))]
    LocalStorage(String),
    /// The other side refused, and asking again will not help.
    #[error("refused: {}", Words::of(reason))]
    Refused {
        /// What kind of refusal.
        code: Code,
        /// The other side's words.
        reason: String,
    },
}

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same again, at a time.
    TryAgain {
        /// When.
        at: Timestamp,
    },
    /// Wait for the way to the other side; burns no attempts.
    WaitForNetwork {
        /// When to look.
        at: Timestamp,
    },
    /// The same at once, with fresh addresses.
    FreshUrl,
    /// Ask the other side what it holds, and go on from there.
    AskAgain {
        /// When.
        at: Timestamp,
    },
    /// Wait for the file.
    WaitForSource,
    /// Somebody has to do something.
    Ask(Code),
    /// It will not work.
    GiveUp(Code),
}

/// Judges a failure after `attempts` failures in a row. `luck`, from 0 to 1, spreads the waits of
/// many uploads apart.
#[must_use]
pub fn judge(failure: &Failure, attempts: u32, now: Timestamp, luck: f32) -> Verdict {
    let later = || now.after(backoff(attempts, luck));
    match failure {
        Failure::Transport(_) | Failure::Stalled | Failure::Portal => {
            Verdict::WaitForNetwork { at: now.after(OFFLINE_PROBE.mul_f32(0.5 + luck / 2.0)) }
        }
        Failure::Busy { after } => Verdict::TryAgain {
            at: after.map_or_else(later, |wait| now.after(wait.min(LONGEST_OBEYED))),
        },
        Failure::ServerFault { .. } if attempts < PATIENCE => Verdict::TryAgain { at: later() },
        Failure::ServerFault { .. } => Verdict::Ask(Code::ServerFault),
        Failure::UrlExpired if attempts < PATIENCE => Verdict::FreshUrl,
        Failure::UrlExpired => Verdict::Ask(Code::StorageRefused),
        Failure::SessionGone if attempts < LITTLE_PATIENCE => Verdict::AskAgain { at: later() },
        Failure::SessionGone => Verdict::Ask(Code::StorageRefused),
        Failure::PartDamaged if attempts < LITTLE_PATIENCE => Verdict::TryAgain { at: later() },
        Failure::PartDamaged => Verdict::Ask(Code::Damaged),
        Failure::UnexpectedAnswer(_) if attempts < LITTLE_PATIENCE => {
            Verdict::TryAgain { at: later() }
        }
        Failure::UnexpectedAnswer(_) => Verdict::Ask(Code::UnexpectedAnswer),
        Failure::SourceMissing => Verdict::WaitForSource,
        Failure::SourceChanged => Verdict::Ask(Code::SourceChanged),
        Failure::Duplicate { .. } => Verdict::Ask(Code::Duplicate),
        Failure::SourceUnreadable(_) if attempts < LITTLE_PATIENCE => {
            Verdict::TryAgain { at: later() }
        }
        Failure::SourceUnreadable(_) => Verdict::Ask(Code::SourceUnreadable),
        Failure::LocalStorage(_) => Verdict::TryAgain { at: now.after(LONGEST_WAIT / 6) },
        Failure::Refused { code, .. } => match code {
            Code::SignedOut | Code::Forbidden | Code::QuotaExceeded | Code::NotConnected => {
                Verdict::Ask(*code)
            }
            _ => Verdict::GiveUp(*code),
        },
    }
}

/// Full jitter over a doubling wait, never less than half of it.
fn backoff(attempts: u32, luck: f32) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << attempts.min(10));
    doubled.min(LONGEST_WAIT).mul_f32(0.5 + luck.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    #[test]
    fn no_network_never_becomes_a_question() {
        for attempts in [0, 10, 1_000_000] {
            for failure in [Failure::Transport("cut".into()), Failure::Stalled, Failure::Portal] {
                let verdict = judge(&failure, attempts, NOW, 0.5);
                assert!(matches!(verdict, Verdict::WaitForNetwork { .. }));
            }
        }
    }

    #[test]
    fn a_busy_server_is_obeyed_within_reason() {
        let wait = |seconds| Failure::Busy { after: Some(Duration::from_secs(seconds)) };
        assert_eq!(
            judge(&wait(7), 0, NOW, 0.0),
            Verdict::TryAgain { at: Timestamp(NOW.0 + 7_000) }
        );
        assert_eq!(
            judge(&wait(86_400), 0, NOW, 0.0),
            Verdict::TryAgain { at: Timestamp(NOW.0 + 300_000) }
        );
    }

    proptest! {
        #[test]
        fn waits_are_bounded(attempts: u32, luck in 0.0_f32..=1.0) {
            let wait = backoff(attempts, luck);
            prop_assert!(wait >= FIRST_WAIT / 2 && wait <= LONGEST_WAIT);
        }

        #[test]
        fn nothing_is_tried_for_ever_without_progress(luck in 0.0_f32..=1.0) {
            for failure in [
                Failure::ServerFault { status: 500 },
                Failure::UrlExpired,
                Failure::SessionGone,
                Failure::PartDamaged,
                Failure::UnexpectedAnswer(String::new()),
                Failure::SourceUnreadable(String::new()),
            ] {
                let verdict = judge(&failure, PATIENCE, NOW, luck);
                prop_assert!(matches!(verdict, Verdict::Ask(_)), "{:?}", failure);
            }
        }
    }
}

//! What happens to an upload, as its history tells it. Interfaces have the words.

use serde::{Deserialize, Serialize};

use crate::error::Code;
use crate::transfer::{Failure, HoldKind, UploadId, Words};

/// Something that happened to an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// It was put into the queue.
    Added,
    /// It was put into the queue in place of another upload, whose file had changed.
    StartedAgain {
        /// Which.
        of: UploadId,
    },
    /// Its turn came.
    Begun,
    /// The team knows of it.
    Registered,
    /// It was agreed on how its bytes go up.
    Opened,
    /// What had been agreed on was gone from the other side; it goes up in another session.
    SessionReplaced,
    /// Single parts were sent again, because they had not arrived, or damaged.
    PartsSentAgain,
    /// Its file, of which bytes went up while it grew, is finished.
    Settled,
    /// Parts that had gone up while its file grew were other ones at its end: what was sent of them
    /// was thrown away, and they were sent again.
    Rewritten,
    /// Every part is confirmed.
    Sent,
    /// The other side lost what it had before it was put together: its bytes go up once more.
    SentAgain,
    /// Size and checksum of the whole were compared with what the team says.
    Finished,
    /// It can be played.
    BecamePlayable,
    /// The media engine gave up.
    ProcessingFailed {
        /// The server's words.
        reason: Option<Words>,
    },
    /// Something went wrong.
    Failed {
        /// What.
        why: Why,
        /// What it does since.
        then: HoldKind,
    },
    /// Its file is back.
    SourceBack,
    /// The connection to the team is good again.
    Connected,
    /// Somebody paused it.
    Paused,
    /// Somebody resumed it.
    Resumed,
    /// Somebody had it tried again.
    Retried,
    /// Somebody wants it sent although the team has its content already.
    SentAnyway,
    /// Somebody cancelled it.
    Cancelled,
    /// What it had left with the team was removed.
    CleanedUp,
    /// Here stood more than is kept.
    Omitted {
        /// How many events.
        #[cfg_attr(feature = "typescript", ts(type = "number"))]
        events: u64,
        /// How many of them were tries that failed.
        #[cfg_attr(feature = "typescript", ts(type = "number"))]
        retries: u64,
    },
}

/// A [`Failure`] as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Why {
    /// [`Failure::Transport`].
    Transport {
        /// The system's words.
        detail: Words,
    },
    /// [`Failure::Portal`].
    Portal,
    /// [`Failure::Busy`].
    Busy,
    /// [`Failure::ServerFault`].
    ServerFault {
        /// HTTP status.
        status: u16,
    },
    /// [`Failure::UrlExpired`].
    UrlExpired,
    /// [`Failure::SessionGone`].
    SessionGone,
    /// [`Failure::PartDamaged`].
    PartDamaged,
    /// [`Failure::UnexpectedAnswer`].
    UnexpectedAnswer {
        /// In what way.
        detail: Words,
    },
    /// [`Failure::SourceMissing`].
    SourceMissing,
    /// [`Failure::SourceChanged`].
    SourceChanged,
    /// [`Failure::Duplicate`].
    Duplicate {
        /// The upload with the same content.
        of: UploadId,
    },
    /// [`Failure::SourceUnreadable`].
    SourceUnreadable {
        /// The system's words.
        detail: Words,
    },
    /// [`Failure::LocalStorage`].
    LocalStorage {
        /// The system's words.
        detail: Words,
    },
    /// [`Failure::Refused`].
    Refused {
        /// What kind of refusal.
        code: Code,
        /// The other side's words.
        reason: Words,
    },
}

impl From<&Failure> for Why {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Transport(words) => Self::Transport { detail: Words::of(words) },
            Failure::Stalled => Self::Transport { detail: Words::of(&failure.to_string()) },
            Failure::Portal => Self::Portal,
            Failure::Busy { .. } => Self::Busy,
            Failure::ServerFault { status } => Self::ServerFault { status: *status },
            Failure::UrlExpired => Self::UrlExpired,
            Failure::SessionGone => Self::SessionGone,
            Failure::PartDamaged => Self::PartDamaged,
            Failure::UnexpectedAnswer(words) => Self::UnexpectedAnswer { detail: Words::of(words) },
            Failure::SourceMissing => Self::SourceMissing,
            Failure::SourceChanged => Self::SourceChanged,
            Failure::Duplicate { of } => Self::Duplicate { of: *of },
            Failure::SourceUnreadable(words) => Self::SourceUnreadable { detail: Words::of(words) },
            Failure::LocalStorage(words) => Self::LocalStorage { detail: Words::of(words) },
            Failure::Refused { code, reason } => {
                Self::Refused { code: *code, reason: Words::of(reason) }
            }
        }
    }
}

impl Event {
    /// Happens a few times at the most, however long an upload takes. Such events are always kept.
    #[must_use]
    pub fn is_milestone(&self) -> bool {
        match self {
            Self::Added
            | Self::StartedAgain { .. }
            | Self::SentAnyway
            | Self::Begun
            | Self::Registered
            | Self::Opened
            | Self::Settled
            | Self::Rewritten
            | Self::Sent
            | Self::SentAgain
            | Self::Finished
            | Self::BecamePlayable
            | Self::Cancelled => true,
            Self::SessionReplaced
            | Self::PartsSentAgain
            | Self::ProcessingFailed { .. }
            | Self::Failed { .. }
            | Self::SourceBack
            | Self::Connected
            | Self::Paused
            | Self::Resumed
            | Self::Retried
            | Self::CleanedUp
            | Self::Omitted { .. } => false,
        }
    }

    /// How many failed tries this stands for, if it happened so many times.
    #[must_use]
    pub fn retries(&self, times: u64) -> u64 {
        match self {
            Self::Failed { .. } | Self::PartsSentAgain => times,
            Self::Omitted { retries, .. } => *retries,
            _ => 0,
        }
    }
}

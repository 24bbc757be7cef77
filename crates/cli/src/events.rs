//! What is printed: JSON events for programs, lines for people.

use std::io::Write as _;

use dailies_engine::error::{Code, EngineError};
use dailies_engine::transfer::{Hold, Phase, UploadId};
use dailies_engine::view::{AllowanceView, ProgressView, UploadView};
use serde::Serialize;

/// Who reads the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// A program.
    Json,
    /// Somebody at a terminal.
    Bars,
    /// A file.
    Lines,
}

/// One line of JSON output.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Event<'a> {
    #[serde(flatten)]
    pub(crate) what: What,
    pub(crate) upload_id: Option<UploadId>,
    pub(crate) path: &'a str,
    pub(crate) video_id: Option<&'a str>,
}

/// How fast the bytes of all uploads may go from now on.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename = "allowance")]
pub(crate) struct Allowance {
    #[serde(flatten)]
    pub(crate) allowance: AllowanceView,
}

/// What happened to an upload.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(crate) enum What {
    Added,
    Progress {
        confirmed_bytes: u64,
        in_flight_bytes: u64,
        total_bytes: u64,
        bytes_per_second: u64,
    },
    Uploaded,
    Ready {
        #[serde(skip_serializing_if = "Option::is_none")]
        watch_url: Option<String>,
    },
    Failed {
        code: Code,
        message: String,
    },
}

impl What {
    pub(crate) fn progress(progress: ProgressView) -> Self {
        Self::Progress {
            confirmed_bytes: progress.confirmed_bytes,
            in_flight_bytes: progress.in_flight_bytes,
            total_bytes: progress.total_bytes,
            bytes_per_second: progress.bytes_per_second,
        }
    }
}

/// Prints a value as one line of JSON.
pub(crate) fn print(value: &impl Serialize) {
    match serde_json::to_string(value) {
        Ok(line) => say(&line),
        Err(error) => tracing::error!(%error, "an event could not be written"),
    }
}

/// Prints a line on standard output. Whoever closed it wants no more.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// An upload's state in one word or two, where this holds for the bytes of all.
pub(crate) fn state(upload: &UploadView, allowance: AllowanceView) -> &'static str {
    match (upload.hold, upload.phase) {
        (Hold::Paused, _) => "paused",
        (Hold::Backoff { .. }, _) => "trying again",
        (Hold::Offline { .. }, _) => "waiting for the network",
        (Hold::SourceMissing, _) => "file missing",
        (Hold::NeedsUser { .. }, _) => "needs you",
        (Hold::Cancelled, _) => "cancelled",
        (Hold::Failed { .. }, _) => "failed",
        (Hold::None, Phase::Queued) => waiting(allowance),
        (Hold::None, Phase::Beginning) => "preparing",
        (Hold::None, Phase::Uploading) if upload.active => "uploading",
        (Hold::None, Phase::Uploading) => waiting(allowance),
        (Hold::None, Phase::Finishing) => "finishing",
        (Hold::None, Phase::Processing) => "processing",
        (Hold::None, Phase::Ready) => "ready",
    }
}

fn waiting(allowance: AllowanceView) -> &'static str {
    match allowance {
        AllowanceView::Full | AllowanceView::Limit { .. } => "waiting",
        AllowanceView::Schedule { .. } => "waiting (schedule)",
        AllowanceView::Metered => "waiting (metered network)",
        AllowanceView::Battery => "waiting (on battery)",
    }
}

/// Whole percents of confirmed bytes, rounded down: 100 only when all are.
pub(crate) fn percent(upload: &UploadView) -> u64 {
    let progress = upload.progress;
    let (confirmed, total) =
        (u128::from(progress.confirmed_bytes), u128::from(progress.total_bytes));
    u64::try_from(confirmed * 100 / total.max(1)).unwrap_or_default()
}

/// Why an upload does not go on by itself; `None` for one that does, or that somebody stopped.
pub(crate) fn problem(upload: &UploadView) -> Option<EngineError> {
    let code = match upload.hold {
        Hold::NeedsUser { code } | Hold::Failed { code } => code,
        Hold::SourceMissing => Code::SourceMissing,
        _ => return None,
    };
    let words = words(code);
    let message = match &upload.reason {
        Some(reason) => format!("{words} ({reason})"),
        None => words.to_owned(),
    };
    Some(EngineError::new(code, message))
}

/// What happened and what to do, per code.
pub(crate) fn words(code: Code) -> &'static str {
    match code {
        Code::NotConnected => "no team is connected: `dailies login --server URL`",
        Code::SignedOut => {
            "the key or sign-in is no longer good: `dailies login`, then `dailies run`"
        }
        Code::Forbidden => "your role in the team does not allow this",
        Code::Unreachable => "the team server cannot be reached",
        Code::NotATeamServer => "what answers at that address is no team server",
        Code::UnexpectedAnswer => "the server's answers make no sense: try `dailies retry` later",
        Code::ServerFault => "the team server has a fault: try `dailies retry` later",
        Code::QuotaExceeded => "the team's storage is full: make room, then `dailies retry`",
        Code::FileTooLarge => "the file is larger than the team allows",
        Code::UnsupportedType => "the file is no video of a type the team takes",
        Code::Refused => "the team server refused",
        Code::StorageRefused => "the storage refused: try `dailies retry`",
        Code::Damaged => "bytes arrived damaged again and again: check disk and network",
        Code::SourceChanged => {
            "the file was changed while it went up: `dailies retry` sends the new version"
        }
        Code::SourceUnreadable => "the file cannot be read",
        Code::SourceMissing => "the file is not there",
        Code::Duplicate => {
            "the team has the same content already: `dailies send-anyway` sends it all the same"
        }
        Code::NotAFile => "not a regular file",
        Code::EmptyFile => "the file is empty",
        Code::NoVideos => "there is no video in this folder",
        Code::ProcessingFailed => "the team has the file, but could make nothing playable of it",
        Code::NotFound => "there is no such thing",
        Code::WrongState => "that cannot be done in its present state",
        Code::ProfileInUse => "another program works on this profile",
        Code::ProfileTooNew => "this profile was used by a newer version: update this program",
        Code::ProfileDamaged => "the queue's file is damaged",
        Code::LocalStorage => "this computer's disk is full or refuses",
        Code::FolderMissing => "the folder is not there",
        Code::DesktopRefused => "this computer's desktop refused",
        Code::Stopped => "the engine has stopped",
    }
}

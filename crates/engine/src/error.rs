//! What crosses the engine's edge when something is wrong: a closed code and a sentence.

use serde::{Deserialize, Serialize};

/// Why an upload waits or ended, or why a call was refused. Interfaces have words for each.
///
/// A code is here only if somebody acts on it differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// No connection to a team has been made.
    NotConnected,
    /// The key or token is wrong, revoked or expired.
    SignedOut,
    /// The role in the team does not allow this.
    Forbidden,
    /// The team server cannot be reached.
    Unreachable,
    /// What answers at that address is no team server.
    NotATeamServer,
    /// The answer was none that the protocol knows.
    UnexpectedAnswer,
    /// The server has had faults for too long.
    ServerFault,
    /// The team's storage is full.
    QuotaExceeded,
    /// Larger than the team allows.
    FileTooLarge,
    /// The type is none of the team's.
    UnsupportedType,
    /// The server refused for a reason of its own.
    Refused,
    /// The storage refused for a reason that asking again does not mend.
    StorageRefused,
    /// The bytes that arrived differ from those that were read, again and again.
    Damaged,
    /// The file was changed while it was being uploaded.
    SourceChanged,
    /// The file cannot be read.
    SourceUnreadable,
    /// The file is not there.
    SourceMissing,
    /// The same project has the same content already.
    Duplicate,
    /// It is no regular file.
    NotAFile,
    /// It is empty.
    EmptyFile,
    /// It is a folder without any video.
    NoVideos,
    /// The bytes are with the team, but no playable version could be made.
    ProcessingFailed,
    /// No such upload, project or video.
    NotFound,
    /// It is in a state in which this cannot be done.
    WrongState,
    /// Another program works on this profile.
    ProfileInUse,
    /// The queue's database was written by a newer version.
    ProfileTooNew,
    /// The queue's database is damaged.
    ProfileDamaged,
    /// This computer's disk is full or refuses.
    LocalStorage,
    /// The folder that a download goes to is not there.
    FolderMissing,
    /// This computer's desktop refused: its clipboard, its file manager, its browser.
    DesktopRefused,
    /// The engine has stopped.
    Stopped,
}

/// A refused call.
#[derive(Clone, Debug, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[error("{message}")]
pub struct EngineError {
    /// For programs.
    pub code: Code,
    /// For people; without secrets.
    pub message: String,
}

impl EngineError {
    /// A refusal in words.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<dailies_database::DatabaseError> for EngineError {
    fn from(error: dailies_database::DatabaseError) -> Self {
        use dailies_database::DatabaseError as E;
        let code = match &error {
            E::NewerSchema => Code::ProfileTooNew,
            E::Damaged(_) | E::SqliteTooOld { .. } | E::Migration(_) => Code::ProfileDamaged,
            E::Folder(_) | E::OlderSchema | E::Sqlite(_) | E::Stale => Code::LocalStorage,
            E::Closed => Code::Stopped,
        };
        if error.is_full() {
            let words =
                "the disk under the queue is full: nothing new is taken until there is room";
            return Self::new(code, words);
        }
        Self::new(code, error.to_string())
    }
}

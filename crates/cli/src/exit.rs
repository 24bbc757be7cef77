//! Exit codes.

use std::process::ExitCode;

use dailies_engine::error::{Code, EngineError};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything reached the state that was waited for.
    Done,
    /// Something failed, or needs somebody.
    SomeFailed,
    /// What was asked for makes no sense.
    Usage,
    /// No key, a wrong one, or no way to the team.
    NoTeam,
    /// Somebody interrupted it.
    Interrupted,
}

impl Exit {
    /// The exit for a refusal.
    pub(crate) fn of(error: &EngineError) -> Self {
        match error.code {
            Code::NotConnected
            | Code::SignedOut
            | Code::Forbidden
            | Code::Unreachable
            | Code::NotATeamServer => Self::NoTeam,
            Code::NotFound | Code::ProfileInUse => Self::Usage,
            _ => Self::SomeFailed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::SomeFailed => 1,
            Exit::Usage => 2,
            Exit::NoTeam => 3,
            Exit::Interrupted => 130,
        })
    }
}

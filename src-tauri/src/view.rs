//! What the page sees of the shell, beside the engine's own views.

use dailies_engine::watch::FolderId;
use serde::Serialize;

use crate::settings::{By, Preferences, Team, Values};
use crate::updates::{UpdateState, UpdateView};

/// What only the shell knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShellView {
    /// The engine works.
    pub(crate) engine: EngineState,
    /// The team server on this computer.
    pub(crate) server: ServerView,
    /// Every other one that somebody connected to.
    pub(crate) teams: Vec<TeamView>,
    /// What somebody prefers.
    pub(crate) preferences: Preferences,
    /// Whether the app starts when its user signs in to the system; absent where that is not known.
    pub(crate) starts_at_login: Option<bool>,
    /// Which version this is, and how it stands with newer ones.
    pub(crate) update: UpdateView,
}

/// Whether the engine works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub(crate) enum EngineState {
    /// It does.
    Works,
    /// It ended although nobody wanted that: only another start helps.
    Broke,
}

/// A team server that somebody connected to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct TeamView {
    /// Its address.
    pub(crate) url: String,
    /// What opens it.
    pub(crate) opened_by: OpenedBy,
}

/// What opens a team server, and where that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub(crate) enum OpenedBy {
    /// An API key in the system's keychain.
    KeptKey,
    /// An API key that is in memory only: it has to be given again at the next start.
    KeyInMemory,
    /// A sign-in in the browser, kept in a file that only its owner reads.
    Browser,
}

/// The folder of the team server on this computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerFolder {
    /// Where it is, for reading only: lossy where it is no Unicode.
    pub(crate) path: String,
    /// Bytes of all that is in it.
    #[cfg_attr(test, ts(type = "number"))]
    pub(crate) bytes: u64,
}

/// The team server on this computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum ServerView {
    /// It is not wanted.
    Off,
    /// It is on its way, for the first time or again.
    Starting,
    /// It answers.
    Running {
        /// Its address.
        url: String,
    },
    /// It keeps ending. It is still tried.
    Failed {
        /// Why, in words.
        message: String,
    },
}

/// What is being dragged over the window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct DragView {
    /// Files that would be added.
    pub(crate) videos: u32,
    /// Files that would not.
    pub(crate) others: u32,
    /// The names of the first of those.
    pub(crate) names: Vec<String>,
}

/// A folder that somebody has chosen to be watched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChosenFolder {
    /// Where it is, for reading only: lossy where it is no Unicode.
    pub(crate) path: String,
    /// It is watched already.
    pub(crate) id: Option<FolderId>,
}

/// What of somebody's words makes no rule for a watched folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct RuleFaults {
    /// Those that are no patterns.
    pub(crate) patterns: Vec<String>,
    /// The title is no template.
    pub(crate) title: bool,
}

impl ShellView {
    /// As it is before anything runs.
    #[must_use]
    pub(crate) fn of(values: &Values) -> Self {
        let team = |Team { url, by }: &Team| TeamView {
            url: url.to_string(),
            opened_by: match by {
                By::Key => OpenedBy::KeptKey,
                By::Browser => OpenedBy::Browser,
            },
        };
        Self {
            engine: EngineState::Works,
            server: ServerView::Off,
            teams: values.teams.iter().map(team).collect(),
            preferences: values.preferences.clone(),
            starts_at_login: None,
            update: UpdateView {
                version: env!("CARGO_PKG_VERSION").into(),
                state: UpdateState::Off,
            },
        }
    }
}

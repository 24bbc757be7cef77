//! What the page sees of the shell, beside the engine's own views.

use dailies_engine::watch::FolderId;
use serde::Serialize;

/// What only the shell knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct ShellView {
    /// The team server on this computer.
    pub(crate) server: ServerView,
    /// Where the key to the team is kept.
    pub(crate) key_kept: KeyKept,
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

/// Where the key to the team is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub(crate) enum KeyKept {
    /// In the system's keychain.
    Keychain,
    /// Nowhere but in memory: it has to be given again at the next start.
    Memory,
    /// There is none to keep.
    None,
}

/// What is being dragged over the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct DragView {
    /// Files that would be added.
    pub(crate) videos: u32,
    /// Files that would not.
    pub(crate) others: u32,
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
    /// Nothing is chosen, nothing runs.
    #[must_use]
    pub(crate) fn empty() -> Self {
        Self { server: ServerView::Off, key_kept: KeyKept::None }
    }
}

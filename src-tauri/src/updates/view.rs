//! What the page sees of newer versions.

use dailies_engine::transfer::Timestamp;
use serde::Serialize;

/// Which version this is, and how it stands with newer ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub(crate) struct UpdateView {
    /// The version that runs.
    pub(crate) version: String,
    /// How it stands with newer ones.
    pub(crate) state: UpdateState,
}

/// How it stands with newer versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(crate) enum UpdateState {
    /// None is looked for: this build has no address to ask, or no key to check an answer with.
    Off,
    /// None is known.
    None {
        /// When it was looked for one; absent until it was.
        looked_at: Option<Timestamp>,
    },
    /// Somebody is asked for one.
    Looking,
    /// There is one, which the app does not install.
    Out {
        /// Which.
        version: String,
        /// The system's package manager does; otherwise whoever put this one there.
        packaged: bool,
    },
    /// It comes.
    Downloading {
        /// Which.
        version: String,
        /// How much of it is here; absent where its size is not known.
        percent: Option<u8>,
    },
    /// It is here, its signature is right, and it takes the place of this one when somebody says so.
    Ready {
        /// Which.
        version: String,
    },
    /// Nothing came of it. This version stays as it is.
    Failed {
        /// Why.
        fault: UpdateFault,
    },
}

/// Why nothing came of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub(crate) enum UpdateFault {
    /// Nobody answered who knows of versions.
    Unreachable,
    /// An address on the way is not encrypted.
    Insecure,
    /// The answer makes no sense, or has nothing for this computer.
    Unintelligible,
    /// The download broke off, or brought no end of bytes.
    CutOff,
    /// It is not signed with the key of this app's makers, or for another version.
    NotGenuine,
    /// This computer's disk is full or refuses.
    NotKept,
    /// The system refused to put it in the place of this version.
    NotInstalled,
}

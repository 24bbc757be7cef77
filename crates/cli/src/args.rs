//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, Subcommand, ValueEnum};
use dailies_engine::error::{Code, EngineError};
use dailies_engine::preferences::{OnChange, OnDuplicate};
use dailies_engine::team::ProtocolKind;
use dailies_engine::transfer::{Rate, Rule, UploadId};
use url::Url;

/// Sends videos to a team and loses none.
#[derive(Debug, Parser)]
#[command(name = "dailies", version, max_term_width = 100)]
pub(crate) struct Args {
    /// Print one JSON object per line on standard output, and nothing else there.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// The folder of the queue.
    #[arg(long, global = true, value_name = "DIR", env = "DAILIES_PROFILE")]
    pub(crate) profile: Option<PathBuf>,

    /// The team server's address; the one used last, if none is given.
    #[arg(long, global = true, value_name = "URL", env = "DAILIES_SERVER")]
    pub(crate) server: Option<Url>,

    /// A file with address and key, as `dailies-server` writes it.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) credentials: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add files to the queue and wait until the team has them.
    ///
    /// A file that is in the queue already is not added twice: its upload goes on.
    Upload {
        /// Videos, or folders of videos.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Where they go; the project chosen last, or the team's first, if none is given.
        #[arg(long, value_name = "ID")]
        project: Option<String>,
        /// The video that the file, just one, becomes the next version of.
        #[arg(long, value_name = "VIDEO_ID", conflicts_with = "project")]
        version_of: Option<String>,
        /// How far to wait.
        #[arg(long, value_enum, default_value_t = Wait::Uploaded)]
        wait: Wait,
    },
    /// Work the queue off until nothing in it can go on.
    Run,
    /// Print every upload of the queue.
    List,
    /// Make uploads wait until they are resumed.
    Pause {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<UploadId>,
    },
    /// Let paused uploads go on.
    Resume {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<UploadId>,
    },
    /// End uploads and remove what the team has of them.
    Cancel {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<UploadId>,
    },
    /// Try uploads again that wait, need somebody or have failed.
    Retry {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<UploadId>,
    },
    /// Print how fast uploads may go, or set it.
    Limit {
        /// Bytes a second of all uploads together, such as 20M or 750K; `off` for none.
        #[arg(value_name = "RATE|off")]
        limit: Option<Off<Rate>>,
    },
    /// Print what holds at which times of the week, or set it.
    ///
    /// The first rule that has something to say decides; where none has, the limit holds.
    Schedule {
        /// Rules such as "mon-fri 09:00-18:00 5M", "sat,sun 22:00-06:00 full" or "daily 12:00-13:00
        /// pause", in place of those that held; `off` for none.
        #[arg(value_name = "RULE|off")]
        rules: Vec<Off<Rule>>,
    },
    /// Print how many uploads work at the same time, or set it.
    Parallel {
        /// From 1 to 16.
        #[arg(value_name = "COUNT", value_parser = clap::value_parser!(u8).range(1..=16))]
        uploads: Option<u8>,
    },
    /// Print whether uploads wait while the network is metered, or set it. They do, at first.
    PauseOnMetered {
        #[arg(value_enum)]
        state: Option<State>,
    },
    /// Print whether uploads wait while the computer runs on battery, or set it. They do not, at
    /// first.
    PauseOnBattery {
        #[arg(value_enum)]
        state: Option<State>,
    },
    /// Print whether the computer is kept awake while bytes are sent, or set it. It is, at first.
    KeepAwake {
        #[arg(value_enum)]
        state: Option<State>,
    },
    /// Let the `dailies` that works on this profile send, although the network is metered or the
    /// computer runs on battery, until either changes.
    SendHere,
    /// Send files although the same project has their content already.
    SendAnyway {
        #[arg(required = true, value_name = "ID")]
        ids: Vec<UploadId>,
    },
    /// Choose what uploads of this profile do, and print what is chosen.
    Prefer {
        /// Of a file whose content the same project has already.
        #[arg(long, value_enum)]
        duplicates: Option<Duplicates>,
        /// Of a file that is changed while it goes up.
        #[arg(long, value_enum)]
        changes: Option<Changes>,
    },
    /// Print what happened to an upload, oldest first.
    History {
        #[arg(value_name = "ID")]
        id: UploadId,
    },
    /// Print the receipts of finished uploads: what was sent, and what the team says of it.
    Receipt {
        /// All that are kept, if none is given; also of uploads that are not in the queue any more.
        #[arg(value_name = "ID")]
        ids: Vec<UploadId>,
    },
    /// Sign in to a team server in the browser, and remember it.
    ///
    /// Uploads that waited for it go on, here or in the call that works on them.
    Login(Login),
    /// Forget a server's credentials: that of --server, or the one signed in to last.
    Logout,
    /// Print the servers that somebody is signed in to, the last one first.
    Connections,
    /// Print a session for playing a video.
    Play {
        /// The team's name for the video.
        video_id: String,
    },
}

/// Of something that is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum State {
    On,
    Off,
}

/// What becomes of a file whose content the same project has already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Duplicates {
    /// It waits for `send-anyway` or `cancel`.
    Ask,
    /// It is sent like any other.
    Send,
}

/// What becomes of an upload whose file was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Changes {
    /// It waits for `retry` or `cancel`.
    Ask,
    /// The file goes up as it is now, unless it keeps changing.
    StartAgain,
}

impl From<Duplicates> for OnDuplicate {
    fn from(duplicates: Duplicates) -> Self {
        match duplicates {
            Duplicates::Ask => Self::Ask,
            Duplicates::Send => Self::Send,
        }
    }
}

impl From<Changes> for OnChange {
    fn from(changes: Changes) -> Self {
        match changes {
            Changes::Ask => Self::Ask,
            Changes::StartAgain => Self::StartAgain,
        }
    }
}

/// How somebody signs in.
#[derive(Debug, clap::Args)]
pub(crate) struct Login {
    /// Read an API key from standard input instead.
    #[arg(long)]
    pub(crate) key: bool,
    /// Read a JWT from standard input instead. It is not renewed.
    #[arg(long, conflicts_with = "key")]
    pub(crate) token: bool,
    /// Only print the page's address.
    #[arg(long, conflicts_with_all = ["key", "token"])]
    pub(crate) no_browser: bool,
    /// What the server speaks; without it, that is found out.
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
}

/// What a server speaks, as it is typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Kind {
    /// The team API's video actions.
    VideoActions,
    /// Chunked upload sessions.
    ChunkedSessions,
    /// Mux direct uploads.
    MuxDirect,
    /// The Uploads API.
    UploadsApi,
}

impl From<Kind> for ProtocolKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::VideoActions => Self::VideoActions,
            Kind::ChunkedSessions => Self::ChunkedSessions,
            Kind::MuxDirect => Self::MuxDirect,
            Kind::UploadsApi => Self::UploadsApi,
        }
    }
}

/// How far `upload` waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wait {
    /// Until the team has every byte.
    Uploaded,
    /// Until the video can be played.
    Ready,
}

/// Something that can be set, or the word `off`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Off<T>(pub(crate) Option<T>);

impl<T: FromStr> FromStr for Off<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        if text == "off" { Ok(Self(None)) } else { text.parse().map(|set| Self(Some(set))) }
    }
}

impl Args {
    /// The profile's folder, given or the system's usual place.
    pub(crate) fn profile_folder(&self) -> Result<PathBuf, EngineError> {
        if let Some(folder) = &self.profile {
            return Ok(folder.clone());
        }
        let folders = directories::ProjectDirs::from("dev", "dailies", "dailies");
        folders.map(|folders| folders.data_dir().join("profile")).ok_or_else(|| {
            EngineError::new(Code::LocalStorage, "there is no home folder; name one by --profile")
        })
    }
}

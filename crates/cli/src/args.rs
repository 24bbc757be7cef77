//! The command line.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, Subcommand, ValueEnum};
use dailies_engine::error::{Code, EngineError};
use dailies_engine::preferences::{OnChange, OnDuplicate};
use dailies_engine::team::ProtocolKind;
use dailies_engine::transfer::{Rate, Rule, UploadId};
use dailies_engine::watch::{FolderId, Pattern, Template};
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
    /// Watch a folder, and send what is finished in it, until SIGTERM ends it.
    ///
    /// What is there already stays, unless --existing says otherwise. Without a folder, all that
    /// `folders add` has kept are watched.
    Watch {
        /// The folder, with all that is in it.
        #[arg(value_name = "DIR")]
        path: Option<PathBuf>,
        /// Where its files go; the project chosen last, or the team's first, if none is given.
        #[arg(long, value_name = "ID", requires = "path")]
        project: Option<String>,
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Keep folders to be watched, and see what would become of their files.
    #[command(subcommand)]
    Folders(Folders),
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
    ///
    /// Six small files, of at most 16 MiB, work in the place of one.
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

/// A watched folder that is kept.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    By(FolderId),
    At(PathBuf),
}

impl FromStr for Kept {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| Self::At(text.into()), Self::By))
    }
}

/// What is done with watched folders.
#[derive(Debug, Subcommand)]
pub(crate) enum Folders {
    /// Keep a folder, or change what is wanted of one that is kept.
    Add {
        /// The folder, with all that is in it.
        #[arg(value_name = "DIR")]
        path: PathBuf,
        /// Where its files go; the project chosen last, or the team's first, if none is given.
        #[arg(long, value_name = "ID")]
        project: Option<String>,
        #[command(flatten)]
        wanted: Wanted,
    },
    /// Print every folder that is kept.
    List,
    /// Keep a folder no longer. What is in the queue stays there.
    Remove {
        /// The folder, or the name by which `dailies folders list` prints it.
        #[arg(value_name = "DIR|ID")]
        folder: Kept,
    },
    /// Watch a folder no more for now. What comes into it meanwhile is new when it is watched again.
    Pause {
        /// The folder, or the name by which `dailies folders list` prints it.
        #[arg(value_name = "DIR|ID")]
        folder: Kept,
    },
    /// Watch a folder again that was paused.
    Resume {
        /// The folder, or the name by which `dailies folders list` prints it.
        #[arg(value_name = "DIR|ID")]
        folder: Kept,
    },
    /// Send a file of a folder that is kept now, whether or not it is finished.
    ///
    /// What was sent is not sent again. What is still being written goes up as a file that changes.
    SendNow {
        /// The file.
        #[arg(value_name = "FILE")]
        path: PathBuf,
    },
    /// Print what would be sent of a folder now, and why the rest would not.
    DryRun {
        /// The folder.
        #[arg(value_name = "DIR")]
        path: PathBuf,
        #[command(flatten)]
        wanted: Wanted,
    },
}

/// What is wanted of a watched folder.
#[derive(Debug, clap::Args)]
pub(crate) struct Wanted {
    /// Send only what matches; a pattern without a slash matches names, in any subfolder.
    #[arg(long, value_name = "GLOB")]
    pub(crate) include: Vec<Pattern>,
    /// Send nothing that matches, nor what is in a folder that does.
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<Pattern>,
    /// Send nothing smaller: 750K, 20M.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) smallest: Option<u64>,
    /// Send what is there already, too.
    #[arg(long)]
    pub(crate) existing: bool,
    /// How videos are called: text with {name}, {date} and {folder} in it.
    #[arg(long, value_name = "TEMPLATE")]
    pub(crate) title: Option<Template>,
    /// Where files go here once the team has verified them.
    #[arg(long, value_enum, default_value_t = Put::Nowhere)]
    pub(crate) afterwards: Put,
    /// Send what lies in a subfolder to the team's project that is called like it; make it where
    /// there is none.
    #[arg(long)]
    pub(crate) project_per_subfolder: bool,
    /// Who may watch their videos without being of the team; as the team does it, if nothing is said.
    #[arg(long, value_enum)]
    pub(crate) visibility: Option<Visible>,
    /// Send its files before all others of the queue.
    #[arg(long)]
    pub(crate) first: bool,
    /// Send a file as the next version of the video that has its title, where the project has one.
    #[arg(long)]
    pub(crate) versions: bool,
}

/// Who may watch a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Visible {
    /// Whoever knows its address.
    Public,
    /// The team, and with whom it shares it.
    Private,
}

impl Wanted {
    /// Whether anything was said.
    pub(crate) fn is_something(&self) -> bool {
        !self.include.is_empty()
            || !self.exclude.is_empty()
            || self.smallest.is_some()
            || self.existing
            || self.title.is_some()
            || self.afterwards != Put::Nowhere
            || self.project_per_subfolder
            || self.visibility.is_some()
            || self.first
            || self.versions
    }
}

/// Bytes, written as those of a rate are.
fn size(text: &str) -> Result<u64, <Rate as FromStr>::Err> {
    text.parse().map(Rate::get)
}

/// Where a file goes that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Put {
    /// It stays.
    #[value(name = "nothing")]
    Nowhere,
    /// Into the folder `Uploaded` of the watched one.
    #[value(name = "move")]
    Uploaded,
    /// Into the trash.
    Trash,
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

//! What the server is started with: command line first, then environment, then the file, then
//! defaults. Every setting is a row of [`settings::SETTINGS`].
//!
//! Secrets never come from a command line: every user of the computer can read it.

pub(crate) mod file;
mod network;
pub mod oidc;
pub mod settings;
pub(crate) mod units;
mod variables;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use secrecy::SecretString;
use url::Url;

pub use self::file::FileError;
pub use self::network::Network;
use self::oidc::OidcIssuer;
use self::variables::Variables;

const MIB: u64 = 1 << 20;

/// Where every subcommand finds its settings.
#[derive(Args, Clone, Debug, Default)]
pub struct SettingsArgs {
    /// File of settings (TOML); or `DAILIES_CONFIG`
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder for the database, the originals and the renditions, one server per folder; or
    /// `DAILIES_DATA`
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

impl SettingsArgs {
    /// The data folder alone, for a subcommand that needs no more.
    ///
    /// # Errors
    /// For a file that is wrong, or where no folder is known.
    pub fn data_folder(
        self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<PathBuf, ConfigError> {
        let from = Variables::new(&variable, self.config)?;
        data_folder(self.data, &from)
    }
}

/// `dailies-server serve`.
#[derive(Args, Clone, Debug, Default)]
pub struct ServeArgs {
    /// Where the rest is.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Address of the team API; without it the last one, at first 127.0.0.1:7420. Port 0: any
    /// free; or `DAILIES_LISTEN`
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
    /// Address of the S3 endpoint; without it the last one, at first the next port; or
    /// `DAILIES_S3_LISTEN`
    #[arg(long, value_name = "ADDR:PORT")]
    pub s3_listen: Option<SocketAddr>,
}

fn data_folder(said: Option<PathBuf>, from: &Variables<'_>) -> Result<PathBuf, ConfigError> {
    said.or_else(|| from.path("DAILIES_DATA"))
        .or_else(|| dirs::data_local_dir().map(|folder| folder.join("dailies-server")))
        .ok_or(ConfigError::NoDataFolder)
}

/// Everything a server is opened with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data folder; made where it is missing.
    pub data: PathBuf,
    /// See [`ServeArgs::listen`].
    pub listen: Option<SocketAddr>,
    /// See [`ServeArgs::s3_listen`].
    pub s3_listen: Option<SocketAddr>,
    /// What others reach the team API by, where it is not the address listened on.
    pub public_url: Option<Url>,
    /// Where originals are kept.
    pub storage: StorageSource,
    /// Who makes them playable.
    pub media: MediaSource,
    /// Whom the embedded media engine tells its news, where that is not this server.
    pub media_webhook: Option<Url>,
    /// Whose tokens are taken besides API keys.
    pub oidc: Vec<OidcIssuer>,
    /// Sizes and lifetimes.
    pub limits: Limits,
    /// What the embedded media engine may take of the computer.
    pub media_limits: crate::media::Limits,
    /// What connections and callers may take.
    pub network: Network,
    /// A certificate pair; without it the listeners speak HTTP in the clear.
    pub tls: Option<TlsFiles>,
    /// Where metrics are shown.
    pub metrics: Metrics,
}

/// A certificate pair.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// PEM, the server's own first.
    pub certificate: PathBuf,
    /// PEM.
    pub key: PathBuf,
}

/// Where metrics are shown.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// A listener of their own.
    pub listen: Option<SocketAddr>,
    /// With it, also on the team API's listener; asked for on both.
    pub token: Option<SecretString>,
}

/// The object storage.
#[derive(Clone, Debug)]
pub enum StorageSource {
    /// The S3 endpoint inside this server.
    Embedded {
        /// What presigned URLs name, where it is not the address listened on.
        public_endpoint: Option<Url>,
    },
    /// Any other.
    S3(S3Config),
}

/// How to reach an object storage.
#[derive(Clone, Debug)]
pub struct S3Config {
    /// Base address, path style.
    pub endpoint: Url,
    /// What presigned URLs name.
    pub public_endpoint: Url,
    /// For signatures.
    pub region: String,
    /// Where originals are kept.
    pub bucket: String,
    /// Public half of the key.
    pub access_key_id: String,
    /// Secret half of the key.
    pub secret_access_key: SecretString,
    /// What the storage can check by itself.
    pub checksum: StorageChecksum,
}

/// The checksum that a storage verifies in requests and keeps with objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageChecksum {
    /// CRC-64/NVME of the whole object.
    Crc64Nvme,
    /// None that can be relied on.
    None,
}

/// The media engine.
#[derive(Clone, Debug)]
pub enum MediaSource {
    /// The one inside this server.
    Embedded,
    /// Mux, or what speaks its protocol.
    Mux(Box<MuxConfig>),
}

/// How to reach a media engine.
#[derive(Clone, Debug)]
pub struct MuxConfig {
    /// What `/video/v1/assets` is added to.
    pub api: Url,
    /// User name of the API.
    pub token_id: String,
    /// Password of the API.
    pub token_secret: SecretString,
    /// `kid` of playback tokens.
    pub signing_key_id: String,
    /// RS256 private key in PEM.
    pub signing_key: SecretString,
    /// Keys that webhooks may be signed with; several while one is rotated.
    pub webhook_secrets: Vec<SecretString>,
    /// What `/{playbackId}.m3u8` is added to.
    pub stream: Url,
    /// What `/{playbackId}/thumbnail.jpg` is added to.
    pub image: Url,
}

/// Sizes and lifetimes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a part, unless 10,000 of them would not do. A multiple of 1 MiB, at least 5 MiB.
    pub part_size: u64,
    /// Files above this many bytes go in parts.
    pub multipart_above: u64,
    /// Bytes of the largest file.
    pub max_file_size: u64,
    /// How long a playback token lives.
    pub playback_token: Duration,
    /// How long the embedded storage keeps a multipart upload that no part is sent to.
    pub uploads_kept: Duration,
    /// How long a stopping server waits for the requests it has.
    pub drain: Duration,
    /// Bytes that a team may keep which has no quota of its own; `None`: no limit.
    pub team_quota: Option<u64>,
    /// How long an upload may lie idle before it is given up.
    pub idle_upload: Duration,
    /// How old something in the storage must be before it counts as lost where no row names it.
    pub lost_after: Duration,
    /// How long a form that is uploaded may stop coming.
    pub form_stall: Duration,
    /// How often the background jobs look whether one of them is due.
    pub sweep_round: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            part_size: 8 * MIB,
            multipart_above: 8 * MIB,
            max_file_size: 50 << 30,
            playback_token: Duration::from_hours(1),
            uploads_kept: Duration::from_hours(7 * 24),
            drain: Duration::from_secs(10),
            team_quota: None,
            idle_upload: Duration::from_hours(24),
            lost_after: Duration::from_hours(48),
            form_stall: Duration::from_secs(30),
            sweep_round: Duration::from_mins(1),
        }
    }
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The platform names no folder for application data.
    #[error("no folder for application data is known here; say one with --data or DAILIES_DATA")]
    NoDataFolder,
    /// A variable that goes with another one is missing.
    #[error("{missing} is needed where {given} is set")]
    Missing {
        /// The absent one.
        missing: &'static str,
        /// The one that asks for it.
        given: &'static str,
    },
    /// The same, of who uses a file.
    #[error("`{missing}` is needed where `{given}` is set ({variable} in the environment)")]
    MissingKey {
        /// The absent one, as the file names it.
        missing: String,
        /// The one that asks for it.
        given: String,
        /// The absent one's variable.
        variable: &'static str,
    },
    /// A variable cannot be read.
    #[error("{name} must be {expected}")]
    Invalid {
        /// Its name.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The file is wrong.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file that a variable names for a secret is not there.
    #[error("{name} names a file that cannot be read: {error}")]
    SecretFile {
        /// The variable.
        name: String,
        /// Why.
        error: std::io::Error,
    },
    /// A secret and a file for it.
    #[error("{0} and {0}_FILE are both set: leave one out")]
    Twice(&'static str),
}

impl Config {
    /// Embedded storage and media engine on free ports of this computer, defaults otherwise.
    #[must_use]
    pub fn embedded(data: PathBuf) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            data,
            listen: Some(any),
            s3_listen: Some(any),
            public_url: None,
            storage: StorageSource::Embedded { public_endpoint: None },
            media: MediaSource::Embedded,
            media_webhook: None,
            oidc: Vec::new(),
            limits: Limits::default(),
            network: Network::private(),
            tls: None,
            metrics: Metrics::default(),
            media_limits: crate::media::Limits::default(),
        }
    }

    /// Joins the command line with the variables that `variable` knows, and with the file.
    ///
    /// # Errors
    /// For what is missing, unknown or unreadable: by its variable's name, or its line in the file.
    pub fn new(
        args: ServeArgs,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let from = Variables::new(&variable, args.settings.config.clone())?;
        Self::from(args, &from).map_err(|error| from.located(error))
    }

    fn from(args: ServeArgs, from: &Variables<'_>) -> Result<Self, ConfigError> {
        Ok(Self {
            data: data_folder(args.settings.data, from)?,
            listen: args
                .listen
                .map_or_else(|| from.address("DAILIES_LISTEN"), |it| Ok(Some(it)))?,
            s3_listen: args
                .s3_listen
                .map_or_else(|| from.address("DAILIES_S3_LISTEN"), |it| Ok(Some(it)))?,
            public_url: from.url("DAILIES_PUBLIC_URL")?,
            storage: from.storage()?,
            media: from.media()?,
            media_webhook: from.url("DAILIES_MEDIA_WEBHOOK_URL")?,
            oidc: from.oidc()?,
            limits: from.limits()?,
            network: from.network()?,
            tls: from.tls()?,
            metrics: from.metrics()?,
            media_limits: from.media_limits()?,
        })
    }
}

/// Reads a configuration file; the line that is wrong. For the targets for fuzzing.
#[cfg(any(test, fuzzing))]
pub(crate) fn fuzzed_file(text: &str) -> Result<(), usize> {
    file::parse(text).and_then(|_| file::issuers(text)).map(drop).map_err(|wrong| wrong.line)
}

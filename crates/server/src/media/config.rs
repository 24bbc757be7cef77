//! What the engine is opened with.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// Everything the engine must be told.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Holds `media.db`, `assets/`, `uploads/` and `work/`; made where it is missing. One engine per folder.
    pub folder: PathBuf,
    /// User name of the Video API (HTTP Basic).
    pub token_id: String,
    /// Password of the Video API.
    pub token_secret: SecretString,
    /// Keys that may sign playback tokens; more than one while they are rotated.
    pub signing_keys: Vec<SigningKey>,
    /// What the addresses of direct uploads begin with: where [`MediaEngine::upload_router`] answers
    /// for those who send, for instance `https://dailies.example/mux-upload`.
    ///
    /// [`MediaEngine::upload_router`]: super::MediaEngine::upload_router
    pub upload_url: String,
    /// Where events go.
    pub webhook: WebhookTarget,
    /// The programs that do the work.
    pub programs: Programs,
    /// How much of the computer they may take.
    pub limits: Limits,
}

/// The public half of a key that signs playback tokens.
#[derive(Clone, Debug)]
pub struct SigningKey {
    /// The `kid` in a token's header.
    pub id: String,
    /// RSA public key: PEM (`BEGIN PUBLIC KEY` or `BEGIN RSA PUBLIC KEY`), or the DER of either.
    pub public_key: Vec<u8>,
}

/// The receiver of webhooks.
#[derive(Clone, Debug)]
pub struct WebhookTarget {
    /// Full address, for instance `http://127.0.0.1:4600/webhooks/mux`.
    pub url: String,
    /// Key of the HMAC in `Mux-Signature`.
    pub secret: SecretString,
}

/// Names or paths of FFmpeg's programs; names are looked up in `PATH`.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The converter.
    pub ffmpeg: PathBuf,
    /// The prober.
    pub ffprobe: PathBuf,
}

impl Default for Programs {
    fn default() -> Self {
        Self { ffmpeg: "ffmpeg".into(), ffprobe: "ffprobe".into() }
    }
}

/// Limits of the work.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Assets prepared at the same time; of their further renditions, half as many, but one at least.
    pub parallel_jobs: usize,
    /// Threads of one decoder or encoder; 0 leaves it to FFmpeg, which takes them all.
    pub threads: u32,
    /// Height of the largest rendition that is encoded, in lines of a 16:9 picture that lies; what
    /// plays as it is is kept even if it is larger.
    pub max_height: u32,
    /// First pause before a further rendition that failed is tried again; the next ones are longer.
    pub retry: Duration,
    /// Bytes of private memory one child process may have (Linux).
    pub memory: u64,
    /// Bytes of the largest direct upload.
    pub upload: u64,
    /// Longest probe.
    pub probe: Duration,
    /// Longest conversion, however long the video is.
    pub conversion: Duration,
    /// What every conversion may take, before duration and size add to it.
    pub conversion_base: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            parallel_jobs: 2,
            threads: 0,
            max_height: 1080,
            retry: Duration::from_mins(1),
            memory: 4 << 30,
            upload: 50 << 30,
            probe: Duration::from_secs(60),
            conversion: Duration::from_hours(24),
            conversion_base: Duration::from_mins(2),
        }
    }
}

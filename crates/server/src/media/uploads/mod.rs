//! Direct uploads: takes the bytes of a video at an address that needs no other key.
//!
//! Owns: the files in `uploads/`, who writes to them, when they go. Must not know: what is made of
//! them; a whole file becomes the input of an ordinary job.
//!
//! The protocol is that of Google's resumable uploads, which Mux hands out. Bytes are on disk
//! before the row says so, and the row says so before anybody is told.
//!
//! Sources: <https://www.mux.com/docs/guides/upload-files-directly>,
//! <https://cloud.google.com/storage/docs/performing-resumable-uploads>.

mod asked;
mod cors;
mod door;
mod finish;
mod intake;
mod seats;
mod sweep;

use std::path::PathBuf;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use super::original::Source;

pub(super) use self::door::router;
pub(super) use self::sweep::{run, settle};

/// How a job names an upload as its input; the rest is the upload's id.
const SCHEME: &str = "upload:";

/// What all uploads share.
pub(super) struct Uploads {
    folder: PathBuf,
    /// What the addresses of uploads begin with.
    base: String,
    /// Of the addresses: they are derived, so that no table holds what lets anyone send.
    key: hmac::Key,
    /// Bytes of the largest file.
    largest: u64,
    seats: seats::Seats,
    /// Rung when there is something to remove or a new end to wait for.
    news: Notify,
    /// Bodies that are taken, whether or not somebody still waits for the answer.
    pub(super) tasks: TaskTracker,
}

impl Uploads {
    /// `secret` is what the addresses are derived from; with another one, those handed out are void.
    pub(super) fn new(folder: PathBuf, base: &str, secret: &SecretString, largest: u64) -> Self {
        Self {
            folder,
            base: base.trim_end_matches('/').to_owned(),
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes()),
            largest,
            seats: seats::Seats::default(),
            news: Notify::new(),
            tasks: TaskTracker::new(),
        }
    }

    /// Where the bytes of `id` go. Whoever has it may send.
    pub(super) fn address(&self, id: &str) -> String {
        let tag = hmac::sign(&self.key, message(id).as_bytes());
        format!("{}/{id}/{}", self.base, URL_SAFE_NO_PAD.encode(tag.as_ref()))
    }

    /// Whether `given` is what the address of `id` ends with. In constant time.
    fn opens(&self, id: &str, given: &str) -> bool {
        let tag = URL_SAFE_NO_PAD.decode(given).unwrap_or_default();
        hmac::verify(&self.key, message(id).as_bytes(), &tag).is_ok()
    }

    /// Where what a job says its input is lies.
    pub(super) fn source(&self, input: &str) -> Source {
        match input.strip_prefix(SCHEME) {
            Some(id) => Source::Stored(vec![self.file(id)]),
            None => Source::Remote(SecretString::from(input)),
        }
    }

    /// Has the sweep look at once.
    pub(super) fn look(&self) {
        self.news.notify_one();
    }

    /// Ends the request that sends bytes of `id`, if there is one.
    pub(super) fn interrupt(&self, id: &str) {
        self.seats.interrupt(id);
    }

    /// The file of an upload. `id` is one of ours, never a caller's word.
    fn file(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }
}

/// Named, so that the same secret cannot be led to sign one thing for another.
fn message(id: &str) -> String {
    format!("direct-upload:{id}")
}

/// What the headers of a PUT ask for.
#[cfg(any(test, fuzzing))]
pub(crate) struct FuzzedPut {
    /// First byte and length, where it has a body.
    pub(crate) body: Option<(u64, u64)>,
    /// Bytes of the whole, where it says.
    pub(crate) total: Option<u64>,
}

#[cfg(any(test, fuzzing))]
impl FuzzedPut {
    pub(crate) fn read(headers: &http::HeaderMap) -> Option<Self> {
        let asked = asked::Asked::read(headers).ok()?;
        let body = match asked {
            asked::Asked::Bytes { first, length, .. } => Some((first, length.unwrap_or(0))),
            asked::Asked::Standing { .. } => None,
        };
        Some(Self { body, total: asked.total() })
    }
}

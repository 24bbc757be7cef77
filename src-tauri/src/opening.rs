//! What somebody wants to see that they chose outside the window: by the tray, or by an address of
//! the form `dailies://…`.
//!
//! Whoever makes such an address is not known. It can show something and change nothing; a server in
//! it is compared with those that somebody is signed in to, and never asked.

use std::sync::{Mutex, PoisonError};

use dailies_engine::transfer::UploadId;
use serde::Serialize;
use tauri::{AppHandle, Emitter as _, Manager as _};
use url::Url;

use crate::window;

const SCHEME: &str = "dailies";
/// Letters of a video's id, at the most.
const LONGEST_ID: usize = 100;

/// What is to be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(crate) enum Opening {
    /// An upload.
    Upload {
        /// Which.
        id: UploadId,
    },
    /// A team's video: `dailies://video/ID?server=ADDRESS`.
    Video {
        /// The team server's address, if it was named.
        server: Option<String>,
        /// The team's name for the video.
        video_id: String,
    },
}

/// Kept until the page takes it, which may not be there yet.
#[derive(Default)]
pub(crate) struct Wanted(Mutex<Option<Opening>>);

impl Wanted {
    /// What is to be shown, once.
    pub(crate) fn take(&self) -> Option<Opening> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Brings the window to the front, and shows it there.
pub(crate) fn open(app: &AppHandle, opening: Opening) {
    let wanted = app.state::<Wanted>();
    wanted.0.lock().unwrap_or_else(PoisonError::into_inner).replace(opening);
    window::show(app);
    if let Err(error) = app.emit_to(window::MAIN, "opening", ()) {
        tracing::warn!(%error, "the page could not be told");
    }
}

/// Follows an address; false for what is none of ours. `dailies://open`, and what makes no sense to
/// this version, show the window.
pub(crate) fn follow(app: &AppHandle, address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    if url.scheme() != SCHEME {
        return false;
    }
    match read(&url) {
        Some(opening) => open(app, opening),
        None => window::show(app),
    }
    true
}

fn read(url: &Url) -> Option<Opening> {
    if url.host_str() != Some("video") {
        return None;
    }
    let id = url.path().strip_prefix('/')?;
    let usual = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_');
    if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(usual) {
        return None;
    }
    let server = url.query_pairs().find(|(name, _)| name == "server");
    let server = server.and_then(|(_, server)| Url::parse(&server).ok());
    Some(Opening::Video {
        server: server.map(|server| dailies_engine::team::address::base(server).into()),
        video_id: id.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_a_video_and_nothing_else() {
        let read = |text: &str| read(&Url::parse(text).unwrap());
        let video = |server: Option<&str>| {
            let server = server.map(str::to_owned);
            Some(Opening::Video { server, video_id: "v-12_a".into() })
        };
        assert_eq!(read("dailies://video/v-12_a"), video(None));
        let named = "dailies://video/v-12_a?server=https%3A%2F%2Fteam.example";
        assert_eq!(read(named), video(Some("https://team.example/")));
        for other in [
            "dailies://open",
            "dailies://video/",
            "dailies://video/a/b",
            "dailies://video/..%2F..",
            "dailies://video/a%20b",
            "dailies://remove/v-12_a",
            "dailies:video/v-12_a",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
        assert_eq!(read(&format!("dailies://video/{}", "a".repeat(LONGEST_ID + 1))), None);
    }
}

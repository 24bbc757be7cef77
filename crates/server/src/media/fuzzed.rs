//! What the targets for fuzzing reach of this room.

use dailies_api::mux::Audience;
use dailies_api::ranges::AskedRange;
use http::Uri;

use super::config::SigningKey;
use super::token::PlaybackKeys;
use super::{ffmpeg, playback, playlist, uploads};

pub(crate) use uploads::FuzzedPut;

/// Whether the token in an address opens the address's own video.
pub(crate) fn opens(uri: &Uri) -> bool {
    let key = SigningKey { id: "k".into(), public_key: vec![0x30; 270] };
    let keys = PlaybackKeys::new(&[key]);
    let id = uri.path().split('/').nth(1).unwrap_or_default();
    let id = id.strip_suffix(".m3u8").unwrap_or(id);
    match (keys, playback::token(uri)) {
        (Ok(keys), Some(token)) => keys.verify(&token, id, Audience::Video).is_ok(),
        _ => false,
    }
}

/// Whether the name is a file that players may fetch.
pub(crate) fn is_part(name: &str) -> bool {
    ffmpeg::is_part_name(name)
}

/// The playlist with a token in its addresses.
pub(crate) fn addressed(text: &str, token: &str) -> String {
    playlist::addressed(text, "", Some(token))
}

/// First byte and length of what a `Range` asks for, where that is a part.
pub(crate) fn range(header: &str, size: u64) -> Option<(u64, u64)> {
    match AskedRange::read(Some(header), size) {
        AskedRange::Part { first, length } => Some((first, length)),
        AskedRange::Whole | AskedRange::Outside => None,
    }
}

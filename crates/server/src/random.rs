//! Names and secrets that nobody can guess.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// 256 random bits in 43 characters that need no escaping anywhere.
pub(crate) fn secret() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<32>())
}

/// 128 random bits in 22 characters: enough that a name cannot be found by trying.
pub(crate) fn name() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<16>())
}

/// A new API key.
pub(crate) fn api_key() -> String {
    format!("sk-{}", secret())
}

/// An id for a row: sorts by time, says nothing that could be guessed wrongly for a secret.
pub(crate) fn id() -> String {
    ulid::Ulid::new().to_string()
}

fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes)
        .expect("the system's random source works once the process has started");
    bytes
}

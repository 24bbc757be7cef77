//! SHA-256 of files and of what a server answers.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

/// A hash, comparable and printable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash {
    /// Bytes that were hashed.
    pub bytes: u64,
    digest: [u8; 32],
}

/// Hashes a file.
///
/// # Errors
/// Where it cannot be read.
pub fn of_file(path: &Path) -> Result<Hash> {
    let mut file = std::fs::File::open(path)
        .with_context(|| format!("{} cannot be opened", path.display()))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(Hash { bytes, digest: digest.finalize().into() });
        }
        digest.update(&buffer[..read]);
        bytes += read as u64;
    }
}

/// Hashes what a GET of an address answers.
///
/// # Errors
/// For any answer but a success, and for one that breaks off.
pub async fn of_url(client: &reqwest::Client, url: &str) -> Result<Hash> {
    let mut answer = client.get(url).send().await?.error_for_status()?;
    let mut digest = Sha256::new();
    let mut bytes = 0;
    while let Some(chunk) = answer.chunk().await? {
        digest.update(&chunk);
        bytes += chunk.len() as u64;
    }
    Ok(Hash { bytes, digest: digest.finalize().into() })
}

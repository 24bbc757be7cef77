//! As much of HLS as a test needs to find every address of a video.
//!
//! Source: RFC 8216, section 4.3.

use anyhow::{Context as _, Result, ensure};
use url::Url;

/// Every address that a player fetches.
#[derive(Debug, Default)]
pub struct Addresses {
    /// The master playlist and the media playlists it names.
    pub playlists: Vec<Url>,
    /// Initialisation sections.
    pub maps: Vec<Url>,
    /// Segments.
    pub segments: Vec<Url>,
}

impl Addresses {
    /// Follows a master playlist.
    ///
    /// # Errors
    /// Where one cannot be fetched, or is none.
    pub async fn of(client: &reqwest::Client, master: &str) -> Result<Self> {
        let mut found = Self::default();
        let mut to_follow = vec![Url::parse(master)?];
        while let Some(playlist) = to_follow.pop() {
            let answer = client.get(playlist.clone()).send().await?.error_for_status()?;
            let text = answer.text().await?;
            ensure!(text.starts_with("#EXTM3U"), "{text} is no playlist");
            let is_master = text.contains("#EXT-X-STREAM-INF");
            for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                if let Some(map) = line.strip_prefix("#EXT-X-MAP:") {
                    let uri = map.split_once("URI=\"").and_then(|(_, rest)| rest.split_once('"'));
                    let (uri, _) = uri.context("an initialisation section without address")?;
                    found.maps.push(playlist.join(uri)?);
                } else if !line.starts_with('#') && is_master {
                    to_follow.push(playlist.join(line)?);
                } else if !line.starts_with('#') {
                    found.segments.push(playlist.join(line)?);
                }
            }
            found.playlists.push(playlist);
        }
        Ok(found)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Url> {
        self.playlists.iter().chain(&self.maps).chain(&self.segments)
    }
}

/// The address without its token.
#[must_use]
pub fn without_token(url: &Url) -> Url {
    let mut bare = url.clone();
    bare.set_query(None);
    bare
}

/// The address with another token.
#[must_use]
pub fn with_token(url: &Url, token: &str) -> Url {
    let mut other = url.clone();
    other.set_query(Some(&format!("token={token}")));
    other
}

/// The token of an address.
///
/// # Errors
/// Where it has none.
pub fn token(url: &Url) -> Result<String> {
    let token = url.query_pairs().find(|(name, _)| name == "token");
    Ok(token.with_context(|| format!("{} has no token", url.path()))?.1.into_owned())
}

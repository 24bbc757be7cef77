//! An issuer's documents over HTTP: where its keys are, and the keys.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use reqwest::header::{CACHE_CONTROL, HeaderMap};
use reqwest::{StatusCode, redirect};
use serde::Deserialize;
use url::Url;

use super::keys::KeySet;
use crate::config::oidc::{KeyLimits, OidcIssuer, nearby, untouched};

/// Bytes of a document.
const LARGEST: usize = 512 << 10;
/// How long keys are fresh for whose issuer does not say.
const USUALLY_FRESH: Duration = Duration::from_hours(1);

/// Why no keys came.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("it cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("it did not answer in time")]
    TooSlow,
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("its answer is too large")]
    TooLarge,
    #[error("its answer cannot be read")]
    Unreadable(#[source] serde_json::Error),
    #[error("it says it is another issuer")]
    OtherIssuer,
    #[error("its keys are at an address that others on the way could answer for")]
    Keys,
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreachable(error.without_url())
    }
}

/// Where an issuer's keys come from.
pub(super) struct Source {
    http: reqwest::Client,
    issuer: String,
    limits: KeyLimits,
    /// Asked for again where nothing good came from it, and once in a while.
    keys_at: Mutex<Option<(Url, Instant)>>,
}

/// Keys that have just come.
pub(super) struct Fetched {
    pub(super) keys: KeySet,
    pub(super) at: Instant,
    pub(super) fresh_for: Duration,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: Url,
}

impl Source {
    pub(super) fn new(issuer: &OidcIssuer) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(issuer.keys.fetch)
            // Both documents are answered where they are; a redirect would choose whose word counts.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("dailies-server/", env!("CARGO_PKG_VERSION")));
        let here = Url::parse(&issuer.issuer).is_ok_and(|url| nearby(&url));
        let http = if here { http.no_proxy() } else { http };
        Ok(Self {
            http: http.build()?,
            issuer: issuer.issuer.clone(),
            limits: issuer.keys,
            keys_at: Mutex::default(),
        })
    }

    /// The issuer's keys as they are now.
    pub(super) async fn fetch(&self) -> Result<Fetched, FetchError> {
        let fetched = tokio::time::timeout(self.limits.fetch, self.keys()).await;
        let fetched = fetched.unwrap_or(Err(FetchError::TooSlow));
        if fetched.is_err() {
            *self.keys_at.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        fetched
    }

    async fn keys(&self) -> Result<Fetched, FetchError> {
        let address = match self.known_address() {
            Some(address) => address,
            None => self.discover().await?,
        };
        let at = Instant::now();
        let (headers, json) = self.document(address).await?;
        let fresh_for = max_age(&headers)
            .unwrap_or(USUALLY_FRESH)
            .clamp(self.limits.least_fresh, self.limits.most_fresh);
        Ok(Fetched { keys: KeySet::read(&json).map_err(FetchError::Unreadable)?, at, fresh_for })
    }

    fn known_address(&self) -> Option<Url> {
        let known = self.keys_at.lock().unwrap_or_else(PoisonError::into_inner).clone();
        known.filter(|(_, since)| since.elapsed() < self.limits.most_fresh).map(|(url, _)| url)
    }

    /// OpenID Connect Discovery 1.0, section 4: the issuer in the document is the one it was asked
    /// for, to the letter.
    async fn discover(&self) -> Result<Url, FetchError> {
        let base = self.issuer.trim_end_matches('/');
        let address = format!("{base}/.well-known/openid-configuration");
        let address = Url::parse(&address).map_err(|_| FetchError::OtherIssuer)?;
        let here = nearby(&address);
        let (_, json) = self.document(address).await?;
        let found: Discovery = serde_json::from_slice(&json).map_err(FetchError::Unreadable)?;
        if found.issuer != self.issuer {
            return Err(FetchError::OtherIssuer);
        }
        // A foreign issuer sends nobody to this computer's own services.
        if !untouched(&found.jwks_uri) || (nearby(&found.jwks_uri) && !here) {
            return Err(FetchError::Keys);
        }
        let mut known = self.keys_at.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((found.jwks_uri.clone(), Instant::now()));
        Ok(found.jwks_uri)
    }

    async fn document(&self, address: Url) -> Result<(HeaderMap, Vec<u8>), FetchError> {
        let answer = self.http.get(address).send().await?;
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Status(answer.status()));
        }
        let headers = answer.headers().clone();
        let (mut body, mut json) = (answer.bytes_stream(), Vec::new());
        while let Some(bytes) = body.next().await {
            let bytes = bytes?;
            if json.len() + bytes.len() > LARGEST {
                return Err(FetchError::TooLarge);
            }
            json.extend_from_slice(&bytes);
        }
        Ok((headers, json))
    }
}

/// `max-age` of `Cache-Control`; nothing where the answer is not to be kept, which the lower bound
/// then answers for.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let mut directives =
        headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok()).flat_map(
            |value| value.split(',').map(|directive| directive.trim().to_ascii_lowercase()),
        );
    directives.find_map(|directive| match directive.as_str() {
        "no-store" | "no-cache" => Some(Duration::ZERO),
        _ => {
            let seconds = directive.strip_prefix("max-age=")?.trim_matches('"').parse().ok()?;
            Some(Duration::from_secs(seconds))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_is_what_the_issuer_says() {
        for (value, seconds) in [
            ("public, max-age=21600, must-revalidate", Some(21600)),
            ("Max-Age=\"5\"", Some(5)),
            ("no-store", Some(0)),
            ("private", None),
            ("max-age=-1", None),
            ("s-maxage=9", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, value.parse().expect("a header"));
            assert_eq!(max_age(&headers), seconds.map(Duration::from_secs), "{value}");
        }
    }
}

//! Whether a storage does what is needed of it, tried with an object that is gone afterwards.

use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_s3::primitives::{AggregatedBytes, ByteStream};
use reqwest::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_METHOD, DATE, ORIGIN};
use reqwest::{Method, StatusCode, redirect};

use super::{OriginalStorage, StorageError, unavailable};
use crate::clock::now_seconds;
use crate::random;

const CONTENTS: &[u8] = b"written by `dailies-server check`";
const PATIENCE: Duration = Duration::from_secs(20);

/// What was found.
pub(crate) struct Probe {
    /// With the server's key; else what could not be done.
    pub(crate) own: Result<(), (&'static str, StorageError)>,
    /// As an uploader does it; else why not, without the address.
    pub(crate) presigned: Result<(), String>,
    /// Whether a page of any origin could do the same.
    pub(crate) cors: bool,
    /// Seconds between its clock and ours.
    pub(crate) skew: Option<u64>,
}

impl OriginalStorage {
    /// Writes, reads and deletes one small object.
    pub(crate) async fn probe(&self) -> Probe {
        let key = format!("dailies-check/{}", random::id());
        let own = self.round(&key).await;
        let (mut cors, mut skew) = (false, None);
        let presigned = match &own {
            Err(_) => Err("not tried".to_owned()),
            Ok(()) => self.as_uploader(&key, &mut cors, &mut skew).await,
        };
        // Whatever was left; it is named for what it is.
        if let Err(error) = self.delete(&key).await {
            tracing::debug!(%error, key, "the object of a check may still be there");
        }
        Probe { own, presigned, cors, skew }
    }

    async fn round(&self, key: &str) -> Result<(), (&'static str, StorageError)> {
        let put = self.client.put_object().bucket(&self.bucket).key(key);
        let put = put.body(ByteStream::from_static(CONTENTS));
        Box::pin(put.send()).await.map_err(|error| ("put", unavailable(&error)))?;
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        let got = Box::pin(get.send()).await.map_err(|error| ("read", unavailable(&error)))?;
        let body = got.body.collect().await.map(AggregatedBytes::into_bytes);
        if !body.is_ok_and(|body| body == CONTENTS) {
            return Err(("read", StorageError::Unavailable("other bytes came back".into())));
        }
        self.delete(key).await.map_err(|error| ("deleted", error))?;
        match self.head(key).await {
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err(("deleted", StorageError::Unavailable("it is still there".into()))),
            Err(error) => Err(("looked for", error)),
        }
    }

    async fn as_uploader(
        &self,
        key: &str,
        cors: &mut bool,
        skew: &mut Option<u64>,
    ) -> Result<(), String> {
        let url = self
            .sign_put(key, Some(CONTENTS.len() as u64))
            .await
            .map_err(|error| error.to_string())?;
        let http = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|error| error.to_string())?;
        let unreachable = |error: reqwest::Error| error.without_url().to_string();
        let put = http.put(&url).body(CONTENTS).send().await.map_err(unreachable)?;
        let date = put.headers().get(DATE).and_then(|date| date.to_str().ok());
        *skew = date.and_then(seconds).map(|theirs| theirs.abs_diff(now_seconds()));
        if put.status() != StatusCode::OK {
            return Err(format!("it answers {}", put.status()));
        }
        let asked = http
            .request(Method::OPTIONS, &url)
            .header(ORIGIN, "https://dailies.invalid")
            .header(ACCESS_CONTROL_REQUEST_METHOD, "PUT");
        *cors = asked.send().await.is_ok_and(|answer| {
            answer.status().is_success()
                && answer.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN)
        });
        Ok(())
    }
}

fn seconds(date: &str) -> Option<u64> {
    let date = httpdate::parse_http_date(date).ok()?;
    date.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

//! The services that are not inside: another storage, Mux.

use super::Report;
use crate::config::{Config, MediaSource, StorageSource};
use crate::mux_client::{MuxClient, MuxError};
use crate::playback::PlaybackSigner;
use crate::storage::{OriginalStorage, Probe};

/// Signatures of S3 hold for so many seconds around the storage's time.
const MOST_SKEW: u64 = 15 * 60;
/// Above this something is wrong with a clock.
const MUCH_SKEW: u64 = 30;

pub(super) async fn storage(config: &Config) -> Vec<Report> {
    const NAME: &str = "storage";
    let StorageSource::S3(storage) = &config.storage else {
        return vec![Report::ok(NAME, "embedded")];
    };
    let bucket = &storage.bucket;
    let Probe { own, presigned, cors, skew } = OriginalStorage::new(storage).probe().await;
    let mut reports = Vec::new();
    match own {
        Ok(()) => reports.push(Report::ok(NAME, format!("objects come and go in `{bucket}`"))),
        Err((step, error)) => {
            let message = format!(
                "an object could not be {step} in `{bucket}`: {error}. See to the endpoint, the \
                 bucket's name and what the key may do (get, put, delete, multipart)"
            );
            return vec![Report::failed(NAME, message)];
        }
    }
    reports.push(match presigned {
        Ok(()) => Report::ok("presigned", "a presigned PUT is taken"),
        Err(why) => Report::failed(
            "presigned",
            format!(
                "a presigned PUT is refused ({why}): see to storage.public_endpoint and region"
            ),
        ),
    });
    reports.push(if cors {
        Report::ok("cors", "pages may upload")
    } else {
        Report::warning(
            "cors",
            "the bucket lets no page upload; the desktop app does not need that",
        )
    });
    reports.push(match skew {
        None => Report::warning("clock", "the storage does not say what time it is"),
        Some(skew @ MOST_SKEW..) => {
            Report::failed("clock", format!("{skew} s apart from the storage's: set this one"))
        }
        Some(skew @ MUCH_SKEW..) => {
            Report::warning("clock", format!("{skew} s apart from the storage's"))
        }
        Some(skew) => Report::ok("clock", format!("{skew} s apart from the storage's")),
    });
    reports
}

pub(super) async fn media(config: &Config) -> Vec<Report> {
    const NAME: &str = "mux";
    let MediaSource::Mux(mux) = &config.media else { return vec![Report::ok(NAME, "embedded")] };
    let client =
        MuxClient::new(mux.api.clone(), mux.token_id.clone(), mux.token_secret.clone(), false);
    let answer = match client {
        Ok(client) => client.asset("dailies-check").await.map(drop),
        Err(error) => Err(MuxError::Unreachable(error)),
    };
    let token = match answer {
        Ok(()) => Report::ok(NAME, "it answers and takes the token"),
        Err(MuxError::Refused(status)) => Report::failed(
            NAME,
            format!("it answers {status}: see to mux.token_id and token_secret"),
        ),
        Err(error) => Report::failed(NAME, format!("{error}: see to mux.url")),
    };
    let signer = PlaybackSigner::new(
        &mux.signing_key,
        mux.signing_key_id.clone(),
        &mux.stream,
        &mux.image,
        config.limits.playback_token,
    );
    let key = match signer.and_then(|signer| signer.sign("check")) {
        Ok(_) => Report::ok("signing_key", "it signs"),
        Err(_) => Report::failed(
            "signing_key",
            "mux.signing_key is no RSA private key: take the one Mux gave with its id, whole",
        ),
    };
    vec![token, key]
}

//! The certificate pair: whether it is one, and how long it holds.

use super::Report;
use crate::clock::now_seconds;
use crate::config::Config;
use crate::tls::{self, validity};

const DAY: i64 = 24 * 60 * 60;
/// Whoever renews by hand wants to know by then.
const SOON: i64 = 14 * DAY;

pub(super) fn pair(config: &Config) -> Report {
    const NAME: &str = "tls";
    let Some(files) = &config.tls else {
        return Report::ok(NAME, "not set: in the clear, for this computer or behind a proxy");
    };
    let pair = match tls::read(files) {
        Ok(pair) => pair,
        Err(error) => return Report::failed(NAME, error.to_string()),
    };
    let Some((from, to)) = pair.cert.first().and_then(|certificate| validity::of(certificate))
    else {
        return Report::warning(NAME, "the pair fits, but the certificate does not say until when");
    };
    let now = i64::try_from(now_seconds()).unwrap_or(i64::MAX);
    let days = (to - now) / DAY;
    match to - now {
        _ if now < from => {
            Report::failed(NAME, "the certificate does not hold yet: see to the clock")
        }
        ..=0 => Report::failed(NAME, format!("the certificate ended {} days ago: renew it", -days)),
        1..SOON => Report::warning(NAME, format!("the certificate ends in {days} days: renew it")),
        _ => Report::ok(NAME, format!("the pair fits; the certificate holds for {days} more days")),
    }
}

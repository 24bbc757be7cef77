//! The server's clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970. A clock set before that reads as 1970.
pub(crate) fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Seconds since 1970, as in tokens and webhook signatures.
pub(crate) fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// A time as the wire writes it, where every number is a Float64.
#[expect(clippy::cast_precision_loss, reason = "milliseconds fit a Float64 for 285,000 years")]
pub(crate) fn wire(millis: i64) -> f64 {
    millis as f64
}

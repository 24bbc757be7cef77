//! Webhooks out: every event until it is confirmed, in order per asset, also after a restart.

use std::sync::Arc;
use std::time::Duration;

use dailies_api::mux::SIGNATURE_HEADER;
use dailies_database::DatabaseError;
use reqwest::header::CONTENT_TYPE;
use secrecy::ExposeSecret;
use tokio::task::JoinSet;

use super::engine::Shared;
use super::signature::mux_signature;
use super::store;
use super::store::deliveries::{self, Delivery};

/// Longest attempt.
pub(super) const ATTEMPT: Duration = Duration::from_secs(15);
/// Bytes of an answer that are read; nothing in it means anything.
const MOST_OF_ANSWER: usize = 64 << 10;
/// Attempts at the same time.
const PARALLEL: u32 = 8;
/// Between the first and the second attempt; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(30);
/// Age at which an event is given up.
const GIVEN_UP: Duration = Duration::from_hours(72);
/// How long the loop sleeps when nothing is due; also bounds what a jump of the clock can do.
const IDLE: Duration = Duration::from_mins(1);

/// Delivers until the engine closes.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        let pause = match round(&shared).await {
            Ok(pause) => pause,
            Err(error) => {
                tracing::error!(%error, "webhooks cannot be read from the database");
                IDLE
            }
        };
        tokio::select! {
            () = shared.closing.cancelled() => return,
            () = shared.events.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Tries all that is due, and says when to look again.
async fn round(shared: &Arc<Shared>) -> Result<Duration, DatabaseError> {
    loop {
        let now = store::now();
        let due = shared.database.read(move |c| deliveries::due(c, now, PARALLEL)).await?;
        if due.is_empty() {
            break;
        }
        let mut attempts = JoinSet::new();
        for delivery in due {
            let shared = Arc::clone(shared);
            attempts.spawn(async move { attempt(&shared, delivery).await });
        }
        while let Some(attempt) = tokio::select! {
            attempt = attempts.join_next() => attempt,
            // Dropping the set ends the attempts; they are made again after the start.
            () = shared.closing.cancelled() => return Ok(IDLE),
        } {
            match attempt {
                Ok(result) => result?,
                Err(error) => tracing::error!(%error, "an attempt to deliver a webhook broke"),
            }
        }
    }
    let next = shared.database.read(deliveries::next_due).await?;
    Ok(next.map_or(IDLE, |next| {
        Duration::from_millis(u64::try_from(next - store::now()).unwrap_or(0)).min(IDLE)
    }))
}

async fn attempt(shared: &Shared, delivery: Delivery) -> Result<(), DatabaseError> {
    let (asset, kind) = (delivery.asset.as_str(), delivery.kind.as_str());
    match post(shared, &delivery).await {
        Ok(()) => {
            tracing::debug!(asset, kind, "delivered a webhook");
            let sequence = delivery.sequence;
            shared.database.write(move |c| deliveries::finish(c, sequence)).await
        }
        Err(reason) => {
            let now = store::now();
            let age = u64::try_from(now - delivery.created_at).unwrap_or(0);
            if Duration::from_millis(age) >= GIVEN_UP {
                tracing::error!(asset, kind, reason, "gave up a webhook");
                let sequence = delivery.sequence;
                return shared.database.write(move |c| deliveries::finish(c, sequence)).await;
            }
            let pause = pause(delivery.attempts, jitter());
            tracing::warn!(asset, kind, reason, ?pause, "a webhook was not taken");
            let due_at = now.saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
            shared.database.write(move |c| deliveries::postpone(c, &delivery, due_at)).await
        }
    }
}

async fn post(shared: &Shared, delivery: &Delivery) -> Result<(), String> {
    let seconds = u64::try_from(store::now() / 1000).unwrap_or(0);
    let secret = shared.webhook.secret.expose_secret().as_bytes();
    let signature = mux_signature(secret, seconds, delivery.body.as_bytes());
    let mut answer = shared
        .http
        .post(&shared.webhook.url)
        .header(CONTENT_TYPE, "application/json")
        .header(SIGNATURE_HEADER, signature)
        .body(delivery.body.clone())
        .send()
        .await
        .map_err(|error| error.without_url().to_string())?;
    let status = answer.status();
    // A connection whose answer was read can be used again; one that has much to say is not.
    let mut left = MOST_OF_ANSWER;
    while let Ok(Some(bytes)) = answer.chunk().await {
        match left.checked_sub(bytes.len()) {
            Some(rest) => left = rest,
            None => break,
        }
    }
    if status.is_success() { Ok(()) } else { Err(format!("status {status}")) }
}

/// Half of the exponential pause, and up to as much again by `jitter` in 0…1.
fn pause(attempts: u32, jitter: f64) -> Duration {
    let full = FIRST_PAUSE.saturating_mul(1 << attempts.min(20)).min(LONGEST_PAUSE);
    full.mul_f64(0.5 + jitter / 2.0)
}

fn jitter() -> f64 {
    let mut byte = [0];
    // Without randomness the pauses are merely regular.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    f64::from(byte[0]) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit() {
        assert_eq!(pause(0, 1.0), FIRST_PAUSE);
        assert_eq!(pause(0, 0.0), FIRST_PAUSE / 2);
        assert_eq!(pause(3, 1.0), Duration::from_secs(8));
        assert_eq!(pause(u32::MAX, 1.0), LONGEST_PAUSE);
    }
}

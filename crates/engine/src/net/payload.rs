//! Sending a part, and noticing when it no longer moves.

use std::error::Error;
use std::time::Duration;

use reqwest::{Body, RequestBuilder, Response};
use tokio::time::Instant;

use crate::net::{NetOptions, transport};
use crate::source::{Left, PartBody, SourceError};
use crate::transfer::Failure;

/// How often a part is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Sends a request with a part as its body. Slow is never ended; still is.
pub(crate) async fn put_body(
    request: RequestBuilder,
    body: PartBody,
    options: NetOptions,
) -> Result<Response, Failure> {
    let left = body.left();
    send_body(request.body(Body::wrap(body)), left, options).await
}

/// The same for a request whose body has a part in it, of which so much is `left`.
pub(crate) async fn send_body(
    request: RequestBuilder,
    left: Left,
    options: NetOptions,
) -> Result<Response, Failure> {
    let sending = request.send();
    tokio::pin!(sending);
    let mut seen = left.bytes();
    let mut since = Instant::now();
    loop {
        tokio::select! {
            answer = &mut sending => return answer.map_err(failure),
            () = tokio::time::sleep(LOOK.min(options.stall)) => {}
        }
        let now = left.bytes();
        if now != seen {
            (seen, since) = (now, Instant::now());
            continue;
        }
        let limit = if now == 0 { options.answer } else { options.stall };
        if since.elapsed() >= limit {
            return Err(Failure::Stalled);
        }
    }
}

/// The file's failure where that is what ended the request, the connection's otherwise.
fn failure(error: reqwest::Error) -> Failure {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(error) = cause {
        if let Some(source) = error.downcast_ref::<SourceError>() {
            return source.into();
        }
        cause = error.source();
    }
    transport(error)
}

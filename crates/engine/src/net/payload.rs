//! Sending a part, and noticing when it no longer moves.

use std::error::Error;
use std::time::Duration;

use hyper::header::{HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use reqwest::{Body, Request, RequestBuilder, Response};
use rustls::ClientConfig;
use tokio::time::Instant;

use crate::net::dial::{Dialled, Proxies, dialled};
use crate::net::{AGENT, Clients, NetOptions, broken, transport};
use crate::source::{Left, PartBody, SourceError};
use crate::transfer::Failure;

/// How often a part is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Bytes that a connection takes before the system does: what it holds stands before those of a file
/// that is more urgent.
const BUFFERED: usize = 64 << 10;

/// Sends requests that carry bytes, and follows no redirect. HTTP/1.1 only: one HTTP/2 connection
/// carries uploads at less than half the speed.
#[derive(Clone)]
pub(crate) struct Payload {
    client: Client<Dialled, Body>,
    proxies: Proxies,
}

impl Payload {
    /// With no connection yet.
    pub(super) fn new(options: NetOptions, tls: ClientConfig) -> Self {
        let proxies = Proxies::of_the_system();
        let client = Client::builder(TokioExecutor::new())
            // Storages close idle connections after 5 s and more; one that is reused just then
            // fails.
            .pool_idle_timeout(Duration::from_secs(4))
            .pool_timer(TokioTimer::new())
            .http1_max_buf_size(BUFFERED)
            .build(dialled(proxies.clone(), options.connect, options.stall, tls));
        Self { client, proxies }
    }

    pub(crate) async fn send(&self, request: Request) -> Result<Response, Failure> {
        let mut request = hyper::Request::try_from(request).map_err(transport)?;
        let sign_in = self.proxies.sign_in(request.uri());
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if let Some(sign_in) = sign_in {
            headers.insert(PROXY_AUTHORIZATION, sign_in);
        }
        let answer = self.client.request(request).await.map_err(|error| failure(&error))?;
        Ok(answer.map(Body::wrap).into())
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Payload").finish_non_exhaustive()
    }
}

/// Sends a request with a part as its body. Slow is never ended; still is.
pub(crate) async fn put_body(
    clients: &Clients,
    request: RequestBuilder,
    body: PartBody,
) -> Result<Response, Failure> {
    let left = body.left();
    send_body(clients, request.body(Body::wrap(body)), left).await
}

/// The same for a request whose body has a part in it, of which so much is `left`.
pub(crate) async fn send_body(
    clients: &Clients,
    request: RequestBuilder,
    left: Left,
) -> Result<Response, Failure> {
    let (payload, options) = (clients.payload(), clients.options);
    let sending = payload.send(request.build().map_err(transport)?);
    tokio::pin!(sending);
    let mut seen = left.bytes();
    let mut since = Instant::now();
    loop {
        tokio::select! {
            answer = &mut sending => return answer,
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
fn failure(error: &(dyn Error + 'static)) -> Failure {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(source) = error.downcast_ref::<SourceError>() {
            return source.into();
        }
        cause = error.source();
    }
    broken(error)
}

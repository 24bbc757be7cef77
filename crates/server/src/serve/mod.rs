//! HTTP/1.1 on one listener, in the clear or by TLS, with limits on what a connection may take,
//! and a graceful end.
//!
//! Must not know: routes.

mod places;
mod wire;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use self::places::{Place, Places};
use self::wire::{Phase, Wire};
use crate::config::Network;
use crate::tls::Tls;

/// After an accept that failed, for instance for want of file descriptors.
const BREATH: Duration = Duration::from_millis(100);
/// From a connection's begin to the end of its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Above what any request is let in with, so that there is one to answer in words.
const MOST_HEADERS: usize = 256;
/// Bytes; the same.
const LARGEST_HEAD: usize = 128 << 10;

/// Who is at the other end of a request's connection: a client, or a proxy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// What went over a listener since it began.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// Bytes, without TLS's own.
    pub(crate) received: AtomicU64,
    /// The same.
    pub(crate) sent: AtomicU64,
    pub(crate) open: AtomicI64,
    /// Closed at once, because their address had too many.
    pub(crate) turned_away: AtomicU64,
}

/// What connections are taken on.
#[derive(Clone)]
pub(crate) struct Terms {
    pub(crate) network: Arc<Network>,
    /// When nothing new is taken any more.
    pub(crate) stop: CancellationToken,
    /// How long what runs then may go on.
    pub(crate) drain: Duration,
}

/// Serves until told to stop, then takes nothing new and lets what runs end.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    terms: Terms,
    traffic: Arc<Traffic>,
) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(terms.network.connections));
    let places = Arc::new(Places::default());
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = terms.stop.cancelled() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = accept(&listener, &room) => accepted,
        };
        let (stream, peer, room) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let Some(place) = places.take(peer.ip(), &terms.network) else {
            traffic.turned_away.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(%peer, "too many connections from one address");
            continue;
        };
        let connection = Connection {
            peer,
            router: router.clone(),
            network: Arc::clone(&terms.network),
            watcher: graceful.watcher(),
            open: Open::count(Arc::clone(&traffic)),
            _place: place,
        };
        let (tls, stop) = (tls.clone(), terms.stop.clone());
        connections.spawn(async move {
            let _room = room;
            match tls {
                None => connection.serve(stream).await,
                Some(tls) => {
                    // A handshake is no request yet: nothing is lost with it.
                    let secured = tokio::select! {
                        secured = tokio::time::timeout(HANDSHAKE, tls.accept(stream)) => secured,
                        () = stop.cancelled() => return,
                    };
                    match secured {
                        Ok(Ok(stream)) => connection.serve(stream).await,
                        Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS came about"),
                        Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
                    }
                }
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(terms.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!(cut = connections.len(), "requests did not end in time and are cut");
    }
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let room = Arc::clone(room).acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    // Answers are small and whole: waiting to fill a packet only delays them.
    stream.set_nodelay(true)?;
    Ok((stream, peer, room))
}

/// One connection, and what it holds as long as it is open.
struct Connection {
    peer: SocketAddr,
    router: Router,
    network: Arc<Network>,
    watcher: Watcher,
    open: Open,
    _place: Option<Place>,
}

impl Connection {
    async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let Self { peer, router, network, watcher, open, _place } = self;
        let phase = Arc::new(Phase::default());
        let wire =
            Wire::new(stream, Arc::clone(&phase), network.header_timeout, Arc::clone(&open.0));
        let service = hyper::service::service_fn(move |request: http::Request<Incoming>| {
            phase.begin();
            let phase = Arc::clone(&phase);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            let answer = router.clone().oneshot(request);
            async move {
                Ok::<_, std::convert::Infallible>(answer.await?.map(|body| Answer { body, phase }))
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // Runs from the end of the last answer on; how long the head itself may take is the
            // wire's business.
            .header_read_timeout(network.idle_timeout + network.header_timeout)
            .max_headers(MOST_HEADERS)
            .max_header_size(LARGEST_HEAD)
            .serve_connection(TokioIo::new(wire), service);
        // How a connection ends is the client's business.
        let _ = watcher.watch(connection).await;
    }
}

/// Counts a connection while it is open.
struct Open(Arc<Traffic>);

impl Open {
    fn count(traffic: Arc<Traffic>) -> Self {
        traffic.open.fetch_add(1, Ordering::Relaxed);
        Self(traffic)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer's body; once it is gone, the connection waits for the next request.
struct Answer {
    body: Body,
    phase: Arc<Phase>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.phase.end();
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

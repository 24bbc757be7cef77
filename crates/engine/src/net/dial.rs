//! Connections for bytes: straight to a storage, or by way of the system's proxy.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::header::HeaderValue;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::transfer::Losses;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Connections that are there within a time, TLS and all.
#[derive(Clone)]
pub(super) struct Dialled {
    https: HttpsConnector<Dial>,
    limit: Duration,
}

/// How TCP connections for bytes come about.
#[derive(Clone)]
pub(super) struct Dial {
    tcp: HttpConnector,
    proxies: Proxies,
}

/// The proxies that the system or the environment names.
#[derive(Clone)]
pub(super) struct Proxies(Arc<Matcher>);

impl Proxies {
    pub(super) fn of_the_system() -> Self {
        Self(Arc::new(Matcher::from_system()))
    }

    fn of(&self, to: &Uri) -> Option<Intercept> {
        self.0.intercept(to)
    }

    /// What a proxy that sees the request itself wants to be told: without TLS there is no tunnel
    /// in which to tell it beforehand.
    pub(super) fn sign_in(&self, to: &Uri) -> Option<HeaderValue> {
        let proxy = self.of(to).filter(|_| !is_secure(to))?;
        proxy.basic_auth().cloned()
    }
}

fn is_secure(to: &Uri) -> bool {
    to.scheme_str() == Some("https")
}

/// Connections that are there within `limit`, and closed when the other side takes nothing for
/// `stall` (on Linux).
pub(super) fn dialled(
    proxies: Proxies,
    limit: Duration,
    stall: Duration,
    tls: ClientConfig,
) -> Dialled {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(Duration::from_secs(20)));
    tcp.set_connect_timeout(Some(limit));
    // The system buffers up to half of a usual part, so what it still holds is its own to watch.
    #[cfg(target_os = "linux")]
    tcp.set_tcp_user_timeout(Some(stall));
    #[cfg(not(target_os = "linux"))]
    let _ = stall;
    let https = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(Dial { tcp, proxies });
    Dialled { https, limit }
}

impl Service<Uri> for Dialled {
    type Response = MaybeHttpsStream<Way>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let there = tokio::time::timeout(self.limit, self.https.call(to));
        Box::pin(async move { there.await? })
    }
}

impl Service<Uri> for Dial {
    type Response = Way;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Way, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let mut tcp = self.tcp.clone();
        let proxy = self.proxies.of(&to);
        Box::pin(async move {
            let (stream, proxied) = match proxy {
                None => (tcp.call(to).await?, false),
                Some(proxy) if is_secure(&to) => {
                    let mut tunnel = Tunnel::new(proxy.uri().clone(), tcp);
                    if let Some(sign_in) = proxy.basic_auth() {
                        tunnel = tunnel.with_auth(sign_in.clone());
                    }
                    (tunnel.call(to).await?, false)
                }
                Some(proxy) => (tcp.call(proxy.uri().clone()).await?, true),
            };
            tune(stream.inner());
            Ok(Way { stream, proxied })
        })
    }
}

/// Bytes that wait in the system until they may be sent. More would count as sent long before they
/// are, and stand before those of a file that is more urgent.
#[cfg(target_os = "linux")]
const WAITING: u32 = 64 << 10;

/// Asks the system for BBR, which takes a lost packet for a lost packet, where CUBIC takes it for a
/// full line and sends at a fraction of its speed: at 1 % loss and 80 ms, 1.7 Mbit/s
/// (docs/adr/0006-bbr.md). Nothing is lost on this computer's own way to itself.
#[cfg(target_os = "linux")]
fn tune(stream: &TcpStream) {
    let elsewhere = stream.peer_addr().is_ok_and(|peer| !peer.ip().is_loopback());
    if elsewhere {
        let socket = socket2::SockRef::from(stream);
        // Not every system has it, or lets everybody use it.
        let _ = socket.set_tcp_congestion(BBR);
        let _ = socket.set_tcp_notsent_lowat(WAITING);
    }
}

#[cfg(not(target_os = "linux"))]
fn tune(_: &TcpStream) {}

#[cfg(target_os = "linux")]
const BBR: &[u8] = b"bbr";

/// What lost packets do to connections made here.
#[cfg(target_os = "linux")]
pub(crate) fn losses() -> Losses {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None);
    match socket.and_then(|socket| socket.set_tcp_congestion(BBR)) {
        Ok(()) => Losses::Harmless,
        Err(_) => Losses::Costly,
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn losses() -> Losses {
    Losses::Costly
}

/// A TCP connection.
pub(super) struct Way {
    stream: TokioIo<TcpStream>,
    /// It leads to a proxy that sees the requests.
    proxied: bool,
}

impl Connection for Way {
    fn connected(&self) -> Connected {
        self.stream.connected().proxy(self.proxied)
    }
}

impl Read for Way {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Write for Way {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }
}

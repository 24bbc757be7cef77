//! The one way in which FFmpeg reaches an original: a door on this computer, open for one job.
//!
//! The address of an original is presigned, and command lines are read by every user of a computer.
//! So FFmpeg is told [`ORIGINAL`], and by its environment, which only its own user can read, to send
//! all of HTTP through the door. What stands there fetches byte ranges of that one original, follows
//! no redirect, and leads nowhere else, whatever a crafted file makes FFmpeg ask for.
//!
//! Must not know: what the bytes mean.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, RANGE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::io::AsyncSeekExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::io::ReaderStream;
use tokio_util::task::AbortOnDropHandle;

use super::signature::hex;

/// What FFmpeg is told to open.
pub(super) const ORIGINAL: &str = "http://original/";
/// The host of [`ORIGINAL`].
const HOST: &str = "original";
/// User name at the door.
const USER: &str = "job";
/// Connections at once: two programs, each with one that it is leaving.
const MOST_CONNECTIONS: usize = 16;
/// Longest wait for a connection to where the original is.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest silence of where the original is.
const SILENCE: Duration = Duration::from_secs(30);
/// Bytes of a stored file read at a time.
const BUFFER: usize = 256 << 10;

/// Where an original lies.
#[derive(Clone)]
pub(super) enum Source {
    /// Behind a presigned address.
    Remote(SecretString),
    /// In these files of ours, one after the other.
    Stored(Vec<PathBuf>),
}

/// The client that fetches originals.
pub(super) fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .redirect(reqwest::redirect::Policy::none())
        .http1_only()
        .no_proxy()
        .build()
}

/// A door. It closes, with all that goes through it, when it is dropped.
pub(super) struct Door {
    address: SocketAddr,
    password: SecretString,
    keeper: Arc<Keeper>,
    _server: AbortOnDropHandle<()>,
}

impl Door {
    /// Opens a door to `source` on a free port of this computer.
    ///
    /// # Errors
    /// The system has no port, no randomness, or a stored file is gone.
    pub(super) async fn open(http: reqwest::Client, source: Source) -> io::Result<Self> {
        let mut bytes = [0; 24];
        aws_lc_rs::rand::fill(&mut bytes)
            .map_err(|_| io::Error::other("the system gives no randomness"))?;
        let password = hex(&bytes);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let behind = match source {
            Source::Remote(url) => Behind::Remote(http, url),
            Source::Stored(files) => Behind::Stored(Stored::open(files).await?),
        };
        let keeper = Arc::new(Keeper {
            authorization: format!("Basic {}", STANDARD.encode(format!("{USER}:{password}")))
                .into(),
            behind,
            empty: AtomicBool::new(false),
        });
        let server = AbortOnDropHandle::new(tokio::spawn(serve(listener, Arc::clone(&keeper))));
        Ok(Self { address, password: password.into(), keeper, _server: server })
    }

    /// Whether the original turned out to have no bytes, which FFmpeg cannot tell from a connection
    /// that broke.
    pub(super) fn is_empty(&self) -> bool {
        self.keeper.empty.load(Ordering::Relaxed)
    }

    /// The value of `http_proxy` for FFmpeg.
    pub(super) fn proxy(&self) -> SecretString {
        format!("http://{USER}:{}@{}", self.password.expose_secret(), self.address).into()
    }
}

async fn serve(listener: TcpListener, keeper: Arc<Keeper>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= MOST_CONNECTIONS {
            connections.join_next().await;
        }
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let keeper = Arc::clone(&keeper);
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let keeper = Arc::clone(&keeper);
                async move { Ok::<_, Infallible>(keeper.answer(&request).await) }
            });
            // How a connection ends is FFmpeg's business.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

struct Keeper {
    authorization: SecretString,
    behind: Behind,
    empty: AtomicBool,
}

enum Behind {
    Remote(reqwest::Client, SecretString),
    Stored(Stored),
}

impl Keeper {
    async fn answer(&self, request: &Request<Incoming>) -> Response {
        let given =
            request.headers().get(PROXY_AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
        if !bool::from(given.ct_eq(self.authorization.expose_secret().as_bytes())) {
            let mut response = status(StatusCode::PROXY_AUTHENTICATION_REQUIRED);
            let challenge = HeaderValue::from_static("Basic realm=\"original\"");
            response.headers_mut().insert(PROXY_AUTHENTICATE, challenge);
            return response;
        }
        let uri = request.uri();
        if request.method() != Method::GET || uri.host() != Some(HOST) || uri.path() != "/" {
            tracing::warn!("an original made FFmpeg ask for something else, which it did not get");
            return status(StatusCode::FORBIDDEN);
        }
        match &self.behind {
            Behind::Remote(http, url) => remote(http, url, request.headers(), &self.empty).await,
            Behind::Stored(stored) => stored.answer(request.headers()).await,
        }
    }
}

async fn remote(
    http: &reqwest::Client,
    url: &SecretString,
    asked: &HeaderMap,
    empty: &AtomicBool,
) -> Response {
    let mut request = http.get(url.expose_secret());
    if let Some(range) = asked.get(RANGE) {
        request = request.header(RANGE, range);
    }
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::debug!(error = %error.without_url(), "an original cannot be reached");
            return status(StatusCode::SERVICE_UNAVAILABLE);
        }
    };
    if answer.status().is_redirection() {
        tracing::warn!("the address of an original leads to another one, which is not followed");
        return status(StatusCode::GONE);
    }
    let nothing = answer.status().is_success() && answer.content_length() == Some(0);
    // FFmpeg asks for everything first, and later for nothing that is not there.
    if nothing || answer.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        empty.store(true, Ordering::Relaxed);
    }
    let mut response = status(answer.status());
    if answer.status().is_success() {
        for name in [CONTENT_LENGTH, CONTENT_RANGE] {
            if let Some(value) = answer.headers().get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        let bytes = answer.bytes_stream().map_err(reqwest::Error::without_url);
        *response.body_mut() = Body::from_stream(bytes);
    }
    response
}

/// Files that are read as one.
struct Stored {
    files: Vec<(PathBuf, u64)>,
    size: u64,
}

impl Stored {
    async fn open(paths: Vec<PathBuf>) -> io::Result<Self> {
        let mut files = Vec::with_capacity(paths.len());
        let mut size = 0;
        for path in paths {
            let length = tokio::fs::metadata(&path).await?.len();
            size += length;
            files.push((path, length));
        }
        Ok(Self { files, size })
    }

    async fn answer(&self, asked: &HeaderMap) -> Response {
        // FFmpeg asks for `bytes=N-` and nothing else.
        let first = asked
            .get(RANGE)
            .and_then(|range| range.to_str().ok()?.strip_prefix("bytes=")?.strip_suffix('-'))
            .map_or(Some(0), |first| first.parse::<u64>().ok())
            .filter(|first| *first < self.size);
        let Some(first) = first else { return status(StatusCode::RANGE_NOT_SATISFIABLE) };
        let mut before = 0;
        let mut wanted = Vec::new();
        for (path, length) in &self.files {
            let skip = first.saturating_sub(before).min(*length);
            before += length;
            if skip < *length {
                wanted.push((path.clone(), skip));
            }
        }
        let parts = stream::iter(wanted).then(|(path, skip)| part(path, skip)).try_flatten();
        let mut response = status(StatusCode::PARTIAL_CONTENT);
        let range = format!("bytes {first}-{}/{}", self.size - 1, self.size);
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.size - first));
        if let Ok(range) = HeaderValue::try_from(range) {
            headers.insert(CONTENT_RANGE, range);
        }
        *response.body_mut() = Body::from_stream(parts);
        response
    }
}

async fn part(path: PathBuf, skip: u64) -> io::Result<ReaderStream<tokio::fs::File>> {
    let mut file = tokio::fs::File::open(path).await?;
    if skip > 0 {
        file.seek(io::SeekFrom::Start(skip)).await?;
    }
    Ok(ReaderStream::with_capacity(file, BUFFER))
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

//! The listener behind which files are played: of this computer alone, and for who knows its token.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{HOST, ORIGIN};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use crate::handle::EngineHandle;
use crate::local_playback::answer::{Answer, Refused, answer, refuse};
use crate::source::Slices;
use crate::transfer::UploadId;

/// Connections at the same time; a player opens another for each place that it jumps to.
const VISITORS: usize = 16;
/// For a request's headers.
const HEADERS: Duration = Duration::from_secs(10);
/// A player that takes nothing for so long is paused, and asks anew when it goes on.
const PAUSED: Duration = Duration::from_secs(600);
/// After the system refused a connection.
const BREATHER: Duration = Duration::from_millis(100);
/// Buffers that are read into at full size: some players at work.
const SLICES: usize = 8;

/// An open door. Dropped, it closes, and nobody behind it is served on.
#[derive(Debug)]
pub(super) struct Door {
    keeper: Arc<Keeper>,
    _task: AbortOnDropHandle<()>,
}

/// Decides who is let in, to what.
#[derive(Debug)]
struct Keeper {
    engine: EngineHandle,
    address: SocketAddr,
    token: Token,
    origins: Vec<String>,
    slices: Slices,
}

/// What nobody can guess: 256 random bits.
struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    fn new() -> io::Result<Self> {
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes)
            .map_err(|_| io::Error::other("the system gives no randomness"))?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Takes as long whatever is wrong.
    fn is(&self, given: &str) -> bool {
        let (ours, given) = (self.0.as_bytes(), given.as_bytes());
        aws_lc_rs::constant_time::verify_slices_are_equal(ours, given).is_ok()
    }
}

impl Door {
    /// On a free port.
    pub(super) async fn open(engine: &EngineHandle, origins: &[String]) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let keeper = Arc::new(Keeper {
            engine: engine.clone(),
            address: listener.local_addr()?,
            token: Token::new()?,
            origins: origins.to_vec(),
            slices: Slices::new(SLICES),
        });
        let task = tokio::spawn(listen(listener, Arc::clone(&keeper)));
        Ok(Self { keeper, _task: AbortOnDropHandle::new(task) })
    }

    /// Where an upload's file is.
    pub(super) fn address_of(&self, id: UploadId) -> String {
        let Keeper { address, token, .. } = &*self.keeper;
        format!("http://{address}/{}/{id}", token.0)
    }
}

async fn listen(listener: TcpListener, keeper: Arc<Keeper>) {
    let mut visitors = JoinSet::new();
    loop {
        tokio::select! {
            visitor = listener.accept(), if visitors.len() < VISITORS => match visitor {
                Ok((stream, _)) => {
                    visitors.spawn(serve(stream, Arc::clone(&keeper)));
                }
                Err(error) => {
                    tracing::warn!(%error, "a player was not let in");
                    tokio::time::sleep(BREATHER).await;
                }
            },
            Some(_) = visitors.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, keeper: Arc<Keeper>) {
    let moved = Arc::new(Notify::new());
    let service = service_fn(|request: Request<Incoming>| {
        let (keeper, moved) = (Arc::clone(&keeper), Arc::clone(&moved));
        async move { Ok::<_, Infallible>(keeper.let_in(&request, moved).await) }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        // A player that jumps leaves what it asked for before, and with it the connection.
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        served = served => if let Err(error) = served {
            tracing::debug!(%error, "a player went away");
        },
        () = paused(&moved) => tracing::debug!("a player that takes nothing is let go"),
    }
}

/// Waits until nothing has moved for long.
async fn paused(moved: &Notify) {
    while timeout(PAUSED, moved.notified()).await.is_ok() {}
}

impl Keeper {
    async fn let_in(&self, request: &Request<Incoming>, moved: Arc<Notify>) -> Answer {
        match self.named_in(request) {
            Ok(id) => answer(&self.engine, id, request, &self.slices, moved).await,
            Err(refused) => refuse(refused),
        }
    }

    /// The upload that a request names, if it comes from our page. A name that leads here is not
    /// enough: it may be another's, made to (DNS rebinding). Media are asked for without an origin;
    /// a script tells its own.
    fn named_in(&self, request: &Request<Incoming>) -> Result<UploadId, Refused> {
        let said = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or(""));
        if said(HOST) != Some(&self.address.to_string()) {
            return Err(Refused::Stranger);
        }
        if said(ORIGIN).is_some_and(|origin| !self.origins.iter().any(|ours| ours == origin)) {
            return Err(Refused::Stranger);
        }
        let path = request.uri().path();
        let (token, id) =
            path.strip_prefix('/').and_then(|path| path.split_once('/')).ok_or(Refused::Unknown)?;
        if !self.token.is(token) {
            return Err(Refused::Unknown);
        }
        id.parse().map_err(|_| Refused::Unknown)
    }
}

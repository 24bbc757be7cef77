//! The HTTP clients, and whether anybody answers them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;
use url::Url;

use crate::net::{AGENT, Payload, SignedUrl};

/// To get through to a server that is asked for nothing but a sign of life.
const KNOCK: Duration = Duration::from_secs(2);
/// For its answer, once it was got through to.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
/// A storage that has been silent for so long, while the team server answers, is asked no more: it
/// may have moved.
const MOVED_AFTER: Duration = Duration::from_secs(60);

/// Times that tests shorten.
#[derive(Clone, Copy, Debug)]
pub struct NetOptions {
    /// To reach the other side at all.
    pub connect: Duration,
    /// For an answer of the team API.
    pub control: Duration,
    /// Without one more byte taken, a part's connection counts as stalled.
    pub stall: Duration,
    /// From a part's last byte to its answer. What the system has buffered goes out meanwhile, so
    /// this is longer on purpose.
    pub answer: Duration,
}

impl Default for NetOptions {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            control: Duration::from_secs(30),
            stall: Duration::from_secs(30),
            answer: Duration::from_secs(300),
        }
    }
}

/// No client can be built: the system's certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientsError {
    /// For any connection.
    #[error("{0}")]
    Tls(#[from] rustls::Error),
    /// For calls.
    #[error("{0}")]
    Control(#[from] reqwest::Error),
}

/// One client for payload and one for JSON: their pools and limits differ. Clones share them.
#[derive(Clone, Debug)]
pub struct Clients {
    shared: Arc<Mutex<Shared>>,
    /// The times in force.
    pub options: NetOptions,
}

#[derive(Debug)]
struct Shared {
    payload: Payload,
    control: Client,
    /// Keeps no connection: each question goes the whole way.
    knock: Client,
    storage: Option<Storage>,
}

/// Where bytes were sent last.
#[derive(Clone, Debug)]
struct Storage {
    origin: Url,
    silent_since: Option<Instant>,
}

impl Clients {
    /// Builds them.
    ///
    /// # Errors
    /// Where the system's certificates cannot be used.
    pub fn new(options: NetOptions) -> Result<Self, ClientsError> {
        let tls = tls()?;
        let knock = builder(tls.clone())
            .connect_timeout(KNOCK)
            .timeout(SIGN_OF_LIFE)
            .pool_max_idle_per_host(0);
        let shared = Shared {
            control: control(options, tls.clone())?,
            payload: Payload::new(options, tls),
            knock: knock.build()?,
            storage: None,
        };
        Ok(Self { shared: Arc::new(Mutex::new(shared)), options })
    }

    /// For bytes.
    pub(crate) fn payload(&self) -> Payload {
        self.with(|shared| shared.payload.clone())
    }

    /// For calls.
    #[must_use]
    pub fn control(&self) -> Client {
        self.with(|shared| shared.control.clone())
    }

    /// A request that sends bytes to a storage, whose place is remembered.
    pub(crate) fn put(&self, url: &SignedUrl) -> RequestBuilder {
        let url = url.expose().clone();
        self.with(|shared| {
            if let Ok(origin) = url.join("/") {
                shared.storage = Some(Storage { origin, silent_since: None });
            }
            shared.control.put(url)
        })
    }

    /// Drops every connection that is kept: after a sleep or in another network they are dead and
    /// do not know it. Those in use end with their requests.
    pub(crate) fn renew(&self) {
        match self.anew() {
            Ok((payload, control)) => self.with(|shared| {
                (shared.payload, shared.control) = (payload, control);
            }),
            Err(error) => tracing::error!(%error, "connections could not be renewed"),
        }
    }

    /// Whether the server answers, and the storage that bytes went to last, whatever they say.
    pub(crate) async fn answer(&self, server: &Url) -> bool {
        let (knock, storage) = self.with(|shared| (shared.knock.clone(), shared.storage.clone()));
        let answers = async |origin: Url| knock.head(origin).send().await.is_ok();
        let Ok(server) = server.join("/") else { return false };
        let Some(Storage { origin, silent_since }) = storage else { return answers(server).await };
        let (server, stored) = tokio::join!(answers(server), answers(origin.clone()));
        let silent_since = (!stored && server).then(|| silent_since.unwrap_or_else(Instant::now));
        let moved = silent_since.is_some_and(|since| since.elapsed() >= MOVED_AFTER);
        self.with(|shared| {
            if let Some(storage) = shared.storage.as_mut().filter(|s| s.origin == origin) {
                storage.silent_since = silent_since;
            }
            if moved {
                shared.storage = None;
            }
        });
        server && (stored || moved)
    }

    fn anew(&self) -> Result<(Payload, Client), ClientsError> {
        let tls = tls()?;
        let control = control(self.options, tls.clone())?;
        Ok((Payload::new(self.options, tls), control))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Shared) -> T) -> T {
        work(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whom all of a team's connections trust: the system's certificates, read once for all of them. That
/// is some 140 files and 5 ms on Linux.
fn tls() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider);
    let trusting = versions.with_safe_default_protocol_versions()?.with_platform_verifier()?;
    Ok(trusting.with_no_client_auth())
}

fn builder(tls: ClientConfig) -> ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(AGENT)
        // No answer may send a key or a file's bytes to another place.
        .redirect(Policy::none())
        .tcp_nodelay(true)
        .tcp_keepalive(Duration::from_secs(20))
}

fn control(options: NetOptions, tls: ClientConfig) -> Result<Client, reqwest::Error> {
    builder(tls).connect_timeout(options.connect).timeout(options.control).build()
}

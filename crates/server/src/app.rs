//! Builds the parts, lets each know the others by address only, runs them, and ends them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use dailies_api::credentials::{MuxCredentials, S3Credentials};
use dailies_database::DatabaseError;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::config::{Config, MediaSource, MuxConfig, S3Config, StorageChecksum, StorageSource};
use crate::credentials_file::{self, CredentialsError};
use crate::data_folder::{DataFolder, DataFolderError};
use crate::founding::{self, Foundation};
use crate::guesses::Guesses;
use crate::identity::Issuers;
use crate::ingest::Ingest;
use crate::limits::{self, Gate};
use crate::listeners::{self, Bound, ListenError, Listeners};
use crate::locks::NamedLocks;
use crate::media::{MediaConfig, MediaEngine, MediaError, SigningKey, WebhookTarget};
use crate::metrics::{self, Metrics, Shown, Sources};
use crate::mux_client::MuxClient;
use crate::object_store::{ObjectStore, ObjectStoreError, Owner};
use crate::passwords::Passwords;
use crate::playback::PlaybackSigner;
use crate::serve::{Terms, Traffic, serve};
use crate::storage::OriginalStorage;
use crate::team_api::{self, Team};
use crate::tls::{Tls, TlsError};
use crate::webhooks::{self, WebhookKeys};
use crate::{db, health, http_actions, pages, removal, sweeps};

/// Of the embedded storage: a name of ours, and the region that clients assume where none is said.
const BUCKET: &str = "originals";
const REGION: &str = "us-east-1";

/// Why a server did not start. Nothing runs then.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder is another server's, or cannot be used.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// An address is taken, or is none of this computer.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The certificate pair is none.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// `team.db` cannot be used.
    #[error("the team's database cannot be used")]
    Database(#[from] DatabaseError),
    /// The embedded storage did not open.
    #[error("the object storage did not open")]
    ObjectStore(#[from] ObjectStoreError),
    /// The embedded media engine did not open.
    #[error("the media engine did not open")]
    Media(#[from] MediaError),
    /// The playback signing key cannot sign.
    #[error("the playback signing key is no RSA private key in PEM")]
    SigningKey(#[from] jsonwebtoken::errors::Error),
    /// No HTTP client could be made.
    #[error("no HTTP client could be made")]
    HttpClient(#[from] reqwest::Error),
    /// `credentials.json` could not be written.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
}

/// A running server. [`App::stop`] ends it in order; dropped, it ends as by a crash.
pub struct App {
    url: String,
    s3_url: Option<String>,
    credentials: PathBuf,
    stop: CancellationToken,
    /// The team API's listeners.
    servers: JoinSet<()>,
    /// The storage's: they end after the calls that use them.
    storage: JoinSet<()>,
    storage_stop: CancellationToken,
    /// Asks about videos in work, finishes removals, runs the background jobs, keeps the certificate
    /// current.
    reconciler: JoinSet<()>,
    /// Shows metrics until everything else has ended.
    observers: JoinSet<()>,
    ended: CancellationToken,
    /// Asks for the certificate to be read again.
    reload: Arc<Notify>,
    /// Functions that were called.
    calls: TaskTracker,
    media: Option<MediaEngine>,
    drain: Duration,
    // Let go last: what uses the folder is gone by then.
    _folder: DataFolder,
}

impl App {
    /// Starts everything; returns once it answers requests.
    ///
    /// # Errors
    /// [`StartError`], in words for whoever started it.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let folder = DataFolder::open(&config.data)?;
        let tls = config.tls.clone().map(Tls::open).transpose()?;
        let database = db::open(&folder.database())?;
        let Listeners { api, s3, near, metrics } = listeners::bind(&config, &database).await?;
        let foundation = founding::lay(&database).await?;
        let url = match &config.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => local_url(tls.is_some(), api.address),
        };
        let quota = config.limits.team_quota;
        let set_quota = move |connection: &_| db::quota::set_default(connection, quota);
        database.write::<_, DatabaseError, _>(set_quota).await?;
        let (near, near_s3) = near.map_or((None, None), |near| (Some(near.api), near.s3));
        let near_url = local_url(false, near.as_ref().unwrap_or(&api).address);
        let stop = CancellationToken::new();
        let terms = Terms {
            network: Arc::new(config.network),
            stop: stop.clone(),
            drain: config.limits.drain,
        };
        let storage_stop = CancellationToken::new();
        let storage_terms = Terms { stop: storage_stop.clone(), ..terms.clone() };
        let mut storage_servers =
            Servers { tasks: JoinSet::new(), tls: tls.clone(), terms: storage_terms };
        let mut servers = Servers { tasks: JoinSet::new(), tls: tls.clone(), terms };
        let traffic = [Arc::<Traffic>::default(), Arc::default()];
        let embedded_media = matches!(config.media, MediaSource::Embedded);
        let (counted, sources) = Metrics::new(|registry| {
            let listeners = vec![("api", Arc::clone(&traffic[0])), ("s3", Arc::clone(&traffic[1]))];
            Sources::new(registry, database.clone(), embedded_media, folder.path(), listeners)
        });
        let (counted, sources) = (Arc::new(counted), Arc::new(sources));
        let gate = Gate::new(Arc::clone(&servers.terms.network), Arc::clone(&counted));

        let s3_url = s3.as_ref().map(|s3| local_url(tls.is_some(), s3.address));
        let near_s3_url = near_s3.as_ref().or(s3.as_ref()).map(|s3| local_url(false, s3.address));
        let storage =
            storage_config(&config.storage, s3_url.as_deref(), near_s3_url.as_deref(), &foundation);
        if let Some(s3) = s3 {
            let owner = Owner {
                access_key_id: foundation.s3_access_key_id.clone(),
                secret_access_key: foundation.s3_secret_access_key.clone(),
                region: REGION.into(),
            };
            let objects =
                ObjectStore::open(&folder.objects(), owner, config.limits.uploads_kept).await?;
            objects.ensure_bucket(BUCKET).await?;
            let router = limits::for_storage(objects.router(), &gate);
            storage_servers.start(s3, near_s3, &router, &traffic[1]);
        }

        let (engine, mux) = match config.media {
            MediaSource::Embedded => {
                let engine = MediaEngine::open(media_config(
                    config.media_webhook.as_ref(),
                    crate::media::Limits {
                        upload: config.limits.max_file_size,
                        ..config.media_limits
                    },
                    &folder,
                    &url,
                    &near_url,
                    &foundation,
                ))
                .await?;
                (Some(engine), embedded_mux(&url, &near_url, &foundation))
            }
            MediaSource::Mux(mux) => (None, *mux),
        };
        let nearby = engine.is_some();
        let locks = Arc::new(NamedLocks::default());
        let ingest = Arc::new(Ingest {
            database: database.clone(),
            storage: OriginalStorage::new(&storage),
            mux: MuxClient::new(mux.api, mux.token_id, mux.token_secret, nearby)?,
            nearby,
            locks: Arc::clone(&locks),
        });
        let signer = PlaybackSigner::new(
            &mux.signing_key,
            mux.signing_key_id,
            &mux.stream,
            &mux.image,
            config.limits.playback_token,
        )?;
        let calls = TaskTracker::new();
        let removals = Arc::new(Notify::new());
        let interrupted = database.write(db::uploads::forget_interrupted).await?;
        if interrupted > 0 {
            tracing::info!(interrupted, "forms had not come in whole when the server ended");
        }
        let team = Arc::new(Team {
            database: database.clone(),
            ingest: Arc::clone(&ingest),
            signer,
            issuers: Issuers::new(config.oidc)?,
            limits: config.limits,
            locks,
            calls: calls.clone(),
            removals: Arc::clone(&removals),
            passwords: Passwords::new(),
            guesses: Guesses::default(),
            forms: Arc::new(tokio::sync::Semaphore::new(team_api::FORMS)),
        });
        let origins = playback_origins([&mux.stream, &mux.image, &storage.public_endpoint]);
        let webhooks = webhooks::router(database.clone(), WebhookKeys::new(&mux.webhook_secrets));
        let mut router = team_api::router(Arc::clone(&team))
            .merge(http_actions::router(&team, webhooks))
            .merge(pages::router(&origins));
        if let Some(engine) = &engine {
            sources.media(engine.clone());
            router = with_media(router, engine);
        }
        let shown = |token| {
            let (metrics, sources) = (Arc::clone(&counted), Arc::clone(&sources));
            metrics::router(Arc::new(Shown { metrics, sources, token }))
        };
        let mut observers = JoinSet::new();
        let ended = CancellationToken::new();
        if let Some(Bound { listener, .. }) = metrics {
            let token = config.metrics.token.clone();
            let router = shown(token).merge(health::live()).merge(health::ready(stop.clone()));
            let terms = Terms { stop: ended.clone(), ..servers.terms.clone() };
            observers.spawn(serve(listener, None, router, terms, Arc::default()));
        }
        if config.metrics.token.is_some() {
            router = router.merge(shown(config.metrics.token));
        }
        let router = limits::for_team(router.merge(health::ready(stop.clone())), &gate);
        servers.start(api, near, &router, &traffic[0]);
        let (servers, storage_servers) = (servers.tasks, storage_servers.tasks);

        let s3_credentials = S3Credentials {
            endpoint: s3_url
                .clone()
                .unwrap_or_else(|| storage.endpoint.as_str().trim_end_matches('/').to_owned()),
            region: storage.region,
            bucket: storage.bucket,
            access_key_id: storage.access_key_id,
            secret_access_key: storage.secret_access_key,
        };
        let credentials = folder.credentials();
        let mux = engine.is_some().then(|| MuxCredentials {
            url: format!("{url}/mux"),
            stream_url: format!("{url}/stream"),
            image_url: format!("{url}/image"),
            token_id: foundation.mux_token_id.clone(),
            token_secret: foundation.mux_token_secret.clone(),
            webhook_secret: foundation.mux_webhook_secret.clone(),
        });
        let written = credentials_file::write(
            &credentials,
            &database,
            &foundation,
            url.clone(),
            s3_credentials,
            mux,
        );
        written.await?;
        let mut reconciler = JoinSet::new();
        let reload = Arc::new(Notify::new());
        if let Some(tls) = tls {
            reconciler.spawn(tls.keep_current(Arc::clone(&reload)));
        }
        let remover = Arc::clone(&ingest);
        reconciler.spawn(async move { removal::run(&remover, &removals).await });
        reconciler.spawn(async move { ingest.reconcile().await });
        reconciler.spawn(sweeps::run(team));
        let drain = config.limits.drain;
        Ok(Self {
            url,
            s3_url,
            credentials,
            stop,
            servers,
            storage: storage_servers,
            storage_stop,
            reconciler,
            observers,
            ended,
            reload,
            calls,
            media: engine,
            drain,
            _folder: folder,
        })
    }

    /// The team API's base address, as others know it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The embedded storage's base address, if it runs.
    #[must_use]
    pub fn s3_url(&self) -> Option<&str> {
        self.s3_url.as_deref()
    }

    /// Where `credentials.json` lies.
    #[must_use]
    pub fn credentials(&self) -> &std::path::Path {
        &self.credentials
    }

    /// Has the certificate pair read again, where there is one.
    pub fn reload(&self) {
        self.reload.notify_one();
    }

    /// Takes nothing new, lets calls end within the drain limit, then uploads into the storage, again
    /// within it, and ends child processes.
    pub async fn stop(mut self) {
        self.stop.cancel();
        self.reconciler.shutdown().await;
        let media = async {
            if let Some(media) = &self.media {
                media.shutdown().await;
            }
        };
        let servers = async { while self.servers.join_next().await.is_some() {} };
        self.calls.close();
        let calls = tokio::time::timeout(self.drain, self.calls.wait());
        let ((), (), calls) = tokio::join!(media, servers, calls);
        if calls.is_err() {
            tracing::warn!("calls did not end in time; they go on at the next start");
        }
        self.storage_stop.cancel();
        while self.storage.join_next().await.is_some() {}
        self.ended.cancel();
        self.observers.shutdown().await;
    }
}

/// The listeners that are being served.
struct Servers {
    tasks: JoinSet<()>,
    tls: Option<Tls>,
    terms: Terms,
}

impl Servers {
    /// One for everybody, and one in the clear for this computer, where that is needed.
    fn start(
        &mut self,
        bound: Bound,
        near: Option<Bound>,
        router: &Router,
        traffic: &Arc<Traffic>,
    ) {
        let listeners = [Some((bound, self.tls.clone())), near.map(|near| (near, None))];
        for (Bound { listener, .. }, tls) in listeners.into_iter().flatten() {
            let (terms, traffic) = (self.terms.clone(), Arc::clone(traffic));
            self.tasks.spawn(serve(listener, tls, router.clone(), terms, traffic));
        }
    }
}

/// What the pages may load from, also where they were opened under another name of this server: the
/// media engine's playlists and pictures, and the originals.
fn playback_origins(urls: [&Url; 3]) -> Vec<String> {
    let mut origins: Vec<String> = urls.map(|url| url.origin().ascii_serialization()).into();
    origins.sort();
    origins.dedup();
    origins
}

fn with_media(router: Router, engine: &MediaEngine) -> Router {
    router
        .nest("/mux", engine.api_router())
        .nest("/stream", engine.stream_router())
        .nest("/image", engine.image_router())
        .nest("/mux-upload", engine.upload_router())
}

fn media_config(
    webhook: Option<&Url>,
    limits: crate::media::Limits,
    folder: &DataFolder,
    url: &str,
    near_url: &str,
    foundation: &Foundation,
) -> MediaConfig {
    MediaConfig {
        folder: folder.media(),
        token_id: foundation.mux_token_id.clone(),
        token_secret: foundation.mux_token_secret.clone(),
        signing_keys: vec![SigningKey {
            id: foundation.signing_key_id.clone(),
            public_key: foundation.signing_public_key.clone().into_bytes(),
        }],
        upload_url: format!("{url}/mux-upload"),
        webhook: WebhookTarget {
            url: webhook.map_or_else(|| format!("{near_url}/webhooks/mux"), Url::to_string),
            secret: foundation.mux_webhook_secret.clone(),
        },
        programs: crate::media::Programs::default(),
        limits,
    }
}

/// The embedded media engine as the team API knows it: as it would know Mux.
fn embedded_mux(url: &str, near_url: &str, foundation: &Foundation) -> MuxConfig {
    MuxConfig {
        api: address(&format!("{near_url}/mux")),
        token_id: foundation.mux_token_id.clone(),
        token_secret: foundation.mux_token_secret.clone(),
        signing_key_id: foundation.signing_key_id.clone(),
        signing_key: foundation.signing_key.clone(),
        webhook_secrets: vec![foundation.mux_webhook_secret.clone()],
        stream: address(&format!("{url}/stream")),
        image: address(&format!("{url}/image")),
    }
}

fn storage_config(
    source: &StorageSource,
    embedded_url: Option<&str>,
    near_url: Option<&str>,
    foundation: &Foundation,
) -> S3Config {
    match source {
        StorageSource::S3(config) => config.clone(),
        StorageSource::Embedded { public_endpoint } => {
            let public = || address(embedded_url.unwrap_or_default());
            S3Config {
                public_endpoint: public_endpoint.clone().unwrap_or_else(public),
                endpoint: address(near_url.unwrap_or_default()),
                region: REGION.into(),
                bucket: BUCKET.into(),
                access_key_id: foundation.s3_access_key_id.clone(),
                secret_access_key: foundation.s3_secret_access_key.clone(),
                checksum: StorageChecksum::Crc64Nvme,
            }
        }
    }
}

/// Where this computer reaches a listener of its own.
fn local_url(secure: bool, address: SocketAddr) -> String {
    let ip = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => [127, 0, 0, 1].into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        _ => address.ip(),
    };
    let scheme = if secure { "https" } else { "http" };
    format!("{scheme}://{}", SocketAddr::new(ip, address.port()))
}

fn address(url: &str) -> Url {
    Url::parse(url).expect("an address made from a socket's or from a parsed one is one")
}

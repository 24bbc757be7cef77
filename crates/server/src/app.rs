//! Builds the parts, lets each know the others by address only, runs them, and ends them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use dailies_api::credentials::S3Credentials;
use dailies_database::DatabaseError;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::config::{Config, MediaSource, MuxConfig, S3Config, StorageChecksum, StorageSource};
use crate::credentials_file::{self, CredentialsError};
use crate::data_folder::{DataFolder, DataFolderError};
use crate::founding::{self, Foundation};
use crate::ingest::Ingest;
use crate::listeners::{self, ListenError, Listeners};
use crate::locks::NamedLocks;
use crate::media::{MediaConfig, MediaEngine, MediaError, SigningKey, WebhookTarget};
use crate::mux_client::MuxClient;
use crate::object_store::{ObjectStore, ObjectStoreError, Owner};
use crate::playback::PlaybackSigner;
use crate::serve::serve;
use crate::storage::OriginalStorage;
use crate::team_api::{self, Team};
use crate::webhooks::{self, WebhookKeys};
use crate::{db, http_actions, pages, sweeps};

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
    /// The listeners.
    servers: JoinSet<()>,
    /// Asks about videos in work, and runs the background jobs.
    reconciler: JoinSet<()>,
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
        let database = db::open(&folder.database())?;
        let Listeners { api, s3 } = listeners::bind(&config, &database).await?;
        let foundation = founding::lay(&database).await?;
        let url = match &config.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => local_url(api.address),
        };
        let near_url = local_url(api.address);
        let quota = config.limits.team_quota;
        let set_quota = move |connection: &_| db::quota::set_default(connection, quota);
        database.write::<_, DatabaseError, _>(set_quota).await?;
        let stop = CancellationToken::new();
        let mut servers = JoinSet::new();

        let s3_url = s3.as_ref().map(|s3| local_url(s3.address));
        let storage = storage_config(&config.storage, s3_url.as_deref(), &foundation);
        if let Some(s3) = s3 {
            let owner = Owner {
                access_key_id: foundation.s3_access_key_id.clone(),
                secret_access_key: foundation.s3_secret_access_key.clone(),
                region: REGION.into(),
            };
            let objects = ObjectStore::open(&folder.objects(), owner).await?;
            objects.ensure_bucket(BUCKET).await?;
            let drain = config.limits.drain;
            servers.spawn(serve(s3.listener, objects.router(), stop.clone(), drain));
        }

        let (engine, mux) = match config.media {
            MediaSource::Embedded => {
                let engine =
                    MediaEngine::open(media_config(&folder, &near_url, &foundation)).await?;
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
        let team = Arc::new(Team {
            database: database.clone(),
            ingest: Arc::clone(&ingest),
            signer,
            limits: config.limits,
            locks,
            calls: calls.clone(),
            forms: Arc::new(tokio::sync::Semaphore::new(team_api::FORMS)),
        });
        let origins = playback_origins(&mux.stream, &mux.image);
        let webhooks = webhooks::router(database.clone(), WebhookKeys::new(&mux.webhook_secrets));
        let mut router = team_api::router(Arc::clone(&team))
            .merge(http_actions::router(&team, webhooks))
            .merge(pages::router(&origins));
        if let Some(engine) = &engine {
            router = with_media(router, engine);
        }
        servers.spawn(serve(api.listener, router, stop.clone(), config.limits.drain));

        let s3_credentials = S3Credentials {
            endpoint: storage.endpoint.as_str().trim_end_matches('/').to_owned(),
            region: storage.region,
            bucket: storage.bucket,
            access_key_id: storage.access_key_id,
            secret_access_key: storage.secret_access_key,
        };
        let credentials = folder.credentials();
        credentials_file::write(&credentials, &database, &foundation, url.clone(), s3_credentials)
            .await?;
        let mut reconciler = JoinSet::new();
        reconciler.spawn(async move { ingest.reconcile().await });
        reconciler.spawn(sweeps::run(team));
        let drain = config.limits.drain;
        Ok(Self {
            url,
            s3_url,
            credentials,
            stop,
            servers,
            reconciler,
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

    /// Takes nothing new, lets what runs end within the drain limit, ends child processes.
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
    }
}

/// What the watch page may load from, also where it was opened under another name of this server.
fn playback_origins(stream: &Url, image: &Url) -> Vec<String> {
    let mut origins: Vec<String> =
        [stream, image].map(|url| url.origin().ascii_serialization()).into();
    origins.dedup();
    origins
}

fn with_media(router: Router, engine: &MediaEngine) -> Router {
    router
        .nest("/mux", engine.api_router())
        .nest("/stream", engine.stream_router())
        .nest("/image", engine.image_router())
}

fn media_config(folder: &DataFolder, near_url: &str, foundation: &Foundation) -> MediaConfig {
    MediaConfig {
        folder: folder.media(),
        token_id: foundation.mux_token_id.clone(),
        token_secret: foundation.mux_token_secret.clone(),
        signing_keys: vec![SigningKey {
            id: foundation.signing_key_id.clone(),
            public_key: foundation.signing_public_key.clone().into_bytes(),
        }],
        webhook: WebhookTarget {
            url: format!("{near_url}/webhooks/mux"),
            secret: foundation.mux_webhook_secret.clone(),
        },
        programs: crate::media::Programs::default(),
        limits: crate::media::Limits::default(),
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
    foundation: &Foundation,
) -> S3Config {
    match source {
        StorageSource::S3(config) => config.clone(),
        StorageSource::Embedded { public_endpoint } => {
            let endpoint = address(embedded_url.unwrap_or_default());
            S3Config {
                public_endpoint: public_endpoint.clone().unwrap_or_else(|| endpoint.clone()),
                endpoint,
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
fn local_url(address: SocketAddr) -> String {
    let ip = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => [127, 0, 0, 1].into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        _ => address.ip(),
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}

fn address(url: &str) -> Url {
    Url::parse(url).expect("an address made from a socket's or from a parsed one is one")
}

//! An engine with all that is around it: an origin that serves originals, a receiver of webhooks.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use axum::body::{Body, Bytes};
use axum::extract::{Path as UrlPath, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use dailies_api::mux::{Asset, AssetStatus, Data, ProgressState, Webhook};
use dailies_server::media::{
    Limits, MediaConfig, MediaEngine, Programs, SigningKey, WebhookTarget,
};
use futures_util::StreamExt;
use http::{HeaderMap, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

pub(crate) const WEBHOOK_SECRET: &str = "webhook-secret";
pub(crate) const KEY_ID: &str = "key-1";
/// Longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The engine and its surroundings. Everything ends with it.
pub(crate) struct Stand {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) engine: MediaEngine,
    pub(crate) base: String,
    pub(crate) origin: Arc<Origin>,
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) http: reqwest::Client,
    origin_address: String,
    webhook_address: String,
    key: Vec<u8>,
    pub(crate) public_key: Vec<u8>,
    servers: JoinSet<()>,
    limits: Limits,
}

/// A rendition as the master playlist names it.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) attributes: String,
    /// Full, with its token.
    pub(crate) address: String,
}

impl Stand {
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let public_key = pair.public_key().as_ref().to_vec();
        let key = pkcs1(&pair);
        let mut servers = JoinSet::new();
        let origin = Arc::new(Origin::default());
        let receiver = Arc::new(Receiver::default());
        let origin_address = serve(
            &mut servers,
            axum::Router::new()
                .route("/{name}", get(Origin::answer))
                .with_state(Arc::clone(&origin)),
        )
        .await;
        let webhook_address = serve(
            &mut servers,
            axum::Router::new()
                .route("/webhooks/mux", post(Receiver::take))
                .with_state(Arc::clone(&receiver)),
        )
        .await;
        let folder = tempfile::tempdir().unwrap();
        let (listener, base) = listen().await;
        let change = |config: &mut MediaConfig| config.limits = limits;
        let engine = open(folder.path(), &base, &webhook_address, &public_key, change).await;
        serve_on(&mut servers, listener, routes(&engine));
        Self {
            folder,
            engine,
            base,
            origin,
            receiver,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            origin_address,
            webhook_address,
            key,
            public_key,
            servers,
            limits,
        }
    }

    /// Ends the engine as a restart does, and opens it again on the same folder.
    pub(crate) async fn restart(&mut self) {
        self.restart_with(|_| {}).await;
    }

    /// The same, with another configuration.
    pub(crate) async fn restart_with(&mut self, change: impl FnOnce(&mut MediaConfig)) {
        self.engine.shutdown().await;
        let (listener, base) = listen().await;
        let (folder, limits) = (self.folder.path(), self.limits);
        let change = |config: &mut MediaConfig| {
            config.limits = limits;
            change(config);
        };
        self.engine = open(folder, &base, &self.webhook_address, &self.public_key, change).await;
        self.base = base;
        serve_on(&mut self.servers, listener, routes(&self.engine));
    }

    /// Ends the engine as a crash does: nobody waits for anything.
    pub(crate) async fn crash(&mut self) {
        // The old engine goes when the new one takes its place; the folder must be free by then.
        let elsewhere = tempfile::tempdir().unwrap();
        let (folder, key) = (elsewhere.path(), &self.public_key);
        self.engine = open(folder, &self.base, &self.webhook_address, key, |_| {}).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        self.restart().await;
    }

    /// Ends the engine, lets `change` have its folder, and opens it again.
    pub(crate) async fn restart_after(&mut self, change: impl FnOnce(&Path)) {
        self.engine.shutdown().await;
        change(self.folder.path());
        self.restart().await;
    }

    /// The presigned address of an original.
    pub(crate) fn input(&self, name: &str) -> String {
        format!("{}/{name}?X-Amz-Signature=5ec2e7", self.origin_address)
    }

    /// Puts the file at `path` into the origin and asks for an asset of it.
    pub(crate) async fn create(&self, path: &Path) -> Asset {
        let name = path.file_name().unwrap().to_str().unwrap();
        self.origin.put(name, std::fs::read(path).unwrap());
        self.ask(&self.input(name), "signed").await
    }

    pub(crate) async fn ask(&self, input: &str, policy: &str) -> Asset {
        let body = json!({"inputs": [{"url": input}], "playback_policies": [policy],
            "passthrough": "video-1"});
        let answer = self.api(http::Method::POST, "", Some(body)).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.json::<Data<Asset>>().await.unwrap().data
    }

    pub(crate) async fn api(
        &self,
        method: http::Method,
        path: &str,
        body: Option<Value>,
    ) -> reqwest::Response {
        self.call(method, &format!("video/v1/assets{path}"), body).await
    }

    /// Anything of the API.
    pub(crate) async fn call(
        &self,
        method: http::Method,
        path: &str,
        body: Option<Value>,
    ) -> reqwest::Response {
        let request = self
            .http
            .request(method, format!("{}/mux/{path}", self.base))
            .basic_auth("token-id", Some("token-secret"));
        let request = if let Some(body) = body { request.json(&body) } else { request };
        request.send().await.unwrap()
    }

    pub(crate) async fn asset(&self, id: &str) -> Asset {
        let answer = self.api(http::Method::GET, &format!("/{id}"), None).await;
        answer.json::<Data<Asset>>().await.unwrap().data
    }

    /// Waits until the asset is not in preparation any more.
    pub(crate) async fn settled(&self, id: &str) -> Asset {
        let settled = async {
            loop {
                let asset = self.asset(id).await;
                if asset.status != AssetStatus::Preparing {
                    return asset;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, settled).await.expect("the asset settles in time")
    }

    /// Waits until nothing more is done for the asset.
    pub(crate) async fn completed(&self, id: &str) -> Asset {
        let completed = async {
            loop {
                let asset = self.asset(id).await;
                let state = asset.progress.unwrap().state;
                if matches!(state, ProgressState::Completed | ProgressState::Errored) {
                    return asset;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, completed).await.expect("the asset is completed in time")
    }

    /// What the master playlist of a signed asset offers.
    pub(crate) async fn variants(&self, asset: &Asset) -> Vec<Variant> {
        let token = self.token(&Self::claims(asset, "v"));
        let text = self.text(&self.master(asset, Some(&token))).await;
        let mut lines = text.lines();
        let mut variants = Vec::new();
        while let Some(line) = lines.next() {
            if let Some(attributes) = line.strip_prefix("#EXT-X-STREAM-INF:") {
                let address = format!("{}/stream/{}", self.base, lines.next().unwrap());
                variants.push(Variant { attributes: attributes.to_owned(), address });
            }
        }
        variants
    }

    /// Makes an asset of a clip and waits until it is ready.
    pub(crate) async fn ready(&self, path: &Path) -> Asset {
        let asset = self.create(path).await;
        let asset = self.settled(&asset.id).await;
        assert_eq!(asset.status, AssetStatus::Ready, "{:?}", asset.errors);
        asset
    }

    pub(crate) fn claims(asset: &Asset, audience: &str) -> Value {
        json!({"sub": asset.playback_ids[0].id, "aud": audience, "exp": seconds() + 300})
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        self.signed(claims, Some(KEY_ID), Algorithm::RS256)
    }

    pub(crate) fn signed(&self, claims: &Value, kid: Option<&str>, alg: Algorithm) -> String {
        let mut header = Header::new(alg);
        header.kid = kid.map(str::to_owned);
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_rsa_der(&self.key)).unwrap()
    }

    /// Of [`KEY_ID`], PKCS #1.
    pub(crate) fn private_key(&self) -> &[u8] {
        &self.key
    }

    /// Address of the master playlist, with a token where one is given.
    pub(crate) fn master(&self, asset: &Asset, token: Option<&str>) -> String {
        self.address(&format!("stream/{}.m3u8", asset.playback_ids[0].id), token)
    }

    pub(crate) fn address(&self, path: &str, token: Option<&str>) -> String {
        let mark = if path.contains('?') { '&' } else { '?' };
        let token = token.map(|token| format!("{mark}token={token}")).unwrap_or_default();
        format!("{}/{path}{token}", self.base)
    }

    pub(crate) async fn get(&self, address: &str) -> reqwest::Response {
        self.http.get(address).send().await.unwrap()
    }

    pub(crate) async fn text(&self, address: &str) -> String {
        let answer = self.get(address).await;
        assert_eq!(answer.status(), StatusCode::OK, "{address}");
        answer.text().await.unwrap()
    }
}

pub(crate) fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

async fn open(
    folder: &Path,
    base: &str,
    webhook_address: &str,
    public_key: &[u8],
    change: impl FnOnce(&mut MediaConfig),
) -> MediaEngine {
    let mut config = MediaConfig {
        folder: folder.to_owned(),
        token_id: "token-id".into(),
        token_secret: SecretString::from("token-secret"),
        signing_keys: vec![SigningKey { id: KEY_ID.into(), public_key: public_key.to_vec() }],
        upload_url: format!("{base}/upload"),
        webhook: WebhookTarget {
            url: format!("{webhook_address}/webhooks/mux"),
            secret: SecretString::from(WEBHOOK_SECRET),
        },
        programs: Programs::default(),
        limits: Limits::default(),
    };
    change(&mut config);
    MediaEngine::open(config).await.unwrap()
}

fn routes(engine: &MediaEngine) -> axum::Router {
    axum::Router::new()
        .nest("/mux", engine.api_router())
        .nest("/stream", engine.stream_router())
        .nest("/image", engine.image_router())
        .nest("/upload", engine.upload_router())
}

async fn serve(servers: &mut JoinSet<()>, router: axum::Router) -> String {
    let (listener, base) = listen().await;
    serve_on(servers, listener, router);
    base
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, format!("http://{address}"))
}

fn serve_on(servers: &mut JoinSet<()>, listener: TcpListener, router: axum::Router) {
    // As the server has it.
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    servers.spawn(async move { axum::serve(listener, router).await.unwrap() });
}

/// The key inside PKCS #8 (RFC 5958): the last octet string.
pub(crate) fn pkcs1(pair: &KeyPair) -> Vec<u8> {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    pkcs8.as_ref()[26..].to_vec()
}

/// Serves originals, and misbehaves where it is told to.
#[derive(Default)]
pub(crate) struct Origin {
    files: Mutex<HashMap<String, Bytes>>,
    /// While set, answers stop in the middle and wait.
    held: Mutex<Option<Arc<Notify>>>,
    /// Answers still to be cut off after some bytes.
    cuts: Mutex<u32>,
    redirects: Mutex<HashMap<String, String>>,
    /// What was asked for.
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Origin {
    pub(crate) fn put(&self, name: &str, bytes: impl Into<Bytes>) {
        self.files.lock().unwrap().insert(name.to_owned(), bytes.into());
    }

    pub(crate) fn redirect(&self, name: &str, target: &str) {
        self.redirects.lock().unwrap().insert(name.to_owned(), target.to_owned());
    }

    pub(crate) fn hold(&self) {
        *self.held.lock().unwrap() = Some(Arc::default());
    }

    pub(crate) fn release(&self) {
        if let Some(held) = self.held.lock().unwrap().take() {
            held.notify_waiters();
        }
    }

    pub(crate) fn cut(&self, answers: u32) {
        *self.cuts.lock().unwrap() = answers;
    }

    async fn answer(
        State(origin): State<Arc<Self>>,
        UrlPath(name): UrlPath<String>,
        headers: HeaderMap,
    ) -> Response {
        origin.asked.lock().unwrap().push(name.clone());
        if let Some(target) = origin.redirects.lock().unwrap().get(&name) {
            return (StatusCode::FOUND, [("location", target.clone())]).into_response();
        }
        let Some(bytes) = origin.files.lock().unwrap().get(&name).cloned() else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let size = bytes.len();
        if size == 0 {
            // As S3 answers a request for a range of nothing.
            return StatusCode::RANGE_NOT_SATISFIABLE.into_response();
        }
        let first = headers
            .get(http::header::RANGE)
            .and_then(|range| range.to_str().ok()?.strip_prefix("bytes=")?.split('-').next())
            .map_or(0, |first| first.parse().unwrap());
        let bytes = bytes.slice(first..);
        let cut = {
            let mut cuts = origin.cuts.lock().unwrap();
            let cut = *cuts > 0 && bytes.len() > 100_000;
            *cuts -= u32::from(cut);
            cut
        };
        let held = origin.held.lock().unwrap().clone();
        let chunk = if held.is_some() || cut { 20_000 } else { 1 << 20 };
        let chunks: Vec<Bytes> = bytes.chunks(chunk).map(|c| bytes.slice_ref(c)).collect();
        let body = futures_util::stream::iter(chunks.into_iter().enumerate()).then(
            move |(index, chunk)| {
                let held = held.clone();
                async move {
                    match held {
                        Some(held) if index > 0 => held.notified().await,
                        _ => {}
                    }
                    if cut && index == 3 {
                        return Err(std::io::Error::other("cut"));
                    }
                    Ok(chunk)
                }
            },
        );
        let range = format!("bytes {first}-{}/{size}", size - 1);
        let kind =
            if name.ends_with(".m3u8") { "application/vnd.apple.mpegurl" } else { "video/mp4" };
        let headers = [
            ("content-range", range),
            ("content-length", bytes.len().to_string()),
            ("content-type", kind.to_owned()),
        ];
        (StatusCode::PARTIAL_CONTENT, headers, Body::from_stream(body)).into_response()
    }
}

/// Takes webhooks, and refuses some where it is told to.
#[derive(Default)]
pub(crate) struct Receiver {
    refusals: Mutex<u32>,
    taken: Mutex<Vec<(HeaderMap, Bytes)>>,
    refused: Mutex<u32>,
}

impl Receiver {
    /// Answers the next `video.asset.created` with 500. Others are taken at once: a `ready` that does
    /// not wait for its `created` comes first then.
    pub(crate) fn refuse(&self, requests: u32) {
        *self.refusals.lock().unwrap() = requests;
    }

    pub(crate) fn refused(&self) -> u32 {
        *self.refused.lock().unwrap()
    }

    /// Waits for the first `count` events: headers, raw body, event.
    pub(crate) async fn events(&self, count: usize) -> Vec<(HeaderMap, Bytes, Webhook)> {
        let enough = async {
            while self.taken.lock().unwrap().len() < count {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, enough).await.expect("webhooks come in time");
        let taken = self.taken.lock().unwrap();
        taken
            .iter()
            .map(|(headers, body)| {
                (headers.clone(), body.clone(), serde_json::from_slice(body).unwrap())
            })
            .collect()
    }

    async fn take(
        State(receiver): State<Arc<Self>>,
        headers: HeaderMap,
        body: Bytes,
    ) -> StatusCode {
        let mut refusals = receiver.refusals.lock().unwrap();
        let event: Webhook = serde_json::from_slice(&body).unwrap();
        if *refusals > 0 && event.kind == "video.asset.created" {
            *refusals -= 1;
            *receiver.refused.lock().unwrap() += 1;
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
        receiver.taken.lock().unwrap().push((headers, body));
        StatusCode::OK
    }
}

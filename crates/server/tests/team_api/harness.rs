//! A whole server on free ports, and a client that knows only the wire.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dailies_api::credentials::Credentials;
use dailies_server::app::App;
use dailies_server::config::Config;
use reqwest::header::CONTENT_TYPE;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) const MIB: usize = 1 << 20;

/// How long a small clip may take to become playable on a busy computer.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) client: Client,
    pub(crate) credentials: Credentials,
    pub(crate) data: tempfile::TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), change).await
    }

    pub(crate) async fn start_in(
        data: tempfile::TempDir,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = Config::embedded(data.path().to_owned());
        change(&mut config);
        let app = Box::pin(App::start(config)).await.unwrap();
        let credentials = credentials(data.path());
        let key = credentials.api_key.expose_secret().to_owned();
        let client = Client::new(app.url(), Some(key));
        Self { app, client, credentials, data }
    }

    /// Stops in order, and leaves the data.
    pub(crate) async fn stop(self) -> tempfile::TempDir {
        self.app.stop().await;
        self.data
    }

    /// A client with another key, or with none.
    pub(crate) fn client_with(&self, key: Option<&str>) -> Client {
        Client::new(self.app.url(), key.map(str::to_owned))
    }

    pub(crate) fn open_database(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(self.data.path().join("team.db")).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        connection
    }

    pub(crate) async fn create(&self, title: &str, size: usize) -> String {
        let args = json!({
            "projectId": self.credentials.project_id, "title": title,
            "fileSize": size, "contentType": "video/mp4",
        });
        text(&self.client.mutation("videos:create", args).await.unwrap())
    }

    pub(crate) async fn initiate(&self, video: &str, size: usize) -> Result<Value, Value> {
        let args = json!({
            "videoId": video, "filename": "clip.mp4", "fileSize": size, "contentType": "video/mp4",
        });
        self.client.action("videoActions:initiateVideoUpload", args).await
    }

    /// A video whose bytes are all in the storage by one PUT, and which nobody marked yet.
    pub(crate) async fn put_single(&self, title: &str, bytes: &[u8]) -> String {
        let video = self.create(title, bytes.len()).await;
        let url = self.action("getUploadUrl", json!({"videoId": video})).await;
        let put = self.client.put(&text(&url["uploadUrl"]), bytes, Some("video/mp4"), &[]).await;
        assert_eq!(put.status(), 200);
        video
    }

    /// An action of `videoActions` that must succeed.
    pub(crate) async fn action(&self, name: &str, args: Value) -> Value {
        let name = format!("videoActions:{name}");
        self.client.action(&name, args).await.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) async fn get(&self, video: &str) -> Value {
        self.client.query("videos:get", json!({"videoId": video})).await.unwrap()
    }

    /// Waits until the video is out of work.
    pub(crate) async fn settled(&self, video: &str) -> Value {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let row = self.get(video).await;
            if row["status"] == "ready" || row["status"] == "failed" {
                return row;
            }
            assert!(tokio::time::Instant::now() < deadline, "not settled: {row}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) key: Option<String>,
}

impl Client {
    fn new(url: &str, key: Option<String>) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { http, url: url.to_owned(), key }
    }

    pub(crate) async fn query(&self, name: &str, args: Value) -> Result<Value, Value> {
        self.call("query", name, args, None).await
    }

    pub(crate) async fn mutation(&self, name: &str, args: Value) -> Result<Value, Value> {
        self.call("mutation", name, args, None).await
    }

    pub(crate) async fn action(&self, name: &str, args: Value) -> Result<Value, Value> {
        self.call("action", name, args, None).await
    }

    /// The value, or `errorData`.
    pub(crate) async fn call(
        &self,
        kind: &str,
        name: &str,
        args: Value,
        idempotency_key: Option<&str>,
    ) -> Result<Value, Value> {
        let body = json!({"path": name, "args": args, "format": "json"});
        let mut request = self.http.post(format!("{}/api/{kind}", self.url)).json(&body);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        if let Some(key) = idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "both outcomes of a function are 200");
        let mut answer: Value = answer.json().await.unwrap();
        match answer["status"].as_str() {
            Some("success") => Ok(answer["value"].take()),
            Some("error") => {
                assert!(answer["errorMessage"].is_string(), "{answer}");
                assert!(answer["errorData"]["code"].is_string(), "{answer}");
                Err(answer["errorData"].take())
            }
            _ => panic!("no outcome: {answer}"),
        }
    }

    pub(crate) async fn put(
        &self,
        url: &str,
        bytes: &[u8],
        content_type: Option<&str>,
        headers: &[(&str, &str)],
    ) -> reqwest::Response {
        let mut put = self.http.put(url).body(bytes.to_vec());
        if let Some(content_type) = content_type {
            put = put.header(CONTENT_TYPE, content_type);
        }
        for (name, value) in headers {
            put = put.header(*name, *value);
        }
        put.send().await.unwrap()
    }

    pub(crate) async fn status(&self, url: &str) -> u16 {
        self.http.get(url).send().await.unwrap().status().as_u16()
    }
}

pub(crate) fn credentials(data: &Path) -> Credentials {
    serde_json::from_slice(&std::fs::read(data.join("credentials.json")).unwrap()).unwrap()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("text is {value}")).to_owned()
}

pub(crate) fn code(error: &Value) -> &str {
    error["code"].as_str().unwrap()
}

/// CRC-64/NVME as S3 writes it.
pub(crate) fn crc64nvme(bytes: &[u8]) -> String {
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, bytes);
    STANDARD.encode(crc.to_be_bytes())
}

/// A playable clip of two seconds.
pub(crate) fn clip() -> Vec<u8> {
    static CLIP: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    CLIP.get_or_init(|| std::fs::read(made_clip()).unwrap()).clone()
}

/// A playable clip of at least `size` bytes that no compression makes smaller.
pub(crate) fn large_clip(size: usize) -> Vec<u8> {
    let mut clip = clip();
    // ISO/IEC 14496-12: a `free` box may stand anywhere at the top level and means nothing.
    let noise = noise(size.saturating_sub(clip.len()));
    clip.extend_from_slice(&u32::try_from(noise.len() + 8).unwrap().to_be_bytes());
    clip.extend_from_slice(b"free");
    clip.extend_from_slice(&noise);
    clip
}

pub(crate) fn noise(size: usize) -> Vec<u8> {
    let blocks = size.div_ceil(32) as u64;
    let mut noise: Vec<u8> =
        (0..blocks).flat_map(|block| Sha256::digest(block.to_le_bytes())).collect();
    noise.truncate(size);
    noise
}

fn made_clip() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clip-2s.mp4");
    if !path.exists() {
        let own = path.with_extension(format!("{}.mp4", std::process::id()));
        let made = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-y"])
            .args(["-f", "lavfi", "-i", "testsrc=size=320x180:rate=25:duration=2"])
            .args(["-f", "lavfi", "-i", "sine=frequency=440:duration=2"])
            .args(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25"])
            .args(["-c:a", "aac", "-shortest"])
            .arg(&own)
            .status()
            .expect("FFmpeg is installed where these tests run");
        assert!(made.success());
        std::fs::rename(&own, &path).unwrap();
    }
    path
}

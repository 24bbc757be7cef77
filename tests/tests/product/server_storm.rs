//! The server is killed again and again while many upload to it. Whatever it acknowledged is there
//! afterwards, its databases are whole, and once everything is deleted nothing is left on its disk.
//!
//! Ten kills usually; `DAILIES_KILLS` says how many.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::{Server, Storage};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;

const USUAL_KILLS: u64 = 10;
const WORKERS: u64 = 4;
/// The smallest part that an S3 takes, and a last one behind it.
const PART: usize = 5 << 20;
const SIZE: usize = PART + 4321;
/// The server comes back within this, also on a busy computer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the server said it has, of one video.
#[derive(Debug, Default)]
struct Acknowledged {
    video: String,
    seed: u64,
    /// Number and ETag.
    parts: Vec<(u64, String)>,
    completed: bool,
    marked: bool,
    aborted: bool,
}

impl Acknowledged {
    /// Every third is given up once its parts are there.
    fn is_aborting(&self) -> bool {
        self.seed.is_multiple_of(3) && self.parts.len() == 2
    }
}

struct Caller {
    http: reqwest::Client,
    url: String,
    key: String,
    project: String,
}

impl Caller {
    fn new(server: &Server) -> Self {
        Self {
            http: reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap(),
            url: server.credentials.url.clone(),
            key: server.credentials.api_key.expose_secret().to_owned(),
            project: server.credentials.project_id.clone(),
        }
    }

    /// The value, where it was acknowledged.
    async fn call(&self, kind: &str, path: &str, args: Value) -> Result<Value> {
        let answer = self
            .http
            .post(format!("{}/api/{kind}", self.url))
            .bearer_auth(&self.key)
            .json(&json!({"path": path, "args": args, "format": "json"}))
            .send()
            .await?;
        let mut answer: Value = answer.json().await?;
        ensure!(answer["status"] == "success", "{path}: {answer}");
        Ok(answer["value"].take())
    }

    async fn initiate(&self, video: &str) -> Result<Value> {
        let args = json!({
            "videoId": video, "filename": "f.mp4", "fileSize": SIZE, "contentType": "video/mp4",
        });
        self.call("action", "videoActions:initiateVideoUpload", args).await
    }

    /// One video as far as it comes: an error is a crash, what was acknowledged until then stays,
    /// and the next try goes on from there.
    async fn upload(&self, said: &mut Acknowledged) -> Result<()> {
        if said.video.is_empty() {
            let args = json!({
                "projectId": self.project, "title": format!("storm {}", said.seed),
                "fileSize": SIZE, "contentType": "video/mp4",
            });
            let video = self.call("mutation", "videos:create", args).await?;
            said.video = video.as_str().context("no id")?.to_owned();
        }
        let args = json!({"videoId": said.video});
        if !said.completed && !said.is_aborting() {
            self.send(said).await?;
        }
        if said.is_aborting() {
            self.call("action", "videoActions:abortVideoUpload", args).await?;
            said.aborted = true;
        } else {
            self.call("action", "videoActions:markUploadComplete", args).await?;
            said.marked = true;
        }
        Ok(())
    }

    /// Sends what is missing, and has it put together.
    async fn send(&self, said: &mut Acknowledged) -> Result<()> {
        let found = self.initiate(&said.video).await?;
        if found["strategy"] == "already_uploaded" {
            said.completed = true;
            return Ok(());
        }
        lists_all(&found, &said.parts);
        let args = json!({"videoId": said.video, "partNumbers": [1, 2]});
        let signed = self.call("action", "videoActions:signUploadParts", args).await?;
        for (number, part) in (1_u64..).zip(noise(said.seed).chunks(PART)) {
            if said.parts.iter().any(|(known, _)| *known == number) {
                continue;
            }
            let url = signed["parts"]
                .as_array()
                .and_then(|parts| parts.iter().find(|part| part["partNumber"] == number))
                .and_then(|part| part["url"].as_str())
                .context("a part was not signed")?;
            let answer = self.http.put(url).body(part.to_vec()).send().await?;
            ensure!(answer.status().is_success(), "{}", answer.status());
            let etag = answer.headers()["etag"].to_str()?.to_owned();
            said.parts.push((number, etag));
        }
        if said.is_aborting() {
            return Ok(());
        }
        let part = |(number, etag): &(u64, String)| json!({"partNumber": number, "etag": etag});
        let parts: Vec<Value> = said.parts.iter().map(part).collect();
        let args = json!({"videoId": said.video, "parts": parts});
        self.call("action", "videoActions:completeMultipartUpload", args).await?;
        said.completed = true;
        Ok(())
    }

    /// Asserts that the server still has what it acknowledged.
    async fn still_has(&self, said: &Acknowledged) -> Result<()> {
        if said.video.is_empty() {
            return Ok(());
        }
        let row = self.call("query", "videos:get", json!({"videoId": said.video})).await?;
        if said.aborted {
            ensure!(row["status"] == "failed" && row["s3Key"].is_null(), "{row}");
        } else if said.completed {
            let processed = ["processing", "ready", "failed"];
            let status = row["status"].as_str().context("no status")?;
            ensure!(!said.marked || processed.contains(&status), "{row}");
            if !said.marked {
                // Completed and noted, or completed only: the next call says which, and sends nothing.
                let found = self.initiate(&said.video).await?;
                ensure!(found["strategy"] == "already_uploaded", "{found}");
                let args = json!({"videoId": said.video});
                self.call("action", "videoActions:markUploadComplete", args).await?;
            }
            let args = json!({"videoId": said.video});
            let name = "videoActions:getOriginalPlaybackUrl";
            let original = self.call("action", name, args).await?;
            let url = original["url"].as_str().context("no address")?;
            let body = self.http.get(url).send().await?.error_for_status()?.bytes().await?;
            ensure!(Sha256::digest(&body) == Sha256::digest(noise(said.seed)), "other bytes");
        } else if !said.parts.is_empty() && row["status"] == "uploading" {
            // An unacknowledged complete may have happened all the same.
            let found = self.initiate(&said.video).await?;
            if found["strategy"] == "multipart" {
                lists_all(&found, &said.parts);
            }
        }
        Ok(())
    }
}

/// Asserts that every part that was acknowledged is listed, as it was acknowledged.
fn lists_all(found: &Value, parts: &[(u64, String)]) {
    for (number, etag) in parts {
        let is_it = |part: &Value| part["partNumber"] == *number && part["etag"] == **etag;
        let there = found["uploadedParts"].as_array().is_some_and(|parts| parts.iter().any(is_it));
        assert!(there, "part {number} with {etag} is lost: {found}");
    }
}

/// Bytes that differ for each seed and at every place.
fn noise(seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = vec![0; SIZE];
    random.fill(&mut bytes);
    bytes
}

async fn work(
    caller: Arc<Caller>,
    next: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
) -> Vec<Acknowledged> {
    let mut all = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        let mut said = Acknowledged { seed, ..Acknowledged::default() };
        while caller.upload(&mut said).await.is_err() && !stop.load(Ordering::Relaxed) {
            // It is down, or was meanwhile.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        all.push(said);
    }
    all
}

fn whole(database: &Path) {
    let connection = rusqlite::Connection::open(database).unwrap();
    let said: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(said, "ok", "{}", database.display());
    let orphans: Option<String> =
        connection.query_row("PRAGMA foreign_key_check", [], |row| row.get(0)).ok();
    assert_eq!(orphans, None, "{}", database.display());
}

#[tokio::test]
async fn what_was_acknowledged_outlives_any_number_of_kills() {
    let kills = e2e::kills(USUAL_KILLS).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("server");
    // No FFmpeg: what is sent is no video, and what is tested is what keeps it.
    let environment = [
        ("DAILIES_PART_SIZE", PART.to_string()),
        ("DAILIES_MULTIPART_ABOVE", PART.to_string()),
        ("PATH", "/nonexistent".into()),
    ];
    let mut server = Server::start(&data, &environment).await.unwrap();
    let caller = Arc::new(Caller::new(&server));
    let (next, stop) = (Arc::new(AtomicU64::new(1)), Arc::new(AtomicBool::new(false)));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        workers.spawn(work(Arc::clone(&caller), Arc::clone(&next), Arc::clone(&stop)));
    }
    let mut random = fastrand::Rng::with_seed(kills);
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(random.u64(50..1000))).await;
        server.kill().await.unwrap();
        tokio::time::timeout(PATIENCE, server.start_again()).await.unwrap().unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    let mut said = Vec::new();
    while let Some(worker) = workers.join_next().await {
        said.extend(worker.unwrap());
    }
    for said in &said {
        caller.still_has(said).await.with_context(|| format!("{said:?}")).unwrap();
    }
    let count = |what: fn(&Acknowledged) -> bool| said.iter().filter(|said| what(said)).count();
    let completed = count(|said| said.completed);
    let aborted = count(|said| said.aborted);
    assert!(completed > 0 && aborted > 0, "{completed} completed, {aborted} aborted: no storm");

    // Everything deleted by the storage's own protocol, and swept at the next start: nothing is left.
    let storage = Storage::new(&server.credentials.s3);
    storage.clear().await.unwrap();
    server.stop().await.unwrap();
    let server = Server::start(&data, &environment).await.unwrap();
    let left = || std::fs::read_dir(data.join("objects/data")).unwrap().count();
    for _ in 0..100 {
        if left() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(left(), 0, "files that no object names");
    server.stop().await.unwrap();
    for database in ["team.db", "objects/index.db", "media/media.db"] {
        whole(&data.join(database));
    }
}

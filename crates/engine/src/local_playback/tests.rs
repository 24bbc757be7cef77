use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use reqwest::header::{
    ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HOST, HeaderName, IF_RANGE,
    ORIGIN, RANGE,
};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

use super::LocalPlayback;
use crate::clock::SystemClock;
use crate::error::Code;
use crate::handle::{EngineHandle, EngineTask};
use crate::source::Fingerprint;
use crate::store::{Store, Upload};
use crate::transfer::{Growth, Hold, State, UploadId};
use crate::view::PlaybackForm;
use crate::{Options, Profile};

const OURS: &str = "tauri://localhost";

/// An engine with one upload, which is paused.
struct Stand {
    engine: EngineHandle,
    task: EngineTask,
    playback: LocalPlayback,
    id: UploadId,
    path: PathBuf,
    client: Client,
    _folder: tempfile::TempDir,
}

impl Stand {
    async fn with(content: &[u8], growth: Option<Growth>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let queue = Profile::queue(folder.path());
        let store = Store::open(&queue).unwrap();
        let row = crate::store::tests::upload(folder.path());
        fs::write(&row.path, content).unwrap();
        let (id, path) = (row.id, row.path.clone());
        let state = State { hold: Hold::Paused, ..State::NEW };
        let fingerprint = Fingerprint::take(&row.path).unwrap();
        store.insert(vec![Upload { fingerprint, growth, state, ..row }]).await.unwrap();
        store.close().await;
        let started = crate::start(&queue, Arc::new(SystemClock), Options::default()).await;
        let (engine, task) = started.unwrap();
        let playback = LocalPlayback::new(engine.clone(), vec![OURS.into()]);
        let client = Client::builder().no_proxy().build().unwrap();
        Self { engine, task, playback, id, path, client, _folder: folder }
    }

    async fn address(&self) -> String {
        let view = self.playback.open(self.id).await.unwrap();
        assert_eq!((view.form, view.expires_at), (PlaybackForm::Local, None));
        view.url
    }

    async fn get(&self, headers: &[(HeaderName, &str)]) -> Response {
        self.ask(Method::GET, &self.address().await, headers).await
    }

    async fn ask(&self, method: Method, url: &str, headers: &[(HeaderName, &str)]) -> Response {
        let mut request = self.client.request(method, url);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        request.send().await.unwrap()
    }

    /// Why its file is not played: asked for its address, and at the address from before.
    async fn refusal(&self, address: &str) -> (Code, StatusCode, Value) {
        let refused = self.playback.open(self.id).await.err().unwrap().code;
        let answer = self.ask(Method::GET, address, &[]).await;
        (refused, answer.status(), answer.json().await.unwrap())
    }

    async fn stop(self) {
        self.engine.stop(self.task).await;
    }
}

fn header(answer: &Response, name: HeaderName) -> &str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at % 251) as u8).collect()
}

#[tokio::test]
async fn a_file_is_played_whole_or_in_ranges() {
    let whole = content(3 << 20);
    let stand = Stand::with(&whole, None).await;
    let end = whole.len();
    for (asked, range) in [
        ("bytes=0-", 0..end),
        ("bytes=0-99", 0..100),
        ("bytes=1000000-2999999", 1_000_000..3_000_000),
        ("bytes=3000000-", 3_000_000..end),
        ("bytes=-7", end - 7..end),
        ("bytes=3145727-9999999", end - 1..end),
    ] {
        let answer = stand.get(&[(RANGE, asked)]).await;
        assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT, "{asked}");
        let told = format!("bytes {}-{}/{end}", range.start, range.end - 1);
        assert_eq!(header(&answer, CONTENT_RANGE), told);
        assert_eq!(header(&answer, CONTENT_LENGTH), range.len().to_string());
        assert_eq!(header(&answer, CONTENT_TYPE), "video/mp4");
        assert!(answer.bytes().await.unwrap() == whole[range], "{asked}");
    }
    for headers in [
        &[][..],
        &[(RANGE, "bytes=0-1,5-6")],
        &[(RANGE, "lines=0-1")],
        &[(RANGE, "bytes=0-1"), (IF_RANGE, "\"of another version\"")],
    ] {
        let answer = stand.get(headers).await;
        assert_eq!(answer.status(), StatusCode::OK, "{headers:?}");
        assert_eq!(header(&answer, ACCEPT_RANGES), "bytes");
        assert!(answer.bytes().await.unwrap() == whole, "{headers:?}");
    }
    for outside in ["bytes=3145728-", "bytes=-0"] {
        let answer = stand.get(&[(RANGE, outside)]).await;
        assert_eq!(answer.status(), StatusCode::RANGE_NOT_SATISFIABLE, "{outside}");
        assert_eq!(header(&answer, CONTENT_RANGE), "bytes */3145728");
    }
    stand.stop().await;
}

#[tokio::test]
async fn its_head_is_told_without_it() {
    let stand = Stand::with(&content(1000), None).await;
    let url = stand.address().await;
    let answer = stand.ask(Method::HEAD, &url, &[]).await;
    assert_eq!((answer.status(), header(&answer, CONTENT_LENGTH)), (StatusCode::OK, "1000"));
    assert!(answer.bytes().await.unwrap().is_empty());
    let answer = stand.ask(Method::HEAD, &url, &[(RANGE, "bytes=900-")]).await;
    assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(header(&answer, CONTENT_RANGE), "bytes 900-999/1000");
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let answer = stand.ask(method.clone(), &url, &[]).await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(header(&answer, ALLOW), "GET, HEAD");
    }
    stand.stop().await;
}

#[tokio::test]
async fn a_file_that_grows_is_played_as_far_as_it_is() {
    let whole = content(2 << 20);
    let (begin, rest) = whole.split_at(1 << 20);
    let stand = Stand::with(begin, Some(Growth::Growing)).await;
    assert!(stand.get(&[]).await.bytes().await.unwrap() == begin);
    let beyond = stand.get(&[(RANGE, "bytes=1048576-")]).await;
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    fs::File::options().append(true).open(&stand.path).unwrap().write_all(rest).unwrap();
    let answer = stand.get(&[(RANGE, "bytes=1048576-")]).await;
    assert_eq!(header(&answer, CONTENT_RANGE), "bytes 1048576-2097151/2097152");
    assert!(answer.bytes().await.unwrap() == rest);
    stand.stop().await;
}

#[tokio::test]
async fn another_file_in_its_place_is_refused() {
    let stand = Stand::with(&content(1000), None).await;
    let url = stand.address().await;
    let other = stand.path.with_extension("new");
    fs::write(&other, vec![1; 1000]).unwrap();
    fs::rename(&other, &stand.path).unwrap();
    let code = json!({"code": "source_changed"});
    assert_eq!(stand.refusal(&url).await, (Code::SourceChanged, StatusCode::CONFLICT, code));
    fs::remove_file(&stand.path).unwrap();
    let code = json!({"code": "source_missing"});
    assert_eq!(stand.refusal(&url).await, (Code::SourceMissing, StatusCode::GONE, code));
    fs::create_dir(&stand.path).unwrap();
    let code = json!({"code": "source_changed"});
    assert_eq!(stand.refusal(&url).await, (Code::SourceChanged, StatusCode::CONFLICT, code));
    stand.stop().await;
}

/// So large that most of it is still unread when its first bytes are here.
#[tokio::test]
async fn a_file_that_changes_while_it_is_played_ends_there() {
    let size = 64 << 20;
    let stand = Stand::with(&vec![1; size], None).await;
    let mut answer = stand.get(&[]).await;
    let mut arrived = answer.chunk().await.unwrap().unwrap().len();
    fs::write(&stand.path, vec![2; size]).unwrap();
    let ended = loop {
        match answer.chunk().await {
            Ok(Some(bytes)) => arrived += bytes.len(),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    assert!(ended.is_err() && arrived < size, "{arrived} of {size}: {ended:?}");
    stand.stop().await;
}

#[tokio::test]
async fn nothing_is_played_for_others() {
    let stand = Stand::with(&content(1000), None).await;
    let url = stand.address().await;
    let status = async |url: &str, headers: &[(HeaderName, &str)]| {
        let answer = stand.ask(Method::GET, url, headers).await;
        let status = answer.status();
        assert!(status.is_success() || answer.bytes().await.unwrap().is_empty());
        status
    };
    assert_eq!(status(&url, &[(ORIGIN, OURS)]).await, StatusCode::OK);
    for origin in ["https://team.example", "null", "http://127.0.0.1:7420", "tauri://elsewhere"] {
        assert_eq!(status(&url, &[(ORIGIN, origin)]).await, StatusCode::FORBIDDEN, "{origin}");
    }
    for host in ["evil.example", "localhost", "127.0.0.1:1"] {
        assert_eq!(status(&url, &[(HOST, host)]).await, StatusCode::FORBIDDEN, "{host}");
    }
    let id = stand.id.to_string();
    let token = url.rsplit('/').nth(1).unwrap();
    assert_eq!(token.len(), 43, "256 bits");
    let base = url.strip_suffix(&format!("/{token}/{id}")).unwrap();
    for path in [
        String::new(),
        format!("/{id}"),
        format!("//{id}"),
        format!("/{}/{id}", "A".repeat(token.len())),
        format!("/{token}/{}", UploadId::new()),
        format!("/{token}/a.mp4"),
        format!("/{token}/{id}/a.mp4"),
        format!("/{token}/%2e%2e%2f{id}"),
        format!("/{token}/{}", stand.path.display()),
    ] {
        let answer = stand.ask(Method::GET, &format!("{base}{path}"), &[]).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let nobody = stand.playback.open(UploadId::new()).await.err().unwrap();
    assert_eq!(nobody.code, Code::NotFound);
    stand.stop().await;
}

#[tokio::test]
async fn the_door_closes_behind_it() {
    let stand = Stand::with(&content(1000), None).await;
    let url = stand.address().await;
    assert_eq!(stand.address().await, url, "one door for all");
    let Stand { engine, task, playback, client, .. } = stand;
    drop(playback);
    // A task that is ended is so when it would run next.
    tokio::task::yield_now().await;
    assert!(client.get(&url).send().await.unwrap_err().is_connect());
    engine.stop(task).await;
}

//! A direct upload whose server is killed while bytes come in, again and again: what a 308 has
//! acknowledged is there afterwards, and the whole becomes one asset that plays.

use std::time::Duration;

use bytes::Bytes;
use e2e::clips::{self, Take};
use e2e::{Server, hash, hls};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use reqwest::{Body, Response, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

/// What such an address takes multiples of.
const GRAIN: usize = 256 << 10;
/// Acknowledged before each kill …
const CHUNK: usize = 8 * GRAIN;
/// … and on its way when it comes.
const UNDER_WAY: usize = 16 * GRAIN;
const KILLS: usize = 5;
const LIMIT: Duration = Duration::from_secs(120);

/// Bytes that the server says it holds.
fn stored(answer: &Response) -> usize {
    assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
    answer.headers().get(RANGE).map_or(0, |range| {
        let last = range.to_str().unwrap().strip_prefix("bytes=0-").unwrap();
        last.parse::<usize>().unwrap() + 1
    })
}

struct Sender {
    http: reqwest::Client,
    url: String,
    file: Bytes,
}

impl Sender {
    async fn standing(&self) -> Response {
        let total = format!("bytes */{}", self.file.len());
        let asked = self.http.put(&self.url).header(CONTENT_RANGE, total);
        asked.header(CONTENT_LENGTH, 0).send().await.unwrap()
    }

    async fn put(&self, from: usize, length: usize, body: Body) -> reqwest::Result<Response> {
        let to = (from + length).min(self.file.len());
        let range = format!("bytes {from}-{}/{}", to - 1, self.file.len());
        let put = self.http.put(&self.url).header(CONTENT_RANGE, range);
        put.header(CONTENT_LENGTH, to - from).body(body).send().await
    }

    fn bytes(&self, from: usize, length: usize) -> Bytes {
        self.file.slice(from..(from + length).min(self.file.len()))
    }

    /// Comes so slowly that it is on its way when the server ends.
    fn slowly(&self, from: usize, length: usize) -> Body {
        let bytes = self.bytes(from, length);
        let pieces = futures_util::stream::unfold(bytes, |mut rest| async move {
            if rest.is_empty() {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            let piece = rest.split_to(rest.len().min(64 << 10));
            Some((Ok::<_, std::io::Error>(piece), rest))
        });
        Body::wrap_stream(pieces)
    }
}

#[tokio::test]
async fn a_killed_server_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(&folder.path().join("server"), &[]).await.unwrap();
    let mux = server.credentials.mux.clone().unwrap();
    let file = clips::clip(48, Take::One).unwrap();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let http = http.build().unwrap();
    let api = async |method: reqwest::Method, path: &str, body: Value| -> Value {
        let call = http.request(method, format!("{}/video/v1/{path}", mux.url));
        let call = call.basic_auth(&mux.token_id, Some(mux.token_secret.expose_secret()));
        let answer = call.json(&body).send().await.unwrap();
        answer.error_for_status().unwrap().json::<Value>().await.unwrap()["data"].take()
    };
    let settings = json!({"new_asset_settings": {"playback_policies": ["public"]}});
    let upload = api(reqwest::Method::POST, "uploads", settings).await;
    let sender = Sender {
        http: http.clone(),
        url: upload["url"].as_str().unwrap().to_owned(),
        file: std::fs::read(&file).unwrap().into(),
    };

    let mut offset = 0;
    for kill in 0..KILLS {
        let chunk = sender.bytes(offset, CHUNK);
        let answer = sender.put(offset, CHUNK, chunk.into()).await.unwrap();
        offset = stored(&answer);
        assert!(offset >= (kill + 1) * CHUNK, "what was sent is kept");
        let body = sender.slowly(offset, UNDER_WAY);
        let killed = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            server.kill().await.unwrap();
        };
        let (cut, ()) = tokio::join!(sender.put(offset, UNDER_WAY, body), killed);
        assert!(cut.is_err(), "the kill came too late");
        server.start_again().await.unwrap();
        let standing = stored(&sender.standing().await);
        assert!(standing >= offset, "{standing} of {offset} acknowledged bytes are left");
        assert!(standing <= offset + UNDER_WAY, "more than was sent");
        offset = standing - standing % GRAIN;
    }
    let rest = sender.bytes(offset, usize::MAX - offset);
    let done = sender.put(offset, usize::MAX - offset, rest.into()).await.unwrap();
    assert!(done.status().is_success(), "{}", done.status());
    // As long as its renditions are not made, what came is kept as it came.
    let whole = hash::of_file(&file).unwrap();
    let kept = walkdir::WalkDir::new(folder.path().join("server")).into_iter().flatten();
    let mut kept = kept.filter(|entry| entry.metadata().is_ok_and(|m| m.len() == whole.bytes));
    let kept = kept.next().expect("the bytes that came, in one file");
    assert_eq!(hash::of_file(kept.path()).unwrap(), whole);

    let id = upload["id"].as_str().unwrap().to_owned();
    let ready = async {
        loop {
            let upload = api(reqwest::Method::GET, &format!("uploads/{id}"), Value::Null).await;
            let asset = upload["asset_id"].as_str().map(str::to_owned);
            if let Some(asset) = asset {
                let asset =
                    api(reqwest::Method::GET, &format!("assets/{asset}"), Value::Null).await;
                assert_ne!(asset["status"], "errored", "{asset}");
                if asset["status"] == "ready" {
                    return asset;
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let asset = tokio::time::timeout(LIMIT, ready).await.unwrap();
    let playback = asset["playback_ids"][0]["id"].as_str().unwrap();
    let master = format!("{}/{playback}.m3u8", mux.stream_url);
    let plays = hls::Addresses::of(&http, &master).await.unwrap();
    assert!(!plays.segments.is_empty());
    for address in plays.all() {
        http.get(address.clone()).send().await.unwrap().error_for_status().unwrap();
    }
    server.stop().await.unwrap();
}

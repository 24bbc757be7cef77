//! Direct uploads, as a sender who knows only the address meets them.

use dailies_api::mux::{Asset, AssetStatus, Data, Upload, UploadStatus};
use http::{Method, StatusCode};
use reqwest::Response;
use serde_json::{Value, json};

use super::clips;
use super::stand::Stand;

pub(crate) const GRANULE: usize = 256 << 10;

/// An upload as it was made, and the sender's side of it.
pub(crate) struct Sender {
    pub(crate) id: String,
    pub(crate) url: String,
    http: reqwest::Client,
}

impl Sender {
    pub(crate) async fn new(stand: &Stand, body: Value) -> Self {
        let answer = stand.call(Method::POST, "video/v1/uploads", Some(body)).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        let upload = answer.json::<Data<Upload>>().await.unwrap().data;
        assert_eq!(upload.status, UploadStatus::Waiting);
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { id: upload.id, url: upload.url.unwrap(), http }
    }

    /// After a restart: the engine's port is another, the rest of the address is what it was.
    pub(crate) fn moved(&mut self, stand: &Stand) {
        let path = url::Url::parse(&self.url).unwrap().path().to_owned();
        self.url = format!("{}{path}", stand.base);
    }

    pub(crate) async fn signed(stand: &Stand) -> Self {
        let settings = json!({"playback_policies": ["signed"], "passthrough": "video-1"});
        Self::new(stand, json!({"new_asset_settings": settings})).await
    }

    pub(crate) async fn put(&self, range: Option<&str>, bytes: &[u8]) -> Response {
        let put = self.http.put(&self.url).body(bytes.to_vec());
        let put = match range {
            Some(range) => put.header("content-range", range),
            None => put,
        };
        put.send().await.unwrap()
    }

    /// Sends `bytes[first..end]` of the whole.
    pub(crate) async fn chunk(&self, bytes: &[u8], first: usize, end: usize) -> Response {
        let range = format!("bytes {first}-{}/{}", end - 1, bytes.len());
        self.put(Some(&range), &bytes[first..end]).await
    }

    /// Bytes stored; `None` where all are there.
    pub(crate) async fn stored(&self, total: Option<usize>) -> Option<usize> {
        let total = total.map_or("*".to_owned(), |total| total.to_string());
        let answer = self.put(Some(&format!("bytes */{total}")), b"").await;
        offset(&answer)
    }
}

/// What an answer says is stored; `None` where all is.
pub(crate) fn offset(answer: &Response) -> Option<usize> {
    if answer.status() == StatusCode::OK {
        return None;
    }
    assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
    assert!(!answer.headers().contains_key("location"));
    let Some(range) = answer.headers().get("range") else { return Some(0) };
    let last = range.to_str().unwrap().strip_prefix("bytes=0-").unwrap();
    Some(last.parse::<usize>().unwrap() + 1)
}

pub(crate) async fn upload(stand: &Stand, id: &str) -> Upload {
    let answer = stand.call(Method::GET, &format!("video/v1/uploads/{id}"), None).await;
    answer.json::<Data<Upload>>().await.unwrap().data
}

/// A body that does not say how long it is.
fn streamed(bytes: &[u8]) -> reqwest::Body {
    let pieces: Vec<_> = bytes.chunks(100_000).map(|piece| Ok(piece.to_vec())).collect();
    reqwest::Body::wrap_stream(futures_util::stream::iter::<Vec<std::io::Result<_>>>(pieces))
}

/// A clip that is larger than a few chunks: a `free` box of noise behind it means nothing.
pub(crate) fn clip_of(stand: &Stand, size: usize) -> Vec<u8> {
    let mut clip = std::fs::read(clips::short(stand.folder.path())).unwrap();
    let free = size - clip.len();
    clip.extend_from_slice(&u32::try_from(free).unwrap().to_be_bytes());
    clip.extend_from_slice(b"free");
    clip.extend((0..free - 8).map(|at| u8::try_from(at % 251).unwrap()));
    clip
}

pub(crate) async fn ready(stand: &Stand, sender: &Sender) -> Asset {
    let made = upload(stand, &sender.id).await;
    assert_eq!(made.status, UploadStatus::AssetCreated);
    assert!(made.url.is_none());
    let asset = stand.settled(&made.asset_id.unwrap()).await;
    assert_eq!(asset.status, AssetStatus::Ready, "{:?}", asset.errors);
    assert_eq!(asset.upload_id.as_ref(), Some(&sender.id));
    asset
}

#[tokio::test(flavor = "multi_thread")]
async fn one_put_makes_an_asset_that_plays() {
    let stand = Stand::start().await;
    let sender = Sender::signed(&stand).await;
    let bytes = std::fs::read(clips::short(stand.folder.path())).unwrap();
    assert_eq!(sender.put(None, &bytes).await.status(), StatusCode::OK);
    let asset = ready(&stand, &sender).await;
    assert_eq!(asset.passthrough.as_deref(), Some("video-1"));
    let token = stand.token(&Stand::claims(&asset, "v"));
    let master = stand.text(&stand.master(&asset, Some(&token))).await;
    assert!(master.starts_with("#EXTM3U"));
    // A lost answer is asked for again, in either way.
    assert_eq!(sender.put(None, &bytes).await.status(), StatusCode::OK);
    assert_eq!(sender.stored(Some(bytes.len())).await, None);

    let events = stand.receiver.events(4).await;
    let of = |object: &str| -> Vec<&str> {
        let ours =
            events.iter().filter(|(.., event)| event.object.as_ref().unwrap().kind == object);
        ours.map(|(.., event)| event.kind.as_str()).collect()
    };
    assert_eq!(of("upload"), ["video.upload.created", "video.upload.asset_created"]);
    assert_eq!(of("asset"), ["video.asset.created", "video.asset.ready"]);
    for (_, body, event) in &events {
        assert!(!String::from_utf8_lossy(body).contains("/upload/"), "no address: {}", event.kind);
    }
    let made = events.iter().find(|(.., event)| event.kind.ends_with("asset_created")).unwrap();
    assert_eq!(made.2.data["asset_id"], asset.id.as_str());
    assert_eq!(made.2.data["new_asset_settings"]["passthrough"], "video-1");

    // Its file is kept as long as it is needed.
    let file = stand.folder.path().join("uploads").join(&sender.id);
    let gone = async {
        while file.exists() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(super::stand::PATIENCE, gone).await.expect("the file goes");
    stand.text(&stand.master(&asset, Some(&token))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_come_in_order_and_say_where_to_go_on() {
    let stand = Stand::start().await;
    let sender = Sender::signed(&stand).await;
    let bytes = clip_of(&stand, 5 * GRANULE + 1000);
    assert_eq!(sender.stored(Some(bytes.len())).await, Some(0));
    assert_eq!(sender.stored(None).await, Some(0));
    let sent = async |first, end| offset(&sender.chunk(&bytes, first, end).await);
    assert_eq!(sent(0, 2 * GRANULE).await, Some(2 * GRANULE));
    // A gap: nothing of it counts, and the answer says what is there.
    assert_eq!(sent(3 * GRANULE, 4 * GRANULE).await, Some(2 * GRANULE));
    // Bytes that are stored already do no harm, and neither do other bytes in their place.
    let mut other = bytes[..3 * GRANULE].to_vec();
    other[..2 * GRANULE].fill(7);
    let range = format!("bytes 0-{}/{}", 3 * GRANULE - 1, bytes.len());
    assert_eq!(offset(&sender.put(Some(&range), &other).await), Some(3 * GRANULE));
    assert_eq!(sent(0, GRANULE).await, Some(3 * GRANULE));
    // No multiple of 256 KiB: rounded down.
    assert_eq!(sent(3 * GRANULE, 4 * GRANULE + 17).await, Some(4 * GRANULE));
    assert_eq!(sent(4 * GRANULE, 4 * GRANULE + 17).await, Some(4 * GRANULE));
    assert_eq!(sender.stored(Some(bytes.len())).await, Some(4 * GRANULE));
    assert_eq!(sent(4 * GRANULE, bytes.len()).await, None);
    let file = stand.folder.path().join("uploads").join(&sender.id);
    assert!(std::fs::read(&file).is_ok_and(|stored| stored == bytes), "byte for byte");
    ready(&stand, &sender).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_total_may_be_said_at_the_end() {
    let stand = Stand::start().await;
    let bytes = clip_of(&stand, 3 * GRANULE);
    for last_by_question in [true, false] {
        let sender = Sender::signed(&stand).await;
        let range = format!("bytes 0-{}/*", 2 * GRANULE - 1);
        let put = sender.put(Some(&range), &bytes[..2 * GRANULE]).await;
        assert_eq!(offset(&put), Some(2 * GRANULE));
        assert_eq!(sender.stored(None).await, Some(2 * GRANULE));
        let total = if last_by_question { "*".to_owned() } else { bytes.len().to_string() };
        let range = format!("bytes {}-{}/{total}", 2 * GRANULE, bytes.len() - 1);
        let put = sender.put(Some(&range), &bytes[2 * GRANULE..]).await;
        if last_by_question {
            assert_eq!(offset(&put), Some(bytes.len()));
            assert_eq!(sender.stored(None).await, Some(bytes.len()), "a question is no end");
            assert_eq!(sender.stored(Some(bytes.len())).await, None);
        } else {
            assert_eq!(offset(&put), None);
        }
        ready(&stand, &sender).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_and_loses_nothing() {
    let stand = Stand::start().await;
    let sender = Sender::signed(&stand).await;
    let bytes = clip_of(&stand, 3 * GRANULE + 5);
    sender.chunk(&bytes, 0, GRANULE).await;
    let (second, total) = (&bytes[GRANULE..2 * GRANULE], bytes.len());
    let (first, last) = (GRANULE, 2 * GRANULE - 1);
    for (range, body) in [
        (format!("bytes {first}-{last}/{}", total + 1), second),
        (format!("bytes {first}-{last}/{}", total - 1), second),
        (format!("bytes {first}-{}/{total}", last + 1), second),
        (format!("bytes {first}-{last}/{last}"), second),
        (format!("bytes {first}-{total}/*"), &bytes[GRANULE - 1..]),
        (format!("bytes */{}", total + 1), &[][..]),
        (format!("bytes */{GRANULE}"), &[][..]),
        ("bytes */0".to_owned(), &[][..]),
        (format!("bytes */{total}"), second),
        ("octets 0-1/2".to_owned(), second),
    ] {
        let answer = sender.put(Some(&range), body).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{range}");
        let refusal: Value = answer.json().await.unwrap();
        assert_eq!(refusal["error"]["type"], "invalid_parameters", "{range}");
        assert_eq!(sender.stored(Some(total)).await, Some(GRANULE), "{range}");
    }
    assert_eq!(sender.put(None, &bytes[1..]).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(sender.put(None, b"").await.status(), StatusCode::BAD_REQUEST);
    // Without a length it is known only at its end that this is not the whole.
    for wrong in [&bytes[..100], &bytes[..2 * GRANULE]] {
        let put = stand.http.put(&sender.url).body(streamed(wrong)).send().await.unwrap();
        assert_eq!(put.status(), StatusCode::BAD_REQUEST);
    }
    let put = stand.http.put(&sender.url).body(streamed(&bytes)).send().await.unwrap();
    assert_eq!(put.status(), StatusCode::OK);
    ready(&stand, &sender).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_above_the_limit_is_refused() {
    let mut stand = Stand::start().await;
    stand.restart_with(|config| config.limits.upload = 2 << 20).await;
    let sender = Sender::signed(&stand).await;
    let bytes = vec![1; (2 << 20) + 1];
    assert_eq!(sender.put(None, &bytes).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let chunk = sender.chunk(&bytes, 0, GRANULE).await;
    assert_eq!(chunk.status(), StatusCode::PAYLOAD_TOO_LARGE);
    // Without a length, it is known only when they have come.
    let put = stand.http.put(&sender.url).body(streamed(&bytes)).send().await.unwrap();
    assert_eq!(put.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(upload(&stand, &sender.id).await.status, UploadStatus::Waiting);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_cancelled_once_and_only_while_it_waits() {
    let stand = Stand::start().await;
    let sender = Sender::signed(&stand).await;
    let bytes = clip_of(&stand, 2 * GRANULE);
    sender.chunk(&bytes, 0, GRANULE).await;
    let cancel = format!("video/v1/uploads/{}/cancel", sender.id);
    let answer = stand.call(Method::PUT, &cancel, None).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let cancelled = answer.json::<Data<Upload>>().await.unwrap().data;
    assert_eq!((cancelled.status, cancelled.url), (UploadStatus::Cancelled, None));
    assert_eq!(stand.call(Method::PUT, &cancel, None).await.status(), StatusCode::FORBIDDEN);
    for answer in
        [sender.chunk(&bytes, GRANULE, 2 * GRANULE).await, sender.put(Some("bytes */*"), b"").await]
    {
        assert_eq!(answer.status(), StatusCode::GONE);
    }
    let events = stand.receiver.events(2).await;
    assert_eq!(events[1].2.kind, "video.upload.cancelled");
    assert_eq!(events[1].2.data["id"], sender.id.as_str());
    let file = stand.folder.path().join("uploads").join(&sender.id);
    for _ in 0..100 {
        if !file.exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(!file.exists(), "its bytes are gone");

    let done = Sender::signed(&stand).await;
    done.put(None, &bytes).await;
    let cancel = format!("video/v1/uploads/{}/cancel", done.id);
    assert_eq!(stand.call(Method::PUT, &cancel, None).await.status(), StatusCode::FORBIDDEN);
    let unknown = "video/v1/uploads/01JD0000000000000000000000/cancel";
    assert_eq!(stand.call(Method::PUT, unknown, None).await.status(), StatusCode::NOT_FOUND);
    let listed = stand.call(Method::GET, "video/v1/uploads?limit=5", None).await;
    let listed = listed.json::<Data<Vec<Upload>>>().await.unwrap().data;
    let ids: Vec<_> = listed.iter().map(|upload| upload.id.as_str()).collect();
    assert_eq!(ids, [&done.id, &sender.id]);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_whole_address_opens_an_upload() {
    let stand = Stand::start().await;
    let (sender, other) = (Sender::signed(&stand).await, Sender::signed(&stand).await);
    let (base, key) = sender.url.rsplit_once('/').unwrap();
    let others = other.url.rsplit_once('/').unwrap().1;
    let mut flipped = key.to_owned();
    flipped.replace_range(..1, if key.starts_with('A') { "B" } else { "A" });
    for url in [
        format!("{base}/{others}"),
        format!("{base}/{flipped}"),
        format!("{base}/{}", &key[..key.len() - 1]),
        format!("{base}/x"),
        format!("{}/upload/{}/{key}", stand.base, other.id),
        format!("{}/upload/..%2fmedia.db/{key}", stand.base),
    ] {
        let answer = stand.http.put(&url).body("bytes").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{url}");
    }
    for method in [Method::GET, Method::POST, Method::DELETE] {
        let answer = stand.http.request(method, &sender.url).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_make_no_asset_are_refused_before_a_byte_is_sent() {
    let stand = Stand::start().await;
    for body in [
        json!({"timeout": 59}),
        json!({"timeout": 604_801}),
        json!({"timeout": "soon"}),
        json!({"cors_origin": "https://a.test\nX: y"}),
        json!({"cors_origin": "x".repeat(513)}),
        json!({"new_asset_settings": {"playback_policies": ["everyone"]}}),
        json!({"new_asset_settings": {"passthrough": "x".repeat(256)}}),
        json!({"new_asset_settings": {"meta": {"external_id": "x".repeat(129)}}}),
        json!({"new_asset_settings": "public"}),
    ] {
        let answer = stand.call(Method::POST, "video/v1/uploads", Some(body.clone())).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
    }
    let plain = Sender::new(&stand, json!({})).await;
    assert_eq!(upload(&stand, &plain.id).await.timeout, 3600);
    // What Mux knows and this engine does not is kept and given back.
    let settings = json!({"playback_policy": "public", "video_quality": "basic"});
    let body =
        json!({"new_asset_settings": settings, "timeout": 60, "cors_origin": "*", "test": true});
    let sender = Sender::new(&stand, body).await;
    let kept = upload(&stand, &sender.id).await;
    assert_eq!(kept.new_asset_settings, Some(settings));
    assert_eq!((kept.timeout, kept.cors_origin.as_deref(), kept.test), (60, Some("*"), true));
    assert_eq!(kept.url.as_ref(), Some(&sender.url));
    let bytes = std::fs::read(clips::short(stand.folder.path())).unwrap();
    sender.put(None, &bytes).await;
    stand.text(&stand.master(&ready(&stand, &sender).await, None)).await;
}

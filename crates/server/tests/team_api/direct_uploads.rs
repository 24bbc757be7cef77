//! Direct uploads: videos whose bytes go to the media engine itself.

use reqwest::Method;
use reqwest::header::CONTENT_RANGE;
use serde_json::{Value, json};

use crate::fake_mux::{FakeMux, deliver};
use crate::harness::{Server, clip, code, large_clip, text};
use crate::quota::charged;
use crate::sweeps::{age, often, sweep};
use crate::uploads_api::{people, stored};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Calls `/upload{path}` with a key; the status, and the answer if it is JSON.
async fn call(
    server: &Server,
    key: Option<&str>,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> (u16, Value) {
    let client = &server.client;
    let mut request = client.http.request(method, format!("{}/upload{path}", client.url));
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    if let Some(body) = body {
        request = request.json(body).header("Idempotency-Key", "k");
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

/// The same with the owner's key.
async fn own(server: &Server, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
    call(server, server.client.key.as_deref(), method, path, body).await
}

fn body(server: &Server, size: usize) -> Value {
    json!({
        "projectId": server.credentials.project_id, "title": "Rushes", "filename": "C0001.MP4",
        "fileSize": size, "contentType": "video/mp4",
    })
}

/// A video whose upload waits for bytes: its id, and the upload's.
async fn begun(server: &Server, size: usize) -> (String, String) {
    let (status, begun) = own(server, Method::POST, "", Some(&body(server, size))).await;
    assert_eq!((status, &begun["state"]), (201, &json!("waiting")), "{begun}");
    (text(&begun["id"]), text(&begun["uploadId"]))
}

async fn state(server: &Server, video: &str) -> Value {
    let (status, upload) = own(server, Method::GET, &format!("/{video}"), None).await;
    assert_eq!(status, 200, "{upload}");
    upload
}

#[tokio::test]
async fn a_video_goes_to_the_media_engine_itself() {
    let server = Server::start().await;
    let bytes = clip();
    let size = i64::try_from(bytes.len()).unwrap();
    let (status, begun) = own(&server, Method::POST, "", Some(&body(&server, bytes.len()))).await;
    assert_eq!((status, &begun["state"]), (201, &json!("waiting")), "{begun}");
    assert_eq!(begun["chunkSize"].as_u64().unwrap() % (256 << 10), 0);
    let (video, url) = (text(&begun["id"]), text(&begun["url"]));
    assert_eq!(charged(&server), (size, 0));

    // An answer that was lost is had again, by the same key or by the video's id.
    let again = own(&server, Method::POST, "", Some(&body(&server, bytes.len()))).await;
    assert_eq!(again, (201, begun.clone()));
    assert_eq!(own(&server, Method::GET, &format!("/{video}"), None).await, (200, begun.clone()));
    let open = own(&server, Method::POST, &format!("/{video}"), Some(&json!({}))).await;
    assert_eq!(open, (200, begun.clone()));

    let put = server.client.put(&url, &bytes, None, &[]).await;
    assert_eq!(put.status(), 200);
    // By the media engine's own word, whether a webhook came or not.
    assert_eq!(state(&server, &video).await["state"], "uploaded");
    let row = server.settled(&video).await;
    assert_eq!((&row["status"], &row["fileSize"]), (&json!("ready"), &json!(size)), "{row}");
    let done = state(&server, &video).await;
    assert_eq!((&done["state"], &done["status"]), (&json!("uploaded"), &json!("ready")));
    assert!(done["duration"].as_f64().unwrap() > 1.0, "{done}");
    assert_eq!(charged(&server), (0, size), "what the media engine keeps counts, too");
    server.action("getPlaybackSession", json!({"videoId": video})).await;

    // There is no original, and no upload to cancel.
    let original = json!({"videoId": video});
    let name = "videoActions:getOriginalPlaybackUrl";
    let refused = server.client.action(name, original).await.unwrap_err();
    assert_eq!(code(&refused), "not_found");
    assert_eq!(stored(&server).await, (0, 0));
    assert_eq!(own(&server, Method::DELETE, &format!("/{video}"), None).await.0, 409);

    // What opens the upload is in no table.
    let secret = url.rsplit('/').next().unwrap().as_bytes();
    for file in ["team.db", "team.db-wal", "media/media.db", "media/media.db-wal"] {
        let Ok(bytes) = std::fs::read(server.data.path().join(file)) else { continue };
        assert!(!bytes.windows(secret.len()).any(|bytes| bytes == secret), "{file}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_cancelled_upload_takes_nothing_more_and_leaves_nothing() {
    let server = Server::start().await;
    let (video, _) = begun(&server, 1 << 20).await;
    let url = text(&state(&server, &video).await["url"]);
    assert_eq!(own(&server, Method::DELETE, &format!("/{video}"), None).await.0, 204);
    assert_eq!(charged(&server), (0, 0));
    assert_eq!(own(&server, Method::GET, &format!("/{video}"), None).await.0, 404);
    let again = own(&server, Method::POST, "", Some(&body(&server, 1 << 20))).await;
    assert_eq!(again.0, 404, "the key's video is gone: {again:?}");
    assert_eq!(own(&server, Method::DELETE, &format!("/{video}"), None).await.0, 404);
    // The media engine is told at once, but not within the call.
    for _ in 0..100 {
        let question = [(CONTENT_RANGE.as_str(), "bytes */9")];
        if server.client.put(&url, &[], None, &question).await.status() == 410 {
            return server.stop().await.close().unwrap();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the media engine still takes bytes");
}

#[tokio::test]
async fn another_upload_takes_the_place_of_one_that_is_gone() {
    let mux = FakeMux::default();
    let server = Server::start_with(mux.start().await).await;
    let (video, first) = begun(&server, 9).await;
    let reopen = async |gone: &Value| {
        let (status, upload) = own(&server, Method::POST, &format!("/{video}"), Some(gone)).await;
        assert_eq!((status, &upload["state"]), (200, &json!("waiting")), "{upload}");
        text(&upload["uploadId"])
    };
    assert_eq!(reopen(&json!({"gone": "another"})).await, first);
    let second = reopen(&json!({"gone": first})).await;
    assert_ne!(second, first);
    assert_eq!(reopen(&json!({"gone": first})).await, second, "an answer that was lost");
    assert_eq!(mux.uploads()[0]["status"], "cancelled");

    // What is still said of the first is not of this video any more.
    let late = mux.arrives(&first);
    let cancelled = mux.ends(&first, "cancelled");
    assert_eq!(deliver(&server, "1", "video.upload.cancelled", &cancelled).await, 200);
    assert_eq!(deliver(&server, "2", "video.asset.created", &late).await, 200);
    assert_eq!(server.get(&video).await["status"], "uploading");

    mux.ends(&second, "timed_out");
    assert_eq!(state(&server, &video).await["state"], "ended");
    let third = reopen(&json!({})).await;
    assert_eq!(server.get(&video).await["status"], "uploading");
    let asset = mux.arrives(&third);
    assert_eq!(deliver(&server, "3", "video.asset.created", &asset).await, 200);
    assert_eq!(server.get(&video).await["status"], "processing");
    server.stop().await;
}

#[tokio::test]
async fn an_upload_says_what_became_of_it_in_any_order() {
    let mux = FakeMux::default();
    let server = Server::start_with(mux.start().await).await;
    for (number, first, with_passthrough) in
        [(0, "upload", true), (1, "upload", false), (2, "asset", true), (3, "asset", false)]
    {
        let body = json!({
            "projectId": server.credentials.project_id, "title": number.to_string(),
            "filename": "C0001.MP4", "fileSize": 9, "contentType": "video/mp4",
        });
        let post = server.client.http.post(format!("{}/upload", server.client.url)).json(&body);
        let post = post.bearer_auth(server.client.key.as_deref().unwrap());
        let begun: Value = post.send().await.unwrap().json().await.unwrap();
        let (video, upload) = (text(&begun["id"]), text(&begun["uploadId"]));
        let mut asset = mux.arrives(&upload);
        let mut of_upload = mux.uploads().pop().unwrap();
        if !with_passthrough {
            asset.as_object_mut().unwrap().remove("passthrough");
            of_upload["new_asset_settings"].as_object_mut().unwrap().remove("passthrough");
        }
        let mut ready = asset.clone();
        ready["status"] = json!("ready");
        let created = ("video.upload.asset_created", &of_upload);
        let is_ready = ("video.asset.ready", &ready);
        let events = if first == "upload" { [created, is_ready] } else { [is_ready, created] };
        for (kind, data) in events {
            let id = format!("{number}-{kind}");
            assert_eq!(deliver(&server, &id, kind, data).await, 200);
        }
        let row = server.get(&video).await;
        assert_eq!(row["status"], "ready", "{number}: {row}");
        assert_eq!(row["muxPlaybackId"], ready["playback_ids"][0]["id"], "{number}");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_upload_that_ends_without_an_asset_fails_its_video() {
    let mux = FakeMux::default();
    let server = Server::start_with(mux.start().await).await;
    let (video, upload) = begun(&server, 9).await;
    let mut errored = mux.ends(&upload, "errored");
    errored["error"] = json!({"type": "x", "message": "no bytes"});
    assert_eq!(deliver(&server, "e", "video.upload.errored", &errored).await, 200);
    let row = server.get(&video).await;
    assert_eq!((&row["status"], &row["uploadError"]), (&json!("failed"), &json!("no bytes")));
    assert_eq!(charged(&server), (0, 0));
    assert_eq!(state(&server, &video).await["state"], "ended");
    let (status, upload) = own(&server, Method::POST, &format!("/{video}"), None).await;
    assert_eq!((status, &upload["state"]), (200, &json!("waiting")));
    assert_eq!(charged(&server), (9, 0));
    server.stop().await;
}

#[tokio::test]
async fn without_any_webhook_asking_is_enough() {
    let mux = FakeMux::default();
    let server = Server::start_with(mux.start().await).await;
    let (video, upload) = begun(&server, 9).await;
    let asked = async || {
        let args = json!({"videoId": video});
        text(&server.action("checkMuxAssetStatus", args).await["status"])
    };
    assert_eq!(asked().await, "skipped");
    mux.arrives(&upload);
    assert_eq!(asked().await, "preparing");
    assert_eq!(server.get(&video).await["status"], "processing");
    mux.say("ready");
    assert_eq!(asked().await, "ready");
    assert_eq!(server.get(&video).await["status"], "ready");
    server.stop().await;
}

#[tokio::test]
async fn only_members_upload_and_only_within_the_quota() {
    let mux = FakeMux::default();
    let configure = mux.start().await;
    let server = Server::start_with(|config| {
        configure(config);
        config.limits.team_quota = Some(10);
    })
    .await;
    let people = people(&server);
    let wanted = body(&server, 9);
    for (key, status) in [
        (None, 401),
        (Some("sk-wrong"), 401),
        (Some(people.viewer), 403),
        (Some(people.stranger), 404),
    ] {
        let refused = call(&server, key, Method::POST, "", Some(&wanted)).await;
        assert_eq!(refused.0, status, "{key:?}: {refused:?}");
    }
    for (field, value, status) in [
        ("fileSize", json!(11), 413),
        ("fileSize", json!(0), 422),
        ("contentType", json!("text/html"), 415),
        ("filename", json!(""), 422),
        ("projectId", json!("none"), 404),
        ("colour", json!("red"), 422),
    ] {
        let mut wrong = wanted.clone();
        wrong[field] = value;
        let refused = own(&server, Method::POST, "", Some(&wrong)).await;
        assert_eq!(refused.0, status, "{field}: {refused:?}");
    }
    assert!(mux.uploads().is_empty(), "refused before the media engine is asked");

    mux.set_down(true);
    assert_eq!(own(&server, Method::POST, "", Some(&wanted)).await.0, 503);
    mux.set_down(false);
    let (video, _) = begun(&server, 9).await;
    for (key, status) in [(Some(people.viewer), 403), (Some(people.stranger), 404), (None, 401)] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let refused = call(&server, key, method.clone(), &format!("/{video}"), None).await;
            assert_eq!(refused.0, status, "{method} {key:?}: {refused:?}");
        }
    }
    let videos = "SELECT count(*) FROM videos";
    let videos: i64 = server.open_database().query_row(videos, [], |row| row.get(0)).unwrap();
    assert_eq!((videos, charged(&server)), (1, (9, 0)), "the same key, the same video");
    server.stop().await;
}

/// Bytes come before anybody knows how many there will be; room for them is asked for as they come,
/// and refused where the team has none.
#[tokio::test]
async fn a_file_that_grows_is_sized_at_its_end() {
    let bytes = large_clip(2 << 20);
    let size = bytes.len();
    let quota = 64 << 20;
    let server = Server::start_with(|config| config.limits.team_quota = Some(quota)).await;
    let mut unsized_yet = body(&server, 0);
    unsized_yet.as_object_mut().unwrap().remove("fileSize");
    let (status, begun) = own(&server, Method::POST, "", Some(&unsized_yet)).await;
    assert_eq!((status, &begun["state"]), (201, &json!("waiting")), "{begun}");
    let (video, url) = (text(&begun["id"]), text(&begun["url"]));
    let chunk = begun["chunkSize"].as_i64().unwrap();
    assert_eq!(charged(&server), (chunk, 0), "its first bytes have room");
    let path = format!("/{video}");
    let say =
        async |size: u64| own(&server, Method::POST, &path, Some(&json!({"fileSize": size}))).await;
    let (status, refused) = say(quota + 1).await;
    assert_eq!((status, &refused["code"]), (413, &json!("quota_exceeded")), "{refused}");
    assert_eq!(say(quota).await, (200, begun.clone()));
    assert_eq!(charged(&server).0.cast_unsigned(), quota);

    let half = size / 2 / (256 << 10) * (256 << 10);
    let range = format!("bytes 0-{}/*", half - 1);
    let put = server.client.put(&url, &bytes[..half], None, &[("content-range", &range)]).await;
    assert_eq!(put.status(), 308);
    assert_eq!(put.headers()["range"], format!("bytes=0-{}", half - 1));
    let question = [("content-range", "bytes */*")];
    assert_eq!(server.client.put(&url, &[], None, &question).await.status(), 308);
    assert_eq!(say(size as u64).await, (200, begun.clone()));
    let range = format!("bytes {half}-{}/{size}", size - 1);
    let put = server.client.put(&url, &bytes[half..], None, &[("content-range", &range)]).await;
    assert_eq!(put.status(), 200);
    let row = server.settled(&video).await;
    assert_eq!((&row["status"], &row["fileSize"]), (&json!("ready"), &json!(size)), "{row}");
    assert_eq!(charged(&server), (0, i64::try_from(size).unwrap()));
    assert_eq!(say(1).await.1["state"], "uploaded", "what is there has its size");
    assert_eq!(server.get(&video).await["fileSize"], json!(size));
    server.stop().await;
}

#[tokio::test]
async fn an_idle_upload_lives_as_long_as_the_media_engine_lets_it() {
    let mux = FakeMux::default();
    let configure = mux.start().await;
    let server = Server::start_with(|config| {
        configure(config);
        often(config);
    })
    .await;
    let (video, upload) = begun(&server, 9).await;
    age(&server, &video, DAY + 1000);
    sweep(&server, "idle_uploads").await;
    assert_eq!(server.get(&video).await["status"], "uploading");
    mux.ends(&upload, "timed_out");
    age(&server, &video, DAY + 1000);
    sweep(&server, "idle_uploads").await;
    assert_eq!(server.get(&video).await["status"], "failed");
    assert_eq!(charged(&server), (0, 0));
    server.stop().await;
}

#[tokio::test]
async fn a_removed_video_ends_its_upload() {
    let mux = FakeMux::default();
    let server = Server::start_with(mux.start().await).await;
    let (video, _) = begun(&server, 9).await;
    server.client.mutation("videos:remove", json!({"videoId": video})).await.unwrap();
    for _ in 0..200 {
        if mux.uploads()[0]["status"] == "cancelled" {
            return server.stop().await.close().unwrap();
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the upload of a removed video still waits");
}

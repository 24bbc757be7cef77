//! Chunked upload sessions: the wire, and what the sample that the protocol comes from gets wrong.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Server, clip, large_clip, noise, text};
use crate::quota::charged;
use crate::uploads_api::stored;

const MIB: usize = 1 << 20;
const CHUNK: usize = 5 * MIB;

/// Status and body of a method's answer.
pub(crate) async fn call(server: &Server, method: &str, args: Value) -> (u16, Value) {
    let authorization = format!("Bearer {}", server.client.key.as_deref().unwrap());
    call_as(server, Some(&authorization), method, args).await
}

async fn call_as(
    server: &Server,
    authorization: Option<&str>,
    method: &str,
    args: Value,
) -> (u16, Value) {
    let url = format!("{}/videoUpload/{method}", server.app.url());
    let mut post = server.client.http.post(url).json(&args);
    if let Some(authorization) = authorization {
        post = post.header("Authorization", authorization);
    }
    let answer = post.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

pub(crate) async fn initialize(server: &Server, size: usize) -> Value {
    let args = json!({"fileName": "Day 1.mp4", "mimeType": "video/mp4", "totalSize": size});
    let (status, session) = call(server, "initializeVideoUpload", args).await;
    assert_eq!(status, 200, "{session}");
    session
}

/// Sends a chunk; answers the address it was sent to.
pub(crate) async fn put_chunk(server: &Server, id: &Value, index: u64, bytes: &[u8]) -> String {
    let args = json!({"uploadSessionId": id, "chunkIndex": index});
    let (status, chunk) = call(server, "getChunkUploadUrl", args).await;
    assert_eq!((status, &chunk["chunkIndex"]), (200, &json!(index)), "{chunk}");
    assert_eq!(chunk["uploadHeaders"], json!({}));
    let url = text(&chunk["uploadUrl"]);
    let put = server.client.put(&url, piece(bytes, index), None, &[]).await;
    assert_eq!(put.status(), 200);
    url
}

fn piece(bytes: &[u8], index: u64) -> &[u8] {
    bytes.chunks(CHUNK).nth(usize::try_from(index).unwrap()).unwrap()
}

async fn confirm(server: &Server, id: &Value, index: u64, size: usize) -> (u16, Value) {
    let args = json!({"uploadSessionId": id, "chunkIndex": index, "chunkSize": size});
    call(server, "confirmChunkUpload", args).await
}

fn refusal((status, body): (u16, Value)) -> String {
    assert_eq!((status, &body["className"]), (400, &json!("VideoUploadException")), "{body}");
    assert!(body["data"]["message"].is_string(), "{body}");
    text(&body["data"]["code"])
}

#[tokio::test]
async fn a_chunk_confirmed_twice_completes_nothing_early() {
    let server = Server::start().await;
    let bytes = large_clip(2 * CHUNK + 7);
    let session = initialize(&server, bytes.len()).await;
    let id = &session["id"];
    assert_eq!((&session["totalChunks"], &session["chunkSize"]), (&json!(3), &json!(CHUNK)));
    let by_id = json!({"uploadSessionId": id});
    put_chunk(&server, id, 0, &bytes).await;
    for _ in 0..4 {
        let (status, progress) = confirm(&server, id, 0, CHUNK).await;
        assert_eq!((status, &progress["uploadedChunks"]), (200, &json!(1)), "{progress}");
        assert_eq!(progress["uploadedBytes"], CHUNK);
        assert_eq!(progress["isComplete"], false);
        assert!(progress.get("status").is_none(), "only where progress is asked for");
    }
    let last = bytes.len() - 2 * CHUNK;
    assert_eq!(refusal(confirm(&server, id, 1, CHUNK).await), "chunk_not_found");
    put_chunk(&server, id, 2, &bytes).await;
    assert_eq!(refusal(confirm(&server, id, 2, CHUNK).await), "invalid_chunk", "not its size");
    assert_eq!(confirm(&server, id, 2, last).await.0, 200);
    let incomplete = call(&server, "completeVideoUpload", by_id.clone()).await;
    assert_eq!(refusal(incomplete), "incomplete");
    for index in [-1, 3, i64::MAX] {
        let args = json!({"uploadSessionId": id, "chunkIndex": index});
        assert_eq!(refusal(call(&server, "getChunkUploadUrl", args).await), "invalid_chunk");
    }
    put_chunk(&server, id, 1, &bytes).await;
    let (_, progress) = confirm(&server, id, 1, CHUNK).await;
    assert_eq!((&progress["isComplete"], &progress["progress"]), (&json!(true), &json!(1.0)));
    let (_, before) = call(&server, "getUploadProgress", by_id.clone()).await;
    assert_eq!(before["status"], "assembling");
    assert_eq!(before["isComplete"], false, "confirmed, not completed");
    assert_eq!(charged(&server).0, i64::try_from(bytes.len()).unwrap());

    let (status, file) = call(&server, "completeVideoUpload", by_id.clone()).await;
    assert_eq!(status, 200, "{file}");
    let (status, again) = call(&server, "completeVideoUpload", by_id.clone()).await;
    assert_eq!((status, &again["id"]), (200, &file["id"]), "safe to repeat");
    let (_, after) = call(&server, "getUploadProgress", by_id.clone()).await;
    assert_eq!((&after["status"], &after["isComplete"]), (&json!("completed"), &json!(true)));
    assert_eq!(confirm(&server, id, 1, CHUNK).await.0, 200, "late, and nothing new");
    assert_eq!(call(&server, "cancelUpload", by_id).await, (200, Value::Null));

    let video = text(&file["videoId"]);
    let row = server.settled(&video).await;
    assert_eq!((&row["status"], &row["title"]), (&json!("ready"), &json!("Day 1.mp4")), "{row}");
    let original = server.action("getOriginalPlaybackUrl", json!({"videoId": video})).await;
    let stored = server.client.http.get(text(&original["url"])).send().await.unwrap();
    assert!(stored.bytes().await.unwrap() == bytes, "the bytes that were sent, in order");
    let list = json!({
        "projectId": server.credentials.project_id,
        "paginationOpts": {"numItems": 9, "cursor": null},
    });
    let list = server.client.query("videos:list", list).await.unwrap();
    assert_eq!(list["page"][0]["_id"], video.as_str(), "a video of the team like any other");
    server.stop().await;
}

#[tokio::test]
async fn a_cancelled_session_leaves_nothing_whatever_was_confirmed() {
    let server = Server::start().await;
    let bytes = noise(3 * CHUNK);
    let session = initialize(&server, bytes.len()).await;
    let id = &session["id"];
    // The last two are there, one of them is confirmed: a count would remove the first.
    put_chunk(&server, id, 1, &bytes).await;
    let url = put_chunk(&server, id, 2, &bytes).await;
    confirm(&server, id, 2, CHUNK).await;
    assert_eq!(stored(&server).await, (0, 1));
    let by_id = json!({"uploadSessionId": id});
    assert_eq!(call(&server, "cancelUpload", by_id.clone()).await, (200, Value::Null));
    assert_eq!(stored(&server).await, (0, 0));
    assert_eq!(charged(&server), (0, 0));
    assert_eq!(server.client.put(&url, piece(&bytes, 2), None, &[]).await.status(), 404);
    let gone = call(&server, "getUploadProgress", by_id.clone()).await;
    assert_eq!(refusal(gone), "session_not_found");
    assert_eq!(call(&server, "cancelUpload", by_id).await, (200, Value::Null), "safe to repeat");
    let videos = "SELECT count(*) FROM videos";
    let videos: i64 = server.open_database().query_row(videos, [], |row| row.get(0)).unwrap();
    assert_eq!(videos, 0);
    server.stop().await;
}

#[tokio::test]
async fn a_chunk_that_the_storage_lost_may_be_sent_again() {
    let server = Server::start().await;
    let bytes = clip();
    let session = initialize(&server, bytes.len()).await;
    let id = &session["id"];
    put_chunk(&server, id, 0, &bytes).await;
    confirm(&server, id, 0, bytes.len()).await;
    // Another upload of the same key, as if the first had been swept away by somebody else.
    let other = "UPDATE videos SET multipart_upload_id = 'gone'";
    let known = "SELECT multipart_upload_id FROM videos";
    let database = server.open_database();
    let upload: String = database.query_row(known, [], |row| row.get(0)).unwrap();
    database.execute(other, []).unwrap();
    let by_id = json!({"uploadSessionId": id});
    let lost = call(&server, "completeVideoUpload", by_id.clone()).await;
    assert_eq!(refusal(lost), "chunk_missing");
    let (_, progress) = call(&server, "getUploadProgress", by_id.clone()).await;
    assert_eq!(
        (&progress["uploadedChunks"], &progress["status"]),
        (&json!(0), &json!("uploading"))
    );
    database.execute("UPDATE videos SET multipart_upload_id = ?1", [upload]).unwrap();
    put_chunk(&server, id, 0, &bytes).await;
    confirm(&server, id, 0, bytes.len()).await;
    assert_eq!(call(&server, "completeVideoUpload", by_id.clone()).await.0, 200);

    database.execute("DELETE FROM videos", []).unwrap();
    let removed = call(&server, "completeVideoUpload", by_id).await;
    assert_eq!(refusal(removed), "media_not_found");
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_begun_is_refused_by_code() {
    let change = |config: &mut dailies_server::config::Config| {
        config.limits.max_file_size = 1000;
        config.limits.team_quota = Some(700);
    };
    let server = Server::start_with(change).await;
    let initialize = |mime_type: &str, size: Value| json!({"fileName": "a.mp4", "mimeType": mime_type, "totalSize": size});
    for (args, code) in [
        (initialize("image/png", json!(5)), "invalid_type"),
        (initialize("video/mp4", json!(1001)), "file_too_large"),
        (initialize("video/mp4", json!(0)), "file_too_large"),
        (initialize("video/mp4", json!(701)), "quota_exceeded"),
    ] {
        let answer = call(&server, "initializeVideoUpload", args.clone()).await;
        assert_eq!(refusal(answer), code, "{args}");
    }
    let mut elsewhere = initialize("video/mp4", json!(5));
    elsewhere["projectId"] = json!("nobody's");
    let answer = call(&server, "initializeVideoUpload", elsewhere).await;
    assert_eq!(refusal(answer), "access_denied");
    for args in [json!({}), json!({"fileName": "a", "mimeType": "video/mp4", "totalSize": "5"})] {
        let (status, refused) = call(&server, "initializeVideoUpload", args).await;
        assert_eq!((status, &refused["code"]), (400, &json!("invalid_argument")), "{refused}");
        assert!(refused["field"].is_string(), "{refused}");
    }
    assert_eq!(call(&server, "nothing", json!({})).await.0, 404);
    assert_eq!(stored(&server).await, (0, 0), "nothing was opened in vain");
    assert_eq!(charged(&server), (0, 0));
    server.stop().await;
}

#[tokio::test]
async fn who_calls_may_say_so_in_three_ways() {
    let server = Server::start().await;
    let key = server.client.key.clone().unwrap();
    let args = json!({"fileName": "a.mp4", "mimeType": "video/mp4", "totalSize": 5});
    let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
    for authorization in [format!("bearer {key}"), basic(&key), basic(&format!("me:{key}"))] {
        let method = "initializeVideoUpload";
        let (status, session) = call_as(&server, Some(&authorization), method, args.clone()).await;
        assert_eq!(status, 200, "{session}");
    }
    for authorization in
        ["Bearer sk-wrong", "Basic sk-wrong", "Basic !", "Digest x", &basic("sk-x")]
    {
        let method = "initializeVideoUpload";
        let (status, refused) = call_as(&server, Some(authorization), method, args.clone()).await;
        assert_eq!((status, &refused["code"]), (401, &json!("bad_credentials")), "{authorization}");
    }
    let anonymous = call_as(&server, None, "initializeVideoUpload", args.clone()).await;
    assert_eq!(refusal(anonymous), "unauthenticated");
    let by_id = json!({"uploadSessionId": 1});
    assert_eq!(call_as(&server, None, "cancelUpload", by_id).await, (200, Value::Null));
    // As Serverpod's own clients name the method.
    let mut named = args;
    named["method"] = json!("initializeVideoUpload");
    let url = format!("{}/videoUpload", server.app.url());
    let post = server.client.http.post(url).json(&named).bearer_auth(&key);
    assert_eq!(post.send().await.unwrap().status(), 200);
    server.stop().await;
}

#[tokio::test]
async fn a_session_is_its_users_alone() {
    let server = Server::start().await;
    let people = crate::uploads_api::people(&server);
    let session = initialize(&server, 5).await;
    let id = &session["id"];
    let args = json!({"uploadSessionId": id, "chunkIndex": 0, "chunkSize": 5});
    for (key, code) in
        [(people.member, "session_not_found"), (people.stranger, "session_not_found")]
    {
        let as_other = format!("Bearer {key}");
        for method in ["confirmChunkUpload", "completeVideoUpload", "getUploadProgress"] {
            let answer = call_as(&server, Some(&as_other), method, args.clone()).await;
            assert_eq!(refusal(answer), code, "{method}");
        }
        let url = call_as(&server, Some(&as_other), "getChunkUploadUrl", args.clone()).await;
        assert_eq!(refusal(url), "access_denied");
        let cancel = call_as(&server, Some(&as_other), "cancelUpload", args.clone()).await;
        assert_eq!(cancel, (200, Value::Null));
    }
    // Nothing was cancelled.
    put_chunk(&server, id, 0, b"12345").await;
    let begin = json!({"fileName": "a.mp4", "mimeType": "video/mp4", "totalSize": 5});
    let method = "initializeVideoUpload";
    let viewer = format!("Bearer {}", people.viewer);
    let answer = call_as(&server, Some(&viewer), method, begin.clone()).await;
    assert_eq!(refusal(answer), "access_denied");
    let nobody = format!("Bearer {}", people.nobody);
    let (status, _) = call_as(&server, Some(&nobody), method, begin).await;
    assert_eq!(status, 401, "a key of nobody in its team opens nothing");
    // Who is no member any more uploads no more.
    let demote = "UPDATE members SET role = 'viewer' WHERE role = 'owner' AND team_id = ?1";
    server.open_database().execute(demote, [&server.credentials.team_id]).unwrap();
    assert_eq!(refusal(confirm(&server, id, 0, 5).await), "access_denied");
    server.stop().await;
}

#[tokio::test]
async fn large_files_have_larger_chunks() {
    let server = Server::start_with(|config| config.limits.max_file_size = 1 << 40).await;
    let session = initialize(&server, 100_000 * MIB).await;
    assert_eq!(
        (&session["chunkSize"], &session["totalChunks"]),
        (&json!(10 * MIB), &json!(10_000))
    );
    server.stop().await;
}

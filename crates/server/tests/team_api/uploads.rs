//! Uploads that end well, in both dialects, also after interruptions.

use serde_json::{Value, json};

use crate::harness::{MIB, Server, clip, crc64nvme, large_clip, text};

const PART: usize = 8 * MIB;

/// Sends the parts that are named, with their checksums, and answers `{partNumber, etag}` of each.
pub(crate) async fn send_parts(
    server: &Server,
    video: &str,
    bytes: &[u8],
    numbers: &[usize],
) -> Vec<Value> {
    let part = |number: usize| &bytes[(number - 1) * PART..bytes.len().min(number * PART)];
    let checksums: Vec<Value> = numbers
        .iter()
        .map(|n| json!({"partNumber": n, "crc64nvme": crc64nvme(part(*n))}))
        .collect();
    let args = json!({"videoId": video, "partNumbers": numbers, "checksums": checksums});
    let signed = server.action("signUploadParts", args).await;
    let mut sent = Vec::new();
    for (number, signed) in numbers.iter().zip(signed["parts"].as_array().unwrap()) {
        assert_eq!(signed["partNumber"], *number);
        let bytes = part(*number);
        let crc = crc64nvme(bytes);
        let url = text(&signed["url"]);
        let put = server
            .client
            .put(&url, bytes, None, &[("x-amz-checksum-crc64nvme", crc.as_str())])
            .await;
        assert_eq!(put.status(), 200, "part {number}");
        let etag = put.headers()["etag"].to_str().unwrap();
        sent.push(json!({"partNumber": number, "etag": etag}));
    }
    sent
}

#[tokio::test]
async fn the_current_dialect_goes_from_nothing_to_playing() {
    let server = Server::start().await;
    let bytes = large_clip(2 * PART + MIB);
    let video = server.create("Day 1 – Köln", bytes.len()).await;

    let begun = server.initiate(&video, bytes.len()).await.unwrap();
    assert_eq!(begun["strategy"], "multipart");
    assert_eq!((&begun["partSizeBytes"], &begun["partCount"]), (&json!(PART), &json!(3)));
    assert_eq!(begun["checksumAlgorithm"], "CRC64NVME");
    assert_eq!(begun["uploadedParts"], json!([]));
    let key = text(&begun["key"]);
    assert!(key.starts_with(&format!("videos/{video}/")) && !key.contains("clip"), "{key}");

    let mut parts = send_parts(&server, &video, &bytes, &[3, 1]).await;
    let resumed = server.initiate(&video, bytes.len()).await.unwrap();
    assert_eq!((&resumed["key"], &resumed["uploadId"]), (&begun["key"], &begun["uploadId"]));
    let arrived = resumed["uploadedParts"].as_array().unwrap();
    assert_eq!(arrived.len(), 2);
    assert_eq!((&arrived[0]["partNumber"], &arrived[0]["size"]), (&json!(1), &json!(PART)));
    assert_eq!(arrived[0]["crc64nvme"], crc64nvme(&bytes[..PART]));
    assert_eq!(arrived[0]["etag"], parts[1]["etag"]);

    parts.extend(send_parts(&server, &video, &bytes, &[2]).await);
    let complete = json!({"videoId": video, "parts": parts});
    for _ in 0..2 {
        let done = server.action("completeMultipartUpload", complete.clone()).await;
        assert_eq!(done["success"], true);
    }
    let row = server.get(&video).await;
    assert_eq!(row["status"], "uploading");
    assert_eq!((&row["s3Key"], row.get("s3MultipartUploadId")), (&begun["key"], None));
    let again = server.initiate(&video, bytes.len()).await.unwrap();
    assert_eq!(again, json!({"strategy": "already_uploaded", "key": key}));

    for _ in 0..2 {
        let done = server.action("markUploadComplete", json!({"videoId": video})).await;
        let expected = json!({
            "success": true, "size": bytes.len(), "crc64nvme": crc64nvme(&bytes),
        });
        assert_eq!(done, expected);
    }
    let row = server.settled(&video).await;
    assert_eq!((&row["status"], &row["role"]), (&json!("ready"), &json!("owner")), "{row}");
    assert!((row["duration"].as_f64().unwrap() - 2.0).abs() < 0.2, "{row}");
    let done = server.action("markUploadComplete", json!({"videoId": video})).await;
    assert_eq!(done["success"], true, "also on a video that is ready");

    plays(&server, &video, &row).await;
    saves_as_its_title(&server, &video, &bytes).await;
    server.stop().await;
}

async fn plays(server: &Server, video: &str, row: &Value) {
    let session = server.action("getPlaybackSession", json!({"videoId": video})).await;
    let url = text(&session["url"]);
    assert_eq!(session["playbackId"], row["muxPlaybackId"]);
    assert_eq!(session["playbackUrl"], session["url"]);
    assert!(url.ends_with(&format!("?token={}", text(&session["token"]))));
    assert!(session["expiresAt"].as_f64().unwrap() > 1.6e12);
    let playlist = server.client.http.get(&url).send().await.unwrap();
    assert_eq!(playlist.status(), 200);
    assert!(playlist.text().await.unwrap().starts_with("#EXTM3U"));
    assert_eq!(server.client.status(&text(&session["posterUrl"])).await, 200);
    let tiles = server.client.http.get(text(&session["storyboardUrl"])).send().await.unwrap();
    let tiles: Value = tiles.json().await.unwrap();
    assert!(tiles["tiles"].as_array().unwrap().len() >= 2, "one for each second: {tiles}");
    let (bare, _) = url.split_once('?').unwrap();
    assert_eq!(server.client.status(bare).await, 403);

    let anyone = server.client_with(None);
    let args = json!({"publicId": row["publicId"]});
    let name = "videoActions:getPublicPlaybackSession";
    let public = anyone.action(name, args).await.unwrap();
    assert_eq!(public["title"], row["title"]);
    assert_eq!(server.client.status(&text(&public["url"])).await, 200);
    let unknown = anyone.action(name, json!({"publicId": "nobody-knows-this-name"})).await;
    assert_eq!(unknown, Ok(Value::Null));
    let hide = "UPDATE videos SET visibility = 'private' WHERE id = ?1";
    server.open_database().execute(hide, [video]).unwrap();
    let hidden = anyone.action(name, json!({"publicId": row["publicId"]})).await;
    assert_eq!(hidden, Ok(Value::Null), "private now");
}

async fn saves_as_its_title(server: &Server, video: &str, bytes: &[u8]) {
    let download = server.action("getDownloadUrl", json!({"videoId": video})).await;
    assert_eq!(download["filename"], "Day 1 – Köln.mp4");
    let answer = server.client.http.get(text(&download["url"])).send().await.unwrap();
    let disposition = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert!(disposition.ends_with("filename*=UTF-8''Day%201%20%E2%80%93%20K%C3%B6ln.mp4"));
    assert_eq!(answer.headers()["content-type"], "video/mp4");
    assert!(answer.bytes().await.unwrap() == bytes, "the bytes that were sent");
    let original = server.action("getOriginalPlaybackUrl", json!({"videoId": video})).await;
    assert_eq!(original["contentType"], "video/mp4");
    let range = server.client.http.get(text(&original["url"])).header("Range", "bytes=0-0");
    assert_eq!(range.send().await.unwrap().status(), 206);
}

#[tokio::test]
async fn the_documented_dialect_needs_nothing_newer() {
    let server = Server::start().await;
    let bytes = clip();
    let video = server.create("clip", bytes.len()).await;
    let url = server.action("getUploadUrl", json!({"videoId": video})).await;
    assert_eq!((&url["url"], &url["uploadId"]), (&url["uploadUrl"], &url["s3Key"]));
    let put = server.client.put(&text(&url["uploadUrl"]), &bytes, Some("video/mp4"), &[]).await;
    assert_eq!(put.status(), 200);
    let args = json!({"videoId": video, "s3Key": url["s3Key"]});
    assert_eq!(server.action("markUploadComplete", args).await["success"], true);
    let row = server.settled(&video).await;
    assert_eq!(row["status"], "ready", "{row}");
    let playback = server.action("getPlaybackUrl", json!({"videoId": video})).await;
    assert_eq!(server.client.status(&text(&playback["playbackUrl"])).await, 200);
    assert_eq!(playback["duration"], row["duration"]);
    server.stop().await;
}

#[tokio::test]
async fn a_small_file_is_one_put_that_may_be_repeated() {
    let server = Server::start().await;
    let bytes = clip();
    let video = server.create("clip", bytes.len()).await;
    let first = server.initiate(&video, bytes.len()).await.unwrap();
    let second = server.initiate(&video, bytes.len()).await.unwrap();
    assert_eq!(first["strategy"], "single");
    assert_eq!(first["key"], second["key"]);
    let put = server.client.put(&text(&second["url"]), &bytes, Some("video/mp4"), &[]).await;
    assert_eq!(put.status(), 200);
    let third = server.initiate(&video, bytes.len()).await.unwrap();
    assert_eq!(third["strategy"], "already_uploaded");
    server.stop().await;
}

#[tokio::test]
async fn an_upload_goes_on_after_the_server_was_started_again() {
    let server = Server::start().await;
    let bytes = large_clip(PART + MIB);
    let video = server.create("clip", bytes.len()).await;
    let begun = server.initiate(&video, bytes.len()).await.unwrap();
    let mut parts = send_parts(&server, &video, &bytes, &[2]).await;
    let data = server.stop().await;

    let server =
        Server::start_in(data, |config| (config.listen, config.s3_listen) = (None, None)).await;
    let resumed = server.initiate(&video, bytes.len()).await.unwrap();
    assert_eq!(resumed["uploadId"], begun["uploadId"]);
    assert_eq!(resumed["uploadedParts"][0]["partNumber"], 2);
    parts.extend(send_parts(&server, &video, &bytes, &[1]).await);
    server.action("completeMultipartUpload", json!({"videoId": video, "parts": parts})).await;
    let done = server.action("markUploadComplete", json!({"videoId": video})).await;
    assert_eq!(done["crc64nvme"], crc64nvme(&bytes));
    server.stop().await;
}

#[tokio::test]
async fn another_size_begins_anew_and_drops_what_was_there() {
    let server = Server::start().await;
    let bytes = large_clip(PART + MIB);
    let video = server.create("clip", bytes.len()).await;
    let begun = server.initiate(&video, bytes.len()).await.unwrap();
    let args = json!({"videoId": video, "partNumbers": [1]});
    let signed = server.action("signUploadParts", args).await;
    let other = server.initiate(&video, bytes.len() + 1).await.unwrap();
    assert_ne!(other["uploadId"], begun["uploadId"]);
    assert_ne!(other["key"], begun["key"]);
    let url = text(&signed["parts"][0]["url"]);
    let put = server.client.put(&url, &bytes[..PART], None, &[]).await;
    assert_eq!(put.status(), 404, "the old upload is gone");
    server.stop().await;
}

#[tokio::test]
async fn two_calls_at_once_begin_one_upload() {
    let server = Server::start().await;
    let size = PART + MIB;
    let video = server.create("clip", size).await;
    let (a, b, c) = tokio::join!(
        server.initiate(&video, size),
        server.initiate(&video, size),
        server.initiate(&video, size),
    );
    let (a, b, c) = (a.unwrap(), b.unwrap(), c.unwrap());
    assert_eq!(a["uploadId"], b["uploadId"]);
    assert_eq!(b["uploadId"], c["uploadId"]);
    server.stop().await;
}

#[tokio::test]
async fn parts_are_larger_where_they_would_be_too_many() {
    let server = Server::start().await;
    let size = 100_000 * MIB / 2;
    let video = server.create("long", size).await;
    let begun = server.initiate(&video, size).await.unwrap();
    assert_eq!(begun["partSizeBytes"], PART, "6,250 parts of 8 MiB");
    let data = server.stop().await;
    let server = Server::start_in(data, |config| config.limits.max_file_size = 1 << 40).await;
    let size = 100_000 * MIB;
    let begun = server.initiate(&video, size).await.unwrap();
    assert_eq!(begun["partSizeBytes"], 10 * MIB);
    assert_eq!(begun["partCount"], 10_000);
    server.stop().await;
}

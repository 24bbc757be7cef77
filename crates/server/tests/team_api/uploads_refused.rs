//! What is refused, and what that leaves: an upload that can still be put right.

use serde_json::{Value, json};

use crate::harness::{MIB, Server, clip, code, crc64nvme, large_clip, noise, text};
use crate::uploads::send_parts;

const PART: usize = 8 * MIB;

#[tokio::test]
async fn the_storage_itself_refuses_a_damaged_part() {
    let server = Server::start().await;
    let bytes = large_clip(PART + MIB);
    let video = server.create("clip", bytes.len()).await;
    server.initiate(&video, bytes.len()).await.unwrap();
    let crc = crc64nvme(&bytes[..PART]);
    let args = json!({
        "videoId": video, "partNumbers": [1], "checksums": [{"partNumber": 1, "crc64nvme": crc}],
    });
    let signed = server.action("signUploadParts", args).await;
    let url = text(&signed["parts"][0]["url"]);
    let header = [("x-amz-checksum-crc64nvme", crc.as_str())];
    let mut damaged = bytes[..PART].to_vec();
    damaged[PART / 2] ^= 1;
    let put = server.client.put(&url, &damaged, None, &header).await;
    assert_eq!(put.status(), 400, "another byte");
    let put = server.client.put(&url, &bytes[..PART - 1], None, &header).await;
    assert!(put.status().is_client_error(), "another length: {}", put.status());
    let put = server.client.put(&url, &bytes[..PART], None, &[]).await;
    assert!(put.status().is_client_error(), "the checksum left out: {}", put.status());
    let listed = server.initiate(&video, bytes.len()).await.unwrap();
    assert_eq!(listed["uploadedParts"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_wrong_list_of_parts_destroys_nothing() {
    let server = Server::start().await;
    let bytes = large_clip(PART + MIB);
    let video = server.create("clip", bytes.len()).await;
    server.initiate(&video, bytes.len()).await.unwrap();
    let parts = send_parts(&server, &video, &bytes, &[1, 2]).await;
    let wrong = json!({"partNumber": 2, "etag": "\"0123456789abcdef\""});
    for wrong in [
        json!([parts[0]]),
        json!([parts[0], parts[0]]),
        json!([parts[0], parts[1], {"partNumber": 3, "etag": "e"}]),
        json!([parts[0], wrong]),
    ] {
        let args = json!({"videoId": video, "parts": wrong});
        let name = "videoActions:completeMultipartUpload";
        let error = server.client.action(name, args).await.unwrap_err();
        assert_eq!((code(&error), &error["field"]), ("invalid_argument", &json!("parts")));
    }
    let early = mark_complete(&server, &video).await.unwrap_err();
    assert_eq!(code(&early), "wrong_state", "before the parts are an object");
    let args = json!({"videoId": video, "parts": parts});
    assert_eq!(server.action("completeMultipartUpload", args).await["success"], true);
    server.stop().await;
}

#[tokio::test]
async fn signing_is_for_parts_that_there_are() {
    let server = Server::start().await;
    let size = 30 * PART;
    let video = server.create("clip", size).await;
    let sign = |args: Value| {
        let client = server.client.clone();
        async move { client.action("videoActions:signUploadParts", args).await }
    };
    let error = sign(json!({"videoId": video, "partNumbers": [1]})).await.unwrap_err();
    assert_eq!(code(&error), "no_upload");
    server.initiate(&video, size).await.unwrap();
    let many: Vec<usize> = (1..=21).collect();
    for numbers in [json!([]), json!([0]), json!([31]), json!([1, 1]), json!(many), json!([1.5])] {
        let error = sign(json!({"videoId": video, "partNumbers": numbers})).await.unwrap_err();
        assert_eq!(code(&error), "invalid_argument", "{numbers}");
        assert!(text(&error["field"]).starts_with("partNumbers"), "{numbers}: {error}");
    }
    for checksum in [
        json!({"partNumber": 2, "crc64nvme": "AAAAAAAAAAA="}),
        json!({"partNumber": 1, "crc64nvme": "AAAA"}),
    ] {
        let args = json!({"videoId": video, "partNumbers": [1], "checksums": [checksum]});
        assert_eq!(sign(args).await.unwrap_err()["field"], "checksums");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_wrong_object_can_be_replaced_by_the_right_one() {
    let server = Server::start().await;
    let bytes = clip();
    let video = server.create("clip", bytes.len()).await;
    let url = text(&server.action("getUploadUrl", json!({"videoId": video})).await["url"]);
    let absent = mark_complete(&server, &video).await.unwrap_err();
    assert_eq!(code(&absent), "no_upload");

    let put = server.client.put(&url, &bytes, Some("text/plain"), &[]).await;
    assert_eq!(put.status(), 200);
    let wrong_type = mark_complete(&server, &video).await.unwrap_err();
    assert_eq!(code(&wrong_type), "unsupported_type");

    let put = server.client.put(&url, &bytes, Some("video/mp4"), &[]).await;
    assert_eq!(put.status(), 200);
    let other_size = "UPDATE videos SET file_size = file_size + ?2 WHERE id = ?1";
    server.open_database().execute(other_size, rusqlite::params![video, 1]).unwrap();
    let wrong_size = mark_complete(&server, &video).await.unwrap_err();
    assert_eq!(code(&wrong_size), "size_mismatch");
    assert_eq!(server.get(&video).await["status"], "uploading");

    server.open_database().execute(other_size, rusqlite::params![video, -1]).unwrap();
    let args = json!({"videoId": video, "s3Key": "videos/another/key"});
    let name = "videoActions:markUploadComplete";
    assert_eq!(server.client.action(name, args).await.unwrap_err()["field"], "s3Key");
    assert_eq!(mark_complete(&server, &video).await.unwrap()["success"], true);
    server.stop().await;
}

#[tokio::test]
async fn a_file_that_is_no_video_fails_in_words_and_can_be_tried_again() {
    let server = Server::start().await;
    let video = server.put_single("noise", &noise(100_000)).await;
    for _ in 0..2 {
        assert_eq!(mark_complete(&server, &video).await.unwrap()["success"], true);
        let row = server.settled(&video).await;
        assert_eq!(row["status"], "failed");
        assert!(text(&row["uploadError"]).len() > 10, "{row}");
        assert!(row["s3Key"].is_string(), "the original is kept");
    }
    let again = server.initiate(&video, 100_000).await.unwrap();
    assert_eq!(again["strategy"], "already_uploaded");
    let args = json!({"videoId": video});
    let original = server.action("getOriginalPlaybackUrl", args.clone()).await;
    assert_eq!(server.client.status(&text(&original["url"])).await, 200);
    for name in ["getPlaybackSession", "getPlaybackUrl", "getDownloadUrl"] {
        let name = format!("videoActions:{name}");
        let error = server.client.action(&name, args.clone()).await.unwrap_err();
        assert_eq!(code(&error), "not_ready");
    }
    server.stop().await;
}

#[tokio::test]
async fn giving_up_removes_what_was_stored_but_never_a_whole_video() {
    let server = Server::start().await;
    let bytes = large_clip(PART + MIB);
    let video = server.create("clip", bytes.len()).await;
    server.initiate(&video, bytes.len()).await.unwrap();
    let args = json!({"videoId": video, "partNumbers": [1]});
    let signed = server.action("signUploadParts", args).await;
    let fail = json!({"videoId": video, "error": "the card was pulled out"});
    for _ in 0..2 {
        server.action("markUploadFailed", fail.clone()).await;
    }
    let row = server.get(&video).await;
    assert_eq!((&row["status"], row.get("s3Key")), (&json!("failed"), None));
    assert_eq!(row["uploadError"], "the card was pulled out");
    let url = text(&signed["parts"][0]["url"]);
    assert_eq!(server.client.put(&url, &bytes[..PART], None, &[]).await.status(), 404);

    let begun = server.initiate(&video, bytes.len()).await.unwrap();
    assert_eq!(begun["strategy"], "multipart", "it can begin again");
    server.action("abortVideoUpload", json!({"videoId": video})).await;
    assert_eq!(server.get(&video).await["status"], "failed");

    let whole = server.put_single("whole", &clip()).await;
    mark_complete(&server, &whole).await.unwrap();
    assert_eq!(server.settled(&whole).await["status"], "ready");
    for name in ["markUploadFailed", "abortVideoUpload"] {
        let name = format!("videoActions:{name}");
        let error = server.client.action(&name, json!({"videoId": whole})).await.unwrap_err();
        assert_eq!(code(&error), "wrong_state", "{name}");
    }
    let error = server.initiate(&whole, bytes.len()).await.unwrap_err();
    assert_eq!(code(&error), "wrong_state", "another file is another video");
    let session = server.action("getPlaybackSession", json!({"videoId": whole})).await;
    assert_eq!(server.client.status(&text(&session["url"])).await, 200, "it still plays");
    server.stop().await;
}

#[tokio::test]
async fn sizes_and_types_are_checked_before_anything_is_stored() {
    let server = Server::start().await;
    let create = |size: Value, content_type: &str| {
        let client = server.client.clone();
        let args = json!({
            "projectId": server.credentials.project_id, "title": "t",
            "fileSize": size, "contentType": content_type,
        });
        async move { client.mutation("videos:create", args).await }
    };
    let too_large = create(json!((50u64 << 30) + 1), "video/mp4").await.unwrap_err();
    assert_eq!((code(&too_large), &too_large["field"]), ("file_too_large", &json!("fileSize")));
    let image = create(json!(1), "image/png").await.unwrap_err();
    assert_eq!((code(&image), &image["field"]), ("unsupported_type", &json!("contentType")));
    let empty = create(json!(0), "video/mp4").await.unwrap_err();
    assert_eq!(code(&empty), "invalid_argument");
    create(json!(50u64 << 30), "video/x-matroska").await.unwrap();
    let video = server.create("clip", 1).await;
    let error = server.initiate(&video, (50 << 30) + 1).await.unwrap_err();
    assert_eq!(code(&error), "file_too_large");
    server.stop().await;
}

async fn mark_complete(server: &Server, video: &str) -> Result<Value, Value> {
    server.client.action("videoActions:markUploadComplete", json!({"videoId": video})).await
}

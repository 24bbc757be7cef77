//! Files that are uploaded while they are still being written.

use serde_json::{Value, json};

use crate::harness::{MIB, Server, code, crc64nvme, large_clip, text};
use crate::quota::charged;
use crate::uploads::send_parts;

const PART: usize = 8 * MIB;

async fn initiate(server: &Server, video: &Value, size: Option<usize>) -> Result<Value, Value> {
    let mut args = json!({"videoId": video, "filename": "a.mp4", "contentType": "video/mp4"});
    if let Some(size) = size {
        args["fileSize"] = json!(size);
    }
    server.client.action("videoActions:initiateVideoUpload", args).await
}

async fn registered(server: &Server) -> Value {
    let args = json!({"projectId": server.credentials.project_id, "title": "a recording"});
    server.client.mutation("videos:create", args).await.unwrap()
}

/// Parts are taken before the size is known, in one upload from the first to the last; what the team
/// is charged grows with them.
#[tokio::test]
async fn a_size_is_said_at_the_end() {
    let server = Server::start().await;
    let about = server.client.http.get(format!("{}/.well-known/dailies", server.client.url));
    let about: Value = about.send().await.unwrap().json().await.unwrap();
    assert_eq!(about["growingFiles"], true);

    let bytes = large_clip(3 * PART + MIB);
    let video = registered(&server).await;
    let id = video.as_str().unwrap();
    let begun = initiate(&server, &video, None).await.unwrap();
    // The parts of the largest file there may be: 50 GiB.
    assert_eq!((&begun["partSizeBytes"], &begun["partCount"]), (&json!(PART), &json!(6400)));
    assert_eq!(charged(&server), (i64::try_from(PART).unwrap(), 0));
    let mut parts = send_parts(&server, id, &bytes, &[2]).await;
    assert_eq!(charged(&server), (i64::try_from(2 * PART).unwrap(), 0));
    parts.extend(send_parts(&server, id, &bytes, &[3]).await);
    assert_eq!(charged(&server), (i64::try_from(3 * PART).unwrap(), 0));

    let resumed = initiate(&server, &video, None).await.unwrap();
    assert_eq!(resumed["uploadId"], begun["uploadId"]);
    assert_eq!(resumed["uploadedParts"].as_array().unwrap().len(), 2);
    let complete = json!({"videoId": video, "parts": parts});
    let early = server.client.action("videoActions:completeMultipartUpload", complete).await;
    assert_eq!(code(&early.unwrap_err()), "wrong_state", "nobody knows whether that is all");

    for _ in 0..2 {
        let sized = initiate(&server, &video, Some(bytes.len())).await.unwrap();
        assert_eq!((&sized["uploadId"], &sized["partCount"]), (&begun["uploadId"], &json!(4)));
        assert_eq!(sized["uploadedParts"].as_array().unwrap().len(), 2);
    }
    assert_eq!(charged(&server), (i64::try_from(bytes.len()).unwrap(), 0));
    parts.extend(send_parts(&server, id, &bytes, &[1, 4]).await);
    server.action("completeMultipartUpload", json!({"videoId": video, "parts": parts})).await;
    let done = server.action("markUploadComplete", json!({"videoId": video})).await;
    let expected = json!({"success": true, "size": bytes.len(), "crc64nvme": crc64nvme(&bytes)});
    assert_eq!(done, expected);
    assert_eq!(charged(&server), (0, i64::try_from(bytes.len()).unwrap()));
    server.stop().await;
}

/// The last part goes up for as long as it looks like it, as long as is signed; the file has gone on,
/// and the same part goes up as a whole one.
#[tokio::test]
async fn a_part_may_be_shorter_until_it_is_whole() {
    let server = Server::start().await;
    let bytes = large_clip(PART + 3 * MIB);
    let video = registered(&server).await;
    let id = video.as_str().unwrap();
    initiate(&server, &video, None).await.unwrap();
    let sign = |numbers: &[u32], length: usize| {
        let args = json!({"videoId": video, "partNumbers": numbers, "length": length});
        server.client.action("videoActions:signUploadParts", args)
    };
    for (numbers, length) in [(&[1][..], 0), (&[1], PART + 1), (&[1, 2], MIB)] {
        let refused = sign(numbers, length).await.unwrap_err();
        assert_eq!(code(&refused), "invalid_argument", "{numbers:?} of {length}");
    }
    let signed = sign(&[1], MIB).await.unwrap();
    let url = text(&signed["parts"][0]["url"]);
    assert_eq!(server.client.put(&url, &bytes[..PART], None, &[]).await.status(), 403);
    assert_eq!(server.client.put(&url, &bytes[..MIB], None, &[]).await.status(), 200);

    let mut parts = send_parts(&server, id, &bytes, &[1]).await;
    let sized = initiate(&server, &video, Some(bytes.len())).await.unwrap();
    assert_eq!(sized["uploadedParts"].as_array().unwrap().len(), 1);
    assert_eq!(code(&sign(&[2], MIB).await.unwrap_err()), "invalid_argument", "its size is known");
    parts.extend(send_parts(&server, id, &bytes, &[2]).await);
    server.action("completeMultipartUpload", json!({"videoId": video, "parts": parts})).await;
    let done = server.action("markUploadComplete", json!({"videoId": video})).await;
    assert_eq!(done["crc64nvme"], crc64nvme(&bytes));
    server.stop().await;
}

/// A file that grows gets no more room than its team has, and gives it back.
#[tokio::test]
async fn what_grows_stays_within_the_quota() {
    let quota = 2 * PART as u64;
    let server = Server::start_with(|config| config.limits.team_quota = Some(quota)).await;
    let video = registered(&server).await;
    initiate(&server, &video, None).await.unwrap();
    let sign = |number: u32| {
        let args = json!({"videoId": video, "partNumbers": [number]});
        server.client.action("videoActions:signUploadParts", args)
    };
    sign(2).await.unwrap();
    assert_eq!(code(&sign(3).await.unwrap_err()), "quota_exceeded");
    assert_eq!(charged(&server).0.cast_unsigned(), quota, "refused is not promised");
    server.action("abortVideoUpload", json!({"videoId": video})).await;
    assert_eq!(charged(&server), (0, 0));
    server.stop().await;
}

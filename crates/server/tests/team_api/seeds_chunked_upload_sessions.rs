//! The endpoint of "Video Upload Handling", method by method in the order of a session's life.

use serde_json::{Value, json};

use crate::chunked_sessions::call;
use crate::harness::{Server, large_clip, text};

const CHUNK: usize = 5 << 20;

async fn ok(server: &Server, method: &str, args: Value) -> Value {
    let (status, answer) = call(server, method, args).await;
    assert_eq!(status, 200, "{method}: {answer}");
    answer
}

fn names(model: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = model.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// "Large File Uploads with Progress Tracking".
#[tokio::test]
async fn large_file_uploads_with_progress_tracking() {
    let server = Server::start().await;
    let bytes = large_clip(CHUNK + 1000);
    let args = json!({
        "fileName": "My Holiday: Day 1.MP4", "mimeType": "video/mp4", "totalSize": bytes.len(),
        "durationSeconds": 2,
    });
    let session = ok(&server, "initializeVideoUpload", args).await;
    assert_eq!(
        names(&session),
        [
            "chunkSize",
            "createdAt",
            "expiresAt",
            "fileId",
            "fileName",
            "id",
            "mediaFileId",
            "mimeType",
            "status",
            "storageKey",
            "totalChunks",
            "totalSize",
            "uploadedBytes",
            "uploadedChunks",
            "userId",
        ]
    );
    assert!(
        session["id"].is_i64() && session["userId"].is_i64() && session["mediaFileId"].is_i64()
    );
    assert_eq!(session["fileName"], "my_holiday__day_1.mp4");
    assert_eq!(session["totalChunks"], bytes.len().div_ceil(CHUNK));
    assert_eq!(
        (&session["status"], &session["uploadedChunks"]),
        (&json!("initialized"), &json!(0))
    );
    let (created, expires) = (text(&session["createdAt"]), text(&session["expiresAt"]));
    assert!(expires > created && created.ends_with('Z'));

    let id = session["id"].clone();
    let mut confirmed = 0;
    for (index, chunk) in bytes.chunks(CHUNK).enumerate() {
        let args = json!({"uploadSessionId": id, "chunkIndex": index});
        let url = ok(&server, "getChunkUploadUrl", args).await;
        assert_eq!(names(&url), ["chunkIndex", "expiresAt", "uploadHeaders", "uploadUrl"]);
        let put = server.client.put(&text(&url["uploadUrl"]), chunk, None, &[]).await;
        assert_eq!(put.status(), 200);
        let args = json!({"uploadSessionId": id, "chunkIndex": index, "chunkSize": chunk.len()});
        let mut progress = ok(&server, "confirmChunkUpload", args).await;
        confirmed += chunk.len();
        #[expect(clippy::cast_precision_loss, reason = "a few megabytes")]
        let share = confirmed as f64 / bytes.len() as f64;
        let said = progress["progress"].take().as_f64().unwrap();
        assert!((said - share).abs() < 1e-9, "{said}");
        let expected = json!({
            "uploadSessionId": id, "uploadedChunks": index + 1,
            "totalChunks": session["totalChunks"], "uploadedBytes": confirmed,
            "totalBytes": bytes.len(), "progress": null, "isComplete": confirmed == bytes.len(),
        });
        assert_eq!(progress, expected);
    }

    let file = ok(&server, "completeVideoUpload", json!({"uploadSessionId": id})).await;
    assert_eq!(file["id"], session["mediaFileId"]);
    assert_eq!(file["fileName"], session["fileId"]);
    assert_eq!(file["originalFileName"], session["fileName"]);
    assert_eq!((&file["mediaType"], &file["duration"]), (&json!("video"), &json!(2)));
    assert_eq!((&file["fileSize"], &file["status"]), (&json!(bytes.len()), &json!("processing")));
    let progress = ok(&server, "getUploadProgress", json!({"uploadSessionId": id})).await;
    assert_eq!((&progress["status"], &progress["isComplete"]), (&json!("completed"), &json!(true)));
    assert_eq!(server.settled(&text(&file["videoId"])).await["status"], "ready");
    server.stop().await;
}

/// "Cancel an upload and clean up".
#[tokio::test]
async fn cancel_an_upload_and_clean_up() {
    let server = Server::start().await;
    let args = json!({"fileName": "a.webm", "mimeType": "video/webm", "totalSize": 3 * CHUNK});
    let session = ok(&server, "initializeVideoUpload", args).await;
    let by_id = json!({"uploadSessionId": session["id"]});
    assert_eq!(ok(&server, "cancelUpload", by_id.clone()).await, Value::Null);
    let (status, gone) = call(&server, "completeVideoUpload", by_id).await;
    let expected = json!({
        "className": "VideoUploadException",
        "data": {"code": "session_not_found", "message": "Upload session not found"},
    });
    assert_eq!((status, gone), (400, expected));
    server.stop().await;
}

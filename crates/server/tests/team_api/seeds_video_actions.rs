//! The examples of "Video Actions", one by one, as the calls that their components make.

use serde_json::{Value, json};

use crate::harness::{Server, clip, code, text};

/// `useMutation(api.videos.create)` and the three actions, as the example's `uploadVideo` calls them.
async fn upload_video(server: &Server, file: &[u8], content_type: &str) -> Result<Value, Value> {
    let args = json!({
        "projectId": server.credentials.project_id, "title": "clip.mp4",
        "fileSize": file.len(), "contentType": "video/mp4",
    });
    // 1. Create video record
    let video_id = server.client.mutation("videos:create", args).await?;
    let rest = async {
        // 2. Get upload URL
        let get = json!({"videoId": video_id});
        let upload = server.client.action("videoActions:getUploadUrl", get).await?;
        // 3. Upload to S3
        let url = text(&upload["uploadUrl"]);
        let response = server.client.put(&url, file, Some(content_type), &[]).await;
        if !response.status().is_success() {
            return Err(json!({"message": "Upload failed"}));
        }
        // 4. Mark complete to trigger Mux processing
        let complete = json!({"videoId": video_id, "s3Key": upload["s3Key"]});
        server.client.action("videoActions:markUploadComplete", complete).await
    };
    match rest.await {
        Ok(_) => Ok(video_id),
        Err(error) => {
            let failed = json!({"videoId": video_id, "error": error["message"]});
            server.client.action("videoActions:markUploadFailed", failed).await?;
            Err(json!({"videoId": video_id, "error": error}))
        }
    }
}

async fn ready(server: &Server) -> String {
    let video = upload_video(server, &clip(), "video/mp4").await.unwrap();
    let video = text(&video);
    assert_eq!(server.settled(&video).await["status"], "ready");
    video
}

/// "Complete Upload Flow", as it goes well.
#[tokio::test]
async fn complete_upload_flow_with_success() {
    let server = Server::start().await;
    let video = text(&upload_video(&server, &clip(), "video/mp4").await.unwrap());
    let row = server.get(&video).await;
    assert!(row["status"] == "processing" || row["status"] == "ready", "{row}");
    assert_eq!(server.settled(&video).await["status"], "ready");
    server.stop().await;
}

/// "Complete Upload Flow", into its `catch`.
#[tokio::test]
async fn complete_upload_flow_with_failure() {
    let server = Server::start().await;
    // Another type than was registered: completing refuses what was stored.
    let failure = upload_video(&server, &clip(), "text/plain").await.unwrap_err();
    assert_eq!(code(&failure["error"]), "unsupported_type");
    let row = server.get(&text(&failure["videoId"])).await;
    assert_eq!(
        (&row["status"], &row["uploadError"]),
        (&json!("failed"), &failure["error"]["message"])
    );
    assert_eq!(row["s3Key"], json!(null), "what was stored is removed");
    assert_eq!(crate::uploads_api::stored(&server).await, (0, 0));
    // Without a record there is nothing to mark.
    let args = json!({"projectId": "nobody's", "title": "t", "fileSize": 1});
    let refused = server.client.mutation("videos:create", args).await.unwrap_err();
    assert_eq!(code(&refused), "not_found");
    server.stop().await;
}

/// "getUploadUrl".
#[tokio::test]
async fn get_upload_url() {
    let server = Server::start().await;
    let video = server.create("t", 5).await;
    let upload = server.action("getUploadUrl", json!({"videoId": video})).await;
    let put =
        server.client.put(&text(&upload["uploadUrl"]), b"12345", Some("video/mp4"), &[]).await;
    assert_eq!(put.status(), 200);
    let row = server.get(&video).await;
    assert_eq!(upload["s3Key"], row["s3Key"], "where the file will be stored");
    assert!(text(&upload["uploadUrl"]).contains(&text(&row["s3Key"])));
    server.stop().await;
}

/// "markUploadComplete".
#[tokio::test]
async fn mark_upload_complete() {
    let server = Server::start().await;
    let video = server.put_single("t", &clip()).await;
    let s3_key = server.get(&video).await["s3Key"].clone();
    server.action("markUploadComplete", json!({"videoId": video, "s3Key": s3_key})).await;
    assert_ne!(server.get(&video).await["status"], "uploading", "Video processing started");
    server.stop().await;
}

/// "markUploadFailed".
#[tokio::test]
async fn mark_upload_failed() {
    let server = Server::start().await;
    let video = server.create("t", 5).await;
    let args = json!({"videoId": video, "error": "the card was pulled out"});
    server.action("markUploadFailed", args).await;
    let row = server.get(&video).await;
    let expected = (&json!("failed"), &json!("the card was pulled out"));
    assert_eq!((&row["status"], &row["uploadError"]), expected);
    server.stop().await;
}

/// "getPlaybackUrl".
#[tokio::test]
async fn get_playback_url() {
    let server = Server::start().await;
    let video = ready(&server).await;
    let playback = server.action("getPlaybackUrl", json!({"videoId": video})).await;
    assert!((playback["duration"].as_f64().unwrap() - 2.0).abs() < 0.2);
    assert_eq!(server.client.status(&text(&playback["playbackUrl"])).await, 200);
    server.stop().await;
}

/// "getPlaybackSession", and "Secure Playback with Session Tokens": id and token as the player puts
/// them together, and nothing without the token.
#[tokio::test]
async fn secure_playback_with_session_tokens() {
    let server = Server::start().await;
    let video = ready(&server).await;
    let session = server.action("getPlaybackSession", json!({"videoId": video})).await;
    let (id, token) = (text(&session["playbackId"]), text(&session["token"]));
    assert!(session["duration"].is_number());
    let stream = format!("{}/stream/{id}.m3u8", server.app.url());
    assert_eq!(server.client.status(&format!("{stream}?token={token}")).await, 200);
    assert_eq!(server.client.status(&stream).await, 403);
    let (head, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    assert_eq!(server.client.status(&format!("{stream}?token={forged}")).await, 403);
    server.stop().await;
}

/// "getPublicPlaybackSession".
#[tokio::test]
async fn get_public_playback_session() {
    let server = Server::start().await;
    let video = ready(&server).await;
    let public_id = server.get(&video).await["publicId"].clone();
    let anyone = server.client_with(None);
    let name = "videoActions:getPublicPlaybackSession";
    let session = anyone.action(name, json!({"publicId": public_id})).await.unwrap();
    assert!(session["playbackId"].is_string() && session["token"].is_string());
    let none = anyone.action(name, json!({"publicId": "not-a-public-id-of-anything"})).await;
    assert_eq!(none, Ok(Value::Null), "Video not public");
    server.stop().await;
}

/// "getOriginalPlaybackUrl".
#[tokio::test]
async fn get_original_playback_url() {
    let server = Server::start().await;
    let video = ready(&server).await;
    let original = server.action("getOriginalPlaybackUrl", json!({"videoId": video})).await;
    let answer = server.client.http.get(text(&original["url"])).send().await.unwrap();
    assert!(answer.bytes().await.unwrap() == clip());
    server.stop().await;
}

/// "getDownloadUrl".
#[tokio::test]
async fn get_download_url() {
    let server = Server::start().await;
    let video = ready(&server).await;
    let download = server.action("getDownloadUrl", json!({"videoId": video})).await;
    let answer = server.client.http.get(text(&download["url"])).send().await.unwrap();
    let disposition = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert!(disposition.starts_with("attachment"), "{disposition}");
    assert!(answer.bytes().await.unwrap() == clip());
    server.stop().await;
}

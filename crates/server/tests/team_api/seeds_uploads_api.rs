//! The examples of the "Video Uploads API", one by one.

use reqwest::multipart::Form;
use serde_json::json;

use crate::harness::{Server, clip, text};
use crate::uploads_api::{file, get, post, settled};

fn form() -> Form {
    let video = file(&clip(), "my_new_video.mp4", "video/mp4");
    Form::new().part("video", video).text("folder", "root/my-folder")
}

/// "Upload a Video": `POST /api/client/v1/uploads`, 202 Accepted.
#[tokio::test]
async fn upload_a_video() {
    let server = Server::start().await;
    let (status, answer) = post(&server, form()).await;
    assert_eq!(status, 202);
    let expected = json!({
        "message": "Upload accepted and is now being processed.",
        "data": {"id": answer["data"]["id"], "status": 1, "status_text": "pending"},
    });
    assert_eq!(answer, expected);
    let id = text(&answer["data"]["id"]);
    let groups: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12]);
    server.stop().await;
}

/// "Get Uploads Status": `GET /api/client/v1/uploads`, 200 OK.
#[tokio::test]
async fn get_uploads_status() {
    let server = Server::start().await;
    let (_, first) = post(&server, form()).await;
    let (_, second) = post(&server, form()).await;
    settled(&server, &text(&first["data"]["id"])).await;
    let (status, list) = get(&server, server.client.key.as_deref(), "").await;
    assert_eq!(status, 200);
    let list = list["data"].as_array().unwrap();
    assert_eq!(list.len(), 2);
    assert_eq!(list[0]["id"], second["data"]["id"], "the newest first");
    let (upload, earlier) = (&list[1], &list[0]);
    assert_eq!(upload["filename"], "my_new_video.mp4");
    assert_eq!((&upload["status"], &upload["status_text"]), (&json!(6), &json!("completed")));
    let (created, updated) = (text(&upload["created_at"]), text(&upload["updated_at"]));
    assert!(created.ends_with('Z') && created.len() >= 20 && created[10..].starts_with('T'));
    assert!(updated > created, "{updated} {created}");
    assert!(text(&earlier["created_at"]) >= created);
    server.stop().await;
}

/// "Get Single Upload Status": `GET /api/client/v1/uploads/{videoId}`, 200 OK.
#[tokio::test]
async fn get_single_upload_status() {
    let server = Server::start().await;
    let (_, accepted) = post(&server, form()).await;
    let upload = settled(&server, &text(&accepted["data"]["id"])).await;
    assert_eq!(upload["id"], accepted["data"]["id"]);
    assert_eq!(upload["filename"], "my_new_video.mp4");
    assert_eq!((&upload["status"], &upload["status_text"]), (&json!(6), &json!("completed")));
    server.stop().await;
}

/// "Status Reference": 7, failed.
#[tokio::test]
async fn status_reference() {
    let server = Server::start().await;
    let broken = file(b"no video at all", "broken.mp4", "video/mp4");
    let form = Form::new().part("video", broken).text("folder", "root");
    let (status, accepted) = post(&server, form).await;
    assert_eq!(status, 202, "that it is none, processing finds out");
    let upload = settled(&server, &text(&accepted["data"]["id"])).await;
    assert_eq!((&upload["status"], &upload["status_text"]), (&json!(7), &json!("failed")));
    server.stop().await;
}

//! `Idempotency-Key` on mutations and actions.

use serde_json::json;

use crate::harness::{Server, clip, code};

#[tokio::test]
async fn one_key_creates_one_video_however_often_it_is_sent() {
    let server = Server::start().await;
    let args = json!({"projectId": server.credentials.project_id, "title": "t", "fileSize": 5});
    let reordered =
        json!({"title": "t", "fileSize": 5.0, "projectId": server.credentials.project_id});
    let create = |args| server.client.call("mutation", "videos:create", args, Some("intent-1"));
    let (a, b, c) = tokio::join!(create(args.clone()), create(args.clone()), create(reordered));
    let (a, b, c) = (a.unwrap(), b.unwrap(), c.unwrap());
    assert_eq!((&a, &b), (&b, &c));
    let other = json!({"projectId": server.credentials.project_id, "title": "u", "fileSize": 5});
    let refused = create(other).await.unwrap_err();
    let field = json!("idempotency-key");
    assert_eq!((code(&refused), &refused["field"]), ("invalid_argument", &field));

    let data = server.stop().await;
    let server = Server::start_in(data, |_| {}).await;
    let create = |key| server.client.call("mutation", "videos:create", args.clone(), key);
    assert_eq!(create(Some("intent-1")).await.unwrap(), a, "also after a start");
    assert_ne!(create(Some("intent-2")).await.unwrap(), a);
    assert_ne!(create(None).await.unwrap(), a);
    let list = json!({
        "projectId": server.credentials.project_id,
        "paginationOpts": {"numItems": 9, "cursor": null},
    });
    let list = server.client.query("videos:list", list).await.unwrap();
    assert_eq!(list["page"].as_array().unwrap().len(), 3);
    server.stop().await;
}

#[tokio::test]
async fn an_actions_first_answer_is_replayed_and_a_refusal_is_not() {
    let server = Server::start().await;
    let bytes = clip();
    let video = server.create("t", bytes.len()).await;
    let mark = || {
        let args = json!({"videoId": video});
        server.client.call("action", "videoActions:markUploadComplete", args, Some("k"))
    };
    assert_eq!(code(&mark().await.unwrap_err()), "no_upload");
    let url = server.action("getUploadUrl", json!({"videoId": video})).await;
    let url = url["url"].as_str().unwrap();
    server.client.put(url, &bytes, Some("video/mp4"), &[]).await;
    let first = mark().await.unwrap();
    assert_eq!(first["size"], bytes.len());
    server.settled(&video).await;
    let size = "UPDATE videos SET file_size = 7 WHERE id = ?1";
    server.open_database().execute(size, [&video]).unwrap();
    assert_eq!(mark().await.unwrap(), first, "the answer, not the state");
    server.stop().await;
}

#[tokio::test]
async fn addresses_are_made_anew_for_the_same_upload_and_never_kept() {
    let server = Server::start().await;
    let size = 9 << 20;
    let video = server.create("t", size).await;
    let initiate = |size: usize| {
        let args = json!({
            "videoId": video, "filename": "f", "fileSize": size, "contentType": "video/mp4",
        });
        server.client.call("action", "videoActions:initiateVideoUpload", args, Some("k"))
    };
    let first = initiate(size).await.unwrap();
    let second = initiate(size).await.unwrap();
    assert_eq!((&first["uploadId"], &first["key"]), (&second["uploadId"], &second["key"]));
    assert_eq!(code(&initiate(size + 1).await.unwrap_err()), "invalid_argument");
    let sign = json!({"videoId": video, "partNumbers": [1]});
    let name = "videoActions:signUploadParts";
    server.client.call("action", name, sign, Some("s")).await.unwrap();
    let kept: i64 = server
        .open_database()
        .query_row("SELECT count(*) FROM idempotency WHERE answer IS NOT NULL", [], |r| r.get(0))
        .unwrap();
    assert_eq!(kept, 0);
    server.stop().await;
}

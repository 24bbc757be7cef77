//! A team's quota at every address that registers, moves or releases bytes.

use serde_json::json;

use crate::harness::{Server, clip, code};

/// What the team is charged: reserved and used.
pub(crate) fn charged(server: &Server) -> (i64, i64) {
    let sums = "SELECT reserved, used FROM team_storage WHERE team_id = ?1";
    let team = &server.credentials.team_id;
    server.open_database().query_row(sums, [team], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

#[tokio::test]
async fn bytes_are_reserved_moved_and_released() {
    let bytes = clip();
    let size = i64::try_from(bytes.len()).unwrap();
    let server =
        Server::start_with(|config| config.limits.team_quota = Some(2 * size as u64)).await;
    let first = server.put_single("first", &bytes).await;
    assert_eq!(charged(&server), (size, 0), "reserved when it was registered");
    let second = server.create("second", bytes.len()).await;
    let args = json!({
        "projectId": server.credentials.project_id, "title": "third", "fileSize": 1,
    });
    let refused = server.client.mutation("videos:create", args.clone()).await.unwrap_err();
    assert_eq!((code(&refused), &refused["field"]), ("quota_exceeded", &json!("fileSize")));
    assert!(refused["message"].as_str().unwrap().contains(" 0 bytes"), "{refused}");

    server.action("markUploadComplete", json!({"videoId": first})).await;
    assert_eq!(charged(&server), (size, size), "one used, one reserved");
    server.action("markUploadComplete", json!({"videoId": first})).await;
    assert_eq!(charged(&server), (size, size), "a second call moves nothing");

    server.action("abortVideoUpload", json!({"videoId": second})).await;
    assert_eq!(charged(&server), (0, size), "released");
    let again = server.initiate(&second, bytes.len() + 1).await.unwrap_err();
    assert_eq!(code(&again), "quota_exceeded", "it begins anew, and does not fit any more");
    server.initiate(&second, bytes.len()).await.unwrap();
    assert_eq!(charged(&server), (size, size));
    server.action("markUploadFailed", json!({"videoId": second})).await;
    server.client.mutation("videos:create", args).await.unwrap();
    assert_eq!(charged(&server), (1, size));
    server.stop().await;
}

#[tokio::test]
async fn a_size_that_was_never_said_counts_when_it_is_known() {
    let bytes = clip();
    let limit = bytes.len() as u64;
    let server = Server::start_with(|config| config.limits.team_quota = Some(limit)).await;
    let create = || async {
        let args = json!({"projectId": server.credentials.project_id, "title": "t"});
        let video = server.client.mutation("videos:create", args).await.unwrap();
        let url = server.action("getUploadUrl", json!({"videoId": video})).await;
        let url = url["uploadUrl"].as_str().unwrap().to_owned();
        server.client.put(&url, &bytes, Some("video/mp4"), &[]).await;
        json!({"videoId": video})
    };
    let (first, second) = (create().await, create().await);
    server.action("markUploadComplete", first).await;
    let name = "videoActions:markUploadComplete";
    let refused = server.client.action(name, second.clone()).await.unwrap_err();
    assert_eq!(code(&refused), "quota_exceeded");
    assert_eq!(charged(&server), (0, limit.cast_signed()));
    let more = format!("UPDATE team_storage SET quota = {}", 2 * limit);
    server.open_database().execute(&more, []).unwrap();
    server.action("markUploadComplete", second).await;
    assert_eq!(charged(&server), (0, 2 * limit.cast_signed()), "nothing was sent again");
    server.stop().await;
}

#[tokio::test]
async fn a_quota_that_is_taken_away_is_no_limit() {
    let server = Server::start_with(|config| config.limits.team_quota = Some(0)).await;
    let args = json!({"projectId": server.credentials.project_id, "title": "t", "fileSize": 1});
    server.client.mutation("videos:create", args.clone()).await.unwrap_err();
    let data = server.stop().await;
    let server = Server::start_in(data, |_| {}).await;
    server.client.mutation("videos:create", args).await.unwrap();
    server.stop().await;
}

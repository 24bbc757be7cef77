//! A removed video leaves nothing: not in the storage, not in the media engine, not by a crash.

use std::time::Duration;

use serde_json::{Value, json};

use crate::fake_mux::FakeMux;
use crate::harness::{Server, clip, large_clip, text};
use crate::people::refusal;

/// Rows that say something is stored: objects, multipart uploads, assets.
fn stored(server: &Server) -> (u32, u32, u32) {
    let count = |database: &str, sql: &str| -> u32 {
        let path = server.data.path().join(database);
        let connection = rusqlite::Connection::open(path).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    (
        count("objects/index.db", "SELECT count(*) FROM objects"),
        count("objects/index.db", "SELECT count(*) FROM uploads"),
        count("media/media.db", "SELECT count(*) FROM assets"),
    )
}

async fn becomes(what: &str, condition: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "not yet: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn remove(server: &Server, video: &str) -> Result<Value, Value> {
    server.client.mutation("videos:remove", json!({"videoId": video})).await
}

#[tokio::test]
async fn nothing_is_left() {
    let server = Server::start().await;
    let ready = server.put_single("ready", &clip()).await;
    server.action("markUploadComplete", json!({"videoId": ready})).await;
    let session = {
        server.settled(&ready).await;
        server.action("getPlaybackSession", json!({"videoId": ready})).await
    };
    let original = server.action("getDownloadUrl", json!({"videoId": ready})).await;
    let size = 9 << 20;
    let open = server.create("open", size).await;
    let begun = server.initiate(&open, size).await.unwrap();
    let sign = json!({"videoId": open, "partNumbers": [1]});
    let part = text(&server.action("signUploadParts", sign).await["parts"][0]["url"]);
    let bytes = &large_clip(size)[..8 << 20];
    assert_eq!(server.client.put(&part, bytes, None, &[]).await.status(), 200);
    assert_eq!(begun["strategy"], "multipart");
    let link = json!({"videoId": ready});
    let token = server.client.mutation("shareLinks:create", link).await.unwrap()["token"].clone();
    assert_eq!(stored(&server), (1, 1, 1));

    let again =
        server.client.call("mutation", "videos:remove", json!({"videoId": ready}), Some("k"));
    let again = again.await.unwrap();
    assert_eq!(again, json!({"replacementVideoId": null}));
    let key = Some("k");
    let same =
        server.client.call("mutation", "videos:remove", json!({"videoId": ready}), key).await;
    assert_eq!(same.unwrap(), again, "a lost answer is had again");
    remove(&server, &open).await.unwrap();
    assert_eq!(refusal(remove(&server, &open).await), ("not_found".into(), "videoId".into()));
    becomes("nothing is stored", || stored(&server) == (0, 0, 0)).await;
    assert_eq!(server.client.status(&text(&session["url"])).await, 404);
    assert_eq!(server.client.status(&text(&original["url"])).await, 404);
    assert_eq!(server.client.put(&part, bytes, None, &[]).await.status(), 404);
    let link = server.client.query("shareLinks:getByToken", json!({"token": token})).await;
    assert_eq!(link.unwrap(), json!({"status": "missing"}));
    server.stop().await;
}

#[tokio::test]
async fn what_comes_late_is_found_later() {
    let server = Server::start().await;
    let video = server.create("t", 4).await;
    let url = server.action("getUploadUrl", json!({"videoId": video})).await;
    remove(&server, &video).await.unwrap();
    let emptied = || -> bool {
        let sql = "SELECT emptied FROM removals";
        server.open_database().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    becomes("a first look", emptied).await;
    // The address was signed before, and opens for an hour.
    let url = text(&url["uploadUrl"]);
    assert_eq!(server.client.put(&url, b"late", Some("video/mp4"), &[]).await.status(), 200);
    assert_eq!(stored(&server).0, 1);
    let day = "UPDATE removals SET removed_at = removed_at - 26 * 60 * 60 * 1000";
    server.open_database().execute(day, []).unwrap();
    let data = server.stop().await;
    let server = Server::start_in(data, |_| {}).await;
    becomes("nothing is stored", || stored(&server).0 == 0).await;
    let left = || -> u32 {
        let sql = "SELECT count(*) FROM removals";
        server.open_database().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    becomes("nothing is remembered", || left() == 0).await;
    server.stop().await;
}

#[tokio::test]
async fn a_media_engine_that_is_down_is_asked_again() {
    let mux = FakeMux::default();
    let server = Server::start_with(mux.start().await).await;
    let video = server.put_single("t", &clip()).await;
    server.action("markUploadComplete", json!({"videoId": video})).await;
    assert_eq!(mux.created(), 1);
    mux.set_down(true);
    remove(&server, &video).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(mux.deleted(), 0);
    let data = server.stop().await;
    mux.set_down(false);
    let server = Server::start_in(data, mux.start().await).await;
    becomes("the asset is deleted", || mux.deleted() == 1).await;
    server.stop().await;
}

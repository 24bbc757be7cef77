//! Background jobs, as time makes them due: rows are aged, limits are short, nothing is called.

use std::time::Duration;

use dailies_server::config::Config;
use serde_json::json;

use crate::chunked_sessions::{call, initialize, put_chunk};
use crate::harness::{Server, clip, large_clip, text};
use crate::quota::charged;

const DAY: i64 = 24 * 60 * 60 * 1000;
const MIB: usize = 1 << 20;

pub(crate) fn often(config: &mut Config) {
    config.limits.sweep_round = Duration::from_millis(50);
}

/// Makes the job due now, and waits until it ran.
pub(crate) async fn sweep(server: &Server, name: &str) {
    let database = server.open_database();
    let due = "UPDATE sweeps SET next_due = 0, last_run = NULL WHERE name = ?1";
    wait(|| database.execute(due, [name]).unwrap() == 1).await;
    let over = "SELECT last_run IS NOT NULL AND next_due > last_run + 600000 FROM sweeps
        WHERE name = ?1";
    wait(|| database.query_row(over, [name], |row| row.get::<_, bool>(0)).unwrap()).await;
    let error = "SELECT last_error FROM sweeps WHERE name = ?1";
    let error: Option<String> = database.query_row(error, [name], |row| row.get(0)).unwrap();
    assert_eq!(error, None);
}

async fn wait(mut done: impl FnMut() -> bool) {
    for _ in 0..400 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("not done in ten seconds");
}

pub(crate) fn age(server: &Server, video: &str, by: i64) {
    let sql = "UPDATE videos SET upload_updated_at = upload_updated_at - ?2 WHERE id = ?1";
    server.open_database().execute(sql, rusqlite::params![video, by]).unwrap();
}

#[tokio::test]
async fn an_idle_upload_is_given_up_and_one_that_goes_on_is_not() {
    let server = Server::start_with(often).await;
    let bytes = large_clip(8 * MIB + MIB);
    let idle = server.create("idle", bytes.len()).await;
    server.initiate(&idle, bytes.len()).await.unwrap();
    let sign = json!({"videoId": idle, "partNumbers": [1]});
    let signed = server.action("signUploadParts", sign).await;
    let part = text(&signed["parts"][0]["url"]);
    assert_eq!(server.client.put(&part, &bytes[..8 * MIB], None, &[]).await.status(), 200);
    let never = server.create("never begun", 5).await;
    let young = server.create("young", 5).await;
    let resumed = server.create("resumed", bytes.len()).await;
    server.initiate(&resumed, bytes.len()).await.unwrap();
    let signing = server.create("signing", bytes.len()).await;
    server.initiate(&signing, bytes.len()).await.unwrap();
    for video in [&idle, &never, &resumed, &signing] {
        age(&server, video, DAY + 1000);
    }
    age(&server, &young, DAY - 60_000);
    // Signs of life; a look at the video is none.
    server.initiate(&resumed, bytes.len()).await.unwrap();
    let sign = json!({"videoId": signing, "partNumbers": [1]});
    server.action("signUploadParts", sign).await;
    server.get(&idle).await;

    sweep(&server, "idle_uploads").await;
    for (video, status) in [
        (&idle, "failed"),
        (&never, "failed"),
        (&young, "uploading"),
        (&resumed, "uploading"),
        (&signing, "uploading"),
    ] {
        let row = server.get(video).await;
        assert_eq!(row["status"], status, "{row}");
        if status == "failed" {
            assert!(text(&row["uploadError"]).contains("24 hours"), "{row}");
            assert_eq!(row["s3Key"], json!(null));
        }
    }
    let put = server.client.put(&part, &bytes[..8 * MIB], None, &[]).await;
    assert_eq!(put.status(), 404, "its parts are gone");
    let left = i64::try_from(2 * bytes.len() + 5).unwrap();
    assert_eq!(charged(&server), (left, 0), "what it had reserved is free");
    let again = server.initiate(&idle, bytes.len()).await.unwrap();
    assert_eq!(again["uploadedParts"], json!([]), "it may begin anew");
    server.stop().await;
}

#[tokio::test]
async fn what_no_row_names_is_removed_from_the_bucket_once_it_is_old() {
    let change = |config: &mut Config| {
        often(config);
        config.limits.lost_after = Duration::from_hours(1);
    };
    let server = Server::start_with(change).await;
    let bytes = clip();
    let kept = server.put_single("kept", &bytes).await;
    let lost = server.put_single("lost", &bytes).await;
    let open = server.create("open", 9 * MIB).await;
    server.initiate(&open, 9 * MIB).await.unwrap();
    let sign = json!({"videoId": open, "partNumbers": [1]});
    let open_part = text(&server.action("signUploadParts", sign).await["parts"][0]["url"]);
    let forgotten = server.create("forgotten", 9 * MIB).await;
    server.initiate(&forgotten, 9 * MIB).await.unwrap();
    let sign = json!({"videoId": forgotten, "partNumbers": [1]});
    let lost_part = text(&server.action("signUploadParts", sign).await["parts"][0]["url"]);
    let get = |video: &str| {
        let args = json!({"videoId": video});
        server.client.action("videoActions:getOriginalPlaybackUrl", args)
    };
    server.action("markUploadComplete", json!({"videoId": kept})).await;
    server.action("markUploadComplete", json!({"videoId": lost})).await;
    let lost_url = text(&get(&lost).await.unwrap()["url"]);
    assert_eq!(server.client.status(&lost_url).await, 200);
    server.settled(&lost).await;
    server.settled(&kept).await;
    // What a crash between the storage and the row leaves.
    let remove = "DELETE FROM videos WHERE id IN (?1, ?2)";
    server.open_database().execute(remove, [&lost, &forgotten]).unwrap();

    sweep(&server, "lost_objects").await;
    sweep(&server, "lost_uploads").await;
    assert_eq!(server.client.status(&lost_url).await, 200, "too young: its row may yet come");
    let part = vec![7; 8 * MIB];
    assert_eq!(server.client.put(&lost_part, &part, None, &[]).await.status(), 200);

    let data = server.stop().await;
    let change = |config: &mut Config| {
        often(config);
        (config.listen, config.s3_listen) = (None, None);
        config.limits.lost_after = Duration::ZERO;
    };
    let server = Server::start_in(data, change).await;
    sweep(&server, "lost_objects").await;
    sweep(&server, "lost_uploads").await;
    assert_eq!(server.client.status(&lost_url).await, 404);
    assert_eq!(server.client.put(&lost_part, &part, None, &[]).await.status(), 404);
    assert_eq!(server.client.put(&open_part, &part, None, &[]).await.status(), 200);
    let original = server.action("getOriginalPlaybackUrl", json!({"videoId": kept})).await;
    assert_eq!(server.client.status(&text(&original["url"])).await, 200);
    server.stop().await;
}

#[tokio::test]
async fn a_session_ends_with_its_day_and_takes_its_chunks_with_it() {
    let server = Server::start_with(often).await;
    let bytes = large_clip(6 * MIB);
    let session = initialize(&server, bytes.len()).await;
    let id = session["id"].clone();
    let url = put_chunk(&server, &id, 0, &bytes).await;
    let database = server.open_database();
    let end = "UPDATE chunk_sessions SET expires_at = expires_at - 86400000";
    database.execute(end, []).unwrap();
    // Also before any job came by.
    let confirm = json!({"uploadSessionId": id, "chunkIndex": 0, "chunkSize": 5 * MIB});
    let (status, refused) = call(&server, "confirmChunkUpload", confirm.clone()).await;
    assert_eq!((status, &refused["data"]["code"]), (400, &json!("session_expired")));
    sweep(&server, "expired_rows").await;
    let (_, progress) = call(&server, "getUploadProgress", json!({"uploadSessionId": id})).await;
    assert_eq!((&progress["status"], &progress["isComplete"]), (&json!("failed"), &json!(false)));
    for (method, args) in [
        ("confirmChunkUpload", confirm),
        ("getChunkUploadUrl", json!({"uploadSessionId": id, "chunkIndex": 1})),
        ("completeVideoUpload", json!({"uploadSessionId": id})),
    ] {
        let (_, refused) = call(&server, method, args).await;
        assert_eq!(refused["data"]["code"], "session_expired", "{method}: {refused}");
    }
    let put = server.client.put(&url, &bytes[..5 * MIB], None, &[]).await;
    assert_eq!(put.status(), 404, "its chunks are gone");
    assert_eq!(charged(&server), (0, 0));
    let week = "UPDATE chunk_sessions SET expires_at = expires_at - 7 * 86400000";
    database.execute(week, []).unwrap();
    sweep(&server, "expired_rows").await;
    let (_, refused) = call(&server, "getUploadProgress", json!({"uploadSessionId": id})).await;
    assert_eq!(refused["data"]["code"], "session_not_found");
    server.stop().await;
}

#[tokio::test]
async fn a_start_neither_skips_a_job_nor_runs_what_is_not_due() {
    let server = Server::start_with(often).await;
    sweep(&server, "sums").await;
    let video = server.create("idle", 5).await;
    age(&server, &video, DAY + 1000);
    let database = server.open_database();
    let run = "SELECT last_run FROM sweeps WHERE name = ?1";
    let last: i64 = database.query_row(run, ["sums"], |row| row.get(0)).unwrap();
    drop(database);
    let data = server.stop().await;
    // Missed while nothing ran.
    let due = "UPDATE sweeps SET next_due = 1 WHERE name = 'idle_uploads'";
    rusqlite::Connection::open(data.path().join("team.db")).unwrap().execute(due, []).unwrap();
    let server = Server::start_in(data, often).await;
    let database = server.open_database();
    let ran = "SELECT last_run IS NOT NULL FROM sweeps WHERE name = 'idle_uploads'";
    wait(|| database.query_row(ran, [], |row| row.get::<_, bool>(0)).unwrap()).await;
    wait(|| {
        let status = "SELECT status = 'failed' FROM videos";
        database.query_row(status, [], |row| row.get::<_, bool>(0)).unwrap()
    })
    .await;
    let again: i64 = database.query_row(run, ["sums"], |row| row.get(0)).unwrap();
    assert_eq!(again, last, "it is due tomorrow");
    server.stop().await;
}

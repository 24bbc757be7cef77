//! Many at once at the very edge: never over, never two. `DAILIES_RACE_ROUNDS` says how often.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;

use crate::chunked_sessions::{call, initialize, put_chunk};
use crate::fake_mux::FakeMux;
use crate::harness::{Server, clip, noise};
use crate::quota::charged;

const AT_ONCE: usize = 100;
const SIZE: usize = 1000;

fn rounds(usual: usize) -> usize {
    std::env::var("DAILIES_RACE_ROUNDS").map_or(usual, |rounds| rounds.parse().unwrap())
}

fn wrong_sums(server: &Server) -> i64 {
    let check = "SELECT count(*) FROM team_storage t WHERE t.reserved <>
            (SELECT coalesce(sum(file_size), 0) FROM videos WHERE status = 'uploading')
        OR t.used <> (SELECT coalesce(sum(file_size), 0) FROM videos
            WHERE status <> 'uploading' AND original IS NOT NULL)";
    server.open_database().query_row(check, [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn registrations_at_the_quotas_edge() {
    let server = Arc::new(Server::start().await);
    for round in 0..rounds(20) {
        let room = 1 + round % (AT_ONCE - 1);
        // Not a whole number of videos: what is left over must not let one more in.
        let free = room * SIZE + round % SIZE;
        let set = "UPDATE team_storage SET quota = reserved + used + ?1";
        server.open_database().execute(set, [i64::try_from(free).unwrap()]).unwrap();
        let before = charged(&server).0;
        let mut calls = JoinSet::new();
        for number in 0..AT_ONCE {
            let server = Arc::clone(&server);
            calls.spawn(async move {
                let args = json!({
                    "projectId": server.credentials.project_id, "fileSize": SIZE,
                    "title": format!("{round}-{number}"), "contentType": "video/mp4",
                });
                server.client.mutation("videos:create", args).await
            });
        }
        let mut ids = HashSet::new();
        while let Some(answer) = calls.join_next().await {
            match answer.unwrap() {
                Ok(id) => assert!(ids.insert(id.to_string()), "one id twice"),
                Err(error) => assert_eq!(error["code"], "quota_exceeded", "{error}"),
            }
        }
        assert_eq!(ids.len(), room, "round {round}");
        let grown = charged(&server).0 - before;
        assert_eq!(grown, i64::try_from(room * SIZE).unwrap(), "round {round}");
        if round % 50 == 49 {
            // So that the table does not slow the later rounds down.
            server.open_database().execute("DELETE FROM videos", []).unwrap();
        }
    }
    assert_eq!(wrong_sums(&server), 0);
    Arc::into_inner(server).unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn confirms_of_one_chunk_and_of_all() {
    let server = Arc::new(Server::start().await);
    let bytes = noise((10 << 20) + 7);
    let session = initialize(&server, bytes.len()).await;
    let (id, total) = (session["id"].clone(), session["totalChunks"].as_u64().unwrap());
    for index in 0..total {
        put_chunk(&server, &id, index, &bytes).await;
    }
    for round in 0..rounds(10) {
        // The same chunks, each of them confirmed again and again at once.
        let mut calls = JoinSet::new();
        for number in 0..AT_ONCE {
            let (server, id) = (Arc::clone(&server), id.clone());
            calls.spawn(async move {
                let index = number as u64 % total;
                let size = if index + 1 == total { 7 } else { 5 << 20 };
                let args = json!({"uploadSessionId": id, "chunkIndex": index, "chunkSize": size});
                call(&server, "confirmChunkUpload", args).await
            });
        }
        let mut last = 0;
        while let Some(answer) = calls.join_next().await {
            let (status, progress) = answer.unwrap();
            assert_eq!(status, 200, "{progress}");
            let chunks = progress["uploadedChunks"].as_u64().unwrap();
            assert!(chunks <= total, "never over");
            assert_eq!(progress["isComplete"], chunks == total, "never early");
            last = last.max(chunks);
        }
        assert_eq!(last, total);
        let (_, progress) =
            call(&server, "getUploadProgress", json!({"uploadSessionId": id})).await;
        assert_eq!(progress["uploadedBytes"], bytes.len(), "round {round}: never lost");
        let forget = "DELETE FROM chunks;
            UPDATE chunk_sessions SET uploaded_chunks = 0, uploaded_bytes = 0, status = 'initialized'";
        server.open_database().execute_batch(forget).unwrap();
    }
    Arc::into_inner(server).unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn completes_of_one_upload() {
    let mux = FakeMux::default();
    let change = mux.start().await;
    let server = Arc::new(Server::start_with(change).await);
    let bytes = clip();
    for round in 0..rounds(5) {
        let before = mux.created();
        // Every other round a session's, every other one a video's of the team API.
        let (video, session) = if round % 2 == 0 {
            (server.put_single("t", &bytes).await, None)
        } else {
            let session = initialize(&server, bytes.len()).await;
            put_chunk(&server, &session["id"], 0, &bytes).await;
            let args = json!({
                "uploadSessionId": session["id"], "chunkIndex": 0, "chunkSize": bytes.len(),
            });
            assert_eq!(call(&server, "confirmChunkUpload", args).await.0, 200);
            (String::new(), Some(session["id"].clone()))
        };
        let mut calls = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (server, video, session) = (Arc::clone(&server), video.clone(), session.clone());
            calls.spawn(async move {
                match session {
                    Some(id) => {
                        let args = json!({"uploadSessionId": id});
                        let (status, file) = call(&server, "completeVideoUpload", args).await;
                        assert_eq!(status, 200, "{file}");
                        file["id"].clone()
                    }
                    None => server.action("markUploadComplete", json!({"videoId": video})).await,
                }
            });
        }
        let mut answers = HashSet::new();
        while let Some(answer) = calls.join_next().await {
            answers.insert(answer.unwrap().to_string());
        }
        assert_eq!(answers.len(), 1, "one answer for all: {answers:?}");
        assert_eq!(mux.created(), before + 1, "round {round}: one asset");
    }
    assert_eq!(wrong_sums(&server), 0);
    Arc::into_inner(server).unwrap().stop().await;
}

/// Grants of one link while, every other round, the link is taken back: each is somebody's own and
/// counted once, and none outlives its link.
#[tokio::test(flavor = "multi_thread")]
async fn grants_of_one_link() {
    let server = Arc::new(Server::start().await);
    let video = server.put_single("t", &clip()).await;
    let anyone = Arc::new(server.client_with(None));
    let count =
        |sql: &str| -> i64 { server.open_database().query_row(sql, [], |row| row.get(0)).unwrap() };
    for round in 0..rounds(10) {
        let made = server.client.mutation("shareLinks:create", json!({"videoId": video}));
        made.await.unwrap();
        let links = server.client.query("shareLinks:list", json!({"videoId": video})).await;
        let link = links.unwrap()[0].clone();
        let revoked = round % 2 == 1;
        let mut calls = JoinSet::new();
        for number in 0..AT_ONCE {
            let (server, anyone, link) = (Arc::clone(&server), Arc::clone(&anyone), link.clone());
            calls.spawn(async move {
                if revoked && number == AT_ONCE / 2 {
                    let args = json!({"linkId": link["_id"]});
                    server.client.mutation("shareLinks:remove", args).await.unwrap();
                    return None;
                }
                let args = json!({"token": link["token"]});
                let issued = anyone.mutation("shareLinks:issueAccessGrant", args).await.unwrap();
                issued["ok"].as_bool().unwrap().then(|| issued["grantToken"].to_string())
            });
        }
        let (mut grants, mut issued) = (HashSet::new(), 0);
        while let Some(grant) = calls.join_next().await {
            if let Some(grant) = grant.unwrap() {
                issued += 1;
                assert!(grants.insert(grant), "one grant for two");
            }
        }
        if revoked {
            assert_eq!(count("SELECT count(*) FROM access_grants"), 0, "round {round}");
            if let Some(grant) = grants.iter().next() {
                let args = json!({"grantToken": serde_json::from_str::<String>(grant).unwrap()});
                let seen = anyone.query("videos:getByShareGrant", args).await;
                assert!(seen.unwrap().is_null(), "round {round}: a grant without its link");
            }
        } else {
            assert_eq!(issued, AT_ONCE, "round {round}");
            assert_eq!(count("SELECT count(*) FROM access_grants"), 100, "round {round}");
            assert_eq!(count("SELECT view_count FROM share_links"), 100, "round {round}");
            let args = json!({"linkId": link["_id"]});
            server.client.mutation("shareLinks:remove", args).await.unwrap();
        }
    }
    Arc::into_inner(server).unwrap().stop().await;
}

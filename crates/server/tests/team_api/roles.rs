//! Every function × everyone who may call it.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::{Client, Server, clip, code};

const VIEWER: &str = "sk-viewer";
const MEMBER: &str = "sk-member";
const STRANGER: &str = "sk-stranger";

/// A viewer and a member of the first team, and the owner of another.
fn people(server: &Server) {
    let connection = server.open_database();
    connection
        .execute_batch(
            "INSERT INTO teams VALUES ('other', 'Other', 'other', 0);
             INSERT INTO projects VALUES ('theirs', 'other', NULL, 'Theirs', 0);
             INSERT INTO users (id, name, created_at) VALUES ('v', 'Vera', 0), ('m', 'Mia', 0), ('s', 'Sam', 0);
             INSERT INTO members VALUES ('other', 's', 'owner');",
        )
        .unwrap();
    let team = &server.credentials.team_id;
    let member = "INSERT INTO members VALUES (?1, ?2, ?3)";
    connection.execute(member, [team.as_str(), "v", "viewer"]).unwrap();
    connection.execute(member, [team.as_str(), "m", "member"]).unwrap();
    // A key says "owner", too, but nobody is more by a key than they are by themselves.
    for (key, user, team, role) in [
        (VIEWER, "v", team.as_str(), "owner"),
        (MEMBER, "m", team.as_str(), "member"),
        (STRANGER, "s", "other", "owner"),
    ] {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let insert = "INSERT INTO api_keys (id, hash, user_id, team_id, role, created_at)
                      VALUES (?1, ?2, ?3, ?4, ?5, 0)";
        connection.execute(insert, rusqlite::params![key, hash, user, team, role]).unwrap();
    }
}

/// Code of the refusal, or `-` where the function did what it should.
async fn outcome(client: &Client, kind: &str, name: &str, args: &Value) -> String {
    match client.call(kind, name, args.clone(), None).await {
        Ok(_) => "-".to_owned(),
        Err(error) => code(&error).to_owned(),
    }
}

#[tokio::test]
async fn roles_are_checked_in_the_videos_own_team_at_every_call() {
    let server = Server::start().await;
    people(&server);
    let project = server.credentials.project_id.clone();
    let ready = server.put_single("ready", &clip()).await;
    server.action("markUploadComplete", json!({"videoId": ready})).await;
    assert_eq!(server.settled(&ready).await["status"], "ready");
    let public_id = server.get(&ready).await["publicId"].clone();
    let size = 9 << 20;
    let open = server.create("open", size).await;
    server.initiate(&open, size).await.unwrap();

    let of = |video: &str| json!({"videoId": video});
    let initiate = json!({
        "videoId": open, "filename": "f.mp4", "fileSize": size, "contentType": "video/mp4",
    });
    let list = json!({"projectId": project, "paginationOpts": {"numItems": 9, "cursor": null}});
    let create = json!({"projectId": project, "title": "t"});
    let sign = json!({"videoId": open, "partNumbers": [1]});
    let parts = json!({"videoId": ready, "parts": []});
    // What the least who may call it get is `-`; the order is: nobody, viewer, member, stranger.
    let (none, low, strange) = ("unauthenticated", "forbidden", "not_found");
    let viewer = [none, "-", "-", strange];
    let member = [none, low, "-", strange];
    let matrix: [(&str, &str, Value, [&str; 4]); 18] = [
        ("query", "projects:listUploadTargets", json!({}), ["-", "-", "-", "-"]),
        ("query", "videos:get", of(&ready), viewer),
        ("query", "videos:list", list, viewer),
        ("mutation", "videos:create", create, member),
        ("action", "videoActions:getPlaybackUrl", of(&ready), viewer),
        ("action", "videoActions:getPlaybackSession", of(&ready), viewer),
        ("action", "videoActions:getDownloadUrl", of(&ready), viewer),
        ("action", "videoActions:checkMuxAssetStatus", of(&ready), viewer),
        ("action", "videoActions:getOriginalPlaybackUrl", of(&ready), member),
        (
            "action",
            "videoActions:getPublicPlaybackSession",
            json!({"publicId": public_id}),
            ["-", "-", "-", "-"],
        ),
        ("action", "videoActions:initiateVideoUpload", initiate, member),
        ("action", "videoActions:signUploadParts", sign, member),
        ("action", "videoActions:completeMultipartUpload", parts, member),
        ("action", "videoActions:markUploadComplete", of(&ready), member),
        // Last, since they change the upload that the others need; each works on what is left.
        ("action", "videoActions:getUploadUrl", of(&open), member),
        ("action", "videoActions:markUploadFailed", of(&open), member),
        ("action", "videoActions:abortVideoUpload", of(&open), member),
        ("query", "videos:get", of("no-such-video"), [none, strange, strange, strange]),
    ];
    let callers = [None, Some(VIEWER), Some(MEMBER), Some(STRANGER)];
    for (kind, name, args, expected) in matrix {
        // The stranger before those who may: a refusal must not lean on a changed state.
        for at in [0, 3, 1, 2] {
            let client = server.client_with(callers[at]);
            let found = outcome(&client, kind, name, &args).await;
            assert_eq!(found, expected[at], "{name} by {:?}", callers[at]);
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn upload_targets_are_the_callers_own() {
    let server = Server::start().await;
    people(&server);
    let targets = async |key: Option<&str>, args: Value| {
        let client = server.client_with(key);
        client.query("projects:listUploadTargets", args).await.unwrap()
    };
    assert_eq!(targets(None, json!({})).await, json!([]));
    assert_eq!(targets(Some(VIEWER), json!({})).await, json!([]));
    let theirs = targets(Some(STRANGER), json!({})).await;
    assert_eq!(theirs.as_array().unwrap().len(), 1);
    assert_eq!(theirs[0]["projectId"], "theirs");
    let mine = targets(Some(MEMBER), json!({"teamSlug": "my-team"})).await;
    assert_eq!(mine[0]["projectId"], server.credentials.project_id.as_str());
    assert_eq!((&mine[0]["role"], &mine[0]["projectPath"]), (&json!("member"), &json!("Dailies")));
    assert_eq!(targets(Some(MEMBER), json!({"teamSlug": "other"})).await, json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_key_ends_when_it_is_revoked_or_its_user_leaves() {
    let server = Server::start().await;
    people(&server);
    let video = server.create("t", 1).await;
    let member = server.client_with(Some(MEMBER));
    member.query("videos:get", json!({"videoId": video})).await.unwrap();
    let connection = server.open_database();
    connection.execute("DELETE FROM members WHERE user_id = 'm'", []).unwrap();
    let url = format!("{}/api/query", server.app.url());
    let status = async |key: &str| {
        let call = server.client.http.post(&url).bearer_auth(key).body("{}");
        call.send().await.unwrap().status().as_u16()
    };
    assert_eq!((status(MEMBER).await, status(VIEWER).await), (401, 400), "400: the key is good");
    connection.execute("UPDATE api_keys SET revoked_at = 1 WHERE id = ?1", [VIEWER]).unwrap();
    assert_eq!(status(VIEWER).await, 401);
    server.stop().await;
}

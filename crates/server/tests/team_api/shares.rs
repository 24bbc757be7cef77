//! Share links: what they open, to whom, and for how long.

use serde_json::{Value, json};

use crate::fake_mux::FakeMux;
use crate::harness::{Client, Server, clip, text};
use crate::people::{People, refusal};

async fn share(server: &Server, video: &str, more: Value) -> String {
    let mut args = json!({"videoId": video});
    for (name, value) in more.as_object().unwrap() {
        args[name] = value.clone();
    }
    text(&server.client.mutation("shareLinks:create", args).await.unwrap()["token"])
}

async fn link(server: &Server, video: &str) -> Value {
    let links = server.client.query("shareLinks:list", json!({"videoId": video})).await.unwrap();
    links.as_array().unwrap().last().unwrap().clone()
}

async fn issue(anyone: &Client, token: &str, password: Option<&str>) -> Value {
    let mut args = json!({"token": token});
    if let Some(password) = password {
        args["password"] = password.into();
    }
    anyone.mutation("shareLinks:issueAccessGrant", args).await.unwrap()
}

async fn status(anyone: &Client, token: &str) -> Value {
    let state = anyone.query("shareLinks:getByToken", json!({"token": token})).await.unwrap();
    state["status"].clone()
}

fn refused(reason: &str) -> Value {
    json!({"ok": false, "grantToken": null, "reason": reason})
}

async fn ready(server: &Server, title: &str) -> String {
    let video = server.put_single(title, &clip()).await;
    server.action("markUploadComplete", json!({"videoId": video})).await;
    assert_eq!(server.settled(&video).await["status"], "ready");
    video
}

#[tokio::test]
async fn a_link_opens_its_version_for_a_day() {
    let server = Server::start().await;
    let anyone = server.client_with(None);
    let video = ready(&server, "v1").await;
    let private = json!({"videoId": video, "visibility": "private"});
    server.client.mutation("videos:setVisibility", private).await.unwrap();
    let version = json!({"sourceVideoId": video, "title": "v2"});
    server.client.mutation("videos:createVersion", version).await.unwrap();
    let token = share(&server, &video, json!({})).await;
    assert_eq!(status(&anyone, &token).await, "ok");
    let issued = issue(&anyone, &token, None).await;
    assert_eq!(issued["ok"], true);
    let grant = json!({"grantToken": issued["grantToken"]});
    let seen = anyone.query("videos:getByShareGrant", grant.clone()).await.unwrap();
    assert_eq!((&seen["video"]["title"], &seen["allowDownload"]), (&"v1".into(), &false.into()));
    assert!(seen["video"].get("s3Key").is_none());
    let session = anyone.action("videoActions:getSharedPlaybackSession", grant.clone()).await;
    let session = session.unwrap();
    assert_eq!(anyone.status(&text(&session["url"])).await, 200);
    assert!(session["playbackId"].is_string() && session["token"].is_string());
    let row = link(&server, &video).await;
    assert_eq!((&row["viewCount"], &row["hasPassword"]), (&1.into(), &false.into()));

    // Not for downloading, in any of the three ways; nor for another video.
    for (name, args) in [
        ("getSharedDownloadUrl", grant.clone()),
        ("getDownloadUrl", json!({"videoId": video, "grantToken": grant["grantToken"]})),
        ("getOriginalPlaybackUrl", json!({"videoId": video, "grantToken": grant["grantToken"]})),
    ] {
        let name = format!("videoActions:{name}");
        assert_eq!(refusal(anyone.action(&name, args).await).0, "forbidden", "{name}");
    }
    let allow = json!({"linkId": row["_id"], "allowDownload": true});
    server.client.mutation("shareLinks:update", allow).await.unwrap();
    let download = anyone.action("videoActions:getSharedDownloadUrl", grant.clone()).await.unwrap();
    assert_eq!(download["filename"], "v1.mp4");
    assert_eq!(anyone.status(&text(&download["url"])).await, 200);
    let args = json!({"videoId": video, "grantToken": grant["grantToken"]});
    let download = anyone.action("videoActions:getDownloadUrl", args).await.unwrap();
    assert_eq!(anyone.status(&text(&download["url"])).await, 200);
    let args = json!({"videoId": "another", "grantToken": grant["grantToken"]});
    let other = anyone.action("videoActions:getDownloadUrl", args).await;
    assert_eq!(refusal(other), ("not_found".into(), "videoId".into()));

    server.open_database().execute("UPDATE access_grants SET expires_at = 1", []).unwrap();
    let ended = anyone.action("videoActions:getSharedPlaybackSession", grant.clone()).await;
    assert_eq!(ended.unwrap(), Value::Null);
    let ended = anyone.action("videoActions:getSharedDownloadUrl", grant).await;
    assert_eq!(refusal(ended), ("not_found".into(), "grantToken".into()));
    server.stop().await;
}

#[tokio::test]
async fn a_revoked_or_expired_link_and_its_grants_end_at_once() {
    let server = Server::start().await;
    let anyone = server.client_with(None);
    let video = ready(&server, "t").await;
    for revoked in [true, false] {
        let token = share(&server, &video, json!({"expiresInDays": 1.0})).await;
        let row = link(&server, &video).await;
        let hours = (row["expiresAt"].as_f64().unwrap() - row["_creationTime"].as_f64().unwrap())
            / 3_600_000.0;
        assert!((hours - 24.0).abs() < 0.1, "{hours}");
        let issued = issue(&anyone, &token, None).await;
        let grant = json!({"grantToken": issued["grantToken"]});
        let left = if revoked {
            let args = json!({"linkId": row["_id"]});
            server.client.mutation("shareLinks:remove", args).await.unwrap();
            "missing"
        } else {
            server.open_database().execute("UPDATE share_links SET expires_at = 1", []).unwrap();
            assert_eq!(link(&server, &video).await["isExpired"], true);
            "expired"
        };
        assert_eq!(status(&anyone, &token).await, left);
        assert_eq!(issue(&anyone, &token, None).await, refused("noLink"));
        let session = anyone.action("videoActions:getSharedPlaybackSession", grant.clone()).await;
        assert_eq!(session.unwrap(), Value::Null);
        let seen = anyone.query("videos:getByShareGrant", grant.clone()).await;
        assert_eq!(seen.unwrap(), Value::Null);
        let download = anyone.action("videoActions:getSharedDownloadUrl", grant).await;
        assert_eq!(refusal(download).0, "not_found");
    }
    assert_eq!(issue(&anyone, "never-was", Some("x")).await, refused("noLink"));
    server.stop().await;
}

#[tokio::test]
async fn five_wrong_passwords_lock_a_link() {
    let server = Server::start().await;
    let anyone = server.client_with(None);
    let video = server.create("t", 1).await;
    let token = share(&server, &video, json!({"password": "open sesame"})).await;
    assert_eq!(status(&anyone, &token).await, "requiresPassword");
    // None at all is no guess.
    for _ in 0..6 {
        assert_eq!(issue(&anyone, &token, None).await, refused("wrongPassword"));
    }
    for _ in 0..4 {
        assert_eq!(issue(&anyone, &token, Some("x")).await, refused("wrongPassword"));
    }
    assert_eq!(issue(&anyone, &token, Some("open sesame")).await["ok"], true);
    for _ in 0..4 {
        assert_eq!(issue(&anyone, &token, Some("x")).await, refused("wrongPassword"));
    }
    let fifth = issue(&anyone, &token, Some("x")).await;
    assert_eq!(fifth["reason"], "locked");
    assert!((840_000..=900_000).contains(&fifth["retryAfter"].as_u64().unwrap()), "{fifth}");
    assert_eq!(issue(&anyone, &token, Some("open sesame")).await["reason"], "locked");
    server.open_database().execute("UPDATE share_links SET locked_until = 1", []).unwrap();
    assert_eq!(issue(&anyone, &token, Some("open sesame")).await["ok"], true);

    // The owner's way out, which ends what the old password had opened.
    let row = link(&server, &video).await;
    assert_eq!(row["hasPassword"], true);
    let issued = issue(&anyone, &token, Some("open sesame")).await;
    let grant = json!({"grantToken": issued["grantToken"]});
    assert!(!anyone.query("videos:getByShareGrant", grant.clone()).await.unwrap().is_null());
    let change = json!({"linkId": row["_id"], "password": "new"});
    server.client.mutation("shareLinks:update", change).await.unwrap();
    assert!(anyone.query("videos:getByShareGrant", grant).await.unwrap().is_null());
    assert_eq!(issue(&anyone, &token, Some("open sesame")).await, refused("wrongPassword"));
    assert_eq!(issue(&anyone, &token, Some("new")).await["ok"], true);
    let none = json!({"linkId": row["_id"], "password": null, "expiresInDays": null});
    server.client.mutation("shareLinks:update", none).await.unwrap();
    assert_eq!(issue(&anyone, &token, None).await["ok"], true);
    server.stop().await;
}

/// However many ask at once, no more than five wrong passwords are looked at before the lock.
#[tokio::test]
async fn guesses_at_once_never_pass_the_lock_out() {
    let server = Server::start().await;
    let video = server.create("t", 1).await;
    for right_among_them in [false, true] {
        let token = share(&server, &video, json!({"password": "right"})).await;
        let mut tasks = tokio::task::JoinSet::new();
        for at in 0..100 {
            let (anyone, token) = (server.client_with(None), token.clone());
            // The right one comes late: by then the link is locked.
            let password = if right_among_them && at >= 50 { "right" } else { "wrong" };
            tasks.spawn(async move { issue(&anyone, &token, Some(password)).await });
        }
        let (mut wrong, mut locked, mut opened) = (0, 0, 0);
        while let Some(answer) = tasks.join_next().await {
            let answer = answer.unwrap();
            match answer["reason"].as_str() {
                None if answer["ok"] == true => opened += 1,
                Some("wrongPassword") => wrong += 1,
                Some("locked") => locked += 1,
                _ => panic!("{answer}"),
            }
        }
        assert_eq!(wrong + locked + opened, 100);
        let looked_at = wrong - 4 * opened;
        assert!(looked_at <= 4, "{wrong} wrong, {locked} locked, {opened} opened");
        if !right_among_them {
            assert_eq!((wrong, locked), (4, 96), "the fifth says that it locked");
        }
    }
    let all_right = share(&server, &video, json!({"password": "right"})).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (anyone, token) = (server.client_with(None), all_right.clone());
        tasks.spawn(async move { issue(&anyone, &token, Some("right")).await });
    }
    let mut grants = std::collections::HashSet::new();
    while let Some(answer) = tasks.join_next().await {
        grants.insert(text(&answer.unwrap()["grantToken"]));
    }
    assert_eq!(grants.len(), 100, "each its own");
    assert_eq!(link(&server, &video).await["viewCount"], 100);
    server.stop().await;
}

#[tokio::test]
async fn a_revoke_at_the_same_time_leaves_no_grant() {
    let server = Server::start().await;
    let video = server.create("t", 1).await;
    for round in 0..20 {
        let token = share(&server, &video, json!({})).await;
        let id = link(&server, &video).await["_id"].clone();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..5 {
            let (anyone, token) = (server.client_with(None), token.clone());
            tasks.spawn(async move { issue(&anyone, &token, None).await });
        }
        server.client.mutation("shareLinks:remove", json!({"linkId": id})).await.unwrap();
        while tasks.join_next().await.is_some() {}
        let sql = "SELECT count(*) FROM access_grants";
        let left: u32 = server.open_database().query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "round {round}");
    }
    server.stop().await;
}

/// The original is there before anything can be played, for whoever has a grant.
#[tokio::test]
async fn a_shared_video_in_work_plays_from_its_original() {
    let mux = FakeMux::default();
    let server = Server::start_with(mux.start().await).await;
    let anyone = server.client_with(None);
    let video = server.put_single("t", &clip()).await;
    let token = share(&server, &video, json!({})).await;
    let grant = issue(&anyone, &token, None).await["grantToken"].clone();
    let original = json!({"videoId": video, "grantToken": grant});
    let early = anyone.action("videoActions:getOriginalPlaybackUrl", original.clone()).await;
    assert_eq!(refusal(early).0, "not_ready");
    server.action("markUploadComplete", json!({"videoId": video})).await;
    let seen = anyone.query("videos:getByShareGrant", json!({"grantToken": grant})).await.unwrap();
    assert_eq!(seen["video"]["status"], "processing");
    let session = json!({"grantToken": grant});
    let session = anyone.action("videoActions:getSharedPlaybackSession", session).await.unwrap();
    assert_eq!(session, Value::Null);
    let original = anyone.action("videoActions:getOriginalPlaybackUrl", original).await.unwrap();
    assert_eq!(anyone.status(&text(&original["url"])).await, 200);
    server.stop().await;
}

#[tokio::test]
async fn wrong_arguments_are_named_and_secrets_are_not_kept() {
    let server = Server::start().await;
    let people = People::come(&server);
    let video = server.create("t", 1).await;
    for (field, more) in [
        ("expiresInDays", json!({"expiresInDays": -1})),
        ("expiresInDays", json!({"expiresInDays": 1.5})),
        ("expiresInDays", json!({"expiresInDays": 1e6})),
        ("allowDownload", json!({"allowDownload": "yes"})),
        ("password", json!({"password": 7})),
        ("password", json!({"password": "x".repeat(257)})),
        ("colour", json!({"colour": "red"})),
    ] {
        let mut args = more.clone();
        args["videoId"] = video.clone().into();
        let refused = people.client("member").mutation("shareLinks:create", args).await;
        assert_eq!(refusal(refused), ("invalid_argument".into(), field.into()), "{more}");
    }
    let unknown = json!({"linkId": "x", "password": "y"});
    let unknown = people.client("member").mutation("shareLinks:update", unknown).await;
    assert_eq!(refusal(unknown), ("not_found".into(), "linkId".into()));

    let args = json!({"videoId": video, "password": "marker-of-a-password"});
    let create = async |args: &Value| {
        server.client.call("mutation", "shareLinks:create", args.clone(), Some("key")).await
    };
    let first = create(&args).await.unwrap();
    assert_eq!(create(&args).await.unwrap(), first, "one call makes one link");
    let links = server.client.query("shareLinks:list", json!({"videoId": video})).await.unwrap();
    assert_eq!(links.as_array().unwrap().len(), 1);
    let token = text(&first["token"]);
    let ask = json!({"token": token, "password": "marker-of-a-password"});
    let key = Some("another");
    let issue = server.client.call("mutation", "shareLinks:issueAccessGrant", ask.clone(), key);
    let grant = text(&issue.await.unwrap()["grantToken"]);
    let invite = json!({
        "teamId": server.credentials.team_id, "email": "a@b.example", "role": "viewer",
    });
    let invite = server.client.call("mutation", "teams:inviteMember", invite, Some("third")).await;
    let invitation = text(&invite.unwrap());
    let connection = server.open_database();
    let kept: String = connection
        .query_row("SELECT group_concat(coalesce(answer, '')) FROM idempotency", [], |r| r.get(0))
        .unwrap();
    for secret in [&token, &grant, &invitation] {
        assert!(!kept.contains(secret.as_str()), "{kept}");
    }
    drop(connection);
    let data = server.stop().await;
    for file in ["team.db", "team.db-wal"] {
        let bytes = std::fs::read(data.path().join(file)).unwrap_or_default();
        for secret in ["marker-of-a-password", &grant, &invitation] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{file} holds a secret");
        }
    }
}

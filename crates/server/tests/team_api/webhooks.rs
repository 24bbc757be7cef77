//! Webhooks in, lost, doubled, late, out of order; and what is asked where none comes.

use serde_json::{Value, json};

use crate::fake_mux::{FakeMux, SECRET, deliver, deliver_signed, signature};
use crate::harness::{Server, clip, code, text};

async fn mark(server: &Server, video: &str) -> Result<Value, Value> {
    server.client.action("videoActions:markUploadComplete", json!({"videoId": video})).await
}

/// A server whose media engine works on one video.
async fn in_work(mux: &FakeMux) -> (Server, String) {
    let server = Server::start_with(mux.start().await).await;
    let video = server.put_single("clip", &clip()).await;
    assert_eq!(mark(&server, &video).await.unwrap()["success"], true);
    assert_eq!(server.get(&video).await["status"], "processing");
    (server, video)
}

#[tokio::test]
async fn ready_is_never_undone() {
    let mux = FakeMux::default();
    let (server, video) = in_work(&mux).await;
    let ready = mux.last("ready");
    assert_eq!(ready["passthrough"], video.as_str());
    for _ in 0..2 {
        assert_eq!(deliver(&server, "e1", "video.asset.ready", &ready).await, 200);
        let row = server.get(&video).await;
        assert_eq!((&row["status"], &row["duration"]), (&json!("ready"), &json!(2.5)));
        assert_eq!(row["muxPlaybackId"], "playback-1");
    }
    assert_eq!(deliver(&server, "e0", "video.asset.created", &mux.last("preparing")).await, 200);
    assert_eq!(deliver(&server, "e2", "video.asset.errored", &mux.last("errored")).await, 200);
    assert_eq!(server.get(&video).await["status"], "ready");
    let session = server.action("getPlaybackSession", json!({"videoId": video})).await;
    assert!(text(&session["url"]).starts_with("https://stream.test/playback-1.m3u8?token=ey"));
    assert!(
        text(&session["posterUrl"]).starts_with("https://image.test/playback-1/thumbnail.jpg?")
    );
    server.stop().await;
}

#[tokio::test]
async fn a_failed_asset_fails_the_video_until_it_is_tried_again() {
    let mux = FakeMux::default();
    let (server, video) = in_work(&mux).await;
    let (errored, late) = (mux.last("errored"), mux.last("ready"));
    assert_eq!(deliver(&server, "e1", "video.asset.errored", &errored).await, 200);
    let row = server.get(&video).await;
    assert_eq!((&row["status"], &row["uploadError"]), (&json!("failed"), &json!("no moov atom")));

    mark(&server, &video).await.unwrap();
    assert_eq!(mux.created(), 2);
    assert_eq!(deliver(&server, "e2", "video.asset.errored", &errored).await, 200);
    assert_eq!(deliver(&server, "e3", "video.asset.ready", &late).await, 200);
    assert_eq!(server.get(&video).await["status"], "processing", "events of the first attempt");
    // Without a passthrough, the asset's id finds the video.
    let mut ready = mux.last("ready");
    ready.as_object_mut().unwrap().remove("passthrough");
    assert_eq!(deliver(&server, "e4", "video.asset.ready", &ready).await, 200);
    assert_eq!(server.get(&video).await["muxPlaybackId"], "playback-2");
    server.stop().await;
}

#[tokio::test]
async fn only_signed_and_recent_events_are_taken() {
    let mux = FakeMux::default();
    let (server, video) = in_work(&mux).await;
    let event = json!({
        "type": "video.asset.ready", "id": "e", "created_at": "", "data": mux.last("ready"),
    });
    let body = event.to_string();
    for bad in [
        signature("whsec-other", 0, &body),
        signature(SECRET, 301, &body),
        signature(SECRET, -302, &body),
        signature(SECRET, 0, "{}"),
        "t=1,v1=00".to_owned(),
        String::new(),
    ] {
        assert_eq!(deliver_signed(&server, &body, &bad).await, 401, "{bad}");
    }
    assert_eq!(server.get(&video).await["status"], "processing");
    let rotated = signature("whsec-old", 299, &body);
    assert_eq!(deliver_signed(&server, &body, &rotated).await, 200);
    assert_eq!(server.get(&video).await["status"], "ready");

    for other in ["video.live_stream.active", "video.upload.asset_created", "unheard.of"] {
        assert_eq!(deliver(&server, "x", other, &json!({"id": "u"})).await, 200);
    }
    let stranger = json!({"id": "a", "status": "ready", "created_at": "", "passthrough": "nobody"});
    assert_eq!(deliver(&server, "y", "video.asset.ready", &stranger).await, 200);
    let nonsense = "not json";
    assert_eq!(deliver_signed(&server, nonsense, &signature(SECRET, 0, nonsense)).await, 400);
    server.stop().await;
}

#[tokio::test]
async fn a_media_engine_that_is_down_costs_no_upload() {
    let mux = FakeMux::default();
    let server = Server::start_with(mux.start().await).await;
    let video = server.put_single("clip", &clip()).await;
    mux.set_down(true);
    assert_eq!(code(&mark(&server, &video).await.unwrap_err()), "media_unavailable");
    let row = server.get(&video).await;
    assert_eq!(row["status"], "failed");
    assert!(row["s3Key"].is_string());
    mux.set_down(false);
    mark(&server, &video).await.unwrap();
    assert_eq!(server.get(&video).await["status"], "processing");
    server.stop().await;
}

#[tokio::test]
async fn a_start_asks_about_what_a_lost_webhook_left() {
    let mux = FakeMux::default();
    let configure = mux.start().await;
    let configure_again = mux.start().await;
    let server = Server::start_with(configure).await;
    let lost = server.put_single("lost webhook", &clip()).await;
    mark(&server, &lost).await.unwrap();
    let asked = server.put_single("asked", &clip()).await;
    mark(&server, &asked).await.unwrap();
    let check = |video: &str| {
        let args = json!({"videoId": video});
        let client = server.client.clone();
        async move { client.action("videoActions:checkMuxAssetStatus", args).await.unwrap() }
    };
    assert_eq!(check(&asked).await, json!({"status": "preparing"}));
    mux.say("ready");
    assert_eq!(check(&asked).await, json!({"status": "ready"}));
    assert_eq!(check(&asked).await, json!({"status": "skipped"}));

    // As a crash leaves it between the commit and the asset's creation.
    let interrupted = server.put_single("interrupted", &clip()).await;
    server
        .open_database()
        .execute("UPDATE videos SET status = 'processing' WHERE id = ?1", [&interrupted])
        .unwrap();
    assert_eq!(mux.created(), 2);
    let data = server.stop().await;
    let server = Server::start_in(data, configure_again).await;
    assert_eq!(server.settled(&lost).await["status"], "ready");
    for _ in 0..100 {
        if mux.created() == 3 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(mux.last("preparing")["passthrough"], interrupted.as_str());
    server.stop().await;
}

#[tokio::test]
async fn an_asset_whose_name_was_lost_is_taken_over() {
    let mux = FakeMux::default();
    let configure = mux.start().await;
    let configure_again = mux.start().await;
    let server = Server::start_with(configure).await;
    // With the answer: the video waits for somebody to try again.
    let answer = server.put_single("lost answer", &clip()).await;
    mux.swallow_next();
    assert_eq!(code(&mark(&server, &answer).await.unwrap_err()), "media_unavailable");
    mark(&server, &answer).await.unwrap();
    assert_eq!((mux.created(), &server.get(&answer).await["status"]), (1, &json!("processing")));

    // With the process, between the answer and the note of it.
    let process = server.put_single("lost process", &clip()).await;
    mark(&server, &process).await.unwrap();
    let forgotten = "UPDATE videos SET mux_asset_id = NULL WHERE id = ?1";
    assert_eq!(server.open_database().execute(forgotten, [&process]).unwrap(), 1);
    mux.say("ready");
    let data = server.stop().await;
    let server = Server::start_in(data, configure_again).await;
    assert_eq!(server.settled(&process).await["muxPlaybackId"], "playback-2");
    assert_eq!(server.settled(&answer).await["muxPlaybackId"], "playback-1");
    assert_eq!(mux.created(), 2);

    // But not one that is made of another file, nor one of which nothing came.
    let again = server.put_single("errored", &clip()).await;
    mark(&server, &again).await.unwrap();
    let errored = mux.last("errored");
    mux.say("errored");
    assert_eq!(deliver(&server, "e1", "video.asset.errored", &errored).await, 200);
    mark(&server, &again).await.unwrap();
    assert_eq!((mux.created(), &server.get(&again).await["status"]), (4, &json!("processing")));
    server.stop().await;
}

/// An event, as [`deliver`] takes it.
type Event = (String, &'static str, Value);

fn upload_event(kind: &'static str, video: &str, asset: Option<&Value>, number: usize) -> Event {
    let data = json!({
        "id": format!("upload-{number}"), "status": "asset_created", "timeout": 3600,
        "asset_id": asset.map(|asset| &asset["id"]),
        "new_asset_settings": {"passthrough": video, "playback_policies": ["signed"]},
        "error": if kind.ends_with("errored") { json!({"type": "x", "message": "no bytes"}) } else { Value::Null },
    });
    (format!("{kind}-{number}"), kind, data)
}

/// A small generator (SplitMix64), so that a failure can be had again by its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % limit as u64).unwrap()
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.below(last + 1));
        }
    }
}

#[tokio::test]
async fn in_whatever_order_events_come_ready_is_the_end() {
    let mux = FakeMux::default();
    let server = Server::start_with(mux.start().await).await;
    for seed in 0..24 {
        let mut random = Random(seed);
        let video = server.put_single("clip", &clip()).await;
        mark(&server, &video).await.unwrap();
        let old: Vec<Event> = [
            ("video.asset.created", mux.last("preparing")),
            ("video.asset.errored", mux.last("errored")),
            ("video.asset.ready", mux.last("ready")),
        ]
        .map(|(kind, asset)| (format!("{seed}-old-{kind}"), kind, asset))
        .into();
        // It failed and was tried again: what comes of the first asset from now on is late.
        let (id, kind, errored) = &old[1];
        assert_eq!(deliver(&server, id, kind, errored).await, 200);
        mark(&server, &video).await.unwrap();
        let ready = mux.last("ready");
        let playback = ready["playback_ids"][0]["id"].clone();
        let upload =
            upload_event("video.upload.asset_created", &video, Some(&ready), seed as usize);
        let mut events: Vec<Event> = [
            ("video.asset.created", mux.last("preparing")),
            ("video.asset.errored", mux.last("errored")),
            ("video.asset.ready", ready),
        ]
        .map(|(kind, asset)| (format!("{seed}-new-{kind}"), kind, asset))
        .into();
        events.extend(old);
        events.push((format!("{seed}-{}", upload.0), upload.1, upload.2));
        events.push((
            format!("{seed}-cancelled"),
            "video.upload.cancelled",
            json!({
                "id": "u", "status": "cancelled", "timeout": 60,
                "new_asset_settings": {"passthrough": video},
            }),
        ));
        // Each of them twice, some delivered again under another id.
        for index in 0..events.len() {
            let (id, kind, data) = events[index].clone();
            let id = if random.below(2) == 0 { id } else { format!("{id}-again") };
            events.push((id, kind, data));
        }
        random.shuffle(&mut events);
        let mut was_ready = false;
        for (id, kind, data) in &events {
            assert_eq!(deliver(&server, id, kind, data).await, 200, "seed {seed}: {kind}");
            let row = server.get(&video).await;
            let is_ready = row["status"] == "ready";
            assert!(is_ready || !was_ready, "seed {seed}: {id} undid ready");
            if is_ready {
                assert_eq!(row["muxPlaybackId"], playback, "seed {seed}: {id}");
            }
            was_ready |= is_ready;
        }
        assert!(was_ready, "seed {seed}");
    }
    server.stop().await;
}

#[tokio::test]
async fn late_news_of_the_asset_before_do_not_become_this_one() {
    let mux = FakeMux::default();
    let (server, video) = in_work(&mux).await;
    let (created, errored) = (mux.last("preparing"), mux.last("errored"));
    assert_eq!(deliver(&server, "e1", "video.asset.errored", &errored).await, 200);
    mark(&server, &video).await.unwrap();
    // As between the commit and the note of the new asset.
    let database = server.open_database();
    let forgotten = "UPDATE videos SET mux_asset_id = NULL WHERE id = ?1";
    database.execute(forgotten, [&video]).unwrap();
    assert_eq!(deliver(&server, "e2", "video.asset.created", &created).await, 200);
    let (id, kind, data) = upload_event("video.upload.asset_created", &video, Some(&created), 1);
    assert_eq!(deliver(&server, &id, kind, &data).await, 200);
    let asset = "SELECT mux_asset_id FROM videos WHERE id = ?1";
    let asset: Option<String> = database.query_row(asset, [&video], |row| row.get(0)).unwrap();
    assert_eq!(asset, None);
    assert_eq!(deliver(&server, "e3", "video.asset.ready", &mux.last("ready")).await, 200);
    assert_eq!(server.get(&video).await["muxPlaybackId"], "playback-2");
    server.stop().await;
}

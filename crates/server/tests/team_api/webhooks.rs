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

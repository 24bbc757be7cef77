//! Events reach their receiver.

use std::sync::Arc;

use aws_lc_rs::hmac;
use http::HeaderMap;

use super::clips;
use super::stand::{Stand, WEBHOOK_SECRET, seconds};

#[tokio::test(flavor = "multi_thread")]
async fn events_come_signed_and_in_order_after_refusals() {
    let stand = Stand::start().await;
    stand.receiver.refuse(2);
    let asset = stand.ready(&clips::h264_silent(stand.folder.path())).await;
    let events = stand.receiver.events(2).await;
    assert_eq!(stand.receiver.refused(), 2);
    let kinds: Vec<_> = events.iter().map(|(.., event)| event.kind.as_str()).collect();
    assert_eq!(kinds, ["video.asset.created", "video.asset.ready"]);
    for (headers, body, event) in &events {
        assert!(signature_is_valid(headers, body), "{}", event.kind);
        assert_eq!(event.data["id"], asset.id);
        assert_eq!(event.data["passthrough"], "video-1");
        assert_eq!(event.data["playback_ids"][0]["id"], asset.playback_ids[0].id);
        assert!(!String::from_utf8_lossy(body).contains("5ec2e7"), "no address of an original");
    }
    assert_eq!(events[0].2.data["status"], "preparing");
    assert_eq!(events[1].2.data["status"], "ready");
    assert_eq!(events[1].2.data["duration"].as_f64(), asset.duration);
    assert_ne!(events[0].2.id, events[1].2.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_survive_a_restart() {
    let mut stand = Stand::start().await;
    stand.receiver.refuse(u32::MAX);
    stand.ready(&clips::h264_silent(stand.folder.path())).await;
    stand.restart().await;
    stand.receiver.refuse(0);
    let events = stand.receiver.events(2).await;
    assert_eq!(events[1].2.kind, "video.asset.ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_a_refusal_and_an_endless_answer_is_not_read() {
    use axum::body::Body;
    use axum::response::{IntoResponse as _, Redirect};
    use axum::routing::post;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let (asked, led_away) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (asking, leading) = (Arc::clone(&asked), Arc::clone(&led_away));
    let receiver = axum::Router::new()
        .route(
            "/hook",
            post(async move || {
                if asking.fetch_add(1, Ordering::SeqCst) == 0 {
                    return Redirect::temporary("/elsewhere").into_response();
                }
                let endless = futures_util::stream::repeat_with(|| {
                    Ok::<_, std::io::Error>(vec![b' '; 1 << 16])
                });
                Body::from_stream(endless).into_response()
            }),
        )
        .route(
            "/elsewhere",
            post(async move || {
                leading.fetch_add(1, Ordering::SeqCst);
            }),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, receiver).await.unwrap() });

    let mut stand = Stand::start().await;
    stand.restart_with(|config| config.webhook.url = url).await;
    stand.ask(&stand.input("gone.mp4"), "signed").await;
    let path = stand.folder.path().join("media.db");
    let delivered = async {
        // `created` after a redirect, and `errored` behind it.
        while asked.load(Ordering::SeqCst) < 3 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let database = rusqlite::Connection::open(&path).unwrap();
        let left = || {
            database.query_row("SELECT count(*) FROM deliveries", [], |row| row.get::<_, i64>(0))
        };
        while left().unwrap() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(super::stand::PATIENCE, delivered).await.expect("an endless answer ends");
    assert_eq!((asked.load(Ordering::SeqCst), led_away.load(Ordering::SeqCst)), (3, 0));
    serving.abort();
}

/// As <https://docs.mux.com/core/verify-webhook-signatures> has it.
fn signature_is_valid(headers: &HeaderMap, body: &[u8]) -> bool {
    let header = headers["mux-signature"].to_str().unwrap();
    let (time, signature) = header.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    assert!(seconds().abs_diff(time.parse().unwrap()) < 60);
    let key = hmac::Key::new(hmac::HMAC_SHA256, WEBHOOK_SECRET.as_bytes());
    let signed = [time.as_bytes(), b".", body].concat();
    let bytes: Vec<u8> = (0..signature.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&signature[at..at + 2], 16).unwrap())
        .collect();
    hmac::verify(&key, &signed, &bytes).is_ok()
}

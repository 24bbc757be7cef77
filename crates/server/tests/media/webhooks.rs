//! Events reach their receiver.

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

//! What must not be in any log.

use std::io::Write;
use std::sync::{Arc, Mutex};

use super::clips;
use super::stand::{Stand, WEBHOOK_SECRET};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// On one thread, so that the subscriber of this test sees every task and no other test's.
#[tokio::test]
async fn no_secret_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let stand = Stand::start().await;
    stand.receiver.refuse(1);
    let asset = stand.ready(&clips::h264_silent(stand.folder.path())).await;
    let token = stand.token(&Stand::claims(&asset, "v"));
    stand.text(&stand.master(&asset, Some(&token))).await;
    stand.get(&stand.address("stream/other.m3u8", Some(&token))).await;
    stand.origin.put("text.mp4", "Only words. ".repeat(5000));
    for name in ["text.mp4", "gone.mp4"] {
        let asset = stand.ask(&stand.input(name), "signed").await;
        stand.settled(&asset.id).await;
    }
    stand.receiver.events(6).await;

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let ours: String = log.lines().filter(|line| line.contains("dailies_server")).collect();
    assert!(ours.contains("an asset is ready") && ours.contains("an asset errored"), "{ours}");
    for secret in ["5ec2e7", "token-secret", WEBHOOK_SECRET, &token, "gone.mp4"] {
        assert!(!ours.contains(secret), "{secret} in {ours}");
    }
}

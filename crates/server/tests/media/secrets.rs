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

/// Command line and environment of every process that reads an original.
#[cfg(target_os = "linux")]
fn readers() -> Vec<(String, String)> {
    let read = |path: std::path::PathBuf| {
        String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| {
            let folder = entry.unwrap().path();
            let command = read(folder.join("cmdline"));
            let ours =
                read(folder.join("status")).contains(&format!("PPid:\t{}\n", std::process::id()));
            (ours && command.contains("http://original/"))
                .then(|| (command, read(folder.join("environ"))))
        })
        .collect()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn no_command_line_and_no_environment_names_an_original() {
    let stand = Stand::start().await;
    let clip = clips::h264_silent(stand.folder.path());
    stand.origin.hold();
    stand.create(&clip).await;
    let found = async {
        loop {
            let readers = readers();
            // The environment is there a moment later than the command line.
            if readers.iter().any(|(_, environment)| environment.contains("http_proxy=")) {
                return readers;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let readers = tokio::time::timeout(super::stand::PATIENCE, found).await.expect("FFmpeg runs");
    let host = stand.input("").split('/').nth(2).unwrap().to_owned();
    for (command, environment) in readers {
        for secret in ["5ec2e7", "silent.mov", &host] {
            assert!(!command.contains(secret), "{secret} in {command}");
            assert!(!environment.contains(secret), "{secret} in {environment}");
        }
        // The door has a key, and it is not where every user of the computer reads.
        let key = environment.split("http_proxy=http://job:").nth(1).unwrap();
        let key = key.split('@').next().unwrap();
        assert_eq!(key.len(), 48);
        assert!(!command.contains(key), "{command}");
        let door =
            environment.split(&format!("{key}@")).nth(1).unwrap().split('\0').next().unwrap();
        let answer = stand.http.get(format!("http://{door}/")).send().await.unwrap();
        assert_eq!(answer.status(), http::StatusCode::PROXY_AUTHENTICATION_REQUIRED);
        let proxy = reqwest::Proxy::http(format!("http://job:{key}@{door}")).unwrap();
        let client = reqwest::Client::builder().proxy(proxy).build().unwrap();
        for elsewhere in [stand.input("other.mp4"), "http://localhost:1/".into()] {
            let answer = client.get(elsewhere).send().await.unwrap();
            assert_eq!(answer.status(), http::StatusCode::FORBIDDEN, "it leads nowhere else");
        }
    }
    assert!(!stand.origin.asked.lock().unwrap().contains(&"other.mp4".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_leads_to_another_is_not_followed() {
    let stand = Stand::start().await;
    stand.origin.put("other.mp4", std::fs::read(clips::h264_silent(stand.folder.path())).unwrap());
    stand.origin.redirect("moved.mp4", &stand.input("other.mp4"));
    let asset = stand.ask(&stand.input("moved.mp4"), "signed").await;
    let asset = stand.settled(&asset.id).await;
    assert_eq!(asset.errors.unwrap().kind, "input_unavailable");
    assert!(!stand.origin.asked.lock().unwrap().contains(&"other.mp4".to_owned()));
}

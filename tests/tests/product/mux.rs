//! Mux's own clients against the embedded media engine, and the engine in Mux's place for another
//! server. Only addresses and keys are changed.

use std::time::Duration;

use e2e::clips::Take;
use e2e::proxy::{Fault, Rule, What};
use e2e::{Dailies, FaultProxy, Server, TeamApi, counterparts};
use reqwest::StatusCode;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::process::Command;

const LIMIT: Duration = Duration::from_secs(240);
const CLIP: u64 = 12;

/// A port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn mux_node_drives_the_engine() {
    counterparts::node_packages().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let webhooks = format!("http://127.0.0.1:{port}/");
    let environment = [("DAILIES_MEDIA_WEBHOOK_URL", webhooks)];
    let server = Server::start(&folder.path().join("server"), &environment).await.unwrap();
    let file = folder.path().join("clip.mp4");
    e2e::clips::copy(CLIP, Take::One, &file).unwrap();
    let mut client = Command::new("node");
    client.arg(counterparts::scripts().join("mux_node.mjs"));
    client.arg("--credentials").arg(&server.credentials_file).arg("--file").arg(&file);
    client.args(["--webhooks", &port.to_string()]);
    let said = counterparts::run(LIMIT, &mut client).await.unwrap();
    println!("{said}");
    assert!(said.contains("events came, signed and in order"), "{said}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn upchunk_sends_over_a_bad_network_and_the_player_plays() {
    counterparts::node_packages().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let proxy = FaultProxy::start().await.unwrap();
    let environment =
        [("DAILIES_PUBLIC_URL", proxy.url()), ("DAILIES_S3_LISTEN", "127.0.0.1:0".into())];
    let listen = format!("127.0.0.1:{}", free_port());
    let data = folder.path().join("server");
    let server = Server::start_at(&data, &listen, &environment).await.unwrap();
    proxy.lead_to(listen.parse().unwrap());
    let sent = || What::Sent("/mux-upload/");
    let busy = Fault::Answer { status: 503, headers: Vec::new(), body: String::new() };
    proxy.obey([
        // In the middle of the first chunk; then two chunks' answers; then a reset.
        Rule::new(sent(), 1, Fault::Cut { after: 3 << 20, reset: false }),
        Rule::new(sent(), 1, Fault::SwallowAnswer),
        Rule::new(sent(), 1, busy),
        Rule::new(sent(), 1, Fault::Cut { after: 100_000, reset: true }),
    ]);
    let file = folder.path().join("clip.mp4");
    e2e::clips::copy(44, Take::One, &file).unwrap();
    assert!(std::fs::metadata(&file).unwrap().len() > 40 << 20);
    let mut client = Command::new("node");
    client.arg(counterparts::scripts().join("mux_browser.mjs"));
    client.arg("--credentials").arg(&server.credentials_file).arg("--file").arg(&file);
    let said = counterparts::run(LIMIT, &mut client).await.unwrap();
    println!("{said}");
    assert!(proxy.unused().is_empty(), "{:?}", proxy.unused());
    assert!(said.contains("without its token nothing plays"), "{said}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn another_server_is_the_media_engine_by_its_address_alone() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let team_url = format!("http://127.0.0.1:{port}");
    let webhooks = format!("{team_url}/webhooks/mux");
    let environment = [("DAILIES_MEDIA_WEBHOOK_URL", webhooks)];
    let engine = Server::start(&folder.path().join("engine"), &environment).await.unwrap();
    let mux = engine.credentials.mux.as_ref().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let secret = mux.token_secret.expose_secret();
    let key = http.post(format!("{}/system/v1/signing-keys", mux.url));
    let key = key.basic_auth(&mux.token_id, Some(secret)).send().await.unwrap();
    let key: Value = key.json().await.unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();

    let environment = [
        ("DAILIES_MUX_URL", mux.url.clone()),
        ("DAILIES_MUX_TOKEN_ID", mux.token_id.clone()),
        ("DAILIES_MUX_TOKEN_SECRET", secret.to_owned()),
        ("DAILIES_MUX_SIGNING_KEY_ID", text(&key["data"]["id"])),
        ("DAILIES_MUX_SIGNING_KEY", text(&key["data"]["private_key"])),
        ("DAILIES_MUX_WEBHOOK_SECRET", mux.webhook_secret.expose_secret().to_owned()),
        ("DAILIES_MUX_STREAM_URL", mux.stream_url.clone()),
        ("DAILIES_MUX_IMAGE_URL", mux.image_url.clone()),
        ("DAILIES_S3_LISTEN", "127.0.0.1:0".into()),
    ];
    let listen = format!("127.0.0.1:{port}");
    let team = Server::start_at(&folder.path().join("team"), &listen, &environment).await.unwrap();
    assert!(team.credentials.mux.is_none(), "its own engine is off");
    let file = folder.path().join("clip.mp4");
    e2e::clips::copy(CLIP, Take::One, &file).unwrap();
    let dailies = Dailies::new(folder.path().join("profile"), &team.credentials_file);
    let path = file.to_str().unwrap();
    let began = std::time::Instant::now();
    let done = dailies.run(LIMIT, &["upload", path, "--wait", "ready"]).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    println!("ready after {:?}", began.elapsed());
    // By a webhook: the next time that anybody asks by themselves is a minute later.
    assert!(team.log.text().contains("\"message\":\"webhook\""), "{}", team.log.tail());

    let api = TeamApi::new(&team.credentials).unwrap();
    let video = api.only_video().await.unwrap();
    let session = api.playback(&video.id).await.unwrap();
    let (url, poster) = (session.url.unwrap(), session.poster_url.unwrap());
    assert!(url.starts_with(&mux.stream_url) && poster.starts_with(&mux.image_url));
    let found = e2e::hls::Addresses::of(&api.http, &url).await.unwrap();
    assert!(!found.segments.is_empty());
    for url in found.all() {
        assert_eq!(api.http.get(url.clone()).send().await.unwrap().status(), StatusCode::OK);
        let without = e2e::hls::without_token(url);
        let refused = api.http.get(without).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    }
    assert_eq!(api.http.get(poster).send().await.unwrap().status(), StatusCode::OK);
    team.stop().await.unwrap();
    engine.stop().await.unwrap();
}

//! An orderly end, and one at once.
#![cfg(unix)]

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::harness::{Program, call, client, code, credentials, until_closed};

/// Free a moment ago.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A PUT of which half is sent.
async fn half_an_upload(data: &std::path::Path) -> (TcpStream, Vec<u8>) {
    let known = credentials(data);
    let http = client();
    let bytes = vec![b'x'; 1 << 20];
    let create = json!({
        "projectId": known.project_id, "title": "t",
        "fileSize": bytes.len(), "contentType": "video/mp4",
    });
    let video = call(&http, &known, "mutation", "videos:create", create).await;
    let args = json!({"videoId": video});
    let url = call(&http, &known, "action", "videoActions:getUploadUrl", args).await;
    let url = reqwest::Url::parse(url["uploadUrl"].as_str().unwrap()).unwrap();
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let (path, query) = (url.path(), url.query().unwrap());
    let head = format!(
        "PUT {path}?{query} HTTP/1.1\r\nhost: {host}\r\ncontent-type: video/mp4\r\n\
         content-length: {}\r\n\r\n",
        bytes.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (sent, rest) = bytes.split_at(bytes.len() / 2);
    stream.write_all(sent).await.unwrap();
    // It has reached the server, not only the system.
    tokio::time::sleep(Duration::from_millis(300)).await;
    (stream, rest.to_owned())
}

#[tokio::test]
async fn an_upload_in_flight_ends_well_while_nothing_new_is_taken() {
    let data = tempfile::tempdir().unwrap();
    let metrics = free_address();
    let variables = [("DAILIES_DRAIN", "15 s"), ("DAILIES_METRICS_LISTEN", metrics.as_str())];
    let mut program = Program::start(data.path(), &variables);
    let ready = format!("http://{metrics}/health/ready");
    let http = client();
    assert_eq!(http.get(&ready).send().await.unwrap().status(), 200);
    let (mut upload, rest) = half_an_upload(data.path()).await;
    kill_process(Pid::from_child(&program.child), Signal::TERM).unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while http.get(&ready).send().await.unwrap().status() != 503 {
        assert!(Instant::now() < deadline, "it does not say that it drains");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(http.get(format!("http://{metrics}/health")).send().await.unwrap().status(), 200);
    let address = program.line["url"].as_str().unwrap().trim_start_matches("http://").to_owned();
    assert!(TcpStream::connect(address).await.is_err(), "nothing new is taken");
    upload.write_all(&rest).await.unwrap();
    let answer = until_closed(&mut upload).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let (status, log) = program.end();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[tokio::test]
async fn an_upload_that_does_not_end_is_cut_at_the_limit() {
    let data = tempfile::tempdir().unwrap();
    let mut program = Program::start(data.path(), &[("DAILIES_DRAIN", "1 s")]);
    let (_upload, _) = half_an_upload(data.path()).await;
    let asked = Instant::now();
    kill_process(Pid::from_child(&program.child), Signal::TERM).unwrap();
    let (status, log) = program.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("requests did not end in time"), "{log}");
    assert!(asked.elapsed() >= Duration::from_secs(1) && asked.elapsed() < Duration::from_secs(12));
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let data = tempfile::tempdir().unwrap();
    let mut program = Program::start(data.path(), &[("DAILIES_DRAIN", "1 h")]);
    let (_upload, _) = half_an_upload(data.path()).await;
    let asked = Instant::now();
    kill_process(Pid::from_child(&program.child), Signal::TERM).unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(program.child.try_wait().unwrap().is_none(), "the first waits for the upload");
    kill_process(Pid::from_child(&program.child), Signal::TERM).unwrap();
    let (status, log) = program.end();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
}

/// A file system of a few megabytes that this test fills, where the system lets us have one.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_507_and_over_when_there_is_room() {
    let Some((mut program, data)) = Program::on_a_small_disk() else {
        eprintln!("no mount namespaces here: not tried");
        return;
    };
    let known: dailies_api::credentials::Credentials =
        serde_json::from_slice(&program.read(&data.join("credentials.json"))).unwrap();
    let http = client();
    let create = async |title: &str| {
        let args = json!({
            "projectId": known.project_id, "title": title,
            "fileSize": 5, "contentType": "video/mp4",
        });
        let body = json!({"path": "videos:create", "args": args, "format": "json"});
        let post = http.post(format!("{}/api/mutation", known.url)).json(&body);
        let key = secrecy::ExposeSecret::expose_secret(&known.api_key);
        let answer = post.bearer_auth(key).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(create("before").await.0, 200);
    program.fill(&data.join("ballast"));
    let title = "x".repeat(200);
    let mut refused = (200, String::new());
    for _ in 0..2_000 {
        refused = create(&title).await;
        if refused.0 != 200 {
            break;
        }
    }
    assert_eq!(refused.0, 507, "{}", refused.1);
    assert_eq!(code(&format!("\r\n\r\n{}", refused.1)), "disk_full");
    program.remove(&data.join("ballast"));
    let deadline = Instant::now() + Duration::from_secs(10);
    while create("after").await.0 != 200 {
        assert!(Instant::now() < deadline, "there is room again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    kill_process(Pid::from_child(&program.child), Signal::TERM).unwrap();
    let (status, log) = program.end();
    assert_eq!(status.code(), Some(0), "{log}");
}

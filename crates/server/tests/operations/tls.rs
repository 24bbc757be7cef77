//! TLS by a certificate pair, on both listeners, renewed while it runs.

use std::path::Path;

use dailies_server::config::TlsFiles;
use reqwest::Certificate;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::harness::{PATIENCE, Server, call, until_closed};

/// A pair for this computer, and its certificate for who shall trust it.
fn pair(folder: &Path) -> (TlsFiles, Certificate) {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let files = TlsFiles { certificate: folder.join("c.pem"), key: folder.join("k.pem") };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    (files, Certificate::from_pem(made.cert.pem().as_bytes()).unwrap())
}

fn trusting(certificate: Certificate) -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE);
    client.tls_certs_only([certificate]).build().unwrap()
}

#[tokio::test]
async fn an_upload_goes_and_is_watched_over_tls_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (files, certificate) = pair(folder.path());
    let server = Server::start(|config| config.tls = Some(files)).await;
    assert!(server.app.url().starts_with("https://127.0.0.1:"), "{}", server.app.url());
    let http = trusting(certificate);
    let call = async |kind: &str, path: &str, args| {
        call(&http, &server.credentials, kind, path, args).await
    };
    let bytes = b"not a video, but bytes".to_vec();
    let create = json!({
        "projectId": server.credentials.project_id, "title": "t",
        "fileSize": bytes.len(), "contentType": "video/mp4",
    });
    let video = json!({"videoId": call("mutation", "videos:create", create).await});
    let url = call("action", "videoActions:getUploadUrl", video.clone()).await;
    let url = url["uploadUrl"].as_str().unwrap();
    assert!(url.starts_with("https://"), "the storage is by TLS, too");
    let put = http.put(url).header("content-type", "video/mp4").body(bytes).send().await.unwrap();
    assert_eq!(put.status(), 200);
    call("action", "videoActions:markUploadComplete", video.clone()).await;
    // The parts of the server reach each other: the media engine says that this is no video.
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let row = call("query", "videos:get", video.clone()).await;
        if row["status"] == "failed" {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{row}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    server.app.stop().await;
}

#[tokio::test]
async fn neither_strangers_nor_plain_requests_get_through() {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = pair(folder.path());
    let server = Server::start(|config| config.tls = Some(files)).await;
    let other = tempfile::tempdir().unwrap();
    let (_, other) = pair(other.path());
    let refused = trusting(other).get(format!("{}/health", server.app.url())).send().await;
    assert!(refused.unwrap_err().is_connect(), "another certificate is not this server's");
    let mut stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer);
    let _ = tokio::time::timeout(PATIENCE, read).await.expect("it is closed");
    assert!(!answer.starts_with(b"HTTP/"), "no redirect and no answer in the clear");
    server.app.stop().await;
}

#[tokio::test]
async fn a_new_certificate_is_taken_without_an_end_of_what_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let (files, first) = pair(folder.path());
    let server = Server::start(|config| config.tls = Some(files.clone())).await;
    let url = format!("{}/health", server.app.url());
    let old = trusting(first);
    assert_eq!(old.get(&url).send().await.unwrap().status(), 200);
    // Half a pair: the old one stays.
    std::fs::write(&files.key, "nothing").unwrap();
    server.app.reload();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(old.get(&url).send().await.unwrap().status(), 200);
    let (_, second) = pair(folder.path());
    server.app.reload();
    let new = trusting(second);
    let deadline = std::time::Instant::now() + PATIENCE;
    while new.get(&url).send().await.is_err() {
        assert!(std::time::Instant::now() < deadline, "the new certificate is not used");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // This client would refuse the new certificate: its connection is the old one.
    assert_eq!(old.get(&url).send().await.unwrap().status(), 200);
    server.app.stop().await;
}

#[tokio::test]
async fn a_connection_that_never_shakes_hands_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = pair(folder.path());
    let server = Server::start(|config| config.tls = Some(files)).await;
    let mut stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
    assert_eq!(until_closed(&mut stream).await, "");
    server.app.stop().await;
}

//! Direct uploads when something goes wrong in the middle.

use std::time::Duration;

use dailies_api::mux::UploadStatus;
use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::stand::{PATIENCE, Stand};
use super::uploads::{GRANULE, Sender, clip_of, offset, ready, upload};

/// Begins a PUT of all of `bytes` and sends only the first `count`.
async fn begin(sender: &Sender, bytes: &[u8], count: usize) -> TcpStream {
    let url = url::Url::parse(&sender.url).unwrap();
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\r\n",
        url.path(),
        bytes.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&bytes[..count]).await.unwrap();
    stream
}

/// Bytes in the file of an upload.
fn on_disk(stand: &Stand, sender: &Sender) -> u64 {
    let file = stand.folder.path().join("uploads").join(&sender.id);
    std::fs::metadata(file).map_or(0, |file| file.len())
}

async fn until(what: &str, done: impl AsyncFn() -> bool) {
    let waiting = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_connection_keeps_what_came() {
    let stand = Stand::start().await;
    let sender = Sender::signed(&stand).await;
    let bytes = clip_of(&stand, 12 * GRANULE + 9);
    let connection = begin(&sender, &bytes, 9 * GRANULE + 100).await;
    drop(connection);
    until("what came counts", async || sender.stored(Some(bytes.len())).await == Some(9 * GRANULE))
        .await;
    assert_eq!(sender.chunk(&bytes, 9 * GRANULE, bytes.len()).await.status(), StatusCode::OK);
    ready(&stand, &sender).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_later_goes_on_where_a_dead_connection_stopped() {
    let stand = Stand::start().await;
    let sender = Sender::signed(&stand).await;
    let bytes = clip_of(&stand, 12 * GRANULE + 9);
    // As after a router's restart: neither end of it knows.
    let mut silent = begin(&sender, &bytes, 9 * GRANULE + 100).await;
    until("some came", async || on_disk(&stand, &sender) >= 4 * GRANULE as u64).await;
    let asked = tokio::time::timeout(Duration::from_secs(5), sender.stored(Some(bytes.len())));
    let stored = asked.await.expect("at once").expect("not all");
    assert_eq!(stored, 9 * GRANULE, "all that came");
    let mut answer = [0; 12];
    silent.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503");
    assert_eq!(sender.chunk(&bytes, stored, bytes.len()).await.status(), StatusCode::OK);
    ready(&stand, &sender).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_senders_of_one_upload_make_one_asset_of_the_right_bytes() {
    let stand = Stand::start().await;
    let sender = Sender::signed(&stand).await;
    let bytes = clip_of(&stand, 24 * GRANULE + 77);
    let senders = (0..8).map(async |number| {
        let mut first = 0;
        loop {
            let end = (first + (1 + number % 3) * GRANULE).min(bytes.len());
            let answer = sender.chunk(&bytes, first, end).await;
            if answer.status() == StatusCode::SERVICE_UNAVAILABLE {
                assert_eq!(answer.headers()["retry-after"], "1");
                tokio::time::sleep(Duration::from_millis(10 * number as u64)).await;
                continue;
            }
            match offset(&answer) {
                Some(stored) => first = stored,
                None => return,
            }
        }
    });
    let all = futures_util::future::join_all(senders);
    tokio::time::timeout(PATIENCE, all).await.expect("nobody waits for ever");
    let file = stand.folder.path().join("uploads").join(&sender.id);
    assert!(std::fs::read(&file).is_ok_and(|stored| stored == bytes), "byte for byte");
    ready(&stand, &sender).await;
    let assets = stand.api(http::Method::GET, "", None).await;
    let assets: serde_json::Value = assets.json().await.unwrap();
    assert_eq!(assets["data"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_after_a_crash() {
    let mut stand = Stand::start().await;
    let mut sender = Sender::signed(&stand).await;
    let bytes = clip_of(&stand, 4 * GRANULE + 9);
    sender.chunk(&bytes, 0, 2 * GRANULE).await;
    stand.crash().await;
    sender.moved(&stand);
    assert_eq!(upload(&stand, &sender.id).await.url.as_ref(), Some(&sender.url));
    assert_eq!(sender.stored(Some(bytes.len())).await, Some(2 * GRANULE));
    assert_eq!(sender.chunk(&bytes, 2 * GRANULE, bytes.len()).await.status(), StatusCode::OK);
    ready(&stand, &sender).await;
}

fn alter(folder: &std::path::Path, sql: &str) {
    let database = rusqlite::Connection::open(folder.join("media.db")).unwrap();
    assert_eq!(database.execute(sql, []).unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_in_time_is_given_up_across_restarts() {
    let mut stand = Stand::start().await;
    let mut sender = Sender::signed(&stand).await;
    let bytes = clip_of(&stand, 4 * GRANULE);
    sender.chunk(&bytes, 0, GRANULE).await;
    stand
        .restart_after(|folder| {
            alter(folder, "UPDATE uploads SET expires_at = expires_at - 3598500");
        })
        .await;
    sender.moved(&stand);
    let mut sending = begin(&sender, &bytes, 2 * GRANULE).await;
    until("it times out", async || {
        upload(&stand, &sender.id).await.status == UploadStatus::TimedOut
    })
    .await;
    let mut answer = [0; 12];
    let told = tokio::time::timeout(Duration::from_secs(10), sending.read_exact(&mut answer));
    told.await.expect("at once, not when the sender is silent for too long").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 410");
    assert_eq!(sender.chunk(&bytes, GRANULE, 2 * GRANULE).await.status(), StatusCode::GONE);
    let file = stand.folder.path().join("uploads").join(&sender.id);
    until("its bytes go", async || !file.exists()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_bytes_that_are_gone_are_said_to_be() {
    let mut stand = Stand::start().await;
    let (at_start, mut later) = (Sender::signed(&stand).await, Sender::signed(&stand).await);
    let bytes = clip_of(&stand, 4 * GRANULE);
    for sender in [&at_start, &later] {
        sender.chunk(&bytes, 0, 2 * GRANULE).await;
    }
    let uploads = stand.folder.path().join("uploads");
    std::fs::write(uploads.join("01JD0000000000000000000000"), "nobody's").unwrap();
    let lost = uploads.join(&at_start.id);
    stand.restart_after(|_| std::fs::write(lost, &bytes[..GRANULE]).unwrap()).await;
    assert!(!uploads.join("01JD0000000000000000000000").exists(), "no row knows it");
    let errored = upload(&stand, &at_start.id).await;
    assert_eq!(errored.status, UploadStatus::Errored);
    assert_eq!(errored.error.unwrap().kind, "bytes_lost");

    std::fs::remove_file(uploads.join(&later.id)).unwrap();
    later.moved(&stand);
    let answer = later.chunk(&bytes, 2 * GRANULE, 3 * GRANULE).await;
    assert_eq!(answer.status(), StatusCode::GONE);
    let events = stand.receiver.events(4).await;
    let errored = events.iter().filter(|(.., event)| event.kind == "video.upload.errored").count();
    assert_eq!(errored, 2);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_costs_nothing_that_is_stored() {
    let stand = Stand::start().await;
    let sender = Sender::signed(&stand).await;
    let bytes = clip_of(&stand, 4 * GRANULE);
    let file = stand.folder.path().join("uploads").join(&sender.id);
    std::os::unix::fs::symlink("/dev/full", &file).unwrap();
    let answer = sender.chunk(&bytes, 0, 2 * GRANULE).await;
    assert_eq!(answer.status(), StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(sender.stored(Some(bytes.len())).await, Some(0));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(offset(&sender.chunk(&bytes, 0, 2 * GRANULE).await), Some(2 * GRANULE));
    assert_eq!(sender.chunk(&bytes, 2 * GRANULE, bytes.len()).await.status(), StatusCode::OK);
    ready(&stand, &sender).await;
}

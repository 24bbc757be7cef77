//! Uploads that share one line.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use std::path::Path;
use std::time::Duration;

use dailies_engine::transfer::Phase;
use e2e::clips::{self, MIB, Take};
use e2e::{Dailies, Server, Stage, Uploader, Wire};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(180);

fn bytes(event: &Value) -> u64 {
    let count = |name: &str| event[name].as_u64().unwrap_or_default();
    count("confirmedBytes") + count("inFlightBytes")
}

fn is_of(event: &Value, file: &Path) -> bool {
    event["event"] == "progress" && event["path"] == file.to_str().unwrap()
}

/// The small one has one connection, the large one many: by connections it would get the least.
#[tokio::test]
async fn a_small_file_takes_less_than_twice_its_time_beside_a_large_one() {
    let wire = Wire::lay(40).await.unwrap();
    let folder = tempfile::Builder::new().prefix("e2e-").tempdir().unwrap();
    let parts = [("DAILIES_PART_SIZE", (5 * MIB).to_string())];
    let server = Server::start_on(&wire, &folder.path().join("server"), &parts).await.unwrap();
    let file = |name: &str, mebibytes, take| {
        let path = folder.path().join(name);
        clips::copy(mebibytes, take, &path).unwrap();
        path
    };
    let large = file("large.mp4", 96, Take::One);
    // The small one's turn comes when one of these is there, and the large one well under way.
    let between = [file("b.mp4", 12, Take::One), file("c.mp4", 12, Take::Two)];
    let small = file("small.mp4", 5, Take::Two);
    let dailies = Dailies::new(folder.path().join("profile"), &server.credentials_file).on(&wire);
    let files = [&large, &between[0], &between[1], &small].map(|file| file.to_str().unwrap());
    let upload = dailies.spawn(&["upload", files[0], files[1], files[2], files[3]]).unwrap();
    let ended = upload.ended(LIMIT).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.out);

    // What the large one handed to the system while the small one's bytes went.
    let moves = |event: &Value| {
        is_of(event, &small) && event["inFlightBytes"].as_u64().is_some_and(|bytes| bytes > 0)
    };
    let first = ended.events.iter().position(moves).unwrap();
    let last = ended.events.iter().rposition(moves).unwrap();
    let of_large = ended.events[first..=last].iter().filter(|event| is_of(event, &large));
    let (low, high) = of_large
        .fold((u64::MAX, 0), |(low, high), event| (low.min(bytes(event)), high.max(bytes(event))));
    let of_small = std::fs::metadata(&small).unwrap().len();
    let meanwhile = high.saturating_sub(low);
    println!("{meanwhile} bytes of the large one went with {of_small} of the small one");
    assert!(meanwhile <= 2 * of_small, "{meanwhile}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_goes_next_waits_for_nobody() {
    let stage = Stage::set().await.unwrap();
    let uploader =
        Uploader::start(&stage.path("profile"), &stage.server.credentials).await.unwrap();
    stage.proxy.limit(4 * MIB);
    let mut others = Vec::new();
    for name in ["a", "b", "c"] {
        let file = stage.clip(&format!("{name}.mp4"), 24, Take::One).unwrap();
        others.push(uploader.add(file).await.unwrap());
    }
    for id in &others {
        let moves = |view: &dailies_engine::view::UploadView| view.progress.in_flight_bytes > 0;
        uploader.until(*id, LIMIT, moves).await.unwrap();
    }
    let file = stage.clip("next.mp4", 12, Take::Two).unwrap();
    let next = uploader.add(file).await.unwrap();
    assert_eq!(uploader.view(next).await.unwrap().phase, Phase::Queued, "every place is taken");
    uploader.engine.set_first(vec![next], true).await.unwrap();
    uploader.until(next, LIMIT, |view| view.phase >= Phase::Processing).await.unwrap();
    for id in &others {
        let view = uploader.view(*id).await.unwrap();
        assert!(view.phase < Phase::Processing, "{view:#?}");
    }
    stage.proxy.unlimit();
    for id in others {
        uploader.until_ready(id, LIMIT).await.unwrap();
    }
    uploader.stop().await;
    stage.strike().await.unwrap();
}

//! Uploads that share one line.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use std::path::Path;
use std::time::{Duration, Instant};

use dailies_engine::transfer::{Phase, Rate};
use dailies_engine::view::UploadView;
use e2e::clips::{self, MIB, Take};
use e2e::{Dailies, Server, Stage, Uploader, Wire};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(180);

/// How long it takes until the team has a file of 5 MiB.
async fn time_of(stage: &Stage, uploader: &Uploader, name: &str, take: Take) -> Duration {
    let file = stage.clip(name, 5, take).unwrap();
    let begun = Instant::now();
    let id = uploader.add(file).await.unwrap();
    uploader.until(id, LIMIT, |view| view.phase >= Phase::Processing).await.unwrap();
    begun.elapsed()
}

#[tokio::test]
async fn under_a_limit_a_small_file_beside_a_large_one_takes_at_most_twice_its_time() {
    let stage = Stage::set().await.unwrap();
    let uploader =
        Uploader::start(&stage.path("profile"), &stage.server.credentials).await.unwrap();
    uploader.engine.set_limit(Rate::new(2 * MIB)).await.unwrap();
    let alone = time_of(&stage, &uploader, "alone.mp4", Take::One).await;
    let file = stage.clip("large.mp4", 96, Take::One).unwrap();
    let large = uploader.add(file).await.unwrap();
    let moves = |view: &UploadView| view.progress.in_flight_bytes > MIB;
    uploader.until(large, LIMIT, moves).await.unwrap();
    let beside = time_of(&stage, &uploader, "beside.mp4", Take::Two).await;
    assert!(beside <= alone * 2, "{beside:?}, and {alone:?} alone");
    let view = uploader.view(large).await.unwrap();
    assert!(view.phase == Phase::Uploading && view.active, "{view:#?}");
    uploader.engine.cancel(vec![large]).await.unwrap();
    uploader.stop().await;
    stage.strike().await.unwrap();
}

fn says(event: &Value, what: &str, file: &Path) -> bool {
    event["event"] == what && event["path"].as_str().map(Path::new) == Some(file)
}

/// Nothing but the line is short.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn on_a_slow_line_a_small_file_beside_a_large_one_takes_at_most_twice_its_time() {
    let wire = Wire::lay(20).await.unwrap();
    let folder = tempfile::Builder::new().prefix("e2e-").tempdir().unwrap();
    let parts = [("DAILIES_PART_SIZE", (5 * MIB).to_string())];
    let server = Server::start_on(&wire, &folder.path().join("server"), &parts).await.unwrap();
    let dailies = Dailies::new(folder.path().join("profile"), &server.credentials_file).on(&wire);
    let clip = |name: &str, mebibytes, take| {
        let file = folder.path().join(name);
        clips::copy(mebibytes, take, &file).unwrap();
        file
    };
    let (alone, beside) = (clip("alone.mp4", 5, Take::One), clip("beside.mp4", 5, Take::Two));
    let large = clip("large.mp4", 160, Take::One);

    let upload = dailies.spawn(&["upload".as_ref(), alone.as_os_str()]).unwrap();
    upload.until(LIMIT, |event| says(event, "added", &alone)).await.unwrap();
    let begun = Instant::now();
    upload.until(LIMIT, |event| says(event, "uploaded", &alone)).await.unwrap();
    let alone = begun.elapsed();
    upload.ended(LIMIT).await.unwrap();

    let files = ["upload".as_ref(), large.as_os_str(), beside.as_os_str()];
    let upload = dailies.spawn(&files).unwrap();
    let added = upload.until(LIMIT, |event| says(event, "added", &beside)).await.unwrap();
    let id = added["uploadId"].as_str().unwrap();
    dailies.run(LIMIT, &["pause", id]).await.unwrap();
    let flows = |event: &Value| {
        says(event, "progress", &large) && event["confirmedBytes"].as_u64() > Some(10 * MIB)
    };
    upload.until(LIMIT, flows).await.unwrap();
    let begun = Instant::now();
    dailies.run(LIMIT, &["resume", id]).await.unwrap();
    upload.until(LIMIT, |event| says(event, "uploaded", &beside)).await.unwrap();
    let beside = begun.elapsed();
    println!("{beside:?} beside a large one, {alone:?} alone");
    assert!(beside <= alone * 2, "{beside:?}, and {alone:?} alone");
    assert!(!upload.events().iter().any(|event| says(event, "uploaded", &large)));
    upload.kill().await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_goes_next_waits_for_nobody() {
    let stage = Stage::set().await.unwrap();
    let uploader =
        Uploader::start(&stage.path("profile"), &stage.server.credentials).await.unwrap();
    stage.proxy.limit(4 * MIB);
    let mut others = Vec::new();
    for (name, mebibytes, take) in
        [("a", 24, Take::One), ("b", 24, Take::Two), ("c", 40, Take::One)]
    {
        let file = stage.clip(&format!("{name}.mp4"), mebibytes, take).unwrap();
        others.push(uploader.add(file).await.unwrap());
    }
    for id in &others {
        let moves = |view: &UploadView| view.progress.in_flight_bytes > 0;
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

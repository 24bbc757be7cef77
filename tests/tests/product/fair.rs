//! Uploads that share one line.

use std::time::{Duration, Instant};

use dailies_engine::transfer::{Phase, Rate};
use dailies_engine::view::UploadView;
use e2e::clips::{MIB, Take};
use e2e::{Stage, Uploader};

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

//! Uploads that share one line.

use std::time::Duration;

use dailies_engine::transfer::Phase;
use e2e::clips::{MIB, Take};
use e2e::{Stage, Uploader};

const LIMIT: Duration = Duration::from_secs(180);

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

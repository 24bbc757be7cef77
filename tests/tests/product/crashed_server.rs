//! The server, storage and all, dies without a word and comes back. The engine, which runs on,
//! gets there by itself.

use std::time::Duration;

use e2e::clips::{MIB, Take};
use e2e::{FaultProxy, Stage, Uploader};

const LIMIT: Duration = Duration::from_secs(90);

#[tokio::test]
async fn while_parts_arrive() {
    let mut stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 96, Take::One).unwrap();
    stage.proxy.limit(32 * MIB);
    let uploader =
        Uploader::start(&stage.path("profile"), &stage.server.credentials).await.unwrap();
    let id = uploader.add(file.clone()).await.unwrap();
    for crash in 1..=3_u64 {
        let enough = |bytes| bytes >= crash * 20 * MIB;
        uploader.until(id, LIMIT, |view| enough(view.progress.confirmed_bytes)).await.unwrap();
        stage.server.kill().await.unwrap();
        stage.server.start_again().await.unwrap();
    }
    stage.proxy.unlimit();
    uploader.until_ready(id, LIMIT).await.unwrap();
    stage.one_whole_video(&file).await.unwrap();

    // What was acknowledged was durable: only a part whose answer a crash swallowed, at most one
    // a lane, may have been sent to a storage that held it.
    let again = stage.server.log.stored_parts().iter().filter(|part| part.was_held).count();
    assert!(again <= 3 * e2e::quick().lanes, "{again} parts were held and sent again");
    assert_eq!(stage.server.log.events("upload_begun").len(), 1);
    uploader.stop().await;
    stage.strike().await.unwrap();
}

/// Kills the server so long after `function` was called, and asserts that all ends well.
async fn around(function: &'static str, delay: Duration) {
    let mut stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 24, Take::One).unwrap();
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(stage.server.api_address().unwrap());
    let uploader =
        Uploader::by_way_of(&stage.path("profile"), &stage.server.credentials, &api.url())
            .await
            .unwrap();
    let id = uploader.add(file.clone()).await.unwrap();
    let called = |name: &Option<String>| name.as_deref() == Some(function);
    api.until(LIMIT, |seen| seen.iter().any(|call| called(&call.function))).await.unwrap();
    // The moment is what is tested: none, some or all of the call's work is done.
    tokio::time::sleep(delay).await;
    stage.server.kill().await.unwrap();
    stage.server.start_again().await.unwrap();

    uploader.until_ready(id, LIMIT).await.unwrap();
    stage.one_whole_video(&file).await.unwrap();
    uploader.stop().await;
    stage.strike().await.unwrap();
}

/// Moments after a call, spread so that some fall before, into and behind its work.
fn moments() -> impl Iterator<Item = Duration> {
    [0, 4, 12, 40].into_iter().map(Duration::from_millis)
}

#[tokio::test]
async fn while_the_video_is_registered() {
    for moment in moments() {
        around("videos:create", moment).await;
    }
}

#[tokio::test]
async fn while_the_upload_begins() {
    for moment in moments() {
        around("videoActions:initiateVideoUpload", moment).await;
    }
}

#[tokio::test]
async fn while_the_object_is_put_together() {
    for moment in moments() {
        around("videoActions:completeMultipartUpload", moment).await;
    }
}

#[tokio::test]
async fn while_the_upload_is_marked_complete() {
    for moment in moments() {
        around("videoActions:markUploadComplete", moment).await;
    }
}

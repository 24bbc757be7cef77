//! The team API does what it is asked, and its answer never arrives. Nothing happens twice.

use std::time::Duration;

use e2e::clips::Take;
use e2e::proxy::{Fault, Rule, What};
use e2e::{FaultProxy, Stage, Uploader};

const LIMIT: Duration = Duration::from_secs(90);

async fn lost(faults: &[(&'static str, usize, Fault)]) {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 24, Take::One).unwrap();
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(stage.server.api_address().unwrap());
    let rules = faults
        .iter()
        .map(|(function, times, fault)| Rule::new(What::Function(function), *times, fault.clone()));
    api.obey(rules);
    let uploader =
        Uploader::by_way_of(&stage.path("profile"), &stage.server.credentials, &api.url())
            .await
            .unwrap();
    let id = uploader.add(file.clone()).await.unwrap();
    uploader.until_ready(id, LIMIT).await.unwrap();
    assert!(api.unused().is_empty(), "never happened: {:?}", api.unused());
    stage.one_whole_video(&file).await.unwrap();
    assert_eq!(stage.server.log.events("upload_begun").len(), 1);
    assert!(stage.server.log.stored_parts().iter().all(|part| !part.was_held));
    uploader.stop().await;
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn every_answer_is_lost_once() {
    lost(&[
        ("videos:create", 1, Fault::SwallowAnswer),
        ("videoActions:initiateVideoUpload", 1, Fault::SwallowAnswer),
        ("videoActions:signUploadParts", 1, Fault::SwallowAnswer),
        ("videoActions:completeMultipartUpload", 1, Fault::SwallowAnswer),
        ("videoActions:markUploadComplete", 1, Fault::SwallowAnswer),
        ("videos:get", 1, Fault::SwallowAnswer),
    ])
    .await;
}

#[tokio::test]
async fn every_call_meets_a_hotel_and_a_busy_server_once() {
    let answer = |status| Fault::Answer { status, headers: Vec::new(), body: "busy".into() };
    let mut faults = Vec::new();
    for function in [
        "videos:create",
        "videoActions:initiateVideoUpload",
        "videoActions:signUploadParts",
        "videoActions:completeMultipartUpload",
        "videoActions:markUploadComplete",
        "videos:get",
    ] {
        faults.push((function, 1, Fault::captive_portal()));
        faults.push((function, 1, answer(503)));
        faults.push((function, 1, answer(502)));
    }
    lost(&faults).await;
}

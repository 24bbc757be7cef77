//! A video again, with other bytes.

use std::time::Duration;

use dailies_api::convex::FunctionKind::Query;
use dailies_api::videos::Version;
use dailies_engine::error::Code;
use e2e::clips::Take;
use e2e::proxy::{Fault, Rule, What};
use e2e::{Dailies, FaultProxy, Stage, Uploader};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(60);

async fn versions(stage: &Stage, video_id: &str) -> Vec<Version> {
    let args = json!({ "videoId": video_id });
    stage.team.call(Query, "videos:listVersions", args).await.unwrap()
}

#[tokio::test]
async fn a_file_becomes_the_next_version_once() {
    let stage = Stage::set().await.unwrap();
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(stage.server.api_address().unwrap());
    let (folder, credentials) = (stage.path("profile"), &stage.server.credentials);
    let uploader = Uploader::by_way_of(&folder, credentials, &api.url()).await.unwrap();
    let first = stage.clip("first.mp4", 6, Take::One).unwrap();
    let second = stage.clip("second.mp4", 6, Take::Two).unwrap();
    let id = uploader.add(first).await.unwrap();
    let video = uploader.until_ready(id, LIMIT).await.unwrap().video_id.unwrap();

    // Its answer is lost: what it made is found, by its versions.
    let create = What::Function("videos:createVersion");
    api.obey([Rule::new(create.clone(), 1, Fault::SwallowAnswer)]);
    let added = uploader.engine.add_version(second.clone(), video.clone()).await.unwrap();
    let id = added.uploads[0].id;
    let view = uploader.until_ready(id, LIMIT).await.unwrap();
    assert_eq!(api.exchanges().iter().filter(|seen| create.fits(seen)).count(), 1);
    let there = versions(&stage, &video).await;
    assert_eq!(there.len(), 2, "{there:#?}");
    assert_eq!(Some(&there[0].id), view.video_id.as_ref());
    assert_eq!((there[0].version_number, &*there[0].title), (2, "first"));
    stage.whole(&there[0].id, &second).await.unwrap();

    let none = uploader.engine.add_version(second, "none".into()).await.unwrap_err();
    assert_eq!(none.code, Code::NotFound, "{none}");
    uploader.stop().await;
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn dailies_sends_a_version() {
    let stage = Stage::set().await.unwrap();
    let first = stage.clip("first.mp4", 6, Take::One).unwrap();
    let second = stage.clip("second.mp4", 6, Take::Two).unwrap();
    let (first, second) = (first.to_str().unwrap(), second.to_str().unwrap());
    let dailies = Dailies::new(stage.path("profile"), &stage.server.credentials_file);
    let done = dailies.run(LIMIT, &["upload", first]).await.unwrap();
    let video = done.event("uploaded").unwrap()["videoId"].as_str().unwrap().to_owned();
    let of = ["upload", "--version-of", &video, "--wait", "ready"];
    let both = dailies.run(LIMIT, &[&of[..], &[first, second]].concat()).await.unwrap();
    assert_eq!(both.code(), Some(1), "{}\n{}", both.out, both.errors);
    let done = dailies.run(LIMIT, &[&of[..], &[second]].concat()).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    assert_eq!(versions(&stage, &video).await.len(), 2);
    stage.strike().await.unwrap();
}

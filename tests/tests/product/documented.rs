//! A team API that has only what the seed documents: one PUT, and nothing to be asked.

use std::time::Duration;

use e2e::clips::Take;
use e2e::{Dailies, FaultProxy, Stage, only_documented};

const LIMIT: Duration = Duration::from_secs(90);

#[tokio::test]
async fn the_documented_dialect_is_enough() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 24, Take::One).unwrap();
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(stage.server.api_address().unwrap());
    api.obey(only_documented());

    let credentials = stage.credentials_by_way_of(&api.url()).unwrap();
    let dailies = Dailies::new(stage.path("profile"), &credentials);
    let project = stage.server.credentials.project_id.clone();
    let arguments = ["upload", file.to_str().unwrap(), "--project", &project, "--wait", "ready"];
    let done = dailies.run(LIMIT, &arguments).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}", done.errors);
    assert!(done.event("ready").is_some());
    let called = |name: &str| {
        api.exchanges().iter().filter(|call| call.function.as_deref() == Some(name)).count()
    };
    assert_eq!(called("videoActions:getUploadUrl"), 1);
    assert_eq!(called("videoActions:initiateVideoUpload"), 0, "it was told at the first call");
    stage.one_whole_video(&file).await.unwrap();
    stage.strike().await.unwrap();
}

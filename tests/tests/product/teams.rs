//! Several teams at once: what happens to one of them stops no other.

use std::time::Duration;

use dailies_engine::error::Code;
use dailies_engine::team::Connection;
use dailies_engine::transfer::{Hold, Phase};
use dailies_engine::view::ConnectionView;
use e2e::clips::Take;
use e2e::proxy::{Fault, Rule, What};
use e2e::{Dailies, FaultProxy, Stage, Uploader};
use url::Url;

const LIMIT: Duration = Duration::from_secs(60);
/// In which an upload that may start would have started.
const MOMENT: Duration = Duration::from_secs(3);

/// A proxy before a stage's team API.
async fn api_of(stage: &Stage) -> FaultProxy {
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(stage.server.api_address().unwrap());
    api
}

fn connection(stage: &Stage, url: &str) -> Connection {
    Connection::with_key(Url::parse(url).unwrap(), stage.server.credentials.api_key.clone())
}

#[tokio::test]
async fn a_team_that_is_away_keeps_no_other_waiting() {
    let (here, away) = (Stage::set().await.unwrap(), Stage::set().await.unwrap());
    let api = api_of(&away).await;
    let files = [("one.mp4", Take::One), ("two.mp4", Take::Two)]
        .map(|(name, take)| away.clip(name, 6, take).unwrap());
    let file = here.clip("here.mp4", 6, Take::Two).unwrap();
    let profile = here.path("profile");
    let uploader =
        Uploader::by_way_of(&profile, &away.server.credentials, &api.url()).await.unwrap();
    // One that has begun keeps its place for as long as it waits.
    uploader.engine.set_uploads(1).await.unwrap();
    away.proxy.go_down().await;
    let begun = uploader.add(files[0].clone()).await.unwrap();
    let offline = |hold| matches!(hold, Hold::Offline { .. });
    uploader.until(begun, LIMIT, |view| offline(view.hold)).await.unwrap();
    api.go_down().await;
    let next = uploader.add(files[1].clone()).await.unwrap();

    let there = connection(&here, &here.server.credentials.url);
    uploader.engine.connect(there).await.unwrap();
    let sent = uploader.add(file.clone()).await.unwrap();
    let view = uploader.until_ready(sent, LIMIT).await.unwrap();
    assert_eq!(view.server, here.server.credentials.url.clone() + "/");
    here.one_whole_video(&file).await.unwrap();
    // Played and found where it is, whatever new files go to.
    assert!(uploader.engine.watch_page(sent).await.is_ok());
    let waits = uploader.view(next).await.unwrap();
    assert_eq!((waits.phase, waits.hold), (Phase::Queued, Hold::None));
    assert!(offline(uploader.view(begun).await.unwrap().hold));
    assert_eq!(uploader.engine.snapshot().await.unwrap().connections.len(), 2);

    away.proxy.come_up().unwrap();
    api.come_up().unwrap();
    for id in [begun, next] {
        uploader.until_ready(id, LIMIT).await.unwrap();
    }
    uploader.stop().await;
    for stage in [here, away] {
        stage.strike().await.unwrap();
    }
}

#[tokio::test]
async fn a_team_that_refuses_stops_no_other() {
    let (here, closed) = (Stage::set().await.unwrap(), Stage::set().await.unwrap());
    let api = api_of(&closed).await;
    let file = closed.clip("closed.mp4", 6, Take::One).unwrap();
    let other = here.clip("here.mp4", 6, Take::Two).unwrap();
    let profile = here.path("profile");
    let uploader = Uploader::start(&profile, &here.server.credentials).await.unwrap();
    uploader.engine.connect(connection(&closed, &api.url())).await.unwrap();
    api.go_down().await;
    let refused = uploader.add(file.clone()).await.unwrap();
    let url = &here.server.credentials.url;
    uploader.engine.connect(connection(&here, url)).await.unwrap();
    let no = Fault::json(401, r#"{"code":"unauthenticated","message":"no"}"#);
    api.obey([Rule::new(What::Asked("/api/"), usize::MAX, no)]);
    api.come_up().unwrap();
    let asks = Hold::NeedsUser { code: Code::SignedOut };
    uploader.until(refused, LIMIT, |view| view.hold == asks).await.unwrap();

    let sent = uploader.add(other.clone()).await.unwrap();
    uploader.until_ready(sent, LIMIT).await.unwrap();
    here.one_whole_video(&other).await.unwrap();
    assert_eq!(uploader.view(refused).await.unwrap().hold, asks);
    let snapshot = uploader.engine.snapshot().await.unwrap();
    let (url, code) = (api.url() + "/", Code::SignedOut);
    assert!(snapshot.connections.contains(&ConnectionView::Refused { url, code }));
    assert!(matches!(snapshot.connection, ConnectionView::Connected { .. }));

    api.behave();
    uploader.engine.retry(vec![refused]).await.unwrap();
    uploader.until_ready(refused, LIMIT).await.unwrap();
    closed.one_whole_video(&file).await.unwrap();
    uploader.stop().await;
    for stage in [here, closed] {
        stage.strike().await.unwrap();
    }
}

#[tokio::test]
async fn dailies_works_for_every_team_that_its_queue_needs() {
    let (one, other) = (Stage::set().await.unwrap(), Stage::set().await.unwrap());
    let profile = one.path("profile");
    let file = one.clip("one.mp4", 6, Take::One).unwrap();
    let second = other.clip("other.mp4", 6, Take::Two).unwrap();
    for stage in [&one, &other] {
        let key = secrecy::ExposeSecret::expose_secret(&stage.server.credentials.api_key);
        let login = Dailies::unconnected(profile.clone()).told(&format!("{key}\n"));
        let arguments = ["login", "--key", "--server", &stage.server.credentials.url];
        let done = login.run(LIMIT, &arguments).await.unwrap();
        assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    }
    let dailies = Dailies::unconnected(profile);
    // Its bytes go nowhere until the call that added it is killed.
    one.proxy.go_down().await;
    let url = one.server.credentials.url.as_str();
    let call = dailies.spawn(&["--server", url, "upload", file.to_str().unwrap()]).unwrap();
    call.until(LIMIT, |event| event["event"] == "added").await.unwrap();
    tokio::time::sleep(MOMENT).await;
    assert!(call.kill().await.unwrap());
    one.proxy.come_up().unwrap();

    let url = other.server.credentials.url.as_str();
    let arguments = ["--server", url, "upload", second.to_str().unwrap()];
    let done = dailies.run(LIMIT, &arguments).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    let done = dailies.run(LIMIT, &["--server", url, "run"]).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    one.one_whole_video(&file).await.unwrap();
    other.one_whole_video(&second).await.unwrap();
    for stage in [one, other] {
        stage.strike().await.unwrap();
    }
}

//! A network that goes away without a word, and a computer that sleeps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dailies_api::credentials::Credentials;
use dailies_engine::Profile;
use dailies_engine::clock::{Clock, SystemClock};
use dailies_engine::team::Connection;
use dailies_engine::transfer::{HoldKind, Phase, Timestamp};
use dailies_engine::view::UploadView;
use e2e::clips::{self, MIB, Take};
use e2e::proxy::{Exchange, Fault, Rule, What};
use e2e::{Dailies, FaultProxy, Server, Stage, Uploader, Wire, quick};
use serde_json::Value;
use url::Url;

const LIMIT: Duration = Duration::from_secs(120);
/// A connection that is left alone tries again a minute after the network went, and an upload that
/// waits for it gives it up after half of that.
const AWAY: Duration = Duration::from_secs(14);
/// The aim is two seconds, and what is left takes two; a busy machine gets more, but less than a
/// connection left alone takes.
const SOON: Duration = Duration::from_secs(15);

/// What is promised, over a network that says at once that it is none.
const PROMISED: Duration = Duration::from_secs(2);
/// Between two questions whether there is a network, less what a busy machine may do to one of them.
const NO_LESS: Duration = Duration::from_millis(700);
/// An odd number, for a median.
const ROUNDS: usize = 3;

fn confirmed(event: &Value) -> u64 {
    event["confirmedBytes"].as_u64().unwrap_or_default()
}

#[tokio::test]
async fn an_upload_goes_on_as_soon_as_the_network_is_back() {
    let wire = Wire::lay(80).await.unwrap();
    let folder = tempfile::Builder::new().prefix("e2e-").tempdir().unwrap();
    let small = [("DAILIES_PART_SIZE", (5 * MIB).to_string())];
    let server = Server::start_on(&wire, &folder.path().join("server"), &small).await.unwrap();
    let clip = folder.path().join("reel.mp4");
    clips::copy(24, Take::One, &clip).unwrap();
    let profile = folder.path().join("profile");
    let dailies = Dailies::new(profile, &server.credentials_file).on(&wire);
    wire.grow_patient().await.unwrap();
    let upload = dailies.spawn(&["upload", clip.to_str().unwrap()]).unwrap();

    upload.until(LIMIT, |event| confirmed(event) > 0).await.unwrap();
    wire.cut().await.unwrap();
    tokio::time::sleep(AWAY).await;
    wire.mend().await.unwrap();
    let back = Instant::now();
    let ended = upload.ended(LIMIT).await.unwrap();
    // One connection may have been lucky; the upload has ended when none was left alone.
    let took = back.elapsed();
    println!("all was there {took:?} after the network's return");
    assert_eq!(ended.code(), Some(0), "{}", ended.out);
    assert!(ended.event("uploaded").is_some());
    assert!(took < SOON, "{took:?}");
    server.stop().await.unwrap();
}

/// Whether there is a way.
fn is_question(exchange: &Exchange) -> bool {
    exchange.asked.starts_with("HEAD")
}

fn has_ended(exchange: &Exchange) -> bool {
    exchange.end.is_some()
}

/// Whoever waits for a network asks for it once a second. Here it is back right after a question in
/// vain: nobody waits longer for the next one.
#[tokio::test]
async fn the_queue_goes_on_within_two_seconds_of_the_networks_return() {
    let stage = Stage::set().await.unwrap();
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(stage.server.api_address().unwrap());
    let credentials = &stage.server.credentials;
    let (profile, way) = (stage.path("profile"), api.url());
    let uploader = Uploader::by_way_of(&profile, credentials, &way).await.unwrap();
    let file = stage.clip("reel.mp4", 24, Take::One).unwrap();
    // So that it is not all there before the network goes.
    stage.proxy.limit(4 * MIB);
    let id = uploader.add(file.clone()).await.unwrap();
    let sent = |seen: &[Exchange]| seen.iter().any(|exchange| exchange.part.is_some());
    stage.proxy.until(LIMIT, sent).await.unwrap();

    let (api, storage) = (&api, &stage.proxy);
    let mut waits = Vec::new();
    for _ in 0..ROUNDS {
        for proxy in [api, storage] {
            let cut = Fault::Cut { after: 0, reset: true };
            proxy.obey(
                [What::Asked("/"), What::Sent("/")]
                    .map(|what| Rule::new(what, usize::MAX, cut.clone())),
            );
            proxy.go_down().await;
            proxy.come_up().unwrap();
        }
        let offline = |view: &UploadView| view.hold.kind() == HoldKind::Offline;
        uploader.until(id, LIMIT, offline).await.unwrap();
        let lost = api.exchanges().len();
        let in_vain = |seen: &[Exchange]| {
            seen[lost..].iter().filter(|seen| is_question(seen)).count() >= 2
                && seen.iter().all(has_ended)
        };
        api.until(LIMIT, in_vain).await.unwrap();
        let (back, before) = (Instant::now(), storage.exchanges().len());
        api.behave();
        storage.behave();
        storage.until(LIMIT, |seen| sent(&seen[before..])).await.unwrap();
        waits.push(back.elapsed());
        let asked = api.exchanges().split_off(lost);
        // Before it is known that there is no way, an upload may try by itself.
        let known = asked.iter().position(is_question).unwrap();
        let gap = asked[known + 1].began - asked[known].began;
        assert!(gap >= NO_LESS, "too often: {asked:#?}");
    }
    println!("it went on {waits:?} after the network's return");
    waits.sort();
    assert!(waits[ROUNDS / 2] <= PROMISED, "{waits:?}");
    stage.proxy.unlimit();
    uploader.until_ready(id, LIMIT).await.unwrap();
    stage.one_whole_video(&file).await.unwrap();
    uploader.stop().await;
    stage.strike().await.unwrap();
}

/// The computer's clock, and sleep as the test says.
#[derive(Debug, Default)]
struct Sleeper(AtomicU64);

impl Clock for Sleeper {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn slept(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

/// The storage takes the part and falls silent, so nothing but the sleep says that it is in vain.
#[tokio::test]
async fn a_computer_that_wakes_up_starts_anew_on_fresh_connections() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("reel.mp4", 12, Take::One).unwrap();
    stage.proxy.obey([Rule::part(1, Fault::Stall { after: 0, lasting: LIMIT })]);
    let folder = stage.path("profile");
    let _profile = Profile::lock(&folder).unwrap();
    let clock = Arc::new(Sleeper::default());
    let mut options = quick();
    (options.net.stall, options.net.answer) = (LIMIT, LIMIT);
    let queue = Profile::queue(&folder);
    let start = dailies_engine::start(&queue, clock.clone() as _, options);
    let (engine, task) = start.await.unwrap();
    let Credentials { url, api_key: key, .. } = &stage.server.credentials;
    let connection = Connection::with_key(Url::parse(url).unwrap(), key.clone());
    engine.connect(connection).await.unwrap();
    let mut changes = engine.subscribe();
    let id = engine.add(vec![file.clone()], None).await.unwrap().uploads[0].id;
    let held = |seen: &[e2e::proxy::Exchange]| seen.iter().any(|seen| seen.part == Some(1));
    stage.proxy.until(LIMIT, held).await.unwrap();

    clock.0.store(3600, Ordering::Relaxed);
    let ready = async {
        while engine.uploads(vec![id]).await.unwrap()[0].phase != Phase::Ready {
            let _ = changes.recv().await;
        }
    };
    tokio::time::timeout(LIMIT / 2, ready).await.unwrap();
    assert!(stage.proxy.unused().is_empty());
    stage.one_whole_video(&file).await.unwrap();
    engine.stop(task).await;
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn what_is_offered_without_a_network_waits_for_it() {
    let wire = Wire::lay(80).await.unwrap();
    let folder = tempfile::Builder::new().prefix("e2e-").tempdir().unwrap();
    let server = Server::start_on(&wire, &folder.path().join("server"), &[]).await.unwrap();
    let clip = |name: &str, take| {
        let path = folder.path().join(name);
        clips::copy(6, take, &path).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (first, second) = (clip("first.mp4", Take::One), clip("second.mp4", Take::Two));
    let dailies = Dailies::new(folder.path().join("profile"), &server.credentials_file).on(&wire);
    let done = dailies.run(LIMIT, &["upload", &first]).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);

    wire.cut().await.unwrap();
    // What was never reached may be no team server at all.
    let stranger = Dailies::new(folder.path().join("other"), &server.credentials_file).on(&wire);
    let refused = stranger.run(LIMIT, &["upload", &second]).await.unwrap();
    assert_eq!(refused.code(), Some(3), "{}\n{}", refused.out, refused.errors);
    assert!(refused.errors.contains("cannot be reached"), "{}", refused.errors);

    let upload = dailies.spawn(&["upload", &second]).unwrap();
    upload.until(LIMIT, |event| event["event"] == "added").await.unwrap();
    tokio::time::sleep(SOON).await;
    assert_eq!(upload.events().len(), 1, "{:?}", upload.events());
    wire.mend().await.unwrap();
    let ended = upload.ended(LIMIT).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}\n{}", ended.out, ended.errors);
    assert!(ended.event("uploaded").is_some());
    server.stop().await.unwrap();
}

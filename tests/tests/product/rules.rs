//! A limit and a schedule, set by one call and kept by another that is at work.

use std::time::{Duration, Instant};

use dailies_engine::Profile;
use e2e::clips::{MIB, Take};
use e2e::proxy::{Exchange, Fault, Rule, What};
use e2e::{Dailies, FaultProxy, Stage};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(120);
/// Twelve MiB take three seconds.
const RATE: u64 = 4_000_000;

async fn set(dailies: &Dailies, arguments: &[&str]) -> Value {
    let done = dailies.run(LIMIT, arguments).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}", done.errors);
    done.events[0].clone()
}

#[tokio::test]
async fn a_limit_holds_while_somebody_uploads_and_at_the_next_start() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("reel.mp4", 12, Take::One).unwrap();
    let dailies = Dailies::new(stage.path("profile"), &stage.server.credentials_file);
    let others = Dailies::unconnected(dailies.profile().to_owned());
    assert_eq!(set(&others, &["limit"]).await["limit"], Value::Null);
    assert_eq!(set(&others, &["limit", "4M"]).await["limit"], RATE);
    assert_eq!(set(&others, &["parallel", "5"]).await["uploads"], 5);

    let begun = Instant::now();
    let upload = dailies.run(LIMIT, &["upload", file.to_str().unwrap()]).await.unwrap();
    assert_eq!(upload.code(), Some(0), "{}", upload.errors);
    let least = Duration::from_secs(12 * MIB / RATE) * 9 / 10;
    assert!(begun.elapsed() >= least, "{:?}", begun.elapsed());
    let expected = json!({
        "limit": RATE,
        "schedule": [],
        "uploads": 5,
        "pauseOnMetered": true,
        "pauseOnBattery": false,
        "keepAwake": true,
    });
    assert_eq!(set(&others, &["limit"]).await, expected);
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn a_schedule_stops_what_is_at_work_and_lets_it_go_on() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("reel.mp4", 24, Take::One).unwrap();
    let dailies = Dailies::new(stage.path("profile"), &stage.server.credentials_file);
    let others = Dailies::unconnected(dailies.profile().to_owned());
    let wrong = others.run(LIMIT, &["schedule", "mon 25:00-26:00 5M"]).await.unwrap();
    assert_eq!(wrong.code(), Some(2), "{}", wrong.errors);
    set(&others, &["limit", "4M"]).await;
    let upload = dailies.spawn(&["upload", file.to_str().unwrap()]).unwrap();
    let moves = |event: &Value| event["inFlightBytes"].as_u64().is_some_and(|bytes| bytes > 0);
    upload.until(LIMIT, moves).await.unwrap();

    let rules = set(&others, &["schedule", "daily 00:00-24:00 pause"]).await;
    assert_eq!(rules["schedule"], json!(["daily 00:00-24:00 pause"]));
    let pause = json!({ "event": "allowance", "kind": "schedule", "until": null });
    upload.until(LIMIT, |event| *event == pause).await.unwrap();
    let standing = async {
        loop {
            let upload = others.run(LIMIT, &["list"]).await.unwrap().events[0].clone();
            if upload["active"] == false {
                return upload["phase"].clone();
            }
        }
    };
    assert_eq!(tokio::time::timeout(LIMIT, standing).await.unwrap(), "uploading");
    let sent = stage.proxy.exchanges().len();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(stage.proxy.exchanges().len(), sent, "nothing is sent");

    set(&others, &["limit", "off"]).await;
    set(&others, &["schedule", "off"]).await;
    let ended = upload.ended(LIMIT).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.errors);
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn a_pause_holds_for_what_is_just_being_opened() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("reel.mp4", 12, Take::One).unwrap();
    // Slow enough for somebody to set a schedule while a session is being opened.
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(stage.server.api_address().unwrap());
    let slow = Fault::SlowAnswer { bytes_per_second: 200 };
    api.obey([Rule::new(What::Function("videoActions:initiateVideoUpload"), 1, slow)]);
    let credentials = stage.credentials_by_way_of(&api.url()).unwrap();
    let dailies = Dailies::new(stage.path("profile"), &credentials);
    let upload = dailies.spawn(&["upload", file.to_str().unwrap()]).unwrap();
    let opens = |exchange: &&Exchange| {
        exchange.function.as_deref() == Some("videoActions:initiateVideoUpload")
    };
    api.until(LIMIT, |all| all.iter().any(|exchange| opens(&exchange))).await.unwrap();
    set(&dailies, &["schedule", "daily 00:00-24:00 pause"]).await;
    let open = api.exchanges().iter().find(opens).unwrap().end.is_none();
    assert!(open, "the schedule was too late");
    api.quiet(LIMIT).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(stage.proxy.exchanges().len(), 0, "nothing is sent");

    set(&dailies, &["schedule", "off"]).await;
    let ended = upload.ended(LIMIT).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.errors);
    stage.strike().await.unwrap();
}

/// One that begins or ends holds its profile, and nobody can ask it for that moment.
#[tokio::test]
async fn a_call_waits_for_one_that_ends() {
    let folder = tempfile::tempdir().unwrap();
    let calls = Dailies::unconnected(folder.path().join("profile"));
    let held = Profile::lock(calls.profile()).unwrap();
    let call = calls.spawn(&["limit", "4M"]).unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(held);
    let done = call.ended(LIMIT).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}", done.errors);

    let held = Profile::lock(calls.profile()).unwrap();
    let done = calls.run(LIMIT, &["limit"]).await.unwrap();
    assert_eq!(done.code(), Some(2));
    assert!(done.errors.contains("another program works on this profile"), "{}", done.errors);
    drop(held);
}

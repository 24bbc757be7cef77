//! A laptop whose network is metered, that runs on battery, and that would like to sleep.

use std::time::Duration;

use e2e::clips::Take;
use e2e::{Bus, Dailies, Metered, Running, Stage};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(120);
/// What is said by the computer holds within this time.
const AT_ONCE: Duration = Duration::from_secs(2);
/// Long enough for a slice to be sent.
const A_WHILE: Duration = Duration::from_secs(1);

fn on(bus: &Bus, stage: &Stage) -> Dailies {
    Dailies::new(stage.path("profile"), &stage.server.credentials_file)
        .with("DBUS_SYSTEM_BUS_ADDRESS", bus.address())
        .with("DBUS_SESSION_BUS_ADDRESS", bus.address())
}

async fn set(dailies: &Dailies, arguments: &[&str]) -> Value {
    let done = dailies.run(LIMIT, arguments).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}", done.errors);
    done.events.first().cloned().unwrap_or_default()
}

/// Starts an upload of 24 MiB at 4 MB/s.
async fn begin(dailies: &Dailies, stage: &Stage) -> Running {
    let file = stage.clip("reel.mp4", 24, Take::One).unwrap();
    set(dailies, &["limit", "4M"]).await;
    dailies.spawn(&["upload", file.to_str().unwrap()]).unwrap()
}

fn moves(event: &Value) -> bool {
    event["event"] == "progress" && event["inFlightBytes"].as_u64().is_some_and(|bytes| bytes > 0)
}

/// Waits for the word of what holds, and then sees that nothing moves, here and on the way.
async fn pauses(stage: &Stage, upload: &Running, said: usize, kind: &str) {
    upload.after(said, AT_ONCE, |event| event["kind"] == kind).await.unwrap();
    // What was under way is cut off.
    stage.proxy.quiet(AT_ONCE).await.unwrap();
    let passed = stage.proxy.passed();
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(stage.proxy.passed(), passed, "bytes that went all the same");
    let news = upload.events().split_off(said);
    let mut since = news.iter().skip_while(|event| event["kind"] != kind);
    assert!(!since.any(moves), "{news:#?}");
}

async fn goes_on(upload: &Running, said: usize) {
    upload.after(said, AT_ONCE, |event| event["kind"] == "limit").await.unwrap();
    upload.after(said, AT_ONCE, moves).await.unwrap();
}

async fn ends_well(upload: Running) {
    let ended = upload.ended(LIMIT).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}", ended.errors);
}

#[tokio::test]
async fn a_metered_network_is_not_used_until_it_is_not_metered_any_more() {
    let stage = Stage::set().await.unwrap();
    let mut bus = Bus::start().await.unwrap();
    let dailies = on(&bus, &stage);
    let upload = begin(&dailies, &stage).await;
    upload.until(LIMIT, moves).await.unwrap();

    let said = upload.events().len();
    bus.set_metered(Metered::Yes).await.unwrap();
    pauses(&stage, &upload, said, "metered").await;
    assert_eq!(set(&dailies, &["list"]).await["phase"], "uploading");
    let said = upload.events().len();
    bus.set_metered(Metered::No).await.unwrap();
    goes_on(&upload, said).await;

    // One that is started anew is heard, and one that is not there says nothing.
    let said = upload.events().len();
    bus.start_network_manager(Metered::GuessYes).await.unwrap();
    pauses(&stage, &upload, said, "metered").await;
    let said = upload.events().len();
    bus.stop_network_manager().await.unwrap();
    goes_on(&upload, said).await;
    set(&dailies, &["limit", "off"]).await;
    ends_well(upload).await;
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn nothing_is_sent_from_a_metered_network_at_first_but_all_the_same_if_somebody_wants_it() {
    let stage = Stage::set().await.unwrap();
    let bus = Bus::start().await.unwrap();
    bus.set_metered(Metered::Yes).await.unwrap();
    let dailies = on(&bus, &stage);
    let upload = begin(&dailies, &stage).await;
    pauses(&stage, &upload, 0, "metered").await;
    assert!(!upload.events().iter().any(moves));

    let said = upload.events().len();
    set(&dailies, &["send-here"]).await;
    goes_on(&upload, said).await;
    // It was said of this network only.
    bus.set_metered(Metered::No).await.unwrap();
    tokio::time::sleep(A_WHILE).await;
    let said = upload.events().len();
    bus.set_metered(Metered::Yes).await.unwrap();
    pauses(&stage, &upload, said, "metered").await;

    let said = upload.events().len();
    let rules = set(&dailies, &["pause-on-metered", "off"]).await;
    assert_eq!(rules["pauseOnMetered"], false);
    goes_on(&upload, said).await;
    set(&dailies, &["limit", "off"]).await;
    ends_well(upload).await;
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn on_battery_it_waits_if_somebody_has_said_so() {
    let stage = Stage::set().await.unwrap();
    let bus = Bus::start().await.unwrap();
    bus.set_on_battery(true).await.unwrap();
    let dailies = on(&bus, &stage);
    let upload = begin(&dailies, &stage).await;
    upload.until(LIMIT, moves).await.unwrap();

    let said = upload.events().len();
    let rules = set(&dailies, &["pause-on-battery", "on"]).await;
    assert_eq!(rules["pauseOnBattery"], true);
    pauses(&stage, &upload, said, "battery").await;
    let said = upload.events().len();
    bus.set_on_battery(false).await.unwrap();
    goes_on(&upload, said).await;
    set(&dailies, &["limit", "off"]).await;
    ends_well(upload).await;
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn the_computer_is_kept_awake_while_bytes_are_sent_and_no_longer() {
    let stage = Stage::set().await.unwrap();
    let bus = Bus::start().await.unwrap();
    let dailies = on(&bus, &stage);
    let upload = begin(&dailies, &stage).await;
    upload.until(LIMIT, moves).await.unwrap();
    let ours = vec![("idle".to_owned(), "Dailies".to_owned())];
    held(&bus, &ours).await;
    assert_eq!(bus.asked_portal().await.unwrap(), 1);

    bus.set_metered(Metered::Yes).await.unwrap();
    held(&bus, &[]).await;
    bus.set_metered(Metered::No).await.unwrap();
    held(&bus, &ours).await;
    let rules = set(&dailies, &["keep-awake", "off"]).await;
    assert_eq!(rules["keepAwake"], false);
    held(&bus, &[]).await;
    set(&dailies, &["keep-awake", "on"]).await;
    held(&bus, &ours).await;
    set(&dailies, &["limit", "off"]).await;
    ends_well(upload).await;
    held(&bus, &[]).await;
    stage.strike().await.unwrap();
}

/// Waits until these keep the computer awake, for some seconds at the most.
async fn held(bus: &Bus, wanted: &[(String, String)]) {
    let wait = async {
        while bus.inhibitors().await.unwrap() != wanted {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), wait).await.unwrap();
}

#[tokio::test]
async fn the_switches_are_as_they_were_at_the_next_start() {
    let stage = Stage::set().await.unwrap();
    let dailies = Dailies::unconnected(stage.path("profile"));
    let rules = set(&dailies, &["keep-awake"]).await;
    let expected = json!([true, false, true]);
    let switches = |rules: &Value| {
        json!([rules["pauseOnMetered"], rules["pauseOnBattery"], rules["keepAwake"]])
    };
    assert_eq!(switches(&rules), expected);
    for command in ["pause-on-metered", "keep-awake"] {
        set(&dailies, &[command, "off"]).await;
    }
    set(&dailies, &["pause-on-battery", "on"]).await;
    assert_eq!(switches(&set(&dailies, &["limit"]).await), json!([false, true, false]));
    stage.strike().await.unwrap();
}

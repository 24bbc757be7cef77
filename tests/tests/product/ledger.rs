//! What is kept of an upload when it is over: what happened to it, and the receipt.

use std::time::Duration;

use dailies_engine::source::Crc64;
use e2e::clips::{MIB, Take};
use e2e::proxy::{Fault, Rule, What};
use e2e::{Dailies, FaultProxy, Stage};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);
const UNKNOWN: &str = "01K0000000000000000000000A";

/// What `dailies history` says, kind by kind.
fn kinds(history: &[Value]) -> Vec<&str> {
    history.iter().map(|episode| episode["event"]["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_finished_upload_has_a_receipt_and_a_history() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 24, Take::One).unwrap();
    let dailies = Dailies::new(stage.path("profile"), &stage.server.credentials_file);
    let other = Dailies::unconnected(dailies.profile().to_owned());
    let ask = async |arguments: &[&str]| other.run(LIMIT, arguments).await.unwrap();
    stage.proxy.obey([
        Rule::new(What::Part(1), 2, Fault::internal_error()),
        Rule::part(2, Fault::Cut { after: MIB, reset: true }),
        Rule::part(3, Fault::Flip { at: 4 * MIB }),
    ]);
    let running = dailies.spawn(&["upload", file.to_str().unwrap(), "--wait", "ready"]).unwrap();
    let added = running.until(LIMIT, |event| event["event"] == "added").await.unwrap();
    let id = added["uploadId"].as_str().unwrap();
    let early = ask(&["receipt", id]).await;
    assert_eq!(early.code(), Some(1), "{}\n{}", early.out, early.errors);
    let done = running.ended(LIMIT).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    let video = stage.one_whole_video(&file).await.unwrap();

    let said = ask(&["receipt", id]).await;
    let receipt = &said.events[0];
    let bytes = std::fs::read(&file).unwrap();
    let checksum = Crc64::of(&bytes).to_wire();
    assert_eq!(receipt["uploadId"], id);
    assert_eq!(receipt["videoId"], video.as_str());
    assert_eq!(receipt["size"], bytes.len());
    assert_eq!(
        (&receipt["checksum"], &receipt["algorithm"]),
        (&json!(checksum), &json!("CRC64NVME"))
    );
    assert_eq!(receipt["answer"], json!({ "size": bytes.len(), "checksum": checksum }));
    assert_eq!((&receipt["proof"], &receipt["parts"]), (&json!("signed"), &json!(5)));
    assert_eq!(stage.storage.objects().await.unwrap(), [receipt["key"].as_str().unwrap()]);
    let times = ["addedAt", "beganAt", "finishedAt"].map(|name| receipt[name].as_i64().unwrap());
    assert!(times.is_sorted(), "{times:?}");
    assert!(stage.proxy.unused().is_empty(), "never happened: {:?}", stage.proxy.unused());
    let retries = receipt["retries"].as_u64().unwrap();
    assert!(retries >= 4, "each fault made one part go up again: {receipt}");
    assert_eq!(ask(&["receipt"]).await.events, said.events);
    assert_eq!(ask(&["receipt", UNKNOWN]).await.code(), Some(2));

    let told = ask(&["history", id]).await;
    let kinds = kinds(&told.events);
    let mut seen = kinds.iter();
    for milestone in
        ["added", "begun", "registered", "opened", "sent", "finished", "became_playable"]
    {
        assert!(seen.any(|kind| *kind == milestone), "no {milestone} in order: {kinds:?}");
    }
    assert!(kinds.contains(&"parts_sent_again"), "{kinds:?}");
    assert_eq!(ask(&["history", UNKNOWN]).await.code(), Some(2));
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn what_somebody_does_is_told_in_the_order_in_which_it_was_done() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 24, Take::One).unwrap();
    let dailies = Dailies::new(stage.path("profile"), &stage.server.credentials_file);
    let other = Dailies::unconnected(dailies.profile().to_owned());
    stage.proxy.limit(12 * MIB);
    let running = dailies.spawn(&["upload", file.to_str().unwrap()]).unwrap();
    let some = |event: &Value| event["confirmedBytes"].as_u64().is_some_and(|bytes| bytes > 0);
    let event = running.until(LIMIT, some).await.unwrap();
    let id = event["uploadId"].as_str().unwrap();
    for what in ["pause", "resume", "cancel"] {
        assert_eq!(other.run(LIMIT, &[what, id]).await.unwrap().code(), Some(0));
    }
    running.ended(LIMIT).await.unwrap();
    let told = other.run(LIMIT, &["history", id]).await.unwrap();
    let kinds = kinds(&told.events);
    let mut seen = kinds.iter();
    for what in ["opened", "paused", "resumed", "cancelled", "cleaned_up"] {
        assert!(seen.any(|kind| *kind == what), "no {what} in order: {kinds:?}");
    }
    stage.strike().await.unwrap();
}

/// A team that has something else than what was sent has not got the upload, whatever it calls it.
#[tokio::test]
async fn what_the_team_says_otherwise_is_never_called_done() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 8, Take::One).unwrap();
    let size = std::fs::metadata(&file).unwrap().len();
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(stage.server.api_address().unwrap());
    let credentials = stage.credentials_by_way_of(&api.url()).unwrap();
    for (profile, value) in [
        ("checksum", json!({ "success": true, "size": size, "crc64nvme": "AAAAAAAAAAA=" })),
        ("size", json!({ "success": true, "size": size - 1 })),
    ] {
        let body = json!({ "status": "success", "value": value, "logLines": [] }).to_string();
        let headers = vec![("content-type", "application/json".into())];
        let lie = Fault::Answer { status: 200, headers, body };
        let what = What::Function("videoActions:markUploadComplete");
        api.obey([Rule::new(what, 1, lie)]);
        let dailies = Dailies::new(stage.path(profile), &credentials);
        let done = dailies.run(LIMIT, &["upload", file.to_str().unwrap()]).await.unwrap();
        assert_eq!(done.code(), Some(1), "{}\n{}", done.out, done.errors);
        assert!(done.event("uploaded").is_none(), "{}", done.out);
        let failed = done.event("failed").unwrap();
        assert_eq!(failed["code"], "damaged", "{failed}");
        let other = Dailies::unconnected(dailies.profile().to_owned());
        let receipts = other.run(LIMIT, &["receipt"]).await.unwrap();
        assert_eq!((receipts.code(), receipts.out.as_str()), (Some(0), ""));
        let id = failed["uploadId"].as_str().unwrap();
        let told = other.run(LIMIT, &["history", id]).await.unwrap().events;
        let last = told.iter().find(|episode| episode["event"]["kind"] == "failed").unwrap();
        assert_eq!(last["event"]["why"]["code"], "damaged", "{last}");
        assert_eq!(last["event"]["then"], "failed", "{last}");
    }
    stage.strike().await.unwrap();
}

/// Whoever answers chooses the words. What opens something is in none that are kept or shown.
#[tokio::test]
async fn words_of_others_open_nothing() {
    const CANARIES: [&str; 4] =
        ["canary-password", "canary-signature", "canary-key", "canary-token"];
    let words = "no: https://ann:canary-password@s3.example.com/k?X-Amz-Signature=canary-signature \
                 Authorization: Bearer canary-token, key=canary-key";
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 8, Take::One).unwrap();
    let file = file.to_str().unwrap();
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(stage.server.api_address().unwrap());
    let credentials = stage.credentials_by_way_of(&api.url()).unwrap();
    let answer = |status, body: String| {
        let headers = vec![("content-type", "application/json".into())];
        Fault::Answer { status, headers, body }
    };
    let refused = json!({ "status": "error", "errorMessage": words,
        "errorData": { "code": "forbidden", "message": words } });
    let senseless = json!({ "status": "success", "value": words });
    let document = format!("<Error><Code>Full</Code><Message>{words}</Message></Error>");
    for (profile, rule, at_storage) in [
        (
            "refused",
            Rule::new(What::Function("videos:create"), 1, answer(200, refused.to_string())),
            false,
        ),
        (
            "senseless",
            Rule::new(
                What::Function("videoActions:initiateVideoUpload"),
                9,
                answer(200, senseless.to_string()),
            ),
            false,
        ),
        ("full", Rule::new(What::AnyPart, 9, answer(507, document)), true),
    ] {
        if at_storage {
            stage.proxy.obey([rule]);
        } else {
            api.obey([rule]);
        }
        let dailies = Dailies::new(stage.path(profile), &credentials).with("RUST_LOG", "debug");
        let done = dailies.run(LIMIT, &["upload", file]).await.unwrap();
        assert_eq!(done.code(), Some(1), "{}\n{}", done.out, done.errors);
        assert!(done.errors.contains("DEBUG"), "the canary sings in a silent cage");
        let failed = done.event("failed").unwrap();
        let id = failed["uploadId"].as_str().unwrap();
        let other = Dailies::unconnected(dailies.profile().to_owned());
        let told = other.run(LIMIT, &["history", id]).await.unwrap();
        let listed = other.run(LIMIT, &["list"]).await.unwrap();
        assert!(told.out.contains("s3.example.com"), "other words are kept: {}", told.out);
        let mut written = vec![
            ("the output".into(), done.out.into_bytes()),
            ("the log".into(), done.errors.into_bytes()),
            ("the history".into(), told.out.into_bytes()),
            ("the list".into(), listed.out.into_bytes()),
        ];
        // The queue, its journal, its backups, whatever else there is.
        for file in walkdir::WalkDir::new(dailies.profile()) {
            let path = file.unwrap().into_path();
            if path.is_file() {
                written.push((path.display().to_string(), std::fs::read(path).unwrap()));
            }
        }
        assert!(written.iter().any(|(place, _)| place.ends_with("queue.db")), "it lies elsewhere");
        assert!(written.iter().any(|(place, _)| place.contains("backups")), "there is no backup");
        for (place, bytes) in written {
            let text = String::from_utf8_lossy(&bytes);
            for canary in CANARIES {
                assert!(!text.contains(canary), "{canary} is in {place} of {profile}");
            }
        }
        api.behave();
        stage.proxy.behave();
    }
    stage.strike().await.unwrap();
}

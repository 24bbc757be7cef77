//! `dailies` as somebody at a command line, or a script, knows it.

use std::time::Duration;

use e2e::clips::{MIB, Take};
use e2e::{Dailies, Stage};
use secrecy::ExposeSecret as _;
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);

fn at(stage: &Stage, profile: &str) -> Dailies {
    Dailies::new(stage.path(profile), &stage.server.credentials_file)
}

/// An upload whose first part has been confirmed, in a process that works on it.
async fn half_way(stage: &Stage, dailies: &Dailies, file: &str) -> (e2e::Running, String) {
    stage.proxy.limit(12 * MIB);
    let running = dailies.spawn(&["upload", file, "--wait", "ready"]).unwrap();
    let some = |event: &Value| event["confirmedBytes"].as_u64().is_some_and(|bytes| bytes > 0);
    let event = running.until(LIMIT, some).await.unwrap();
    (running, event["uploadId"].as_str().unwrap().to_owned())
}

async fn listed(dailies: &Dailies) -> Vec<Value> {
    let list = Dailies::unconnected(dailies.profile().to_owned());
    let done = list.run(LIMIT, &["list"]).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}", done.errors);
    done.events
}

#[tokio::test]
async fn exit_codes_say_what_kind_of_end_it_was() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 8, Take::One).unwrap();
    let file = file.to_str().unwrap();
    let (notes, broken) = (stage.path("notes.txt"), stage.path("broken.mp4"));
    std::fs::write(&notes, "no video").unwrap();
    std::fs::write(&broken, vec![7; 100_000]).unwrap();
    let code = async |dailies: &Dailies, arguments: &[&str]| {
        let done = dailies.run(LIMIT, arguments).await.unwrap();
        (done.code(), done)
    };

    let dailies = at(&stage, "usage");
    let (usage, done) = code(&dailies, &["upload"]).await;
    assert_eq!(usage, Some(2), "{}", done.errors);
    assert_eq!(code(&dailies, &["fly"]).await.0, Some(2));
    assert_eq!(code(&dailies, &["pause", "no-id"]).await.0, Some(2));
    assert_eq!(code(&dailies, &["pause", "01K0000000000000000000000A"]).await.0, Some(2));
    assert_eq!(code(&dailies, &["upload", file, "--project", "none"]).await.0, Some(2));

    let unreachable = Dailies::unconnected(stage.path("away")).with("DAILIES_API_KEY", "sk-x");
    // Port 9 discards; nothing listens on it here.
    let arguments = ["upload", file, "--server", "http://127.0.0.1:9"];
    assert_eq!(code(&unreachable, &arguments).await.0, Some(3));
    let (no_key, done) = code(&Dailies::unconnected(stage.path("keyless")), &["run"]).await;
    assert_eq!(no_key, Some(3), "{}", done.errors);
    let url = &stage.server.credentials.url;
    let wrong_key = Dailies::unconnected(stage.path("wrong")).with("DAILIES_API_KEY", "sk-wrong");
    assert_eq!(code(&wrong_key, &["upload", file, "--server", url]).await.0, Some(3));
    assert!(stage.team.videos().await.unwrap().is_empty(), "none of these reached the team");

    let (unsupported, done) = code(&dailies, &["upload", notes.to_str().unwrap()]).await;
    assert_eq!(unsupported, Some(1), "{}", done.errors);
    assert_eq!(done.event("failed").unwrap()["code"], "unsupported_type");
    let empty = stage.path("empty");
    std::fs::create_dir(&empty).unwrap();
    let (nothing, done) = code(&dailies, &["upload", empty.to_str().unwrap()]).await;
    assert_eq!(nothing, Some(1), "{}", done.errors);
    assert_eq!(done.event("failed").unwrap()["code"], "no_videos");
    let missing = stage.path("missing.mp4");
    let (missing, done) = code(&dailies, &["upload", missing.to_str().unwrap()]).await;
    assert_eq!(missing, Some(1), "{}", done.errors);
    assert_eq!(done.event("failed").unwrap()["code"], "source_missing");

    let broken = broken.to_str().unwrap();
    let (no_video, done) = code(&dailies, &["upload", broken, "--wait", "ready"]).await;
    assert_eq!(no_video, Some(1), "{}", done.out);
    let failed = done.event("failed").unwrap();
    assert_eq!(failed["code"], "processing_failed");
    assert!(failed["message"].as_str().unwrap().len() > 30, "a reason in words: {failed}");

    let (good, done) = code(&at(&stage, "good"), &["upload", file, "--wait", "ready"]).await;
    assert_eq!(good, Some(0), "{}\n{}", done.out, done.errors);
    // One bad file does not stop a good one, and is not forgotten.
    let (some, done) = code(&at(&stage, "some"), &["upload", file, broken]).await;
    assert_eq!(some, Some(0), "both were uploaded: {}\n{}", done.out, done.errors);
    let (some, done) = code(&at(&stage, "mixed"), &["upload", file, notes.to_str().unwrap()]).await;
    assert_eq!(some, Some(1), "{}\n{}", done.out, done.errors);
    assert!(done.event("uploaded").is_some(), "{}\n{}", done.out, done.errors);
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn a_second_call_pauses_and_resumes() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 40, Take::One).unwrap();
    let dailies = at(&stage, "profile");
    let other = Dailies::unconnected(dailies.profile().to_owned());
    let (running, id) = half_way(&stage, &dailies, file.to_str().unwrap()).await;

    assert_eq!(other.run(LIMIT, &["pause", &id]).await.unwrap().code(), Some(0));
    let uploads = listed(&dailies).await;
    assert_eq!(uploads.len(), 1);
    assert_eq!(uploads[0]["id"], id.as_str());
    assert_eq!(uploads[0]["hold"]["kind"], "paused");
    assert_eq!(uploads[0]["phase"], "uploading");
    stage.proxy.quiet(LIMIT).await.unwrap();
    let sent = stage.proxy.exchanges().len();
    // A length of time is what is tested here: nothing moves in it.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(stage.proxy.exchanges().len(), sent, "a paused upload sends nothing");

    stage.proxy.unlimit();
    assert_eq!(other.run(LIMIT, &["resume", &id]).await.unwrap().code(), Some(0));
    let done = running.ended(LIMIT).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    stage.one_whole_video(&file).await.unwrap();
    assert!(stage.server.log.stored_parts().iter().all(|part| !part.was_held));
    assert_eq!(listed(&dailies).await[0]["phase"], "ready");
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn a_paused_upload_outlives_its_process() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 40, Take::One).unwrap();
    let dailies = at(&stage, "profile");
    let other = Dailies::unconnected(dailies.profile().to_owned());
    let (running, id) = half_way(&stage, &dailies, file.to_str().unwrap()).await;
    other.run(LIMIT, &["pause", &id]).await.unwrap();
    assert!(running.kill().await.unwrap());

    stage.proxy.quiet(LIMIT).await.unwrap();
    let sent = stage.proxy.exchanges().len();
    let left = dailies.run(LIMIT, &["run"]).await.unwrap();
    assert_eq!(left.code(), Some(0), "{}\n{}", left.out, left.errors);
    assert_eq!(stage.proxy.exchanges().len(), sent, "`run` leaves a paused upload alone");

    stage.proxy.unlimit();
    assert_eq!(other.run(LIMIT, &["resume", &id]).await.unwrap().code(), Some(0));
    let done = dailies.run(LIMIT, &["run"]).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    stage.one_whole_video(&file).await.unwrap();
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn cancelling_removes_what_the_team_has_of_it() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 40, Take::One).unwrap();
    let dailies = at(&stage, "profile");
    let (running, id) = half_way(&stage, &dailies, file.to_str().unwrap()).await;
    assert_eq!(stage.storage.open_uploads().await.unwrap().len(), 1);

    let other = Dailies::unconnected(dailies.profile().to_owned());
    let cancelled = other.run(LIMIT, &["cancel", &id]).await.unwrap();
    assert_eq!(cancelled.code(), Some(0), "{}", cancelled.errors);
    let done = running.ended(LIMIT).await.unwrap();
    assert_eq!(done.code(), Some(1), "{}\n{}", done.out, done.errors);
    let gone = |log: &e2e::ServerLog| !log.events("upload_aborted").is_empty();
    stage.server.log.until(LIMIT, gone).await.unwrap();
    stage.storage.nothing_open().await.unwrap();
    assert_eq!(stage.storage.objects().await.unwrap(), [""; 0]);
    let next = dailies.run(LIMIT, &["run"]).await.unwrap();
    assert_eq!(next.code(), Some(0), "what was cancelled has not failed: {}", next.out);
    stage.strike().await.unwrap();
}

/// Nobody works on the profile: what was cancelled there is removed by the next run.
#[tokio::test]
async fn a_cancelled_upload_is_removed_by_the_next_run() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 40, Take::One).unwrap();
    let dailies = at(&stage, "profile");
    let (running, id) = half_way(&stage, &dailies, file.to_str().unwrap()).await;
    assert!(running.kill().await.unwrap());
    let other = Dailies::unconnected(dailies.profile().to_owned());
    assert_eq!(other.run(LIMIT, &["cancel", &id]).await.unwrap().code(), Some(0));
    let next = dailies.run(LIMIT, &["run"]).await.unwrap();
    assert_eq!(next.code(), Some(0), "{}\n{}", next.out, next.errors);
    stage.storage.nothing_open().await.unwrap();
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn a_new_version_of_a_changed_file_goes_up_on_retry() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 40, Take::One).unwrap();
    let path = file.to_str().unwrap();
    let dailies = at(&stage, "profile");
    let (running, id) = half_way(&stage, &dailies, path).await;
    let new = stage.clip("new.mp4", 40, Take::Two).unwrap();
    std::fs::rename(new, &file).unwrap();
    let done = running.ended(LIMIT).await.unwrap();
    assert_eq!(done.code(), Some(1), "{}\n{}", done.out, done.errors);
    assert_eq!(done.event("failed").unwrap()["code"], "source_changed");
    stage.storage.nothing_open().await.unwrap();

    stage.proxy.unlimit();
    let other = Dailies::unconnected(dailies.profile().to_owned());
    assert_eq!(other.run(LIMIT, &["retry", &id]).await.unwrap().code(), Some(0));
    let done = dailies.run(LIMIT, &["run"]).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    let video = done.event("ready").unwrap()["videoId"].as_str().unwrap();
    stage.whole(video, &file).await.unwrap();
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn offering_an_unfinished_file_again_goes_on_with_it() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 40, Take::One).unwrap();
    let path = file.to_str().unwrap();
    let dailies = at(&stage, "profile");
    let (running, id) = half_way(&stage, &dailies, path).await;
    assert!(running.kill().await.unwrap());
    stage.proxy.quiet(LIMIT).await.unwrap();
    stage.proxy.unlimit();

    let done = dailies.run(LIMIT, &["upload", path, "--wait", "ready"]).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    assert_eq!(done.event("added").unwrap()["uploadId"], id.as_str());
    assert_eq!(listed(&dailies).await.len(), 1);
    stage.one_whole_video(&file).await.unwrap();
    assert!(stage.server.log.stored_parts().iter().all(|part| !part.was_held));
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn a_profile_in_use_is_refused() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 40, Take::One).unwrap();
    let path = file.to_str().unwrap();
    let dailies = at(&stage, "profile");
    let (running, _) = half_way(&stage, &dailies, path).await;
    for arguments in [&["run"][..], &["upload", path]] {
        let refused = dailies.run(LIMIT, arguments).await.unwrap();
        assert_eq!(refused.code(), Some(2), "{}\n{}", refused.out, refused.errors);
        assert!(refused.errors.contains("another program works on"), "{}", refused.errors);
    }
    stage.proxy.unlimit();
    let done = running.ended(LIMIT).await.unwrap();
    assert_eq!(done.code(), Some(0), "it did not mind: {}\n{}", done.out, done.errors);
    stage.one_whole_video(&file).await.unwrap();
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn play_prints_a_session_that_plays() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 8, Take::One).unwrap();
    let dailies = at(&stage, "profile");
    let done =
        dailies.run(LIMIT, &["upload", file.to_str().unwrap(), "--wait", "ready"]).await.unwrap();
    let video = done.event("ready").unwrap()["videoId"].as_str().unwrap().to_owned();
    let played = dailies.run(LIMIT, &["play", &video]).await.unwrap();
    assert_eq!(played.code(), Some(0), "{}", played.errors);
    let session = &played.events[0];
    for url in [&session["url"], &session["posterUrl"]] {
        let answer = stage.team.http.get(url.as_str().unwrap()).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }
    assert!(session["duration"].as_f64().unwrap() > 0.0);
    let unknown = dailies.run(LIMIT, &["play", "01K0000000000000000000000A"]).await.unwrap();
    assert_ne!(unknown.code(), Some(0));
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn no_secret_is_written_anywhere() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 40, Take::One).unwrap();
    let path = file.to_str().unwrap();
    let dailies = at(&stage, "profile").with("RUST_LOG", "debug");
    // What goes wrong is what gets logged.
    stage.proxy.obey([
        e2e::proxy::Rule::part(2, e2e::proxy::Fault::expired()),
        e2e::proxy::Rule::part(3, e2e::proxy::Fault::Cut { after: MIB, reset: true }),
        e2e::proxy::Rule::part(4, e2e::proxy::Fault::internal_error()),
        e2e::proxy::Rule::part(5, e2e::proxy::Fault::captive_portal()),
    ]);
    let (running, _) = half_way(&stage, &dailies, path).await;
    let queue = |name: &str| std::fs::read(dailies.profile().join(name)).unwrap_or_default();
    let mut written: Vec<(&str, Vec<u8>)> =
        ["queue.db", "queue.db-wal"].map(|name| (name, queue(name))).into();
    assert!(!written[0].1.is_empty(), "the queue lies elsewhere");
    stage.proxy.unlimit();
    let done = running.ended(LIMIT).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    let video = done.event("ready").unwrap()["videoId"].as_str().unwrap().to_owned();
    let played = dailies.run(LIMIT, &["play", &video]).await.unwrap();
    let session: Value = played.events[0].clone();
    stage.one_whole_video(&file).await.unwrap();
    for url in [&session["url"], &session["posterUrl"]] {
        stage.team.http.get(url.as_str().unwrap()).send().await.unwrap();
    }

    assert!(done.errors.contains("DEBUG"), "the canary sings in a silent cage");
    written.extend(["queue.db", "queue.db-wal"].map(|name| (name, queue(name))));
    written.push(("the output", done.out.into_bytes()));
    written.push(("the log of `upload`", done.errors.into_bytes()));
    written.push(("the log of `play`", played.errors.into_bytes()));
    written.push(("the server's log", stage.server.log.text().into_bytes()));
    let credentials = &stage.server.credentials;
    let key = credentials.api_key.expose_secret().trim_start_matches("sk-");
    let secret = credentials.s3.secret_access_key.expose_secret();
    for (place, bytes) in written {
        let text = String::from_utf8_lossy(&bytes);
        for canary in [key, secret, "X-Amz-Signature", "X-Amz-Credential", "token="] {
            if let Some(found) = text.find(canary) {
                let around: String = text[..found].chars().rev().take(200).collect();
                let around: String = around.chars().rev().collect();
                panic!("{canary} is in {place}, after {around:?}");
            }
        }
    }
    stage.strike().await.unwrap();
}

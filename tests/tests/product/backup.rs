//! A backup that is made while the team works, and the server that comes out of it.

use std::path::Path;
use std::time::Duration;

use dailies_api::videos::VideoStatus;
use e2e::clips::{MIB, Take};
use e2e::{Dailies, Server, Stage, Storage, TeamApi, counterparts, hash, program};
use serde_json::Value;
use tokio::process::Command;

const LIMIT: Duration = Duration::from_secs(180);

/// Calls `dailies-server` for its one line.
async fn says(arguments: &[&str]) -> anyhow::Result<Value> {
    let mut command = Command::new(program("dailies-server").unwrap());
    let said = counterparts::run(LIMIT, command.args(arguments)).await?;
    Ok(serde_json::from_str(&said).unwrap())
}

async fn backed_up(data: &Path, to: &Path, more: &[&str]) -> Value {
    let mut arguments = vec!["backup", "--data", data.to_str().unwrap()];
    arguments.extend(["--to", to.to_str().unwrap()]);
    arguments.extend(more);
    says(&arguments).await.unwrap()
}

async fn restored(from: &Path, data: &Path) -> anyhow::Result<Value> {
    let (from, data) = (from.to_str().unwrap(), data.to_str().unwrap());
    says(&["restore", "--from", from, "--data", data]).await
}

/// The bytes of an object, by its number.
fn numbered(number: u64) -> Vec<u8> {
    let mut bytes = vec![0; 10_000];
    fastrand::Rng::with_seed(number).fill(&mut bytes);
    bytes
}

/// Objects come and go until it is dropped; those with a number of 7 stay.
async fn comes_and_goes(storage: Storage) {
    for number in 0.. {
        storage.put(&format!("load/{number}"), numbered(number)).await.unwrap();
        if let Some(old) = u64::checked_sub(number, 5)
            && old % 7 != 0
        {
            storage.delete(&format!("load/{old}")).await.unwrap();
        }
    }
}

async fn all_ready(team: &TeamApi, wanted: usize) {
    for _ in 0..600 {
        let videos = team.videos().await.unwrap();
        let ready = videos.iter().filter(|video| video.status == VideoStatus::Ready).count();
        assert!(videos.iter().all(|video| video.status != VideoStatus::Failed), "{videos:#?}");
        if ready == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("{wanted} videos should be ready: {:#?}", team.videos().await.unwrap());
}

#[tokio::test]
async fn a_server_is_restored_from_a_backup_that_was_made_under_load() {
    let stage = Stage::set().await.unwrap();
    let data = stage.path("server");
    let backup = stage.path("backup");
    let dailies = Dailies::new(stage.path("profile"), &stage.server.credentials_file);
    let first = stage.clip("first.mp4", 12, Take::One).unwrap();
    let second = stage.clip("second.mp4", 24, Take::One).unwrap();
    let upload = ["upload", first.to_str().unwrap(), "--wait", "ready"];
    assert_eq!(dailies.run(LIMIT, &upload).await.unwrap().code(), Some(0));

    let load = tokio::spawn(comes_and_goes(stage.storage.clone()));
    stage.proxy.limit(8 * MIB);
    let upload = ["upload", second.to_str().unwrap(), "--wait", "ready"];
    let uploading = dailies.spawn(&upload).unwrap();
    // Again and again while parts arrive, are put together, and become a video.
    let mut ended = false;
    let mut kept = 0;
    while !ended {
        ended = uploading.events().iter().any(|event| event["event"] == "ready");
        let said = backed_up(&data, &backup, &[]).await;
        assert_eq!(said["missing"], serde_json::json!([]), "{said}");
        kept = kept.max(said["kept"].as_u64().unwrap());
    }
    assert!(kept > 0, "nothing was kept of the backups before");
    assert_eq!(uploading.ended(LIMIT).await.unwrap().code(), Some(0));
    let last = backed_up(&data, &backup, &["--verify"]).await;
    assert!(last["verifiedObjects"].as_u64().unwrap() > 2, "{last}");
    load.abort();
    let videos = stage.team.videos().await.unwrap();
    stage.proxy.go_down().await;
    stage.server.stop().await.unwrap();
    std::fs::remove_dir_all(&data).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("new");
    let said = restored(&backup, &new).await.unwrap();
    assert_eq!(said["verifiedObjects"], last["verifiedObjects"]);
    let error = restored(&backup, &new).await.unwrap_err();
    assert!(error.to_string().contains("is not empty"), "{error}");

    let server = Server::start(&new, &[]).await.unwrap();
    let team = TeamApi::new(&server.credentials).unwrap();
    // Renditions were left out, and are made again.
    all_ready(&team, 2).await;
    for (video, file) in videos.iter().rev().zip([&first, &second]) {
        assert_eq!(team.original_hash(&video.id).await.unwrap(), hash::of_file(file).unwrap());
        let session = team.playback(&video.id).await.unwrap();
        let found = e2e::hls::Addresses::of(&team.http, session.url.as_deref().unwrap()).await;
        assert!(!found.unwrap().segments.is_empty());
    }
    let storage = Storage::new(&server.credentials.s3);
    let mut there = 0;
    for key in storage.objects().await.unwrap() {
        if let Some(number) = key.strip_prefix("load/") {
            assert_eq!(storage.get(&key).await.unwrap(), numbered(number.parse().unwrap()));
            there += 1;
        }
    }
    assert!(there > 0, "no object of the load was in the backup");
    storage.nothing_open().await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn renditions_can_be_kept_and_damage_is_found() {
    let stage = Stage::set().await.unwrap();
    let dailies = Dailies::new(stage.path("profile"), &stage.server.credentials_file);
    let file = stage.clip("take.mp4", 6, Take::One).unwrap();
    let upload = ["upload", file.to_str().unwrap(), "--wait", "ready"];
    assert_eq!(dailies.run(LIMIT, &upload).await.unwrap().code(), Some(0));
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup");
    let said = backed_up(&stage.path("server"), &backup, &["--with-media"]).await;
    assert!(said["mediaFiles"].as_u64().unwrap() > 2, "{said}");
    stage.proxy.go_down().await;
    stage.server.stop().await.unwrap();

    let new = backup.with_file_name("new");
    restored(&backup, &new).await.unwrap();
    let server = Server::start(&new, &[]).await.unwrap();
    let team = TeamApi::new(&server.credentials).unwrap();
    // At once: nothing has to be made.
    let video = team.only_video().await.unwrap();
    let session = team.playback(&video.id).await.unwrap();
    let found = e2e::hls::Addresses::of(&team.http, session.url.as_deref().unwrap()).await;
    let answer = team.http.get(found.unwrap().segments[0].clone()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    server.stop().await.unwrap();

    // A bit that flipped in an original; in a copy, because the others share its bytes.
    let data = backup.join("data");
    let original = std::fs::read_dir(&data).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&original).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::remove_file(&original).unwrap();
    std::fs::write(&original, &bytes).unwrap();
    let error = restored(&backup, &backup.with_file_name("other")).await.unwrap_err();
    assert!(error.to_string().contains("originals are damaged: originals/"), "{error}");
    assert!(!backup.with_file_name("other").exists(), "nothing is begun that cannot be ended");
}

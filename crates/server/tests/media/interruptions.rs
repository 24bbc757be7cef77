//! What goes wrong in the middle.

use std::path::Path;
use std::time::Duration;

use dailies_api::mux::AssetStatus;
use http::{Method, StatusCode};

use super::clips;
use super::stand::{PATIENCE, Stand};

/// Waits until FFmpeg reads an original that is held back.
async fn reading(stand: &Stand, name: &str) {
    let asked = async {
        while !stand.origin.asked.lock().unwrap().iter().any(|asked| asked == name) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.expect("the original is asked for");
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_after_a_crash() {
    let mut stand = Stand::start().await;
    let clip = clips::h264_silent(stand.folder.path());
    stand.origin.hold();
    let asset = stand.create(&clip).await;
    reading(&stand, "silent.mov").await;
    stand.crash().await;
    assert_eq!(stand.asset(&asset.id).await.status, AssetStatus::Preparing);
    stand.origin.release();
    assert_eq!(stand.settled(&asset.id).await.status, AssetStatus::Ready);
    let kinds = stand.receiver.events(2).await;
    assert_eq!(kinds[1].2.kind, "video.asset.ready");
    let left = std::fs::read_dir(stand.folder.path().join("work")).unwrap().count();
    assert_eq!(left, 0, "nothing half made is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_loses_nothing_of_the_video() {
    let stand = Stand::start().await;
    let clip = clips::h264_aac(stand.folder.path());
    stand.origin.cut(4);
    let asset = stand.ready(&clip).await;
    assert!((asset.duration.unwrap() - 12.0).abs() < 0.2, "{:?}", asset.duration);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_ends_running_work_soon() {
    let stand = Stand::start().await;
    let clip = clips::h264_silent(stand.folder.path());
    stand.origin.hold();
    stand.create(&clip).await;
    reading(&stand, "silent.mov").await;
    tokio::time::timeout(Duration::from_secs(3), stand.engine.shutdown()).await.expect("soon");
    let left = std::fs::read_dir(stand.folder.path().join("work")).unwrap().count();
    assert_eq!(left, 0, "nothing half made is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_asset_is_gone_with_its_job_and_files() {
    let stand = Stand::start().await;
    let clip = clips::h264_silent(stand.folder.path());
    let made = stand.ready(&clip).await;
    let files = stand.folder.path().join("assets").join(&made.id);
    assert!(files.join("init.mp4").exists());
    stand.origin.hold();
    let running = stand.create(&clip).await;
    for asset in [&made, &running] {
        let path = format!("/{}", asset.id);
        let answer = stand.api(Method::DELETE, &path, None).await;
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        let answer = stand.api(Method::GET, &path, None).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
    let token = stand.token(&Stand::claims(&made, "v"));
    let answer = stand.get(&stand.master(&made, Some(&token))).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert!(!files.exists());
}

/// State of the only job, and its input.
fn job(folder: &Path) -> (String, Option<String>) {
    let database = rusqlite::Connection::open(folder.join("media.db")).unwrap();
    database
        .query_row("SELECT state, input FROM jobs", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
}

/// As after a power cut: the asset is ready, but nobody knows whether its files are on disk.
fn unsettle(folder: &Path, input: &str) {
    let database = rusqlite::Connection::open(folder.join("media.db")).unwrap();
    let sql = "UPDATE jobs SET state = 'syncing', input = ?1 WHERE state = 'done'";
    assert_eq!(database.execute(sql, [input]).unwrap(), 1);
}

async fn done(stand: &Stand) {
    let done = async {
        while job(stand.folder.path()) != ("done".to_owned(), None) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, done).await.expect("the job is done");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_lost_in_a_power_cut_are_made_again() {
    let mut stand = Stand::start().await;
    let asset = stand.ready(&clips::h264_silent(stand.folder.path())).await;
    done(&stand).await;
    let input = stand.input("silent.mov");
    let segment = stand.folder.path().join("assets").join(&asset.id).join("segment-00001.m4s");
    let whole = std::fs::read(&segment).unwrap();

    stand.origin.asked.lock().unwrap().clear();
    stand.restart_after(|folder| unsettle(folder, &input)).await;
    done(&stand).await;
    assert!(stand.origin.asked.lock().unwrap().is_empty(), "whole files are kept");

    stand
        .restart_after(|folder| {
            unsettle(folder, &input);
            std::fs::write(&segment, "").unwrap();
        })
        .await;
    done(&stand).await;
    assert_eq!(std::fs::read(&segment).unwrap(), whole);
    assert_eq!(stand.asset(&asset.id).await.status, AssetStatus::Ready);
}

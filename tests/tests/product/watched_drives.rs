//! Watched folders where the system does not tell of everything: too many subfolders, and drives
//! that come and go.

use std::path::{Path, PathBuf};
use std::time::Duration;

use e2e::clips::{self, Take};
use e2e::{Dailies, Running, Stage};

const LIMIT: Duration = Duration::from_secs(60);

/// A folder, and a program that watches it after a shell has done something to its system.
async fn watch(subfolders: usize, prelude: impl Fn(&str) -> String) -> (Stage, PathBuf, Running) {
    let stage = Stage::set().await.unwrap();
    let folder = stage.path("card");
    std::fs::create_dir(&folder).unwrap();
    for nth in 0..subfolders {
        std::fs::create_dir(folder.join(format!("day {nth}"))).unwrap();
    }
    let folder = folder.canonicalize().unwrap();
    let path = folder.to_str().unwrap();
    let dailies = Dailies::new(stage.path("profile"), &stage.server.credentials_file);
    let running = dailies.after_shell(&prelude(path)).spawn(&["watch", path]).unwrap();
    (stage, folder, running)
}

async fn health(running: &Running, said: usize, health: &str) -> usize {
    running.after(said, LIMIT, |event| event["health"] == health).await.unwrap();
    running.events().len()
}

async fn goes_up(running: &Running, file: &Path) {
    let is_there = |event: &serde_json::Value| {
        event["event"] == "uploaded" && event["path"].as_str() == file.to_str()
    };
    running.until(LIMIT, is_there).await.unwrap();
}

/// The folders past the limit are looked through again and again, and somebody is told why.
#[tokio::test]
async fn more_folders_than_the_system_watches() {
    let limit = |_: &str| "echo 4 > /proc/sys/user/max_inotify_watches".to_owned();
    let (stage, folder, running) = watch(10, limit).await;
    health(&running, 0, "polling_too_many_folders").await;
    let file = folder.join("day 9/last.mp4");
    std::fs::copy(clips::clip(1, Take::One).unwrap(), &file).unwrap();
    goes_up(&running, &file).await;
    let told = running.events();
    let told = told.iter().find(|event| event["health"] == "polling_too_many_folders").unwrap();
    assert!(told["message"].as_str().unwrap().contains("max_user_watches"), "{told}");
    drop(running);
    stage.strike().await.unwrap();
}

/// What is left of a drive is its empty mount point. Nothing is concluded from that; what is on the
/// drive when it is back is found, and watched.
#[tokio::test]
async fn a_drive_is_pulled_out_and_put_in_again() {
    let mount = |path: &str| format!("mount -t tmpfs tmpfs '{path}'");
    let (stage, folder, running) = watch(0, mount).await;
    let (path, inside) = (folder.to_str().unwrap(), |running: &Running, name: &str| {
        running.seen_from_outside(&folder).unwrap().join(name)
    });
    let clip = std::fs::read(clips::clip(1, Take::One).unwrap()).unwrap();
    let said = health(&running, 0, "watching").await;
    std::fs::write(inside(&running, "first.mp4"), &clip).unwrap();
    goes_up(&running, &folder.join("first.mp4")).await;

    running.shell_inside(&format!("umount '{path}'")).await.unwrap();
    let said = health(&running, said, "not_there").await;
    running.shell_inside(&mount(path)).await.unwrap();
    let another = [&clip[..], &[0, 0, 0, 8], b"free"].concat();
    std::fs::write(inside(&running, "second.mp4"), another).unwrap();
    health(&running, said, "watching").await;
    goes_up(&running, &folder.join("second.mp4")).await;
    // It is watched by events again, and what was sent from the first drive is known.
    std::fs::write(inside(&running, "first.mp4"), &clip).unwrap();
    let same = |event: &serde_json::Value| event["event"] == "same";
    running.until(LIMIT, same).await.unwrap();
    assert_eq!(stage.team.videos().await.unwrap().len(), 2);
    drop(running);
    stage.strike().await.unwrap();
}

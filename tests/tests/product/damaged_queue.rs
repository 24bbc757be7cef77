//! The queue's own file: damaged, written by a newer program, on a disk that fills up. Nothing that
//! can be read is lost, and what was under way goes on.

use std::path::Path;
use std::time::Duration;

use dailies_engine::Profile;
use dailies_engine::source::Fingerprint;
use dailies_engine::store::{Destination, Registration, Store, Upload};
use dailies_engine::transfer::{List, State, Timestamp, UploadId};
use e2e::clips::{MIB, Take};
use e2e::{Dailies, Stage, Uploader};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(90);
const PAGE: usize = 4096;

fn some_confirmed(event: &Value) -> bool {
    event["confirmedBytes"].as_u64().is_some_and(|bytes| bytes > 0)
}

/// A process dies half-way, and its disk gives back something else than was written.
#[tokio::test]
async fn an_upload_whose_queue_was_damaged_asks_what_arrived() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 40, Take::One).unwrap();
    let dailies = Dailies::new(stage.path("profile"), &stage.server.credentials_file);
    stage.proxy.limit(12 * MIB);
    let running = dailies.spawn(&["upload", file.to_str().unwrap()]).unwrap();
    running.until(LIMIT, some_confirmed).await.unwrap();
    assert!(running.kill().await.unwrap());
    stage.proxy.quiet(LIMIT).await.unwrap();
    stage.proxy.unlimit();

    // Everything into the file, so that its journal does not hide the damage.
    let queue = Profile::queue(dailies.profile());
    Store::open(&queue).unwrap().close().await;
    let mut bytes = std::fs::read(&queue).unwrap();
    // A page of an index, or of the parts: <https://sqlite.org/fileformat2.html#b_tree_pages>.
    let index = bytes.chunks(PAGE).skip(1).position(|page| page[0] == 10).unwrap() + 1;
    bytes[index * PAGE..][..PAGE].fill(0x5a);
    std::fs::write(&queue, &bytes).unwrap();

    let done = dailies.run(LIMIT, &["run"]).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    assert!(done.errors.contains("made anew"), "nobody was told: {}", done.errors);
    stage.one_whole_video(&file).await.unwrap();
    assert!(stage.server.log.stored_parts().iter().all(|part| !part.was_held));
    let kept = std::fs::read_dir(dailies.profile().join("damaged")).unwrap().next().unwrap();
    assert_eq!(std::fs::read(kept.unwrap().path().join("queue.db")).unwrap(), bytes);
    stage.strike().await.unwrap();
}

async fn long_queue(queue: &Path, folder: &Path, rows: u32) {
    let store = Store::open(queue).unwrap();
    let path = folder.join("a.mp4");
    std::fs::write(&path, b"bytes").unwrap();
    let fingerprint = Fingerprint::take(&path).unwrap();
    let row = |number: u32| Upload {
        id: UploadId::new(),
        rev: 0,
        state: State::NEW,
        path: path.clone(),
        title: format!("A001_C{number:05}"),
        content_type: "video/mp4".into(),
        fingerprint: fingerprint.clone(),
        growth: None,
        destination: Destination {
            server: "http://127.0.0.1:1/".into(),
            project_id: "p".into(),
            project: "P".into(),
            team: "T".into(),
            version_of: None,
            visibility: None,
        },
        added_at: Timestamp(1),
        uploaded_at: None,
        registration: Registration::No,
        video_id: None,
        session: None,
        duration: None,
        reason: None,
        place: 0,
        first: false,
    };
    store.insert((0..rows).map(row).collect()).await.unwrap();
    store.close().await;
}

/// The file is damaged under a running engine, which meets it when somebody looks at the queue.
#[cfg(unix)]
#[tokio::test]
async fn damage_that_is_met_while_the_engine_runs_does_not_end_it() {
    const ROWS: u32 = 4000;
    let stage = Stage::set().await.unwrap();
    let profile = stage.path("profile");
    std::fs::create_dir(&profile).unwrap();
    let queue = Profile::queue(&profile);
    long_queue(&queue, &profile, ROWS).await;
    let uploader = Uploader::start(&profile, &stage.server.credentials).await.unwrap();
    let engine = &uploader.engine;
    let mut changes = engine.subscribe();
    let before = engine.snapshot().await.unwrap();
    assert_eq!(before.rebuilt, None);

    let pages = std::fs::metadata(&queue).unwrap().len() / PAGE as u64;
    let damage = |page: u64| {
        use std::os::unix::fs::FileExt as _;
        let file = std::fs::File::options().write(true).open(&queue).unwrap();
        file.write_all_at(&[0x5a; PAGE], page * PAGE as u64).unwrap();
    };
    // Some of these are rows, whatever else lies between.
    [pages / 4, pages / 2, pages * 3 / 4].into_iter().for_each(|at| (at..at + 4).for_each(damage));
    let rebuilt = async {
        loop {
            for offset in (0..u64::from(ROWS)).step_by(400) {
                // What is met is told to whoever asked, too.
                let _ = engine.page(List::Waiting, offset, 400).await;
            }
            if let Some(rebuilt) = engine.snapshot().await.unwrap().rebuilt {
                return rebuilt;
            }
        }
    };
    let rebuilt = tokio::time::timeout(LIMIT, rebuilt).await.unwrap();
    assert!(rebuilt.uploads > u64::from(ROWS) * 9 / 10, "{rebuilt:?}");
    assert!(rebuilt.some_lost || rebuilt.uploads == u64::from(ROWS), "{rebuilt:?}");
    let waiting = engine.ids(List::Waiting).await.unwrap().len() as u64;
    assert_eq!(waiting, rebuilt.uploads);
    let mut seq = before.seq;
    let gap = async {
        loop {
            let change = changes.recv().await.unwrap();
            if change.seq != seq + 1 {
                return;
            }
            seq = change.seq;
        }
    };
    tokio::time::timeout(LIMIT, gap).await.expect("whoever follows must see that all is new");

    let file = stage.clip("rushes.mp4", 8, Take::One).unwrap();
    let id = uploader.add(file.clone()).await.unwrap();
    uploader.until_ready(id, LIMIT).await.unwrap();
    stage.one_whole_video(&file).await.unwrap();
    uploader.stop().await;
    stage.strike().await.unwrap();
}

#[tokio::test]
async fn a_newer_programs_queue_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Profile::queue(folder.path());
    Store::open(&queue).unwrap().close().await;
    let newer = rusqlite::Connection::open(&queue).unwrap();
    newer.pragma_update(None, "user_version", 999).unwrap();
    drop(newer);
    let before = std::fs::read(&queue).unwrap();
    let dailies = Dailies::unconnected(folder.path().to_owned());
    let refused = dailies.run(LIMIT, &["list"]).await.unwrap();
    assert_eq!(refused.code(), Some(1), "{}", refused.errors);
    assert!(refused.errors.contains("a newer version of this program"), "{}", refused.errors);
    assert_eq!(std::fs::read(&queue).unwrap(), before);
    assert!(!folder.path().join("damaged").exists());
}

/// There is no room for a part's receipt, nor for the state that it leads to. As soon as there is,
/// it goes on, and nothing that the storage holds is sent again.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_upload_survives_a_full_disk_under_its_queue() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 48, Take::One).unwrap();
    let dailies = Dailies::new(stage.path("profile"), &stage.server.credentials_file)
        .on_a_small_disk(2 * MIB);
    stage.proxy.limit(12 * MIB);
    let running = dailies.spawn(&["upload", file.to_str().unwrap(), "--wait", "ready"]).unwrap();
    running.until(LIMIT, some_confirmed).await.unwrap();
    let filler = running.seen_from_outside(&dailies.profile().join("filler")).unwrap();
    let full = std::fs::write(&filler, vec![0; 4 << 20]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    stage.proxy.unlimit();
    let complained = |line: &str| line.contains("database or disk is full");
    running.until_it_complains(LIMIT, complained).await.unwrap();
    assert!(stage.server.log.events("object_stored").is_empty(), "there was room after all");
    std::fs::remove_file(&filler).unwrap();
    let done = running.ended(LIMIT).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    stage.one_whole_video(&file).await.unwrap();
    assert!(stage.server.log.stored_parts().iter().all(|part| !part.was_held));
    stage.strike().await.unwrap();
}

/// The queue has room of its own: what is under way ends although the disk stays full.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_upload_ends_on_a_disk_that_stays_full() {
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 48, Take::One).unwrap();
    let dailies = Dailies::new(stage.path("profile"), &stage.server.credentials_file)
        .on_a_small_disk(96 * MIB);
    stage.proxy.limit(2 * MIB);
    let running = dailies.spawn(&["upload", file.to_str().unwrap(), "--wait", "ready"]).unwrap();
    running.until(LIMIT, some_confirmed).await.unwrap();
    let room = running.seen_from_outside(&dailies.profile().join("queue.reserve")).unwrap();
    assert_eq!(std::fs::metadata(&room).unwrap().len(), 16 * MIB);
    let filler = running.seen_from_outside(&dailies.profile().join("filler")).unwrap();
    let full = std::fs::write(&filler, vec![0; 96 << 20]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    let complained = |line: &str| line.contains("nothing new is taken");
    running.until_it_complains(LIMIT, complained).await.unwrap();
    assert!(!room.exists());
    stage.proxy.unlimit();
    let done = running.ended(LIMIT).await.unwrap();
    assert_eq!(done.code(), Some(0), "{}\n{}", done.out, done.errors);
    stage.one_whole_video(&file).await.unwrap();
    assert!(stage.server.log.stored_parts().iter().all(|part| !part.was_held));
    stage.strike().await.unwrap();
}

//! Recordings that go up while they are written, by the real program, a real server and FFmpeg.

use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dailies_api::videos::VideoStatus;
use e2e::proxy::{End, Exchange};
use e2e::{Dailies, Recording, Running, Stage};
use serde_json::Value;
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(60);
/// Of what grows: the stage has parts of 5 MiB, of which 10,000 are less than its largest file.
const PART: u64 = 6 << 20;
/// A file that can be played while it grows.
const FRAGMENTS: [&str; 2] = ["-movflags", "frag_keyframe+empty_moov"];

struct Watched {
    stage: Stage,
    dailies: Dailies,
    folder: PathBuf,
}

impl Watched {
    async fn set() -> Self {
        let stage = Stage::set().await.unwrap();
        let dailies = Dailies::new(stage.path("profile"), &stage.server.credentials_file);
        let folder = stage.path("card");
        std::fs::create_dir(&folder).unwrap();
        // What the program says is the path without links.
        let folder = folder.canonicalize().unwrap();
        Self { stage, dailies, folder }
    }

    async fn watch(&self) -> Running {
        let running = self.dailies.spawn(&["watch", self.folder.to_str().unwrap()]).unwrap();
        running.until(LIMIT, |event| event["health"] == "watching").await.unwrap();
        running
    }

    fn record(&self, name: &str, options: &[&str]) -> Recording {
        Recording::start(&self.folder.join(name), options).unwrap()
    }

    /// Parts that the storage has taken.
    fn taken(&self) -> Vec<u32> {
        taken(&self.stage.proxy.exchanges())
    }

    async fn until_taken(&self, parts: usize) {
        self.stage.proxy.until(LIMIT, |seen| taken(seen).len() >= parts).await.unwrap();
    }

    async fn kinds(&self, upload: &Value) -> Vec<String> {
        let asking = Dailies::unconnected(self.dailies.profile().to_owned());
        let id = upload["uploadId"].as_str().unwrap();
        let told = asking.run(LIMIT, &["history", id]).await.unwrap();
        let kind = |event: &Value| event["event"]["kind"].as_str().unwrap_or_default().to_owned();
        told.events.iter().map(kind).collect()
    }

    async fn whole(&self, file: &Path) {
        let videos = self.stage.team.videos().await.unwrap();
        assert_eq!(videos.len(), 1, "{videos:#?}");
        self.stage.whole(&videos[0].id, file).await.unwrap();
    }
}

fn taken(exchanges: &[Exchange]) -> Vec<u32> {
    let answered = |exchange: &&Exchange| {
        matches!(exchange.end, Some((_, End::Answered(200)))) && exchange.asked.starts_with("PUT")
    };
    exchanges.iter().filter(answered).filter_map(|exchange| exchange.part).collect()
}

fn of<'a>(name: &'a str, path: &'a Path) -> impl Fn(&Value) -> bool + 'a {
    move |event| event["event"] == name && event["path"].as_str() == path.to_str()
}

async fn ends_well(running: Running) {
    running.terminate().unwrap();
    let ended = running.ended(LIMIT).await.unwrap();
    assert_eq!(ended.code(), Some(0), "{}\n{}", ended.out, ended.errors);
}

/// What is final goes up while the recorder writes, its head, too, where that `stays` as it is; the
/// last bytes follow, and no byte twice.
async fn is_sent_while_it_runs(name: &str, options: &[&str], stays: bool) {
    let watched = Watched::set().await;
    let running = watched.watch().await;
    let mut recording = watched.record(name, options);
    let path = recording.path().to_owned();
    watched.until_taken(10).await;
    recording.runs().unwrap();
    let added = running.until(LIMIT, of("added", &path)).await.unwrap();
    assert_eq!(watched.taken().contains(&1), stays, "the part with its head");
    recording.stop().await.unwrap();
    running.until(LIMIT, of("uploaded", &path)).await.unwrap();
    let size = std::fs::metadata(&path).unwrap().len();
    running.until(LIMIT, of("ready", &path)).await.unwrap();
    watched.stage.one_whole_video(&path).await.unwrap();

    let mut parts = watched.taken();
    parts.sort_unstable();
    let all = u32::try_from(size.div_ceil(PART)).unwrap();
    assert_eq!(parts, (1..=all).collect::<Vec<_>>(), "each once");
    let kinds = watched.kinds(&added).await;
    let mut seen = kinds.iter();
    for kind in ["added", "registered", "opened", "settled", "sent", "finished"] {
        assert!(seen.any(|seen| seen == kind), "no {kind} in order: {kinds:?}");
    }
    ends_well(running).await;
    watched.stage.strike().await.unwrap();
}

#[tokio::test]
async fn a_recording_is_sent_while_it_runs() {
    is_sent_while_it_runs("take.mkv", &[], false).await;
}

#[tokio::test]
async fn a_transport_stream_is_sent_while_it_runs() {
    is_sent_while_it_runs("take.ts", &[], true).await;
}

#[tokio::test]
async fn a_fragmented_file_is_sent_while_it_runs() {
    is_sent_while_it_runs("take.mp4", &FRAGMENTS, true).await;
}

/// As cameras write it: each packet with its time before it.
#[tokio::test]
async fn a_camera_s_transport_stream_is_sent_while_it_runs() {
    is_sent_while_it_runs("00001.MTS", &[], true).await;
}

/// Killed again and again while somebody records, and at last the recorder, too: what it has written
/// until then is with the team, once and whole.
#[tokio::test]
async fn no_kill_loses_a_recording() {
    let watched = Watched::set().await;
    let mut recording = None;
    for kill in 0..4 {
        let running = watched.watch().await;
        recording.get_or_insert_with(|| watched.record("take.mkv", &[]));
        let before = watched.taken().len();
        // In the middle of registering, and of parts.
        match kill {
            0 => {
                let path = watched.folder.join("take.mkv");
                running.until(LIMIT, of("added", &path)).await.unwrap();
            }
            _ => watched.until_taken(before + 2).await,
        }
        assert!(running.kill().await.unwrap());
    }
    let mut recording = recording.unwrap();
    recording.runs().unwrap();
    let running = watched.watch().await;
    let before = watched.taken().len();
    watched.until_taken(before + 2).await;
    assert!(!watched.taken().contains(&1), "it is still being recorded");
    let path = recording.path().to_owned();
    recording.kill().await.unwrap();
    running.until(LIMIT, of("uploaded", &path)).await.unwrap();
    watched.whole(&path).await;
    ends_well(running).await;
    watched.stage.strike().await.unwrap();
}

/// Bytes that were sent and are other ones at the end are thrown away, and that is told.
#[tokio::test]
async fn what_is_rewritten_is_sent_again() {
    let watched = Watched::set().await;
    let running = watched.watch().await;
    let recording = watched.record("take.mp4", &FRAGMENTS);
    let path = recording.path().to_owned();
    watched.until_taken(6).await;
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.write_all_at(b"other bytes", 2 * PART + 1000).unwrap();
    drop(file);
    recording.stop().await.unwrap();
    let uploaded = running.until(LIMIT, of("uploaded", &path)).await.unwrap();
    watched.whole(&path).await;
    let mut parts = watched.taken();
    assert_eq!(parts.iter().filter(|part| **part == 3).count(), 2, "{parts:?}");
    parts.sort_unstable();
    parts.dedup();
    assert_eq!(parts.len() + 1, watched.taken().len(), "no other part went up twice");
    let kinds = watched.kinds(&uploaded).await;
    assert!(kinds.contains(&"rewritten".to_owned()), "{kinds:?}");
    ends_well(running).await;
    watched.stage.strike().await.unwrap();
}

/// What was sent is read again as soon as its recorder has closed the file; whoever writes to it after
/// that, while it is waited whether he does, is noticed all the same.
#[tokio::test]
async fn what_is_rewritten_after_its_close_is_sent_again() {
    let watched = Watched::set().await;
    let running = watched.watch().await;
    let recording = watched.record("take.mp4", &FRAGMENTS);
    let path = recording.path().to_owned();
    watched.until_taken(6).await;
    recording.stop().await.unwrap();
    // Less than a file is waited for, and enough to compare it.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.write_all_at(b"other bytes", 2 * PART + 1000).unwrap();
    drop(file);
    running.until(LIMIT, of("uploaded", &path)).await.unwrap();
    watched.whole(&path).await;
    let parts = watched.taken();
    assert_eq!(parts.iter().filter(|part| **part == 3).count(), 2, "{parts:?}");
    ends_well(running).await;
    watched.stage.strike().await.unwrap();
}

/// The last part, shorter than the others, goes up as soon as its recorder has closed the file, before
/// anybody says how large that is. Where the file goes on all the same, it goes up again, and nothing
/// is said of bytes that were written anew.
#[tokio::test]
async fn the_last_part_does_not_wait_for_the_end() {
    let watched = Watched::set().await;
    let running = watched.watch().await;
    let recording = watched.record("take.ts", &[]);
    let path = recording.path().to_owned();
    watched.until_taken(4).await;
    recording.stop().await.unwrap();
    let size = std::fs::metadata(&path).unwrap().len();
    let short = u32::try_from(size.div_ceil(PART)).unwrap();
    let is_there = |seen: &[Exchange]| taken(seen).contains(&short);
    watched.stage.proxy.until(LIMIT, is_there).await.unwrap();
    let added = running.until(LIMIT, of("added", &path)).await.unwrap();
    let kinds = watched.kinds(&added).await;
    assert!(!kinds.contains(&"settled".to_owned()), "it may still go on: {kinds:?}");

    // Whole packets, of which the stream may have any number more.
    let more = std::fs::read(&path).unwrap();
    let more = &more[..500 * 188];
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(more).unwrap();
    running.until(LIMIT, of("uploaded", &path)).await.unwrap();
    watched.whole(&path).await;
    let parts = watched.taken();
    assert_eq!(parts.iter().filter(|part| **part == short).count(), 2, "{parts:?}");
    let kinds = watched.kinds(&added).await;
    assert!(!kinds.contains(&"rewritten".to_owned()), "it only went on: {kinds:?}");
    ends_well(running).await;
    watched.stage.strike().await.unwrap();
}

/// A recorder that begins anew in the same file makes another video: what had gone up of the first
/// is removed.
#[tokio::test]
async fn who_begins_anew_is_followed_anew() {
    let watched = Watched::set().await;
    let running = watched.watch().await;
    let first = watched.record("take.mkv", &[]);
    watched.until_taken(3).await;
    first.kill().await.unwrap();
    let second = watched.record("take.mkv", &[]);
    let path = second.path().to_owned();
    // Of the first, parts may come for a while.
    let proxy = &watched.stage.proxy;
    let begun = proxy.exchanges().into_iter().find(|one| one.part.is_some()).unwrap().asked;
    let anew = |seen: &[Exchange]| {
        let seen: Vec<_> = seen.iter().filter(|one| one.asked != begun).cloned().collect();
        taken(&seen).len() >= 3
    };
    proxy.until(LIMIT, anew).await.unwrap();
    second.stop().await.unwrap();
    running.until(LIMIT, of("uploaded", &path)).await.unwrap();
    let mut videos = watched.stage.team.videos().await.unwrap();
    videos.retain(|video| video.status != VideoStatus::Failed);
    assert_eq!(videos.len(), 1, "{videos:#?}");
    watched.stage.whole(&videos[0].id, &path).await.unwrap();
    ends_well(running).await;
    watched.stage.strike().await.unwrap();
}

/// What no player can do anything with before its end waits for it.
#[tokio::test]
async fn an_ordinary_file_waits_for_its_end() {
    let watched = Watched::set().await;
    let running = watched.watch().await;
    let mut recording = watched.record("take.mp4", &[]);
    let path = recording.path().to_owned();
    let deadline = Instant::now() + LIMIT;
    while std::fs::metadata(&path).map_or(0, |file| file.len()) < 32 << 20 {
        assert!(Instant::now() < deadline, "nothing is recorded");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    recording.runs().unwrap();
    assert!(!running.events().iter().any(of("added", &path)), "it could not be played");
    recording.stop().await.unwrap();
    running.until(LIMIT, of("uploaded", &path)).await.unwrap();
    watched.whole(&path).await;
    ends_well(running).await;
    watched.stage.strike().await.unwrap();
}

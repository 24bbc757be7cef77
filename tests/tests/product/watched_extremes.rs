//! Watched folders with everything that file systems let happen: names of any bytes, times of any
//! clock, more events than the system keeps.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::proxy::{End, Exchange, Fault, Rule, What};
use e2e::watched::{Watched, begun, ends_well, numbered_clip, of};
use e2e::{Running, Stage, hash};
use serde_json::Value;
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(120);

/// Waits until so many files have gone up.
async fn all_go_up(running: &Running, count: usize) {
    let deadline = tokio::time::Instant::now() + LIMIT;
    loop {
        let events = running.events();
        let uploaded = events.iter().filter(|event| event["event"] == "uploaded").count();
        if uploaded >= count {
            assert_eq!(uploaded, count, "{events:#?}");
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{uploaded} of {count}: {events:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The team has these files, each once, byte for byte, and nothing besides.
async fn has_just(stage: &Stage, files: &[PathBuf]) {
    let mut stored = BTreeSet::new();
    let videos = stage.team.videos().await.unwrap();
    assert_eq!(videos.len(), files.len());
    for video in videos {
        stored.insert(stage.team.original_hash(&video.id).await.unwrap());
    }
    let here: BTreeSet<_> = files.iter().map(|file| hash::of_file(file).unwrap()).collect();
    assert_eq!(stored, here);
}

/// Every byte that a name can have, and names that are hard on whoever reads them: each goes up under
/// its own, from a folder and a subfolder that have such names, too, and is known after a restart.
#[tokio::test]
async fn any_name_goes_up_from_a_watched_folder() {
    let mut watched = Watched::set().await.unwrap();
    let bytes: Vec<u8> = (1..=u8::MAX).filter(|byte| *byte != b'/').collect();
    let mut names: Vec<Vec<u8>> = bytes.chunks(16).map(|some| [b"x", some].concat()).collect();
    names.extend([[b"n".repeat(251), b".mp4".to_vec()].concat(), b"\xff".repeat(255)]);
    let texts = [
        "e\u{301}.mp4",
        "\u{e9}.mp4",
        "\u{202e}4pm.sehsur.mp4",
        "\u{200f}\u{200b}.mp4",
        "two\nlines\r\n.mp4",
        " .mp4",
        "-rf \"$HOME\" `true` %00 %2e%2e ?&#=\\.mp4",
        "*?[a]{b}!.mp4",
        "CON.mp4",
        "dots. . .",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{fe0f}.mp4",
    ];
    names.extend(texts.map(|text| text.as_bytes().to_vec()));
    // No Unicode: a lone tail, an overlong dot, half a pair of surrogates, a sequence that breaks off.
    let broken: [&[u8]; 4] =
        [b"\x80.mp4", b"\xc0\xae.mp4", b"\xed\xa0\x80.mp4", b"\xf0\x9f\x91.mp4"];
    names.extend(broken.map(Vec::from));
    names.push(b"sub \xff\n\xe2\x80\xae/\xc3(.mp4".to_vec());

    watched.folder = watched.folder.join(OsStr::from_bytes(b"card \xfe\n"));
    std::fs::create_dir(&watched.folder).unwrap();
    let running = watched.watch(&[]).unwrap();
    begun(&running).await.unwrap();
    let mut files = Vec::new();
    for (number, name) in (1..).zip(&names) {
        let file = watched.folder.join(OsStr::from_bytes(name));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, numbered_clip(number).unwrap()).unwrap();
        files.push(file);
    }
    all_go_up(&running, files.len()).await;
    ends_well(running).await.unwrap();
    has_just(&watched.stage, &files).await;

    // After a restart all are known; only what is new goes up.
    let running = watched.watch(&[]).unwrap();
    begun(&running).await.unwrap();
    // What is said of a path that is no Unicode is lossy.
    let late = watched.folder.join("late.mp4");
    std::fs::write(&late, numbered_clip(0).unwrap()).unwrap();
    let is_late = |event: &Value| {
        let path = event["path"].as_str().unwrap_or_default();
        event["event"] == "uploaded" && path.ends_with("/late.mp4")
    };
    running.until(LIMIT, is_late).await.unwrap();
    files.push(late);
    ends_well(running).await.unwrap();
    has_just(&watched.stage, &files).await;
    let left = walk(&watched.folder);
    assert_eq!(left, files.into_iter().collect(), "no file has another name now");
    watched.stage.strike().await.unwrap();
}

fn walk(folder: &Path) -> BTreeSet<PathBuf> {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    files.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

/// More happens than the system keeps events of, while nobody takes any: subfolders among it, whose
/// own watches are so missed. All is found, and what comes into those subfolders later is, too.
#[tokio::test]
async fn more_events_than_the_system_keeps() {
    let watched = Watched::set().await.unwrap();
    let running = watched.watch(&[]).unwrap();
    begun(&running).await.unwrap();
    let kept = std::fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
    let kept: usize = kept.trim().parse().unwrap();
    running.freeze().unwrap();
    // Made, opened, written, closed, removed: each file is five events.
    for nth in 0..kept / 5 + 1000 {
        let path = watched.path(&format!("{nth}.tmp"));
        std::fs::write(&path, "x").unwrap();
        std::fs::remove_file(path).unwrap();
    }
    let mut files = Vec::new();
    for number in 1..=3 {
        let path = watched.path(&format!("day {number}/deep/a.mp4"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, numbered_clip(number).unwrap()).unwrap();
        files.push(path);
    }
    running.thaw().unwrap();
    all_go_up(&running, files.len()).await;
    let later = watched.path("day 3/deep/later.mp4");
    std::fs::write(&later, numbered_clip(4).unwrap()).unwrap();
    running.until(LIMIT, of("uploaded", &later)).await.unwrap();
    files.push(later);
    ends_well(running).await.unwrap();
    has_just(&watched.stage, &files).await;
    watched.stage.strike().await.unwrap();
}

/// Files of clocks that were wrong, or were set back: from before 1970, from the next century, and one
/// that is edited and older than before.
#[tokio::test]
async fn any_time_is_a_time() {
    let watched = Watched::set().await.unwrap();
    let running = watched.watch(&[]).unwrap();
    begun(&running).await.unwrap();
    let century = Duration::from_secs(100 * 365 * 24 * 3600);
    let write = |path: &Path, number: u64, modified: SystemTime| {
        let mut file = File::create(path).unwrap();
        std::io::Write::write_all(&mut file, &numbered_clip(number).unwrap()).unwrap();
        file.set_modified(modified).unwrap();
    };
    let (past, future) = (UNIX_EPOCH - century / 2, SystemTime::now() + century);
    let files = [watched.path("past.mp4"), watched.path("future.mp4"), watched.path("back.mp4")];
    write(&files[0], 1, past);
    write(&files[1], 2, future);
    write(&files[2], 3, future);
    for file in &files {
        running.until(LIMIT, of("uploaded", file)).await.unwrap();
    }
    let edited = [watched.path("first.mp4"), files[2].clone()];
    std::fs::rename(&files[2], &edited[0]).unwrap();
    running.until(LIMIT, of("same", &edited[0])).await.unwrap();
    let said = running.events().len();
    write(&edited[1], 4, SystemTime::now() - century / 4);
    running.after(said, LIMIT, of("uploaded", &edited[1])).await.unwrap();
    ends_well(running).await.unwrap();
    let running = watched.watch(&[]).unwrap();
    begun(&running).await.unwrap();
    let last = watched.path("last.mp4");
    write(&last, 5, past);
    running.until(LIMIT, of("uploaded", &last)).await.unwrap();
    ends_well(running).await.unwrap();
    let files = [files[0].clone(), files[1].clone(), edited[0].clone(), edited[1].clone(), last];
    has_just(&watched.stage, &files).await;
    watched.stage.strike().await.unwrap();
}

/// The computer's clock is set back by a day while a file is being written, and while another waits to
/// be tried again: both go up soon, later ones do, and nothing does twice.
#[tokio::test]
async fn a_clock_that_is_set_back() {
    let mut watched = Watched::set().await.unwrap();
    let clock = watched.stage.path("clock");
    std::fs::write(&clock, "+0").unwrap();
    watched.dailies = watched.dailies.by_clock(&clock).unwrap();
    let running = watched.watch(&[]).unwrap();
    begun(&running).await.unwrap();
    let day = Duration::from_secs(24 * 3600);
    let write = |path: &Path, bytes: &[u8], modified: SystemTime| {
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
        file.set_modified(modified).unwrap();
    };
    let files = ["sent.mp4", "waits.mp4", "half.mp4", "later.mp4"].map(|name| watched.path(name));
    write(&files[0], &numbered_clip(1).unwrap(), SystemTime::now());
    running.until(LIMIT, of("uploaded", &files[0])).await.unwrap();

    // Its storage is too busy, and for longer than a lane waits by itself.
    let busy = Fault::Answer {
        status: 503,
        headers: vec![("retry-after", "60".into())],
        body: String::new(),
    };
    watched.stage.proxy.obey([Rule::new(What::Sent("/"), 1, busy)]);
    write(&files[1], &numbered_clip(2).unwrap(), SystemTime::now());
    let refused = |seen: &[Exchange]| {
        seen.iter().any(|exchange| matches!(exchange.end, Some((_, End::Faulted))))
    };
    watched.stage.proxy.until(LIMIT, refused).await.unwrap();
    // What it waits for is written down by the clock as it was.
    let waits = async {
        loop {
            let listed = watched.dailies.run(LIMIT, &["list"]).await.unwrap();
            if listed.events.iter().any(|upload| upload["hold"]["kind"] == "backoff") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(LIMIT, waits).await.unwrap();
    let half = numbered_clip(3).unwrap();
    let middle = half.len() / 2;
    write(&files[2], &half[..middle], SystemTime::now());
    std::fs::write(&clock, "-1d").unwrap();
    write(&files[2], &half[middle..], SystemTime::now() - day);
    let set_back = Instant::now();
    running.until(LIMIT, of("added", &files[2])).await.unwrap();
    println!("it settled {:?} after the clock was set back", set_back.elapsed());
    for file in &files[1..3] {
        running.until(LIMIT, of("uploaded", file)).await.unwrap();
    }
    write(&files[3], &numbered_clip(4).unwrap(), SystemTime::now() - day);
    running.until(LIMIT, of("uploaded", &files[3])).await.unwrap();
    // What was sent is older now than when it was.
    let said = running.events().len();
    File::options()
        .append(true)
        .open(&files[0])
        .unwrap()
        .set_modified(SystemTime::now() - day)
        .unwrap();
    running.after(said, LIMIT, of("same", &files[0])).await.unwrap();
    ends_well(running).await.unwrap();
    has_just(&watched.stage, &files).await;
    watched.stage.strike().await.unwrap();
}

//! Watched folders, by the real program and a real server: what is finished goes up once.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use e2e::hash::{self, Hash};
use e2e::watched::{Watched, begun, ends_well, numbered_clip, of};
use e2e::{Dailies, kills};
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(60);
/// Long enough for a file to be found, and for what it would lead to.
const QUIET: Duration = Duration::from_secs(6);
const SEED: u64 = 0xF01D_E125;

/// A playable file that no other number has.
fn clip(number: u64) -> Vec<u8> {
    numbered_clip(number).unwrap()
}

/// A file goes up when its copy is done, and never again: not when it is renamed, touched, copied
/// or found by the next start. One that is edited goes up as what it is then.
#[tokio::test]
async fn what_is_finished_goes_up_once() {
    let watched = Watched::set().await.unwrap();
    let whole = clip(1);
    std::fs::write(watched.path("old.mp4"), clip(0)).unwrap();
    let running = watched.watch(&[]).unwrap();
    begun(&running).await.unwrap();

    let first = watched.path("day 1/first.mp4");
    std::fs::create_dir(watched.path("day 1")).unwrap();
    let mut file = std::fs::File::create(&first).unwrap();
    for part in whole.chunks(whole.len() / 4 + 1) {
        file.write_all(part).unwrap();
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert!(!running.events().iter().any(of("added", &first)), "it was still being written");
    }
    drop(file);
    let closed = Instant::now();
    running.until(LIMIT, of("added", &first)).await.unwrap();
    println!("in the queue {:?} after its writer had closed it", closed.elapsed());
    running.until(LIMIT, of("uploaded", &first)).await.unwrap();

    let second = watched.path("second.mp4");
    std::fs::rename(&first, &second).unwrap();
    let same = running.until(LIMIT, of("same", &second)).await.unwrap();
    let added = running.until(LIMIT, of("added", &first)).await.unwrap();
    assert_eq!(same["uploadId"], added["uploadId"]);
    let touched = std::fs::File::options().append(true).open(&second).unwrap();
    touched.set_modified(std::time::SystemTime::now()).unwrap();
    drop(touched);
    let third = watched.path("third.mp4");
    std::fs::copy(&second, &third).unwrap();
    running.until(LIMIT, of("same", &third)).await.unwrap();
    assert_eq!(watched.titles().await.unwrap(), ["first"]);
    ends_well(running).await.unwrap();

    // Edited while nobody watched.
    let mut edited = std::fs::File::options().append(true).open(&third).unwrap();
    edited.write_all(&clip(2)[whole.len() - 16..]).unwrap();
    drop(edited);
    let running = watched.watch(&[]).unwrap();
    running.until(LIMIT, of("uploaded", &third)).await.unwrap();
    tokio::time::sleep(QUIET).await;
    ends_well(running).await.unwrap();
    assert_eq!(watched.titles().await.unwrap(), ["first", "third"]);
    let plan = watched.dry_run(&[]).await.unwrap();
    let expected = [("old.mp4", "was_there"), ("second.mp4", "sent"), ("third.mp4", "sent")];
    let expected = expected.map(|(path, plan)| (path.to_owned(), plan.to_owned()));
    assert_eq!(plan, BTreeMap::from(expected));
    watched.stage.strike().await.unwrap();
}

/// Folders are kept and forgotten; the service that watches takes them over while it runs.
#[tokio::test]
async fn folders_are_kept_for_the_service() {
    let watched = Watched::set().await.unwrap();
    let whole = clip(1);
    std::fs::write(watched.path("there.mp4"), &whole).unwrap();
    std::fs::write(watched.path("half.mp4"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(watched.path("small.mp4"), &whole[..100]).unwrap();
    std::fs::write(watched.path("notes.txt"), "no video".repeat(200)).unwrap();
    std::fs::write(watched.path("coming.mp4.part"), &whole).unwrap();
    std::fs::create_dir(watched.path("proxies")).unwrap();
    std::fs::write(watched.path("proxies/there.mp4"), &whole).unwrap();
    let rules =
        ["--existing", "--smallest", "1K", "--exclude", "proxies", "--title", "{folder}: {name}"];
    let plan = watched.dry_run(&rules).await.unwrap();
    let expected = [
        ("coming.mp4.part", "in_progress"),
        ("half.mp4", "unfinished"),
        ("notes.txt", "no_video"),
        ("small.mp4", "too_small"),
        ("there.mp4", "send"),
    ];
    let expected = expected.map(|(path, plan)| (path.to_owned(), plan.to_owned()));
    assert_eq!(plan, BTreeMap::from(expected));
    assert!(watched.titles().await.unwrap().is_empty(), "nothing is sent by looking");

    let folder = watched.folder.to_str().unwrap();
    let add = [&["folders", "add", folder], &rules[..]].concat();
    let added = watched.dailies.run(LIMIT, &add).await.unwrap();
    assert_eq!(added.code(), Some(0), "{}", added.errors);
    let id = added.events[0]["id"].as_str().unwrap();
    let running = watched.dailies.spawn(&["watch"]).unwrap();
    let there = watched.path("there.mp4");
    running.until(LIMIT, of("uploaded", &there)).await.unwrap();
    assert_eq!(watched.titles().await.unwrap(), ["card: there"]);

    let other = Dailies::unconnected(watched.dailies.profile().to_owned());
    let listed = other.run(LIMIT, &["folders", "list"]).await.unwrap();
    assert_eq!(listed.events[0]["path"], folder, "{}", listed.errors);
    assert_eq!(listed.events[0]["rules"]["exclude"][0], "proxies");
    let removed = other.run(LIMIT, &["folders", "remove", id]).await.unwrap();
    assert_eq!(removed.code(), Some(0), "{}", removed.errors);
    let late = watched.path("late.mp4");
    std::fs::write(&late, clip(2)).unwrap();
    tokio::time::sleep(QUIET).await;
    assert_eq!(watched.titles().await.unwrap().len(), 1, "the folder is not watched any more");
    let again = other.run(LIMIT, &["folders", "remove", id]).await.unwrap();
    assert_eq!(again.code(), Some(2), "{}", again.errors);
    let by_path = other.run(LIMIT, &["folders", "remove", folder]).await.unwrap();
    assert_eq!(by_path.code(), Some(2), "{}", by_path.errors);
    assert!(by_path.errors.contains("is not kept"), "{}", by_path.errors);
    // The service that runs takes it over, and what the team has is not sent again.
    let added = watched.dailies.run(LIMIT, &add).await.unwrap();
    assert_eq!(added.code(), Some(0), "{}", added.errors);
    running.until(LIMIT, of("uploaded", &late)).await.unwrap();
    running.until(LIMIT, of("same", &there)).await.unwrap();

    // It lets go of it for a while.
    let steer = async |what: &str| {
        let steered = other.run(LIMIT, &["folders", what, folder]).await.unwrap();
        assert_eq!(steered.code(), Some(0), "{}", steered.errors);
        steered.events[0]["rules"]["paused"].as_bool().unwrap()
    };
    assert!(steer("pause").await);
    let meanwhile = watched.path("meanwhile.mp4");
    std::fs::write(&meanwhile, clip(3)).unwrap();
    tokio::time::sleep(QUIET).await;
    assert!(!running.events().iter().any(of("added", &meanwhile)), "the folder is paused");
    assert!(!steer("resume").await);
    running.until(LIMIT, of("uploaded", &meanwhile)).await.unwrap();
    let nobody = other.run(LIMIT, &["folders", "pause", &id.replace(&id[20..], "000000")]).await;
    assert_eq!(nobody.unwrap().code(), Some(2));
    ends_well(running).await.unwrap();
    assert_eq!(watched.titles().await.unwrap(), ["card: late", "card: meanwhile", "card: there"]);
    watched.stage.strike().await.unwrap();
}

/// Killed again and again while files come, go up and are moved aside: each is with the team once,
/// whole, and here once. `DAILIES_KILLS` says how often.
#[tokio::test]
async fn no_kill_loses_or_doubles_a_file() {
    let watched = Watched::set().await.unwrap();
    let mut rng = fastrand::Rng::with_seed(SEED);
    let mut files = BTreeMap::<String, Hash>::new();
    let more = ["--afterwards", "move"];
    for kill in 0..kills(15).unwrap() {
        let running = watched.watch(&more).unwrap();
        begun(&running).await.unwrap();
        let number = files.len() as u64;
        let name = format!("{number:04}.mp4");
        let (partial, path) = (watched.path(&format!("{name}.part")), watched.path(&name));
        std::fs::write(&partial, clip(number)).unwrap();
        files.insert(name, hash::of_file(&partial).unwrap());
        std::fs::rename(&partial, &path).unwrap();
        // While it settles, while it goes up, while it is moved.
        let wait = match kill % 3 {
            0 => rng.u64(0..3000),
            1 => {
                running.until(LIMIT, of("added", &path)).await.unwrap();
                rng.u64(0..400)
            }
            _ => {
                running.until(LIMIT, of("uploaded", &path)).await.unwrap();
                rng.u64(0..15)
            }
        };
        tokio::time::sleep(Duration::from_millis(wait)).await;
        assert!(running.kill().await.unwrap());
    }
    let running = watched.watch(&more).unwrap();
    let aside = |name: &String| watched.path("Uploaded").join(name);
    let deadline = Instant::now() + LIMIT;
    while !files.keys().all(|name| aside(name).exists()) {
        assert!(Instant::now() < deadline, "some stayed: {:#?}", running.events());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(QUIET).await;
    ends_well(running).await.unwrap();
    for (name, hash) in &files {
        assert_eq!(hash::of_file(&aside(name)).unwrap(), *hash);
        assert!(!watched.path(name).exists());
    }
    let here = std::fs::read_dir(watched.path("Uploaded")).unwrap().count();
    assert_eq!(here, files.len());
    let videos = watched.stage.team.videos().await.unwrap();
    let mut titles: Vec<_> = videos.iter().map(|video| format!("{}.mp4", video.title)).collect();
    titles.sort();
    assert_eq!(titles, files.keys().cloned().collect::<Vec<_>>());
    for video in videos {
        let stored = watched.stage.team.original_hash(&video.id).await.unwrap();
        assert_eq!(stored, files[&format!("{}.mp4", video.title)]);
    }
    watched.stage.strike().await.unwrap();
}

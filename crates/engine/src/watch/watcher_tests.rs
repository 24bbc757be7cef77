use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::watch::container::tests::atom;
use crate::watch::{Answer, Filter, Health, Ready, Rules, Sight, Version, Watcher};

const LIMIT: Duration = Duration::from_secs(30);

fn clip() -> Vec<u8> {
    [atom(b"ftyp", b"isom"), atom(b"mdat", &[7; 300]), atom(b"moov", &[0; 40])].concat()
}

struct Watch {
    root: tempfile::TempDir,
    ready: mpsc::Receiver<Ready>,
    health: watch::Receiver<Health>,
    task: JoinHandle<()>,
}

impl Watch {
    async fn begin(root: tempfile::TempDir, known: HashMap<PathBuf, Version>) -> Self {
        let filter = Filter::new(&Rules::default()).unwrap();
        let (offers, ready) = mpsc::channel(4);
        let (watcher, health) = Watcher::new(root.path().to_owned(), filter, known, offers);
        let mut this = Self { root, ready, health, task: tokio::spawn(watcher.run()) };
        this.until(|health| health.sight != Sight::Starting).await;
        this
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    async fn until(&mut self, wanted: impl Fn(&Health) -> bool) {
        timeout(LIMIT, self.health.wait_for(wanted)).await.unwrap().unwrap();
    }

    async fn next(&mut self) -> PathBuf {
        let ready = timeout(LIMIT, self.ready.recv()).await.unwrap().unwrap();
        ready.answer.send(Answer::Done).unwrap();
        ready.path
    }

    /// Everything that comes until nothing has for a while.
    async fn rest(&mut self, quiet: Duration) -> Vec<PathBuf> {
        let mut all = Vec::new();
        while let Ok(Some(ready)) = timeout(quiet, self.ready.recv()).await {
            ready.answer.send(Answer::Done).unwrap();
            all.push(ready.path);
        }
        all.sort();
        all
    }
}

fn here() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn what_is_closed_is_offered_soon_and_what_is_open_is_not() {
    let mut watch = Watch::begin(here(), HashMap::new()).await;
    assert_eq!(watch.health.borrow().sight, Sight::Watching);
    let clip = clip();
    let mut open = std::fs::File::create(watch.path("open.mp4")).unwrap();
    open.write_all(&clip[..200]).unwrap();
    let began = Instant::now();
    std::fs::write(watch.path("closed.mp4"), &clip).unwrap();
    assert_eq!(watch.next().await, Path::new("closed.mp4"));
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(watch.rest(Duration::from_secs(3)).await.is_empty());
    open.write_all(&clip[200..]).unwrap();
    drop(open);
    assert_eq!(watch.next().await, Path::new("open.mp4"));
    // What was offered is not offered again, but what it becomes is.
    std::fs::write(watch.path("closed.mp4"), [&clip[..], &atom(b"free", &[1])].concat()).unwrap();
    assert_eq!(watch.next().await, Path::new("closed.mp4"));
    assert!(watch.rest(Duration::from_secs(3)).await.is_empty());
}

/// Folders that are made and filled before anybody can watch them, and folders that are moved in.
#[tokio::test]
async fn nothing_in_new_folders_is_missed() {
    let aside = here();
    let mut watch = Watch::begin(here(), HashMap::new()).await;
    let mut wanted = Vec::new();
    for nth in 0..40 {
        let inside = format!("card {nth}/DCIM/{nth}");
        let place = if nth % 2 == 0 { watch.root.path() } else { aside.path() };
        std::fs::create_dir_all(place.join(&inside)).unwrap();
        let file = format!("{inside}/a.mp4");
        std::fs::write(place.join(&file), clip()).unwrap();
        wanted.push(PathBuf::from(file));
        if nth % 2 != 0 {
            let folder = format!("card {nth}");
            std::fs::rename(place.join(&folder), watch.path(&folder)).unwrap();
        }
    }
    let mut found: Vec<_> = Vec::new();
    while found.len() < wanted.len() {
        found.push(watch.next().await);
    }
    // In a folder that was moved, events come under its new name; and they come from all below.
    std::fs::rename(watch.path("card 1"), watch.path("moved")).unwrap();
    found.push(watch.next().await);
    for late in ["moved/DCIM/1/b.mp4", "card 2/DCIM/2/b.mp4", "card 3/DCIM/3/b.mp4"] {
        std::fs::write(watch.path(late), clip()).unwrap();
        wanted.push(late.into());
        found.push(watch.next().await);
    }
    wanted.push("moved/DCIM/1/a.mp4".into());
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

/// More events than anybody takes: what is left at the end is found, and found once.
#[tokio::test]
async fn a_storm_leaves_nothing_behind() {
    let mut watch = Watch::begin(here(), HashMap::new()).await;
    let root = watch.root.path().to_owned();
    let storm = tokio::task::spawn_blocking(move || {
        let mut left = Vec::new();
        let mut rng = fastrand::Rng::with_seed(7);
        let clip = clip();
        for nth in 0..20_000 {
            let folder = format!("d{}", nth % 100);
            let (a, b) = (format!("{folder}/{nth}.tmp"), format!("{folder}/{nth}.mp4"));
            std::fs::create_dir_all(root.join(&folder)).unwrap();
            // Most of it is no video, and goes again.
            if nth % 100 != 0 {
                std::fs::write(root.join(&a), "x").unwrap();
                std::fs::remove_file(root.join(&a)).unwrap();
                continue;
            }
            std::fs::write(root.join(&a), &clip).unwrap();
            std::fs::rename(root.join(&a), root.join(&b)).unwrap();
            if rng.bool() {
                std::fs::remove_file(root.join(&b)).unwrap();
            } else {
                left.push(PathBuf::from(b));
            }
        }
        left.sort();
        left
    });
    let left = storm.await.unwrap();
    let mut found = watch.rest(Duration::from_secs(8)).await;
    // One that was removed later may have been offered before.
    found.retain(|path| watch.root.path().join(path).exists());
    assert_eq!(found, left);
}

#[tokio::test]
async fn a_folder_that_goes_and_comes_back_is_watched_again() {
    let place = here();
    let root = tempfile::Builder::new().prefix("card").tempdir_in(place.path()).unwrap();
    let mut watch = Watch::begin(root, HashMap::new()).await;
    std::fs::write(watch.path("a.mp4"), clip()).unwrap();
    assert_eq!(watch.next().await, Path::new("a.mp4"));
    let (root, aside) = (watch.root.path().to_owned(), place.path().join("aside"));
    std::fs::rename(&root, &aside).unwrap();
    watch.until(|health| health.sight == Sight::NotThere).await;
    std::fs::write(aside.join("b.mp4"), clip()).unwrap();
    std::fs::rename(&aside, &root).unwrap();
    watch.until(|health| health.sight == Sight::Watching).await;
    assert_eq!(watch.next().await, Path::new("b.mp4"), "and the first one is known");
    std::fs::write(watch.path("c.mp4"), clip()).unwrap();
    assert_eq!(watch.next().await, Path::new("c.mp4"));
    drop(watch.ready);
    timeout(LIMIT, watch.task).await.unwrap().unwrap();
}

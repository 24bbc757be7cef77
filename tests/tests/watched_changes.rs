//! Watched folders as a window drives them: how they stand, what other rules would do, and pauses.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use dailies_engine::EngineHandle;
use dailies_engine::error::Code;
use dailies_engine::folders::{FolderView, Plan, Standing};
use dailies_engine::view::{Change, News};
use dailies_engine::watch::{Existing, Rules, Sight};
use e2e::clips::{self, Take};
use e2e::{Stage, Uploader};
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

const LIMIT: Duration = Duration::from_secs(60);
/// Long enough for a file to be found, and for what it would lead to.
const QUIET: Duration = Duration::from_secs(4);
/// News of watched folders in a second, at the most.
const MOST: usize = 10;

struct Watched {
    stage: Stage,
    uploader: Uploader,
    folder: PathBuf,
    changes: broadcast::Receiver<Change>,
    told: Vec<Instant>,
    watching: JoinSet<()>,
}

impl Watched {
    async fn set() -> Self {
        let stage = Stage::set().await.unwrap();
        let profile = stage.path("profile");
        let uploader = Uploader::start(&profile, &stage.server.credentials).await.unwrap();
        let folder = stage.path("card");
        std::fs::create_dir(&folder).unwrap();
        let folder = folder.canonicalize().unwrap();
        let changes = uploader.engine.subscribe();
        let mut watching = JoinSet::new();
        let mut news = uploader.engine.watch(None).await.unwrap();
        watching.spawn(async move { while news.next().await.is_some() {} });
        Self { stage, uploader, folder, changes, told: Vec::new(), watching }
    }

    fn engine(&self) -> &EngineHandle {
        &self.uploader.engine
    }

    fn write(&self, name: &str, number: u64) {
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, clip(number)).unwrap();
    }

    async fn view(&self) -> FolderView {
        self.engine().folders().await.unwrap().pop().unwrap()
    }

    /// Waits for news until the folder stands so: whoever looks only then sees everything.
    async fn until(&mut self, enough: impl Fn(&Standing) -> bool) -> FolderView {
        loop {
            let view = self.view().await;
            if enough(&view.standing) {
                return view;
            }
            let news = timeout(LIMIT, self.news()).await;
            assert!(news.is_ok(), "no news come any more: {:?}", view.standing);
        }
    }

    async fn news(&mut self) {
        loop {
            if let Ok(Change { news: News::Folders, .. }) = self.changes.recv().await {
                self.told.push(Instant::now());
                return;
            }
        }
    }

    async fn titles(&self) -> Vec<String> {
        let videos = self.stage.team.videos().await.unwrap();
        let mut titles: Vec<_> = videos.into_iter().map(|video| video.title).collect();
        titles.sort();
        titles
    }

    async fn end(mut self) {
        self.watching.shutdown().await;
        self.uploader.stop().await;
        self.stage.strike().await.unwrap();
    }
}

/// A playable file that no other number has.
fn clip(number: u64) -> Vec<u8> {
    let mut bytes = std::fs::read(clips::clip(1, Take::One).unwrap()).unwrap();
    // A box that players skip.
    bytes.extend([0, 0, 0, 16]);
    bytes.extend(b"free");
    bytes.extend(number.to_be_bytes());
    bytes
}

fn seen(standing: &Standing) -> (Option<Sight>, u64, u64) {
    (standing.sight, standing.unsettled, standing.queued)
}

const AT_REST: (Option<Sight>, u64, u64) = (Some(Sight::Watching), 0, 0);

/// What is counted, what other rules would do and do, and what a pause holds back.
#[tokio::test]
async fn a_folder_stands_as_it_is_told_and_takes_other_rules() {
    let mut watched = Watched::set().await;
    watched.write("old.mp4", 0);
    watched.write("proxies/small.mp4", 1);
    std::fs::write(watched.folder.join("notes.txt"), "no video").unwrap();
    let rules = Rules { exclude: vec!["proxies".parse().unwrap()], ..Rules::default() };
    let path = watched.folder.clone();
    let before = watched.engine().preview(path.clone(), rules.clone()).await.unwrap();
    assert_eq!((before.goes, before.stays), (0, 2));
    let id = watched.engine().add_folder(path, None, rules.clone()).await.unwrap().id;
    // The file that was there, and the one that is no video; what is excluded is not looked into.
    watched.until(|now| seen(now) == AT_REST && now.ignored == 2).await;
    watched.write("new.mp4", 2);
    watched.until(|now| seen(now) == AT_REST && now.sent == 1).await;

    let all = Rules::default();
    let preview = watched.engine().preview_folder(id, all.clone()).await.unwrap();
    let plan = |path: &str| preview.files.iter().find(|file| file.path == path).unwrap().plan;
    assert_eq!(plan("proxies/small.mp4"), Plan::WasThere);
    assert_eq!((preview.goes, plan("new.mp4")), (0, Plan::Sent));
    let everything = Rules { existing: Existing::Send, ..all.clone() };
    let preview = watched.engine().preview_folder(id, everything).await.unwrap();
    assert_eq!((preview.goes, preview.bytes), (1, clip(1).len() as u64));
    let changed = watched.engine().change_folder(id, None, all.clone()).await.unwrap();
    assert_eq!(changed.rules, all);
    watched.until(|now| seen(now) == AT_REST && now.ignored == 3).await;
    sleep(QUIET).await;
    assert_eq!(watched.titles().await, ["new"], "what the old rules left was there before");

    let paused = Rules { paused: true, ..all.clone() };
    watched.engine().change_folder(id, None, paused.clone()).await.unwrap();
    watched.until(|now| now.sight.is_none()).await;
    watched.write("meanwhile.mp4", 3);
    sleep(QUIET).await;
    assert_eq!(watched.titles().await, ["new"], "a paused folder sends nothing");
    watched.engine().change_folder(id, None, all.clone()).await.unwrap();
    watched.until(|now| seen(now) == AT_REST && now.sent == 2).await;
    assert_eq!(watched.titles().await, ["meanwhile", "new"]);

    // A folder that is not there can be paused, but not looked through.
    std::fs::rename(&watched.folder, watched.stage.path("unplugged")).unwrap();
    watched.until(|now| now.sight == Some(Sight::NotThere)).await;
    let refused = watched.engine().change_folder(id, None, rules).await.unwrap_err();
    assert_eq!(refused.code, Code::SourceMissing);
    watched.engine().change_folder(id, None, paused).await.unwrap();
    assert_eq!(watched.view().await.standing.sent, 2, "nothing is forgotten of it");
    watched.engine().remove_folder(id).await.unwrap();
    assert!(watched.engine().folders().await.unwrap().is_empty());
    watched.end().await;
}

/// However much happens in folders, little is said of it.
#[tokio::test]
async fn news_of_many_files_are_few() {
    let mut watched = Watched::set().await;
    let path: &Path = &watched.folder;
    watched.engine().add_folder(path.to_owned(), None, Rules::default()).await.unwrap();
    watched.until(|now| seen(now) == AT_REST).await;
    for number in 0..40 {
        watched.write(&format!("{number}.mp4"), number);
        sleep(Duration::from_millis(25)).await;
    }
    let view = watched.until(|now| seen(now) == AT_REST && now.sent == 40).await;
    assert_eq!(view.standing.ignored, 0);
    let second = |from: &Instant| *from..*from + Duration::from_secs(1);
    let most = watched
        .told
        .iter()
        .map(|from| watched.told.iter().filter(|at| second(from).contains(at)).count());
    assert!(most.max().unwrap() <= MOST, "{:?}", watched.told);
    watched.end().await;
}

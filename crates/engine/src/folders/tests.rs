//! How folders stand, what other rules would do and do, and pauses: with an engine whose other side
//! is in memory.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use url::Url;

use super::*;
use crate::Options;
use crate::clock::SystemClock;
use crate::engine::start_connected;
use crate::handle::EngineTask;
use crate::net::{Clients, NetOptions};
use crate::protocol::memory::{Memory, Shape};
use crate::rules::Switch;
use crate::team::{Connection, Team};
use crate::view::Change;
use crate::watch::Sight;

const LIMIT: Duration = Duration::from_secs(60);
/// Long enough for a file to be found, and for what it would lead to.
const QUIET: Duration = Duration::from_secs(4);

struct Watched {
    place: tempfile::TempDir,
    memory: Arc<Memory>,
    engine: EngineHandle,
    task: EngineTask,
    folder: PathBuf,
    changes: broadcast::Receiver<Change>,
    watching: JoinSet<()>,
}

impl Watched {
    async fn set() -> Self {
        let place = tempfile::tempdir().unwrap();
        let memory = Arc::new(Memory::new(Shape::Single, 1 << 20));
        let url = Url::parse("http://localhost/").unwrap();
        let clients = Clients::new(NetOptions::default()).unwrap();
        let team = Team::unasked(Connection::with_key(url, String::new().into()), clients);
        let connected = Some((Arc::new(team), Arc::clone(&memory) as _));
        let queue = place.path().join("queue.db");
        let starting =
            start_connected(&queue, Arc::new(SystemClock), Options::default(), connected);
        let (engine, task) = starting.await.unwrap();
        // This computer may itself be on a metered network.
        engine.turn(Switch::PauseOnMetered, false).await.unwrap();
        let folder = place.path().join("card");
        std::fs::create_dir(&folder).unwrap();
        let folder = folder.canonicalize().unwrap();
        let changes = engine.subscribe();
        let mut watching = JoinSet::new();
        let mut news = engine.watch(None).await.unwrap();
        watching.spawn(async move { while news.next().await.is_some() {} });
        Self { place, memory, engine, task, folder, changes, watching }
    }

    async fn add(&self, rules: Rules) -> FolderId {
        let project = Some("root".to_owned());
        self.engine.add_folder(self.folder.clone(), project, rules).await.unwrap().id
    }

    async fn change(&self, id: FolderId, rules: &Rules) -> Result<FolderView, EngineError> {
        self.engine.change_folder(id, None, rules.clone()).await
    }

    fn write(&self, name: &str, number: u64) {
        let path = self.folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, clip(number)).unwrap();
    }

    async fn view(&self) -> FolderView {
        self.engine.folders().await.unwrap().pop().unwrap()
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
                return;
            }
        }
    }

    /// Whether these have arrived and no others.
    fn sent(&self, numbers: &[u64]) -> bool {
        let mut videos = self.memory.videos();
        videos.sort();
        videos == numbers.iter().map(|number| clip(*number)).collect::<Vec<_>>()
    }

    async fn end(mut self) {
        self.watching.shutdown().await;
        self.engine.stop(self.task).await;
    }
}

/// A playable file that no other number has.
fn clip(number: u64) -> Vec<u8> {
    let boxed = |name: &[u8; 4], bytes: &[u8]| {
        let size = u32::try_from(8 + bytes.len()).unwrap().to_be_bytes();
        [&size, &name[..], bytes].concat()
    };
    let number = number.to_be_bytes();
    [boxed(b"ftyp", b"isom"), boxed(b"mdat", &number), boxed(b"moov", &[0; 40])].concat()
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
    let before = watched.engine.preview(path.clone(), rules.clone()).await.unwrap();
    assert_eq!((before.goes, before.stays), (0, 2));
    let id = watched.add(rules.clone()).await;
    // The file that was there, and the one that is no video; what is excluded is not looked into.
    watched.until(|now| seen(now) == AT_REST && now.ignored == 2).await;
    watched.write("new.mp4", 2);
    watched.until(|now| seen(now) == AT_REST && now.sent == 1).await;

    let all = Rules::default();
    let preview = watched.engine.preview_folder(id, all.clone()).await.unwrap();
    let plan = |path: &str| preview.files.iter().find(|file| file.path == path).unwrap().plan;
    assert_eq!(plan("proxies/small.mp4"), Plan::WasThere);
    assert_eq!((preview.goes, plan("new.mp4")), (0, Plan::Sent));
    let everything = Rules { existing: Existing::Send, ..all.clone() };
    let preview = watched.engine.preview_folder(id, everything).await.unwrap();
    assert_eq!((preview.goes, preview.bytes), (1, clip(1).len() as u64));
    assert_eq!(watched.change(id, &all).await.unwrap().rules, all);
    watched.until(|now| seen(now) == AT_REST && now.ignored == 3).await;
    sleep(QUIET).await;
    assert!(watched.sent(&[2]), "what the old rules left was there before");

    let paused = Rules { paused: true, ..all.clone() };
    watched.change(id, &paused).await.unwrap();
    watched.until(|now| now.sight.is_none()).await;
    watched.write("meanwhile.mp4", 3);
    sleep(QUIET).await;
    assert!(watched.sent(&[2]), "a paused folder sends nothing");
    watched.change(id, &all).await.unwrap();
    watched.until(|now| seen(now) == AT_REST && now.sent == 2).await;
    assert!(watched.sent(&[2, 3]));

    // A folder that is not there can be paused, but not looked through.
    std::fs::rename(&watched.folder, watched.place.path().join("unplugged")).unwrap();
    watched.until(|now| now.sight == Some(Sight::NotThere)).await;
    let refused = watched.change(id, &rules).await.unwrap_err();
    assert_eq!(refused.code, Code::SourceMissing);
    watched.change(id, &paused).await.unwrap();
    assert_eq!(watched.view().await.standing.sent, 2, "nothing is forgotten of it");
    watched.engine.remove_folder(id).await.unwrap();
    assert!(watched.engine.folders().await.unwrap().is_empty());
    watched.end().await;
}

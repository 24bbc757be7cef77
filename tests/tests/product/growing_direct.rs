//! Recordings whose bytes go to the media engine itself while they are written, in order: what one
//! holds can be taken back in no part.

use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dailies_api::direct_uploads::GRANULE;
use e2e::clips::MIB;
use e2e::conformance::{AtServer, Kind, Side as _};
use e2e::proxy::Exchange;
use e2e::watched::{begun, ends_well, of};
use e2e::{Dailies, Recording, Running};
use secrecy::ExposeSecret as _;
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);
/// A file that can be played while it grows.
const FRAGMENTS: [&str; 2] = ["-movflags", "frag_keyframe+empty_moov"];

struct Watched {
    side: AtServer,
    dailies: Dailies,
    folder: PathBuf,
}

impl Watched {
    async fn set() -> Self {
        let side = AtServer::new(Kind::Direct).await.unwrap();
        let dailies = Dailies::unconnected(side.path("profile"));
        let key = side.stage.server.credentials.api_key.expose_secret();
        let login = ["--server", &side.api.url(), "login", "--key", "--kind", "mux-direct"];
        let login = dailies.clone().told(key).run(LIMIT, &login).await.unwrap();
        assert_eq!(login.code(), Some(0), "{}\n{}", login.out, login.errors);
        let folder = side.path("card");
        std::fs::create_dir(&folder).unwrap();
        // What the program says is the path without links.
        let folder = folder.canonicalize().unwrap();
        Self { side, dailies, folder }
    }

    async fn watch(&self) -> Running {
        let watch = ["watch", self.folder.to_str().unwrap(), "--project", &self.side.project()];
        let running = self.dailies.spawn(&watch).unwrap();
        begun(&running).await.unwrap();
        running
    }

    fn record(&self, name: &str, options: &[&str]) -> Recording {
        Recording::start(&self.folder.join(name), options).unwrap()
    }

    /// Waits until a request is on its way that begins at so many bytes or later.
    async fn until_sent(&self, bytes: u64) {
        let sent = |seen: &[Exchange]| carried(seen).iter().any(|(first, _)| *first >= bytes);
        self.side.api.until(LIMIT, sent).await.unwrap();
    }

    /// Whether history tells of a file that has gone up that something was thrown away.
    async fn is_rewritten(&self, running: &Running, path: &Path) -> bool {
        self.kinds(running, path).await.contains(&"rewritten".to_owned())
    }

    /// What history tells of a file that has gone up.
    async fn kinds(&self, running: &Running, path: &Path) -> Vec<String> {
        let uploaded = running.events().into_iter().find(of("uploaded", path)).unwrap();
        let id = uploaded["uploadId"].as_str().unwrap();
        let told = self.dailies.run(LIMIT, &["history", id]).await.unwrap();
        let kind = |event: &Value| event["event"]["kind"].as_str().unwrap_or_default().to_owned();
        told.events.iter().map(kind).collect()
    }

    async fn holds_just(self, file: &Path, running: Running) {
        self.side.holds_just(file).await.unwrap();
        ends_well(running).await.unwrap();
        Box::new(self.side).strike().await.unwrap();
    }
}

/// Requests that carried bytes, in order.
fn carried(exchanges: &[Exchange]) -> Vec<(u64, u64)> {
    exchanges.iter().filter_map(|exchange| exchange.bytes).collect()
}

/// Other bytes in the place of some that have gone up.
fn rewrite(path: &Path, at: u64) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.write_all_at(b"other bytes", at).unwrap();
}

/// Whole chunks go up while the recorder writes, without a word of how much there will be; what is
/// left follows, and no byte twice.
async fn goes_up_while_it_runs(name: &str, options: &[&str]) {
    let watched = Watched::set().await;
    let running = watched.watch().await;
    let mut recording = watched.record(name, options);
    let path = recording.path().to_owned();
    watched.until_sent(4 * watched.side.part_size()).await;
    recording.runs().unwrap();
    running.until(LIMIT, of("added", &path)).await.unwrap();
    let meanwhile = watched.side.api.exchanges();
    assert!(meanwhile.iter().all(|exchange| exchange.whole.is_none()), "nobody knows its size");
    recording.stop().await.unwrap();
    running.until(LIMIT, of("uploaded", &path)).await.unwrap();
    let size = std::fs::metadata(&path).unwrap().len();
    let all = watched.side.api.exchanges();
    let mut next = 0;
    for (first, last) in carried(&all) {
        assert_eq!(first, next, "each once, and in order");
        assert!((last + 1).is_multiple_of(GRANULE) || last + 1 == size);
        next = last + 1;
    }
    assert_eq!(next, size);
    assert!(!watched.is_rewritten(&running, &path).await);
    let videos = watched.side.stage.team.videos().await.unwrap();
    assert_eq!(videos[0].file_size, Some(size), "its size was said at the end");
    watched.holds_just(&path, running).await;
}

#[tokio::test]
async fn fragments_go_to_the_media_engine_while_they_are_recorded() {
    goes_up_while_it_runs("take.mp4", &FRAGMENTS).await;
}

#[tokio::test]
async fn a_transport_stream_goes_to_the_media_engine_while_it_is_recorded() {
    goes_up_while_it_runs("take.ts", &[]).await;
}

/// Of a request that was cut off, the media engine keeps some: those bytes count, and go up once.
#[tokio::test]
async fn no_kill_sends_a_byte_twice() {
    let watched = Watched::set().await;
    watched.side.api.limit(8 * MIB);
    let mut recording = None;
    for kill in 1..4 {
        let running = watched.watch().await;
        recording.get_or_insert_with(|| watched.record("take.ts", &[]));
        watched.until_sent(kill * 2 * watched.side.part_size()).await;
        // In the middle of it.
        tokio::time::sleep(Duration::from_millis(250)).await;
        assert!(running.kill().await.unwrap());
        // What the system holds of a killed program's bytes still goes out, unless it goes, too.
        watched.side.api.go_down().await;
        watched.side.api.quiet(LIMIT).await.unwrap();
        watched.side.api.come_up().unwrap();
    }
    watched.side.api.unlimit();
    let running = watched.watch().await;
    let recording = recording.unwrap();
    let path = recording.path().to_owned();
    recording.stop().await.unwrap();
    running.until(LIMIT, of("uploaded", &path)).await.unwrap();
    assert_eq!(watched.side.sent_again(), 0);
    let cut = carried(&watched.side.api.exchanges()).into_iter();
    let cut = cut.filter(|(first, _)| !first.is_multiple_of(watched.side.part_size()));
    assert!(cut.count() > 0, "no request was cut off within a chunk");
    assert!(!watched.is_rewritten(&running, &path).await);
    watched.holds_just(&path, running).await;
}

/// Bytes that went up and are other ones at the end cannot be taken back: all goes up once more, by
/// another upload, and that is told.
#[tokio::test]
async fn what_is_rewritten_goes_up_from_its_start() {
    let watched = Watched::set().await;
    let running = watched.watch().await;
    let recording = watched.record("take.mp4", &FRAGMENTS);
    let path = recording.path().to_owned();
    watched.until_sent(4 * watched.side.part_size()).await;
    rewrite(&path, watched.side.part_size() + 1000);
    recording.stop().await.unwrap();
    running.until(LIMIT, of("uploaded", &path)).await.unwrap();
    let kinds = watched.kinds(&running, &path).await;
    let thrown_away = kinds.iter().position(|kind| kind == "rewritten").unwrap();
    assert_eq!(kinds[thrown_away + 1], "session_replaced", "{kinds:?}");
    assert!(!kinds.contains(&"failed".to_owned()), "nothing failed: {kinds:?}");
    watched.holds_just(&path, running).await;
}

/// The same of bytes that were on their way when the program was killed: nobody has heard that the
/// media engine has them.
#[tokio::test]
async fn what_is_rewritten_after_a_kill_goes_up_from_its_start() {
    let watched = Watched::set().await;
    watched.side.api.limit(4 * MIB);
    let running = watched.watch().await;
    let recording = watched.record("take.ts", &[]);
    let path = recording.path().to_owned();
    let part = watched.side.part_size();
    watched.until_sent(2 * part).await;
    // Some of the third chunk is there by then.
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(running.kill().await.unwrap());
    watched.side.api.quiet(LIMIT).await.unwrap();
    watched.side.api.unlimit();
    rewrite(&path, 2 * part + 1000);
    let running = watched.watch().await;
    recording.stop().await.unwrap();
    running.until(LIMIT, of("uploaded", &path)).await.unwrap();
    assert!(watched.is_rewritten(&running, &path).await);
    watched.holds_just(&path, running).await;
}

/// Its head would be known last, and has to go first.
#[tokio::test]
async fn a_segment_waits_for_its_end() {
    let watched = Watched::set().await;
    let running = watched.watch().await;
    let mut recording = watched.record("take.mkv", &[]);
    let path = recording.path().to_owned();
    let grown = async {
        while std::fs::metadata(&path).map_or(0, |file| file.len()) < 40 * MIB {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(LIMIT, grown).await.expect("nothing is recorded");
    recording.runs().unwrap();
    assert!(!running.events().iter().any(of("added", &path)), "it would go up twice");
    recording.stop().await.unwrap();
    running.until(LIMIT, of("uploaded", &path)).await.unwrap();
    assert_eq!(watched.side.sent_again(), 0);
    watched.holds_just(&path, running).await;
}

//! Originals on their way home go on after the program was killed: from what is on disk, once, and to
//! the end; or from their start, where that is another original's.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use dailies_engine::error::Code;
use dailies_engine::library::{DownloadState, DownloadView, Downloads};
use dailies_engine::team::Connection;
use e2e::clips::{MIB, Take};
use e2e::proxy::{End, Exchange, Fault, Rule, What};
use e2e::{FaultProxy, Stage, Uploader, hash, program};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use url::Url;

const LIMIT: Duration = Duration::from_secs(120);
const SLOW: Fault = Fault::SlowAnswer { bytes_per_second: 3 * MIB };

/// A program that downloads; dropped, it is killed.
struct Run {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Run {
    fn start(profile: &Path, credentials: &Path) -> Self {
        let mut command = Command::new(program("downloader").unwrap());
        command.arg(profile).arg(credentials).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, input, output }
    }

    async fn tell(&mut self, line: &str) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// Waits until its downloads stand so.
    async fn until_all(&mut self, enough: impl Fn(&[DownloadView]) -> bool) -> Vec<DownloadView> {
        let mut last = String::new();
        let waiting = async {
            while let Some(line) = self.output.next_line().await.unwrap() {
                let all: Vec<DownloadView> = serde_json::from_str(&line).unwrap();
                last = line;
                if enough(&all) {
                    return Some(all);
                }
            }
            None
        };
        let found = tokio::time::timeout(LIMIT, waiting).await;
        found.ok().flatten().unwrap_or_else(|| panic!("it came to {last}"))
    }

    /// Waits until its only download stands so.
    async fn until(&mut self, enough: impl Fn(&DownloadView) -> bool) -> DownloadView {
        self.until_all(|all| matches!(all, [one] if enough(one))).await.remove(0)
    }

    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    async fn end(mut self) {
        drop(self.input);
        let ended = tokio::time::timeout(LIMIT, self.child.wait()).await;
        assert!(ended.unwrap().unwrap().success());
    }
}

/// A team's video, and a home for its original.
struct Trial {
    stage: Stage,
    file: PathBuf,
    video_id: String,
    home: PathBuf,
    place: PathBuf,
    profile: PathBuf,
    /// What the storage's proxy had seen before.
    before: usize,
}

impl Trial {
    async fn set(mebibytes: u64) -> Self {
        let stage = Stage::set().await.unwrap();
        let uploads = stage.path("uploads");
        let uploader = Uploader::start(&uploads, &stage.server.credentials).await.unwrap();
        let file = stage.clip("reel.mp4", mebibytes, Take::One).unwrap();
        let upload = uploader.add(file.clone()).await.unwrap();
        let video_id = uploader.until_ready(upload, LIMIT).await.unwrap().video_id.unwrap();
        uploader.stop().await;
        let (home, profile) = (stage.path("home"), stage.path("profile"));
        std::fs::create_dir(&home).unwrap();
        let (place, before) = (home.join("reel.mp4"), stage.proxy.exchanges().len());
        Self { stage, file, video_id, home, place, profile, before }
    }

    fn start(&self) -> Run {
        Run::start(&self.profile, &self.stage.server.credentials_file)
    }

    /// Starts a download that comes slowly.
    async fn begin(&self, mut run: Run) -> Run {
        self.stage.proxy.obey([Rule::new(What::Asked("/"), usize::MAX, SLOW)]);
        run.tell(&format!("begin {} {}", self.video_id, self.place.display())).await;
        run
    }

    /// Kills it, and how much the queue says is surely on disk. At least so much is there.
    async fn kill(&self, run: Run) -> u64 {
        run.kill().await;
        let queue = rusqlite::Connection::open(dailies_engine::Profile::queue(&self.profile));
        let sql = "SELECT arrived FROM downloads";
        let sure: i64 = queue.unwrap().query_row(sql, [], |row| row.get(0)).unwrap();
        let [half] = &files(&self.home)[..] else { panic!("one half-made file") };
        let here = std::fs::metadata(self.home.join(half)).unwrap().len();
        let sure = sure.cast_unsigned();
        assert!(here >= sure, "{here} are there of {sure}");
        sure
    }

    /// What was asked of the storage, from which byte on.
    fn asked(&self) -> Vec<Exchange> {
        self.stage.proxy.exchanges().split_off(self.before)
    }

    fn asked_from(&self) -> Vec<Option<u64>> {
        self.asked().iter().map(|one| one.from).collect()
    }

    fn is_home(&self) {
        assert_eq!(files(&self.home), ["reel.mp4"], "and nothing besides");
        assert_eq!(hash::of_file(&self.place).unwrap(), hash::of_file(&self.file).unwrap());
    }
}

fn files(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    files.map(|name| name.into_string().unwrap()).collect()
}

fn is_done(view: &DownloadView) -> bool {
    view.state == DownloadState::Done { verified: true }
}

#[tokio::test]
async fn a_killed_download_goes_on_from_what_is_on_disk_and_comes_once() {
    let trial = Trial::set(48).await;
    let mut run = trial.begin(trial.start()).await;
    run.until(|view| view.arrived_bytes > 9 * MIB).await;
    let first = trial.kill(run).await;
    assert!(first > 0, "more than two seconds' bytes are not surely there");

    let mut run = trial.start();
    run.until(|view| view.arrived_bytes >= first + 9 * MIB).await;
    let second = trial.kill(run).await;
    assert!(second > first);
    assert!(!trial.place.exists(), "it has its name only when it is whole");

    trial.stage.proxy.behave();
    let mut run = trial.start();
    let done = run.until(is_done).await;
    assert_eq!(Some(done.arrived_bytes), done.total_bytes);
    run.end().await;
    trial.is_home();
    assert_eq!(trial.asked_from(), [None, Some(first), Some(second)]);
    let last = trial.asked().pop().unwrap().end.unwrap().1;
    assert_eq!(last, End::Answered(206));

    // What is done is still on the list, and asked for no more.
    let mut run = trial.start();
    assert!(is_done(&run.until(|_| true).await));
    run.tell(&format!("remove {}", serde_json::to_string(&done.id).unwrap())).await;
    run.until_all(<[_]>::is_empty).await;
    run.end().await;
    assert_eq!(trial.asked().len(), 3);
    trial.is_home();
    trial.stage.strike().await.unwrap();
}

/// Ended in order, it loses no byte; taken off the list, it stays so, and leaves nothing.
#[tokio::test]
async fn a_download_that_is_put_down_keeps_every_byte_and_one_that_is_removed_none() {
    let trial = Trial::set(24).await;
    let mut run = trial.begin(trial.start()).await;
    let here = run.until(|view| view.arrived_bytes > MIB).await.arrived_bytes;
    run.end().await;
    let mut run = trial.start();
    let view = run.until(|view| view.state == DownloadState::Downloading).await;
    assert!(trial.asked_from()[1].unwrap() >= here, "{:?} after {here}", trial.asked_from());
    run.tell(&format!("remove {}", serde_json::to_string(&view.id).unwrap())).await;
    run.until_all(<[_]>::is_empty).await;
    // It may have had the time to remove the file, or not.
    run.kill().await;

    let asked = trial.asked().len();
    let mut run = trial.start();
    assert_eq!(run.until_all(|_| true).await, []);
    let removed = async {
        while !files(&trial.home).is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, removed).await.unwrap();
    run.end().await;
    assert_eq!(trial.asked().len(), asked);
    trial.stage.strike().await.unwrap();
}

/// Other bytes lay there when the first ones came.
#[tokio::test]
async fn an_original_that_was_replaced_meanwhile_comes_from_its_start() {
    let trial = Trial::set(24).await;
    let storage = &trial.stage.storage;
    let key = storage.objects().await.unwrap().remove(0);
    let original = storage.get(&key).await.unwrap();
    storage.put(&key, vec![7; original.len()]).await.unwrap();
    let mut run = trial.begin(trial.start()).await;
    run.until(|view| view.arrived_bytes > 9 * MIB).await;
    let sure = trial.kill(run).await;
    assert!(sure > 0);

    storage.put(&key, original).await.unwrap();
    trial.stage.proxy.behave();
    let mut run = trial.start();
    run.until(is_done).await;
    run.end().await;
    trial.is_home();
    let asked = trial.asked();
    assert_eq!(trial.asked_from(), [None, Some(sure)], "the rest, if it is still the same");
    assert_eq!(asked[1].end.unwrap().1, End::Answered(200), "all of it, in one answer");
    trial.stage.strike().await.unwrap();
}

/// What somebody put under the half-made file's name is theirs.
#[tokio::test]
async fn where_the_half_made_file_is_gone_or_another_it_begins_anew() {
    let trial = Trial::set(24).await;
    let mut run = trial.begin(trial.start()).await;
    run.until(|view| view.arrived_bytes > 9 * MIB).await;
    trial.kill(run).await;
    let half = trial.home.join(files(&trial.home).remove(0));
    std::fs::remove_file(&half).unwrap();
    let mut run = trial.start();
    run.until(|view| view.state == DownloadState::Downloading && view.arrived_bytes > 9 * MIB)
        .await;
    trial.kill(run).await;
    let half = trial.home.join(files(&trial.home).remove(0));
    let mine = vec![7; 20 << 20];
    std::fs::write(&half, &mine).unwrap();

    trial.stage.proxy.behave();
    let mut run = trial.start();
    run.until(is_done).await;
    run.end().await;
    assert_eq!(trial.asked_from(), [None, None, None]);
    assert_eq!(std::fs::read(&half).unwrap(), mine, "it is as it was");
    std::fs::remove_file(&half).unwrap();
    trial.is_home();
    trial.stage.strike().await.unwrap();
}

#[tokio::test]
async fn a_start_without_a_network_waits_for_it() {
    let trial = Trial::set(24).await;
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(trial.stage.server.api_address().unwrap());
    let credentials = trial.stage.credentials_by_way_of(&api.url()).unwrap();
    let start = || Run::start(&trial.profile, &credentials);
    let mut run = trial.begin(start()).await;
    run.until(|view| view.arrived_bytes > 9 * MIB).await;
    let sure = trial.kill(run).await;

    api.go_down().await;
    trial.stage.proxy.go_down().await;
    trial.stage.proxy.behave();
    let mut run = start();
    let waits = run.until(|view| view.state == DownloadState::Offline).await;
    assert_eq!(waits.arrived_bytes, sure, "what is there is shown");
    // It asks for the way once a second: in between it is up without a word.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(trial.asked().len(), 1, "nothing is asked for in vain");
    api.come_up().unwrap();
    trial.stage.proxy.come_up().unwrap();
    run.until(is_done).await;
    run.end().await;
    trial.is_home();
    assert_eq!(trial.asked_from(), [None, Some(sure)]);
    trial.stage.strike().await.unwrap();
}

async fn until(downloads: &Downloads, state: DownloadState) {
    let mut views = downloads.views();
    let there = views.wait_for(|all| all.len() == 1 && all[0].state == state);
    let there = tokio::time::timeout(LIMIT, there).await.map(drop);
    there.unwrap_or_else(|_| panic!("it stands at {:?}", downloads.views().borrow()));
}

#[tokio::test]
async fn a_team_that_lets_nobody_in_holds_its_downloads() {
    let trial = Trial::set(6).await;
    let api = FaultProxy::start().await.unwrap();
    api.lead_to(trial.stage.server.api_address().unwrap());
    let credentials = &trial.stage.server.credentials;
    let uploader = Uploader::by_way_of(&trial.profile, credentials, &api.url()).await.unwrap();
    let (engine, url) = (&uploader.engine, Url::parse(&api.url()).unwrap());
    let downloads = Downloads::open(engine.clone()).await;
    // While nobody is let in, also one that has just begun is held.
    let signed_out = Fault::Answer { status: 401, headers: Vec::new(), body: String::new() };
    let offer = downloads.offer(&trial.video_id).await.unwrap();
    api.obey([Rule::new(What::Function("videos:get"), 1, signed_out)]);
    downloads.begin(offer, trial.place.clone()).await.unwrap();
    until(&downloads, DownloadState::Held { code: Code::SignedOut }).await;
    assert!(api.unused().is_empty());
    engine.disconnect().await.unwrap();
    until(&downloads, DownloadState::Held { code: Code::NotConnected }).await;
    assert_eq!(trial.asked().len(), 0);
    let connection = Connection::with_key(url, credentials.api_key.clone());
    engine.connect(connection).await.unwrap();
    until(&downloads, DownloadState::Done { verified: true }).await;
    trial.is_home();
    uploader.stop().await;
    trial.stage.strike().await.unwrap();
}

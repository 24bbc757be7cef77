//! `dailies` is killed again and again in the middle of one upload, and started again each time.
//! The team gets one video, whole, and no part that it held a second time.

use std::path::Path;
use std::time::Duration;

use e2e::clips::{MIB, Take};
use e2e::proxy::Exchange;
use e2e::{Dailies, FaultProxy, Running, Stage};
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(60);
/// A change of it makes another test: the moments below follow from it.
const SEED: u64 = 0x0DA1_11E5;
const KILLS: usize = 25;

/// When a run is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// After it asked for the video to be made, or for its upload to begin.
    Registering,
    /// After its so manieth call of the team API.
    Calls(usize),
    /// After its first part set out.
    Parts,
    /// After it asked how to finish.
    Finishing,
    /// After it asked for the object.
    Completing,
}

impl Moment {
    /// The kills fall all over the upload: 6 while it begins, 13 while bytes go, 6 at its end.
    fn of(kill: usize, chance: &mut fastrand::Rng) -> (Self, Duration) {
        let (moment, most) = match kill {
            0..3 => (Self::Registering, 3),
            3..6 => (Self::Calls(chance.usize(1..=4)), 30),
            6..19 => (Self::Parts, 900),
            19..21 => (Self::Finishing, 4),
            _ => (Self::Completing, 25),
        };
        (moment, Duration::from_millis(chance.u64(0..most)))
    }

    fn has_come(self, calls: &[Exchange], parts: &[Exchange]) -> bool {
        let called = |names: &[&str]| {
            calls.iter().any(|call| call.function.as_deref().is_some_and(|f| names.contains(&f)))
        };
        let completing =
            ["videoActions:completeMultipartUpload", "videoActions:markUploadComplete"];
        match self {
            Self::Registering => called(&["videos:create", "videoActions:initiateVideoUpload"]),
            Self::Calls(count) => calls.len() >= count,
            // Where no part is left to be sent, the end is killed instead.
            Self::Parts => !parts.is_empty() || called(&completing),
            Self::Finishing => called(&["videos:get"]),
            // Or, where that is done already, while the video is in work.
            Self::Completing => called(&completing) || called(&["videos:get"]),
        }
    }
}

/// The upload, and everything that it passes through.
struct Trial {
    stage: Stage,
    api: FaultProxy,
    dailies: Dailies,
    /// When each run was started.
    runs: Vec<Instant>,
}

impl Trial {
    async fn begin() -> Self {
        let stage = Stage::set().await.unwrap();
        stage.proxy.limit(40 * MIB);
        let api = FaultProxy::start().await.unwrap();
        api.lead_to(stage.server.api_address().unwrap());
        let credentials = stage.credentials_by_way_of(&api.url()).unwrap();
        let dailies = Dailies::new(stage.path("profile"), &credentials);
        Self { stage, api, dailies, runs: Vec::new() }
    }

    fn start(&mut self, arguments: &[&str]) -> Running {
        self.runs.push(Instant::now());
        self.dailies.spawn(arguments).unwrap()
    }

    /// Kills a run at a moment. `false` where it came to its end before.
    async fn kill(&self, mut run: Running, moment: Moment, delay: Duration) -> bool {
        let (calls, parts) = (self.api.exchanges().len(), self.stage.proxy.exchanges().len());
        let come = async {
            loop {
                let seen_calls = self.api.exchanges();
                let seen_parts = self.stage.proxy.exchanges();
                if moment.has_come(&seen_calls[calls..], &seen_parts[parts..]) {
                    return;
                }
                let call = self.api.until(LIMIT, |seen| seen.len() > seen_calls.len());
                let part = self.stage.proxy.until(LIMIT, |seen| seen.len() > seen_parts.len());
                tokio::select! {
                    called = call => called.unwrap(),
                    sent = part => sent.unwrap(),
                }
            }
        };
        tokio::select! {
            () = come => tokio::time::sleep(delay).await,
            () = run.exit() => return false,
        }
        run.kill().await.unwrap()
    }

    /// What the queue says of the only upload, read by a call that sends nothing.
    async fn phase(&self) -> String {
        let asking = Dailies::unconnected(self.dailies.profile().to_owned());
        let listed = asking.run(LIMIT, &["list"]).await.unwrap();
        assert_eq!(listed.code(), Some(0), "{}", listed.errors);
        match listed.events.as_slice() {
            [] => "none".to_owned(),
            [upload] => upload["phase"].as_str().unwrap().to_owned(),
            more => panic!("there is one upload, not {more:#?}"),
        }
    }

    /// No run sends a part that the storage held before that run could ask.
    fn nothing_was_sent_again(&self) {
        let stored = self.stage.server.log.stored_parts();
        for sent in self.stage.proxy.exchanges() {
            let Some(part) = sent.part else { continue };
            let run = self.runs.iter().rev().find(|run| **run <= sent.began).unwrap();
            let held =
                stored.iter().find(|stored| stored.number == u64::from(part) && stored.at < *run);
            assert!(held.is_none(), "part {part} was held ({held:?}) and sent again: {sent:?}");
        }
    }
}

#[tokio::test]
async fn twenty_five_times_in_one_upload() {
    let mut chance = fastrand::Rng::with_seed(SEED);
    let mut trial = Trial::begin().await;
    let file = trial.stage.clip("rushes.mp4", 200, Take::One).unwrap();
    let first = ["upload", path(&file), "--wait", "ready"];
    let mut phases = Vec::new();
    let mut kills = 0;
    while kills < KILLS {
        let (moment, delay) = Moment::of(kills, &mut chance);
        // Whoever was killed before the file was in the queue offers it again.
        let begun = phases.last().is_some_and(|phase| phase != "none");
        let run = trial.start(if begun { &["run"] } else { &first });
        if !trial.kill(run, moment, delay).await {
            // How long the team works on a video is not for a test to say.
            let is_theirs = |phase: &String| ["processing", "ready"].contains(&phase.as_str());
            assert!(phases.last().is_some_and(is_theirs), "the upload ended after {phases:?}");
            break;
        }
        kills += 1;
        // What the killed one had handed to the system still arrives: sometimes before the next
        // one asks what did, sometimes meanwhile.
        if chance.bool() {
            trial.stage.proxy.quiet(LIMIT).await.unwrap();
        }
        phases.push(trial.phase().await);
        println!("kill {kills:2}: {moment:?} + {delay:?}, in phase {}", phases[kills - 1]);
    }
    let last = trial.start(&["run"]).ended(LIMIT).await.unwrap();
    assert_eq!(last.code(), Some(0), "{}\n{}", last.out, last.errors);
    assert_eq!(trial.phase().await, "ready");

    for phase in ["beginning", "uploading"] {
        assert!(phases.iter().any(|at| at == phase), "no kill in {phase}: {phases:?}");
    }
    assert!(
        phases.iter().filter(|at| ["finishing", "processing"].contains(&at.as_str())).count() >= 3,
        "too few kills at the end: {phases:?}"
    );
    trial.stage.one_whole_video(&file).await.unwrap();
    assert_eq!(trial.stage.server.log.events("upload_begun").len(), 1);
    trial.nothing_was_sent_again();
    trial.stage.strike().await.unwrap();
}

fn path(file: &Path) -> &str {
    file.to_str().unwrap()
}

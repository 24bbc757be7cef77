//! Traces of programs that write files, replayed against what decides that a file is finished.
//!
//! A trace is a list of times and of what a program does to one file. The file is a real, small
//! container, so that what is read of it at any moment is what would be read of a real one.

use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use fastrand::Rng;

use crate::watch::container::tests::{atom, mkv};
use crate::watch::{Filter, Rules, Senses, Settle, Verdict, Version, inspect};

const TRACES: u64 = 2000;
/// A change of it makes another corpus.
const SEED: u64 = 0x5E77_1E00;
/// How late an event may come.
const LATEST: u64 = 60;
const NAME: &str = "reel.mp4";

/// What a program does to a file.
#[derive(Clone, Debug)]
enum Step {
    /// Writes what it has at a place.
    Write {
        at: usize,
        bytes: Vec<u8>,
    },
    /// Makes it so long, with zeros where nothing was.
    Resize(usize),
    /// Sets its times back, as copies do.
    SetTimes,
    Close,
    /// Gives it its name; before that, it has another one.
    Name,
}

#[derive(Default)]
struct Trace {
    steps: Vec<(Duration, Step)>,
    at: Duration,
    /// It begins under another name.
    hidden: bool,
}

impl Trace {
    fn then(&mut self, after: u64, step: Step) -> &mut Self {
        self.at += Duration::from_millis(after);
        self.steps.push((self.at, step));
        self
    }

    /// Writes from a place on, in a few pieces with pauses between them.
    fn pour(&mut self, at: usize, bytes: &[u8], rng: &mut Rng, pauses: &[u64]) -> &mut Self {
        let piece = bytes.len() / rng.usize(2..12) + 1;
        for (nth, part) in bytes.chunks(piece).enumerate() {
            let pause = *rng.choice(pauses).unwrap();
            let write = Step::Write { at: at + nth * piece, bytes: part.to_vec() };
            self.then(rng.u64(0..=pause), write);
        }
        self
    }
}

fn mp4(rng: &mut Rng, movie_first: bool) -> Vec<u8> {
    let (ftyp, moov) = (atom(b"ftyp", b"isom"), atom(b"moov", &vec![3; rng.usize(20..200)]));
    let mdat = atom(b"mdat", &vec![9; rng.usize(100..3000)]);
    if movie_first { [ftyp, moov, mdat] } else { [ftyp, mdat, moov] }.concat()
}

/// Pauses of a program that works at its task, in milliseconds.
const BUSY: [u64; 4] = [5, 50, 200, 900];
/// Pauses of one that waits for people.
const LONG: [u64; 5] = [50, 900, 20_000, 120_000, 590_000];
/// The same, where nobody sees who has a file open.
const UNSEEN: [u64; 4] = [50, 900, 4000, 8000];

fn trace(kind: u64, closes_are_seen: bool, rng: &mut Rng) -> Trace {
    let pauses = if closes_are_seen { &LONG[..] } else { &UNSEEN[..] };
    let movie_first = rng.bool();
    let whole = mp4(rng, movie_first);
    let mut trace = Trace::default();
    match kind {
        // cp, and cp -p.
        0 => {
            trace.pour(0, &whole, rng, &BUSY).then(1, Step::Close);
            if rng.bool() {
                trace.then(rng.u64(0..200), Step::SetTimes);
            }
        }
        // rsync, a browser: under another name, then renamed.
        1 => {
            trace.hidden = true;
            trace.pour(0, &whole, rng, pauses).then(1, Step::SetTimes).then(1, Step::Close);
            trace.then(rng.u64(0..3000), Step::Name);
        }
        // dd from a slow drive.
        2 => {
            trace.pour(0, &whole, rng, &[1200]).then(rng.u64(0..300), Step::Close);
        }
        // Explorer: as long as it will be from the beginning on.
        3 => {
            trace.then(0, Step::Resize(whole.len()));
            trace
                .pour(0, &whole, rng, &[5, 300, 1500])
                .then(2, Step::SetTimes)
                .then(1, Step::Close);
        }
        // An export in two passes: the second one puts the movie box first.
        4 => {
            let first = mp4(rng, false);
            trace.pour(0, &first[..first.len() - 10], rng, &BUSY).then(1, Step::Close);
            trace.then(rng.u64(0..9000), Step::Resize(0));
            trace.pour(0, &whole, rng, &BUSY).then(1, Step::Close);
        }
        // An export that is whole, and opened again at once for its head.
        5 => {
            trace.pour(0, &whole, rng, &BUSY).then(1, Step::Close);
            let head = Step::Write { at: 0, bytes: whole[..8].to_vec() };
            trace.then(rng.u64(0..800), head).then(rng.u64(0..100), Step::Close);
        }
        // A recorder of MP4 that is paused now and then.
        6 => {
            let whole = mp4(rng, false);
            trace.pour(0, &whole, rng, pauses).then(rng.u64(0..50), Step::Close);
        }
        // A recorder of Matroska, which writes the length last.
        7 => {
            let content = vec![5; rng.usize(50..2000)];
            trace.pour(0, &mkv(None, &content), rng, pauses);
            let head = mkv(Some(content.len()), &[]);
            trace.then(rng.u64(0..500), Step::Write { at: 0, bytes: head }).then(1, Step::Close);
        }
        // A recorder of fragments, with and without an index at the end.
        8 => {
            let mut whole = [atom(b"ftyp", b"iso5"), atom(b"moov", b"mvex")].concat();
            for _ in 0..rng.usize(1..9) {
                whole.extend(atom(b"moof", &[1; 30]));
                whole.extend(atom(b"mdat", &vec![2; rng.usize(10..300)]));
            }
            if rng.bool() {
                whole.extend(atom(b"mfra", &[0; 12]));
            }
            trace.pour(0, &whole, rng, pauses).then(1, Step::Close);
        }
        // A transfer that goes on again and again where it was cut.
        _ => {
            let mut at = 0;
            for part in whole.chunks(whole.len() / 3 + 1) {
                let wait = if at == 0 { 0 } else { rng.u64(0..60_000) };
                trace.then(wait, Step::Resize(at));
                trace.pour(at, part, rng, &BUSY).then(1, Step::Close);
                at += part.len();
            }
        }
    }
    trace
}

/// What watches, and what it is told.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Watching {
    /// Every event, and closes (inotify).
    WithCloses,
    /// Every event, but no closes (macOS, Windows).
    WithoutCloses,
    Polling(Duration),
}

struct Replay {
    content: Vec<u8>,
    modified_ns: i64,
    named: bool,
    settle: Option<Settle>,
}

impl Replay {
    fn version(&self) -> Version {
        Version { size: self.content.len() as u64, modified_ns: self.modified_ns, file: Some(1) }
    }

    fn take(&mut self, step: &Step, at: Duration) {
        match step {
            Step::Write { at: place, bytes } => {
                let end = place + bytes.len();
                self.content.resize(self.content.len().max(end), 0);
                self.content[*place..end].copy_from_slice(bytes);
            }
            Step::Resize(size) => self.content.resize(*size, 0),
            Step::Name => self.named = true,
            Step::SetTimes | Step::Close => {}
        }
        self.modified_ns = match step {
            Step::Write { .. } | Step::Resize(_) => i64::try_from(at.as_nanos()).unwrap(),
            Step::SetTimes => -1,
            Step::Close | Step::Name => self.modified_ns,
        };
    }

    /// An event, or a look, as the watcher takes it.
    fn look(&mut self, told: Option<&Step>, now: Duration) {
        if !self.named {
            return;
        }
        let version = self.version();
        let settle = self.settle.get_or_insert_with(|| Settle::new(version, now));
        settle.looked(version, now);
        match told {
            Some(Step::Write { .. } | Step::Resize(_)) => settle.written(now),
            Some(Step::Close) => settle.closed(now),
            Some(Step::SetTimes | Step::Name) | None => {}
        }
    }
}

/// When the file is taken for finished.
fn replay(trace: &Trace, watching: Watching, rng: &mut Rng) -> Duration {
    let senses = match watching {
        Watching::Polling(every) => Senses::Polling { every },
        Watching::WithCloses | Watching::WithoutCloses => Senses::Events,
    };
    let mut replay =
        Replay { content: Vec::new(), modified_ns: 0, named: !trace.hidden, settle: None };
    // What is done and what is told of it, in the order of time.
    let mut told: Vec<(Duration, Option<&Step>)> = Vec::new();
    match watching {
        Watching::Polling(every) => {
            let end = trace.at + Duration::from_secs(3600);
            let mut at = every * rng.u32(0..100) / 100;
            while at < end {
                told.push((at, None));
                at += every;
            }
        }
        Watching::WithCloses | Watching::WithoutCloses => {
            let mut latest = Duration::ZERO;
            for (at, step) in &trace.steps {
                latest = latest.max(*at + Duration::from_millis(rng.u64(0..=LATEST)));
                match (watching, step) {
                    (Watching::WithCloses, _) => told.push((latest, Some(step))),
                    (_, Step::Close) => {}
                    // Who is never seen to close is not said to have opened.
                    _ => told.push((latest, None)),
                }
            }
        }
    }
    let (mut steps, mut told) = (trace.steps.iter().peekable(), told.into_iter().peekable());
    // Where a container is unfinished only a change or an event helps.
    let mut unfinished: Option<Version> = None;
    let mut looks_again = None;
    loop {
        let due = replay.settle.filter(|settle| unfinished != Some(settle.version()));
        let due = due.map(|settle| looks_again.unwrap_or(Duration::ZERO).max(settle.due(senses)));
        let next = [steps.peek().map(|(at, _)| *at), told.peek().map(|(at, _)| *at), due];
        let now = next.into_iter().flatten().min().expect("it is finished at some time");
        if let Some((_, step)) = steps.next_if(|(at, _)| *at == now) {
            replay.take(step, now);
        } else if let Some((_, step)) = told.next_if(|(at, _)| *at == now) {
            replay.look(step, now);
            looks_again = None;
            if step.is_some() {
                unfinished = None;
            }
        } else {
            // The watcher looks at the file before it believes that it was still.
            replay.look(None, now);
            let Some(settle) = replay.settle else { continue };
            if settle.due(senses) > now {
                continue;
            }
            let size = replay.content.len() as u64;
            let container = inspect(&mut Cursor::new(&replay.content), size).unwrap();
            match settle.verdict(container, senses, now) {
                Verdict::Ready => return now,
                Verdict::Still { until } => looks_again = Some(until),
                Verdict::Unfinished => unfinished = Some(settle.version()),
            }
        }
    }
}

#[test]
fn none_is_taken_too_early_and_none_is_waited_for_long() {
    let filter = Filter::new(&Rules::default()).unwrap();
    assert!(filter.takes(Path::new(NAME)).is_ok());
    let mut rng = Rng::with_seed(SEED);
    let mut waits = Vec::new();
    for nth in 0..TRACES {
        let seed = rng.u64(..);
        let mut rng = Rng::with_seed(seed);
        let watching = match nth / 10 % 4 {
            0 | 1 => Watching::WithCloses,
            2 => Watching::WithoutCloses,
            _ => Watching::Polling(Duration::from_secs(rng.u64(2..30))),
        };
        let trace = trace(nth % 10, watching == Watching::WithCloses, &mut rng);
        let ready = replay(&trace, watching, &mut rng);
        assert!(
            ready > trace.at,
            "trace {nth} (kind {}, {watching:?}, seed {seed}) was taken at {ready:?}, {:?} before \
             its end: {:?}",
            nth % 10,
            trace.at - ready,
            trace
                .steps
                .iter()
                .map(|(at, step)| (at, std::mem::discriminant(step)))
                .collect::<Vec<_>>()
        );
        if !matches!(watching, Watching::Polling(_)) {
            waits.push(ready - trace.at);
        }
    }
    waits.sort_unstable();
    let median = waits[waits.len() / 2];
    println!("median {median:?}, nine of ten {:?}", waits[waits.len() * 9 / 10]);
    assert!(median <= Duration::from_secs(3), "the median wait is {median:?}");
}

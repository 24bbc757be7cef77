//! A long queue: `fill` writes one, `read` opens it as the engine does and reads pages of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use dailies_engine::clock::SystemClock;
use dailies_engine::source::Fingerprint;
use dailies_engine::store::{Destination, Registration, Store, Upload};
use dailies_engine::transfer::{List, State, Timestamp, UploadId};

/// Rows of one page, a screen and some more.
const PAGE: u64 = 60;
/// Pages read.
const PAGES: u64 = 2_000;
/// Rows written in one transaction.
const AT_ONCE: u64 = 50_000;

#[derive(Parser)]
struct Args {
    /// The queue's file.
    queue: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Writes a queue of so many uploads that wait.
    Fill { rows: u64 },
    /// Starts an engine on it, reads pages at places all over it, and prints what it took.
    Read,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let Args { queue, what } = Args::parse();
    match what {
        What::Fill { rows } => fill(&queue, rows).await,
        What::Read => read(&queue).await,
    }
}

async fn fill(queue: &Path, rows: u64) -> Result<()> {
    let store = Store::open(queue)?;
    let file = std::env::current_exe()?;
    let fingerprint = Fingerprint::take(&file)?;
    let row = |number: u64| Upload {
        id: UploadId::new(),
        rev: 0,
        state: State::NEW,
        path: file.with_file_name(format!("A001_C{number:07}_1121.mov")),
        title: format!("A001_C{number:07}_1121"),
        content_type: "video/quicktime".into(),
        fingerprint: fingerprint.clone(),
        growth: None,
        destination: Destination {
            server: "http://127.0.0.1:1/".into(),
            project_id: "01JD0000000000000000000000".into(),
            project: "Harbour film / Rushes".into(),
            team: "Dailies".into(),
            version_of: None,
            visibility: None,
        },
        added_at: Timestamp(1),
        uploaded_at: None,
        registration: Registration::No,
        video_id: None,
        session: None,
        duration: None,
        reason: None,
        place: 0,
        first: false,
    };
    let mut written = 0;
    while written < rows {
        let some = AT_ONCE.min(rows - written);
        store.insert((written..written + some).map(row).collect()).await?;
        written += some;
    }
    Ok(())
}

async fn read(queue: &Path) -> Result<()> {
    let begun = Instant::now();
    let clock = Arc::new(SystemClock);
    let (engine, task) =
        dailies_engine::start(queue, clock, dailies_engine::Options::default()).await?;
    let first = engine.page(List::Waiting, 0, PAGE).await?;
    let opened = begun.elapsed();
    anyhow::ensure!(!first.uploads.is_empty(), "an empty queue");
    let counts = engine.snapshot().await?.queue.lists;
    let rows = counts.iter().find(|c| c.list == List::Waiting).map_or(0, |c| c.count);
    let mut times = Vec::new();
    for page in 0..PAGES {
        // All over the list, in no order that a cache would like.
        let offset = page.wrapping_mul(2_654_435_761) % rows;
        let begun = Instant::now();
        engine.page(List::Waiting, offset, PAGE).await?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let at = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )]
        let index = ((times.len() - 1) as f64 * share) as usize;
        times.get(index).map_or(0.0, Duration::as_secs_f64) * 1e3
    };
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let peak: u64 = peak.trim().trim_end_matches(" kB").trim().parse()?;
    let told = serde_json::json!({
        "rows": rows, "open_ms": opened.as_secs_f64() * 1e3, "page_p50_ms": at(0.5),
        "page_p99_ms": at(0.99), "page_worst_ms": at(1.0), "peak_mib": peak / 1024,
    });
    #[expect(clippy::print_stdout, reason = "what it is for")]
    {
        println!("{told}");
    }
    engine.stop(task).await;
    Ok(())
}

//! `make faults`: every cell of the fault matrix with every seed, or every crash point, and the table
//! of what came of it.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::Parser;
use e2e::faults::{Cell, Crash, run};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Runs the fault matrix.
#[derive(Parser)]
struct Arguments {
    /// Seeds of each cell.
    #[arg(long, default_value_t = 20)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Only those in whose name this stands, such as "N4 Portal", "at First" or "by Chunks".
    #[arg(long, default_value = "")]
    only: String,
    /// Only each so manieth.
    #[arg(long, default_value_t = 1)]
    each: usize,
    /// Runs at the same time: most of a run is waiting.
    #[arg(long, default_value_t = 6)]
    jobs: usize,
    /// Kills at every step, and again at every step of what follows, instead of the matrix.
    #[arg(long)]
    crashes: bool,
    /// Only prints their names.
    #[arg(long)]
    list: bool,
}

/// What is run.
#[derive(Clone, Copy)]
enum Case {
    Cell(Cell, u64),
    Crash(Crash),
}

impl Case {
    fn name(self) -> String {
        match self {
            Self::Cell(cell, _) => cell.to_string(),
            Self::Crash(crash) => crash.to_string(),
        }
    }

    async fn run(self) -> Result<()> {
        match self {
            Self::Cell(cell, seed) => run(cell, seed).await,
            Self::Crash(crash) => crash.run().await,
        }
    }
}

/// What came of one cell.
#[derive(Default)]
struct Row {
    runs: usize,
    failures: usize,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "what it is for")]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let seeds = arguments.from..arguments.from + arguments.seeds;
    let cases: Vec<_> = if arguments.crashes {
        Crash::all().map(Case::Crash).collect()
    } else {
        seeds.flat_map(|seed| Cell::all().map(move |cell| Case::Cell(cell, seed))).collect()
    };
    let wanted = cases.into_iter().filter(|case| case.name().contains(&arguments.only));
    let wanted: Vec<_> = wanted.step_by(arguments.each).collect();
    if arguments.list {
        wanted.iter().for_each(|case| println!("{}", case.name()));
        println!("{} runs", wanted.len());
        return Ok(ExitCode::SUCCESS);
    }
    let all = wanted.len();
    let places = Arc::new(Semaphore::new(arguments.jobs));
    let mut running = JoinSet::new();
    for case in wanted {
        let place = Arc::clone(&places);
        running.spawn(async move {
            let _place = place.acquire_owned().await;
            (case, case.run().await)
        });
    }
    let mut table: BTreeMap<String, Row> = BTreeMap::new();
    let mut done = 0;
    while let Some(ended) = running.join_next().await {
        let (case, result) = ended?;
        done += 1;
        if done % 100 == 0 {
            println!("{done} of {all} runs");
        }
        let row = table.entry(case.name()).or_default();
        row.runs += 1;
        if let Err(error) = result {
            row.failures += 1;
            let seed = if let Case::Cell(_, seed) = case { seed } else { 0 };
            println!("FAILED {}, seed {seed}: {error:#}\n", case.name());
        }
    }
    println!("| cell | runs | failures |\n| --- | ---: | ---: |");
    let (mut runs, mut failures) = (0, 0);
    for (cell, row) in &table {
        println!("| {cell} | {} | {} |", row.runs, row.failures);
        runs += row.runs;
        failures += row.failures;
    }
    println!("| {} cells | {runs} | {failures} |", table.len());
    Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

//! `make faults`: every cell of the fault matrix with every seed, and the table of what came of it.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::Parser;
use e2e::faults::{Cell, run};
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
    /// Only cells in whose name this stands, such as "N4 Portal", "at First" or "by Chunks".
    #[arg(long, default_value = "")]
    only: String,
    /// Runs at the same time: most of a run is waiting.
    #[arg(long, default_value_t = 6)]
    jobs: usize,
    /// Only prints the cells.
    #[arg(long)]
    list: bool,
}

/// What came of one cell.
#[derive(Default)]
struct Row {
    runs: usize,
    failures: Vec<(u64, String)>,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "what it is for")]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let wanted = |cell: &Cell| cell.to_string().contains(&arguments.only);
    let cells: Vec<_> = Cell::all().filter(wanted).collect();
    if arguments.list {
        for cell in &cells {
            println!("{cell}");
        }
        println!("{} cells", cells.len());
        return Ok(ExitCode::SUCCESS);
    }
    let places = Arc::new(Semaphore::new(arguments.jobs));
    let mut running = JoinSet::new();
    for seed in arguments.from..arguments.from + arguments.seeds {
        for cell in cells.clone() {
            let place = Arc::clone(&places);
            running.spawn(async move {
                let _place = place.acquire_owned().await;
                (cell, seed, run(cell, seed).await)
            });
        }
    }
    let mut table: BTreeMap<String, Row> = BTreeMap::new();
    while let Some(ended) = running.join_next().await {
        let (cell, seed, result) = ended?;
        let row = table.entry(cell.to_string()).or_default();
        row.runs += 1;
        if let Err(error) = result {
            println!("{cell}, seed {seed}: {error:#}\n");
            row.failures.push((seed, format!("{error}")));
        }
    }
    println!("| cell | runs | failures |\n| --- | ---: | ---: |");
    let (mut runs, mut failures) = (0, 0);
    for (cell, row) in &table {
        println!("| {cell} | {} | {} |", row.runs, row.failures.len());
        runs += row.runs;
        failures += row.failures.len();
    }
    println!("| {} cells | {runs} | {failures} |", table.len());
    Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

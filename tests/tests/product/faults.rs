//! A fixed sample of the fault matrix and of the crash points; `make faults` runs all of them.

use e2e::faults::{Cell, Crash, run};
use futures_util::{StreamExt as _, stream};

/// Runs at the same time: most of a run is waiting.
const AT_ONCE: usize = 4;

#[tokio::test]
async fn a_sample_of_the_matrix() {
    // A step that has no divisor in common with the troubles comes by all of them.
    let cells: Vec<_> = Cell::all().step_by(19).collect();
    let runs = stream::iter(cells).map(|cell| async move { (cell, run(cell, 7).await) });
    let ended: Vec<_> = runs.buffer_unordered(AT_ONCE).collect().await;
    let failed = ended.iter().filter_map(|(cell, result)| Some((cell, result.as_ref().err()?)));
    let failed: Vec<_> = failed.map(|(cell, error)| format!("{cell}: {error:#}")).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[tokio::test]
async fn a_sample_of_the_crash_points() {
    let crashes: Vec<_> = Crash::all().step_by(61).collect();
    let runs = stream::iter(crashes).map(|crash| async move { (crash, crash.run().await) });
    let ended: Vec<_> = runs.buffer_unordered(AT_ONCE).collect().await;
    let failed = ended.iter().filter_map(|(crash, result)| Some((crash, result.as_ref().err()?)));
    let failed: Vec<_> = failed.map(|(crash, error)| format!("{crash}: {error:#}")).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

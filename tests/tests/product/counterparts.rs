//! Clients that nobody here wrote, against the real server.

use std::time::Duration;

use e2e::clips::Take;
use e2e::{Stage, counterparts};
use tokio::process::Command;

const LIMIT: Duration = Duration::from_secs(180);

#[tokio::test]
async fn the_convex_client_uploads() {
    counterparts::node_packages().await.unwrap();
    let stage = Stage::set().await.unwrap();
    let file = stage.clip("rushes.mp4", 24, Take::One).unwrap();
    let mut client = Command::new("node");
    client.arg(counterparts::scripts().join("convex_client.mjs"));
    client.arg("--credentials").arg(&stage.server.credentials_file).arg("--file").arg(&file);
    let said = counterparts::run(LIMIT, &mut client).await.unwrap();
    println!("{said}");
    stage.one_whole_video(&file).await.unwrap();
    stage.strike().await.unwrap();
}

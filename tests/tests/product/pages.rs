//! The pages in a real browser.

use std::time::Duration;

use e2e::{Stage, clips, counterparts};
use tokio::process::Command;

const LIMIT: Duration = Duration::from_secs(240);

#[tokio::test]
async fn a_share_link_in_chromium() {
    let packages = counterparts::browser_packages().await.unwrap();
    let stage = Stage::set().await.unwrap();
    // A clip whose bytes are noise has its size in half a second, which is over before it is looked at.
    let file = clips::to_watch().unwrap();
    let pictures = stage.path("pictures");
    let mut browser = Command::new("node");
    browser.arg(counterparts::scripts().join("share_page.mjs"));
    browser.arg("--packages").arg(packages).arg("--pictures").arg(pictures);
    browser.arg("--credentials").arg(&stage.server.credentials_file).arg("--file").arg(&file);
    let said = counterparts::run(LIMIT, &mut browser).await.unwrap();
    println!("{said}");
    assert!(said.contains("all ok"), "{said}");
    stage.strike().await.unwrap();
}

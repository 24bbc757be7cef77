//! An engine with its downloads, and nothing else: to be killed. It tells of the downloads by lines of
//! JSON, does what the lines of its input say, and ends in order when they end.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use dailies_api::credentials::Credentials;
use dailies_engine::Profile;
use dailies_engine::clock::SystemClock;
use dailies_engine::library::Downloads;
use dailies_engine::team::Connection;
use e2e::quick;
use tokio::sync::mpsc;
use url::Url;

/// Goes on with the downloads of a profile.
#[derive(Parser)]
struct Arguments {
    profile: PathBuf,
    /// The server's credentials file.
    credentials: PathBuf,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { profile: folder, credentials } = Arguments::parse();
    let credentials: Credentials = serde_json::from_slice(&std::fs::read(credentials)?)?;
    let _profile = Profile::lock(&folder)?;
    let clock = Arc::new(SystemClock);
    let (engine, task) = dailies_engine::start(&Profile::queue(&folder), clock, quick()).await?;
    let downloads = Arc::new(Downloads::open(engine.clone()).await);
    let mut views = downloads.views();
    tokio::spawn(async move {
        loop {
            let all = views.borrow_and_update().clone();
            let Ok(line) = serde_json::to_string(&all) else { return };
            // Nobody reads it who has gone.
            if writeln!(std::io::stdout(), "{line}").is_err() || views.changed().await.is_err() {
                return;
            }
        }
    });
    let key = credentials.api_key.clone();
    engine.reconnect(Connection::with_key(Url::parse(&credentials.url)?, key)).await?;
    let (said, mut lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        std::io::stdin().lines().map_while(Result::ok).try_for_each(|line| said.blocking_send(line))
    });
    while let Some(line) = lines.recv().await {
        let (what, rest) = line.split_once(' ').context("what is to be done?")?;
        match what {
            "begin" => {
                let (video_id, place) = rest.split_once(' ').context("to where?")?;
                let offer = downloads.offer(video_id).await?;
                downloads.begin(offer, place.into()).await?;
            }
            "remove" => downloads.remove(serde_json::from_str(rest)?).await?,
            _ => bail!("what is {what}?"),
        }
    }
    downloads.stop().await;
    engine.stop(task).await;
    Ok(())
}

//! A folder that is watched by the real program, for tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::clips;
use crate::{Dailies, Running, Stage};

const LIMIT: Duration = Duration::from_secs(60);

/// A team server, a program that sends to it, and an empty folder for it to watch.
#[derive(Debug)]
pub struct Watched {
    /// The team server.
    pub stage: Stage,
    /// Its calls.
    pub dailies: Dailies,
    /// As the program says it: without links.
    pub folder: PathBuf,
}

impl Watched {
    /// Sets it up.
    ///
    /// # Errors
    /// Where something does not start.
    pub async fn set() -> Result<Self> {
        let stage = Stage::set().await?;
        let dailies = Dailies::new(stage.path("profile"), &stage.server.credentials_file);
        let folder = stage.path("card");
        std::fs::create_dir(&folder)?;
        let folder = folder.canonicalize()?;
        Ok(Self { stage, dailies, folder })
    }

    /// A path in the folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Watches the folder by these rules.
    ///
    /// # Errors
    /// Where the program does not start.
    pub fn watch(&self, rules: &[&str]) -> Result<Running> {
        let arguments = [&["watch".as_ref(), self.folder.as_os_str()], &os(rules)[..]].concat();
        self.dailies.spawn(&arguments)
    }

    /// The titles of the team's videos, in alphabetical order.
    ///
    /// # Errors
    /// Where the server refuses.
    pub async fn titles(&self) -> Result<Vec<String>> {
        let videos = self.stage.team.videos().await?;
        let mut titles: Vec<_> = videos.into_iter().map(|video| video.title).collect();
        titles.sort();
        Ok(titles)
    }

    /// What would become of each file, or why nothing would.
    ///
    /// # Errors
    /// Where the program fails.
    pub async fn dry_run(&self, rules: &[&str]) -> Result<BTreeMap<String, String>> {
        let call = ["folders".as_ref(), "dry-run".as_ref(), self.folder.as_os_str()];
        let alone = Dailies::unconnected(self.dailies.profile().to_owned());
        let planned = alone.run(LIMIT, &[&call[..], &os(rules)].concat()).await?;
        ensure!(planned.code() == Some(0), "{}", planned.errors);
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let one = |file: &Value| {
            let plan = match (&*word(&file["plan"]), &file["byContent"]) {
                ("skip", _) => word(&file["why"]),
                ("send", Value::Bool(true)) => "send_by_content".to_owned(),
                (plan, _) => plan.to_owned(),
            };
            (word(&file["path"]), plan)
        };
        Ok(planned.events.iter().map(one).collect())
    }
}

fn os<'a>(rules: &[&'a str]) -> Vec<&'a std::ffi::OsStr> {
    rules.iter().copied().map(std::ffi::OsStr::new).collect()
}

/// A playable file that no other number has.
///
/// # Errors
/// Where no clip can be made.
pub fn numbered_clip(number: u64) -> Result<Vec<u8>> {
    clips::numbered(1, number)
}

/// Waits until a folder is watched.
///
/// # Errors
/// Where it is not.
pub async fn begun(running: &Running) -> Result<()> {
    running.until(LIMIT, |event| event["health"] == "watching").await.map(drop)
}

/// Whether an event has this name and is about this file.
pub fn of<'a>(name: &'a str, path: &'a Path) -> impl Fn(&Value) -> bool + 'a {
    move |event| event["event"] == name && event["path"].as_str() == path.to_str()
}

/// Ends a program that watches as its service manager does.
///
/// # Errors
/// Where it does not end well.
#[cfg(unix)]
pub async fn ends_well(running: Running) -> Result<()> {
    running.terminate()?;
    let ended = running.ended(LIMIT).await.context("it was asked to end")?;
    ensure!(ended.code() == Some(0), "{}\n{}", ended.out, ended.errors);
    Ok(())
}

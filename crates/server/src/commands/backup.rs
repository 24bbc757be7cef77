//! `dailies-server backup` and `dailies-server restore`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::{people, say};
use crate::backup::{self, Summary};
use crate::config::SettingsArgs;

/// Copy database and originals to a folder, also while the server runs. Prints a JSON line
#[derive(Args, Clone, Debug)]
pub struct Backup {
    #[command(flatten)]
    settings: SettingsArgs,
    /// Folder of the backup; what it has already is not copied again
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Renditions, too, which can be made again from the originals
    #[arg(long)]
    with_media: bool,
    /// Read every original back and compare it with its checksum
    #[arg(long)]
    verify: bool,
}

/// Make a data folder from a backup, every original checked. Prints a JSON line
#[derive(Args, Clone, Debug)]
pub struct Restore {
    /// The new data folder: empty, or not there yet
    #[command(flatten)]
    settings: SettingsArgs,
    /// Folder of the backup
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
}

impl Backup {
    pub(super) async fn run(self) -> Result<()> {
        copied("backup", move || {
            let data = folder(self.settings)?;
            Ok(backup::back_up(&data, &self.to, self.with_media, self.verify)?)
        })
        .await
    }
}

impl Restore {
    pub(super) async fn run(self) -> Result<()> {
        copied("restored", move || Ok(backup::restore(&self.from, &folder(self.settings)?)?)).await
    }
}

fn folder(settings: SettingsArgs) -> Result<PathBuf> {
    Ok(settings.data_folder(|name| std::env::var(name).ok())?)
}

/// Runs what copies files, and says what came of it.
async fn copied(
    event: &str,
    work: impl FnOnce() -> Result<Summary> + Send + 'static,
) -> Result<()> {
    let summary = tokio::task::spawn_blocking(work).await??;
    for key in &summary.missing {
        people::tell(&format!("the storage has no original {key}, which a video says it has"));
    }
    let mut line = serde_json::to_value(&summary)?;
    line["event"] = event.into();
    say(&line.to_string());
    Ok(())
}

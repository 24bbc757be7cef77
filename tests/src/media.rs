//! A media engine that takes bytes itself, past its team server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use dailies_api::credentials::MuxCredentials;
use dailies_api::mux::{Asset, Data, Upload, UploadStatus};
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use tokio::task::JoinHandle;

use crate::proxy::{End, Exchange};
use crate::{Stage, hash};

/// How long it may take until what was cancelled is.
const LIMIT: Duration = Duration::from_secs(20);

/// The media engine as its owner sees it, and everything that it ever took: it removes what came
/// once its renditions are made.
pub(crate) struct Media {
    mux: MuxCredentials,
    http: reqwest::Client,
    kept: PathBuf,
    keeping: JoinHandle<()>,
}

impl Media {
    pub(crate) fn of(stage: &Stage) -> Result<Self> {
        let mux = stage.server.credentials.mux.clone().context("the media engine is embedded")?;
        let (taken, kept) = (stage.path("server").join("media/uploads"), stage.path("kept"));
        std::fs::create_dir_all(&kept)?;
        let folder = kept.clone();
        let keeping = tokio::spawn(async move {
            loop {
                for file in std::fs::read_dir(&taken).into_iter().flatten().flatten() {
                    // A second name for the same bytes, also for those that come later.
                    let _ = std::fs::hard_link(file.path(), folder.join(file.file_name()));
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        Ok(Self { mux, http: stage.team.http.clone(), kept, keeping })
    }

    /// As [`Self::holds`], and nothing waits for bytes.
    pub(crate) async fn holds_just(&self, file: &Path) -> Result<()> {
        self.holds(file).await?;
        self.waits_for_nothing().await
    }

    /// One upload brought just this file, and one asset was made of it.
    pub(crate) async fn holds(&self, file: &Path) -> Result<()> {
        let here = hash::of_file(file)?;
        let mut whole = 0;
        for kept in std::fs::read_dir(&self.kept)? {
            let kept = hash::of_file(&kept?.path())?;
            ensure!(kept == here || kept.bytes < here.bytes, "{kept:?} came, here is {here:?}");
            whole += usize::from(kept == here);
        }
        ensure!(whole == 1, "the file came {whole} times");
        let assets: Vec<Asset> = self.list("assets").await?;
        ensure!(assets.len() == 1, "one asset was expected: {assets:?}");
        Ok(())
    }

    /// No upload waits for bytes, or soon none does.
    pub(crate) async fn waits_for_nothing(&self) -> Result<()> {
        let none = async {
            loop {
                let uploads: Vec<Upload> = self.list("uploads").await?;
                if uploads.iter().all(|upload| upload.status != UploadStatus::Waiting) {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        match tokio::time::timeout(LIMIT, none).await {
            Ok(none) => none,
            Err(_) => bail!("an upload still waits for bytes"),
        }
    }

    /// Ends an upload.
    pub(crate) async fn cancel(&self, id: &str) -> Result<()> {
        let cancel = self.http.put(format!("{}/video/v1/uploads/{id}/cancel", self.mux.url));
        let cancel = cancel.basic_auth(&self.mux.token_id, Some(self.secret()));
        cancel.send().await?.error_for_status()?;
        Ok(())
    }

    async fn list<T: DeserializeOwned>(&self, what: &str) -> Result<Vec<T>> {
        let list = self.http.get(format!("{}/video/v1/{what}?limit=100", self.mux.url));
        let list = list.basic_auth(&self.mux.token_id, Some(self.secret()));
        Ok(list.send().await?.error_for_status()?.json::<Data<Vec<T>>>().await?.data)
    }

    fn secret(&self) -> &str {
        self.mux.token_secret.expose_secret()
    }
}

impl Drop for Media {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

/// How often bytes came that an earlier answer had acknowledged.
pub(crate) fn sent_again(exchanges: &[Exchange]) -> usize {
    let acknowledged =
        |exchange: &&Exchange| matches!(exchange.end, Some((_, End::Answered(200 | 201 | 308))));
    let again = exchanges.iter().enumerate().filter(|(at, exchange)| {
        let Some((first, _)) = exchange.bytes else { return false };
        let before = exchanges[..*at].iter().filter(acknowledged);
        let mut before = before.filter(|before| before.asked == exchange.asked);
        before.any(|before| before.bytes.is_some_and(|(_, last)| first <= last))
    });
    again.count()
}

//! `gcp-storage-emulator`: the resumable PUT of Google Cloud Storage, as somebody else read it.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use reqwest::StatusCode;
use reqwest::header::LOCATION;
use tokio::process::{Child, Command};

use crate::counterparts;
use crate::programs::free_address;

const BUCKET: &str = "originals";
/// To start, and for any answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running emulator with a bucket; dropped, it is killed.
#[derive(Debug)]
pub struct Gcs {
    address: SocketAddr,
    http: reqwest::Client,
    _child: Child,
}

impl Gcs {
    /// Starts one, and waits until it answers.
    ///
    /// # Errors
    /// Where it cannot be installed, or does not answer.
    pub async fn start() -> Result<Self> {
        let programs = counterparts::python().await?;
        let address = free_address()?;
        let child = Command::new(programs.join("gcp-storage-emulator"))
            .args(["start", "--host", "127.0.0.1", "--in-memory", "--default-bucket", BUCKET])
            .args(["--port", &address.port().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("gcp-storage-emulator cannot be run")?;
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let gcs = Self { address, http, _child: child };
        let answers = async {
            while gcs.http.get(format!("http://{address}/")).send().await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, answers).await.is_err() {
            bail!("gcp-storage-emulator does not answer within {PATIENCE:?}");
        }
        Ok(gcs)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens a resumable session for an object by way of `base`; its address, by that way, too.
    ///
    /// # Errors
    /// Where it opens none.
    pub async fn session(&self, base: &str, name: &str) -> Result<String> {
        let open =
            format!("{base}/upload/storage/v1/b/{BUCKET}/o?uploadType=resumable&name={name}");
        let answer = self.http.post(open).send().await?.error_for_status()?;
        let location = answer.headers().get(LOCATION).context("a session without an address")?;
        Ok(location.to_str()?.to_owned())
    }

    /// The bytes of an object; `None` where there is none.
    ///
    /// # Errors
    /// Where it does not say.
    pub async fn object(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let object =
            format!("http://{}/download/storage/v1/b/{BUCKET}/o/{name}?alt=media", self.address);
        let answer = self.http.get(object).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        Ok(Some(answer.error_for_status()?.bytes().await?.into()))
    }
}

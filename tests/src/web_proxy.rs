//! `proxy.py`: a proxy of a company's network, as somebody else made it, that wants a sign-in.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::counterparts;
use crate::programs::free_address;

const SIGN_IN: &str = "crew:let me through";
/// To start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running proxy; dropped, it is killed.
#[derive(Debug)]
pub struct WebProxy {
    address: SocketAddr,
    _child: Child,
}

impl WebProxy {
    /// Starts one, and waits until it listens.
    ///
    /// # Errors
    /// Where it cannot be installed, or does not listen.
    pub async fn start() -> Result<Self> {
        let programs = counterparts::python().await?;
        let address = free_address()?;
        let child = Command::new(programs.join("proxy"))
            .args(["--hostname", "127.0.0.1", "--num-workers", "1", "--num-acceptors", "1"])
            .args(["--port", &address.port().to_string(), "--basic-auth", SIGN_IN])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("proxy.py cannot be run")?;
        let listens = async {
            while TcpStream::connect(address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, listens).await.is_err() {
            bail!("proxy.py does not listen within {PATIENCE:?}");
        }
        Ok(Self { address, _child: child })
    }

    /// How somebody names it who may use it.
    #[must_use]
    pub fn with_sign_in(&self) -> String {
        format!("http://crew:let%20me%20through@{}", self.address)
    }

    /// How somebody names it who may not.
    #[must_use]
    pub fn without_sign_in(&self) -> String {
        format!("http://{}", self.address)
    }
}

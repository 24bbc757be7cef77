//! An OpenID Connect provider that nobody here wrote, and whoever signs in there by a browser.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::counterparts;

/// What one step of the provider may take on a busy computer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running provider; dropped, it is killed.
#[derive(Debug)]
pub struct OidcProvider {
    _process: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    /// As its tokens name it.
    pub issuer: String,
    /// The `aud` of its access tokens.
    pub audience: String,
    /// Its public client.
    pub client: String,
}

impl OidcProvider {
    /// Starts one whose access tokens are good for an hour.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn start() -> Result<Self> {
        Self::with_tokens_for(Duration::from_hours(1)).await
    }

    /// Starts one whose access tokens are good for so long.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn with_tokens_for(lifetime: Duration) -> Result<Self> {
        counterparts::node_packages().await?;
        let mut process = Command::new("node")
            .arg(counterparts::scripts().join("oidc_provider.mjs"))
            .arg(lifetime.as_secs().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let commands = process.stdin.take().context("no input")?;
        let mut answers = BufReader::new(process.stdout.take().context("no output")?).lines();
        let ready = read(&mut answers).await?;
        let said = |name: &str| ready[name].as_str().map(str::to_owned).context("it said less");
        Ok(Self {
            _process: process,
            commands,
            answers,
            issuer: said("issuer")?,
            audience: said("audience")?,
            client: said("client")?,
        })
    }

    /// Gives it a command, and answers its answer.
    ///
    /// # Errors
    /// Where it gives none.
    pub async fn ask(&mut self, command: &str) -> Result<Value> {
        self.commands.write_all(format!("{command}\n").as_bytes()).await?;
        read(&mut self.answers).await
    }

    /// Follows the pages of a sign-in as `account`'s browser does, back to whoever began it. The
    /// status of the last page.
    ///
    /// # Errors
    /// Where it does not get there.
    pub async fn browse(&mut self, account: &str, page: &str) -> Result<u64> {
        let there = self.ask(&format!("browse {account} {page}")).await?;
        there["status"].as_u64().with_context(|| format!("no page: {there}"))
    }

    /// How often refresh tokens were exchanged for others.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn renewals(&mut self) -> Result<u64> {
        self.ask("renewals").await?["renewals"].as_u64().context("no number")
    }

    /// A server's settings to take its access tokens, and to have people sign in there.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("DAILIES_OIDC_ISSUER", self.issuer.clone()),
            ("DAILIES_OIDC_AUDIENCE", self.audience.clone()),
            ("DAILIES_OIDC_CLIENT_ID", self.client.clone()),
            ("DAILIES_OIDC_APP_CLIENT", self.client.clone()),
        ]
    }
}

async fn read(answers: &mut Lines<BufReader<ChildStdout>>) -> Result<Value> {
    let line = tokio::time::timeout(PATIENCE, answers.next_line()).await?;
    Ok(serde_json::from_str(&line?.context("the provider has ended")?)?)
}

//! `dailies-server serve`: starts the server, says where it listens, and ends it on a signal.

use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use super::say;
use super::stopping::{Signals, Stdin};
use crate::app::App;
use crate::config::{Config, ServeArgs};

/// Migrations log the names of files on the computer that built this.
const USUAL_LOG: &str = "info,rusqlite_migration=warn";
/// s3s logs every refusal as an error, and at `debug` whole requests, presigned addresses and all.
const NEVER_LOGGED: &str = "s3s=off";

/// Run until SIGTERM or SIGINT. Prints one JSON line once it listens; logs go to stderr
#[derive(Args, Clone, Debug)]
pub struct Serve {
    #[command(flatten)]
    args: ServeArgs,
    /// End when stdin closes, too: with the program that started this one, however that ends
    #[arg(long)]
    until_stdin_closes: bool,
}

/// The one line on stdout.
#[derive(Serialize)]
struct Listening<'a> {
    event: &'a str,
    url: &'a str,
    credentials: &'a Path,
}

impl Serve {
    pub(super) async fn run(self) -> ExitCode {
        let level = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_else(|_| USUAL_LOG.into());
        let filter = EnvFilter::new(format!("{level},{NEVER_LOGGED}"));
        tracing_subscriber::fmt()
            .json()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .init();
        match Box::pin(serve(self.args, self.until_stdin_closes)).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!("{error:#}");
                ExitCode::FAILURE
            }
        }
    }
}

async fn serve(args: ServeArgs, until_stdin_closes: bool) -> anyhow::Result<()> {
    // Before anything can be interrupted half way.
    let mut signals = Signals::new()?;
    let mut stdin = Stdin::new(until_stdin_closes);
    let mut end = pin!(async {
        tokio::select! {
            () = signals.next() => {}
            () = stdin.closed() => {}
        }
    });
    let config = Config::new(args, |name| std::env::var(name).ok())?;
    let app = tokio::select! {
        app = Box::pin(App::start(config)) => app?,
        () = &mut end => return Ok(()),
    };
    let listening =
        Listening { event: "listening", url: app.url(), credentials: app.credentials() };
    say(&serde_json::to_string(&listening)?);
    tracing::info!(url = app.url(), s3 = app.s3_url(), "listening");
    end.await;
    tracing::info!("stopping");
    app.stop().await;
    Ok(())
}

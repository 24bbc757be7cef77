//! `dailies-server`: starts the server that the library builds, and ends it on a signal.

use std::io::Write as _;
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use dailies_server::app::App;
use dailies_server::backup::{self, BackupArgs, RestoreArgs, Summary};
use dailies_server::config::{Config, ServeArgs, data_folder};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

/// Migrations log the names of files on the computer that built this.
const USUAL_LOG: &str = "info,rusqlite_migration=warn";
/// s3s logs every refusal as an error, and at `debug` whole requests, presigned addresses and all.
const NEVER_LOGGED: &str = "s3s=off";

/// The team's side of Dailies: team API, S3 endpoint and media engine on one computer.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run until SIGTERM or SIGINT. Prints one JSON line once it listens; logs go to stderr
    Serve {
        #[command(flatten)]
        args: ServeArgs,
        /// End when stdin closes, too: with the program that started this one, however that ends
        #[arg(long)]
        until_stdin_closes: bool,
    },
    /// Copy database and originals to a folder, also while the server runs. Prints a JSON line
    Backup(BackupArgs),
    /// Make a data folder from a backup, every original checked. Prints a JSON line
    Restore(RestoreArgs),
}

/// The one line on stdout.
#[derive(Serialize)]
struct Listening<'a> {
    event: &'a str,
    url: &'a str,
    credentials: &'a Path,
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = Cli::parse().command;
    let level = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_else(|_| USUAL_LOG.into());
    let filter = EnvFilter::new(format!("{level},{NEVER_LOGGED}"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    let done = match command {
        Command::Serve { args, until_stdin_closes } => {
            Box::pin(run(args, until_stdin_closes)).await
        }
        Command::Backup(args) => copied("backup", move || back_up(args)).await,
        Command::Restore(args) => copied("restored", move || restore(args)).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn back_up(args: BackupArgs) -> anyhow::Result<Summary> {
    let data = data_folder(args.data)?;
    Ok(backup::back_up(&data, &args.to, args.with_media, args.verify)?)
}

fn restore(args: RestoreArgs) -> anyhow::Result<Summary> {
    Ok(backup::restore(&args.from, &data_folder(args.data)?)?)
}

/// Runs what copies files, and says what came of it.
async fn copied(
    event: &str,
    work: impl FnOnce() -> anyhow::Result<Summary> + Send + 'static,
) -> anyhow::Result<()> {
    let summary = tokio::task::spawn_blocking(work).await??;
    for key in &summary.missing {
        tracing::warn!(key, "the storage has no original that a video says it has");
    }
    let mut line = serde_json::to_value(&summary)?;
    line["event"] = event.into();
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

async fn run(args: ServeArgs, until_stdin_closes: bool) -> anyhow::Result<()> {
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
    let line = serde_json::to_string(&listening)?;
    // Whoever started us may have closed our output; the server is of use all the same.
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
    tracing::info!(url = app.url(), s3 = app.s3_url(), "listening");
    end.await;
    tracing::info!("stopping");
    app.stop().await;
    Ok(())
}

/// Tells when stdin has closed, where that is asked for.
struct Stdin(Option<tokio::sync::oneshot::Receiver<()>>);

impl Stdin {
    fn new(watched: bool) -> Self {
        Self(watched.then(|| {
            let (sender, closed) = tokio::sync::oneshot::channel();
            // A thread of its own: a read that never ends must not hold up the runtime's end.
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
                let _ = sender.send(());
            });
            closed
        }))
    }

    async fn closed(&mut self) {
        match &mut self.0 {
            Some(closed) => {
                let _ = closed.await;
            }
            None => std::future::pending().await,
        }
    }
}

/// What ends the server.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

//! `dailies-server serve`: starts the server, says where it listens, and ends it on a signal.

use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use super::say;
use super::stopping::{Hangups, Signals, Stdin};
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
        log();
        match Box::pin(serve(self.args, self.until_stdin_closes)).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!("{error:#}");
                ExitCode::FAILURE
            }
        }
    }
}

/// JSON lines on stderr. Of other people's crates nothing below `info`: further down they show whole
/// requests, addresses and signatures, and a level is turned up when something is wrong, which is
/// when a log is sent around.
fn log() {
    let level = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_else(|_| USUAL_LOG.into());
    let asked = EnvFilter::new(format!("{level},{NEVER_LOGGED}"));
    let ours = filter_fn(|line| {
        *line.level() <= tracing::Level::INFO || line.target().starts_with("dailies")
    });
    let lines = tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines.with_filter(ours).with_filter(asked)).init();
}

async fn serve(args: ServeArgs, until_stdin_closes: bool) -> anyhow::Result<()> {
    // Before anything can be interrupted half way.
    let mut signals = Signals::new()?;
    let mut hangups = Hangups::new()?;
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
    tell(Told::Ready);
    loop {
        tokio::select! {
            () = &mut end => break,
            () = hangups.next() => app.reload(),
        }
    }
    tracing::info!("stopping");
    tell(Told::Stopping);
    let mut at_once = Signals::new()?;
    tokio::select! {
        () = app.stop() => {}
        () = at_once.next() => tracing::warn!("a second signal: what still runs is cut"),
    }
    Ok(())
}

/// What a service manager is told.
#[derive(Clone, Copy)]
enum Told {
    Ready,
    Stopping,
}

/// Tells systemd, where it waits for that (`Type=notify`).
fn tell(told: Told) {
    #[cfg(target_os = "linux")]
    {
        let state = match told {
            Told::Ready => sd_notify::NotifyState::Ready,
            Told::Stopping => sd_notify::NotifyState::Stopping,
        };
        if let Err(error) = sd_notify::notify(&[state]) {
            tracing::warn!(%error, "the service manager was not told");
        }
    }
    #[cfg(not(target_os = "linux"))]
    match told {
        Told::Ready | Told::Stopping => {}
    }
}

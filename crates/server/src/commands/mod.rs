//! The subcommands of `dailies-server`, one file each.
//!
//! Owns: the command line, what is printed, exit codes. A new one is a variant here, a line in
//! [`Command::run`], and a file beside these. Must not know: SQL, HTTP.

pub mod backup;
pub mod check;
pub mod key;
mod people;
mod quota;
pub mod serve;
mod stopping;
pub mod team;
pub mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The team's side of Dailies: team API, S3 endpoint and media engine on one computer.
#[derive(Debug, Parser)]
#[command(name = "dailies-server", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program does. Each says by itself what it is: words here would take the place of its own in the help.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "see above")]
pub enum Command {
    Serve(serve::Serve),
    Check(check::Check),
    User(user::User),
    Team(team::Team),
    Key(key::Key),
    Backup(backup::Backup),
    Restore(backup::Restore),
}

impl Command {
    /// Does it; 0 where it was done, another code where not.
    pub async fn run(self) -> ExitCode {
        match self {
            Self::Serve(serve) => serve.run().await,
            Self::Check(check) => check.run().await,
            Self::User(user) => people::ended(user.run().await),
            Self::Team(team) => people::ended(team.run().await),
            Self::Key(key) => people::ended(key.run().await),
            Self::Backup(backup) => people::ended(backup.run().await),
            Self::Restore(restore) => people::ended(restore.run().await),
        }
    }
}

/// Writes a line to stdout. Whoever started us may have closed it; that is no failure of ours.
pub(crate) fn say(line: &str) {
    use std::io::Write as _;
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

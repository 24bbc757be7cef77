//! `dailies-server`: what the command line asks for; all of it is in the library.

use std::process::ExitCode;

use clap::Parser as _;
use dailies_server::commands::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    Cli::parse().command.run().await
}

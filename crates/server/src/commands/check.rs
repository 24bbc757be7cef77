//! `dailies-server check`: whether a server would start and work here, without starting one.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::say;
use crate::checks::{self, Outcome, Report};
use crate::config::{Config, ServeArgs};

/// Say whether `serve` would work with these settings, and what to do where it would not
///
/// Exit code 0: everything is well; 1: there are warnings; 2: it would not work
#[derive(Args, Clone, Debug)]
pub struct Check {
    #[command(flatten)]
    args: ServeArgs,
    /// One JSON document instead of lines
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    outcome: Outcome,
    checks: &'a [Report],
}

impl Check {
    pub(super) async fn run(self) -> ExitCode {
        let reports = match Config::new(self.args, |name| std::env::var(name).ok()) {
            Ok(config) => {
                let mut reports = vec![Report::ok("configuration", "it can be read")];
                let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
                reports.extend(checks::unknown_variables(names));
                reports.extend(checks::all(&config).await);
                reports
            }
            Err(error) => vec![Report::failed("configuration", error.to_string())],
        };
        let worst = reports.iter().map(|report| report.outcome).max().unwrap_or(Outcome::Ok);
        if self.json {
            let document = Document { outcome: worst, checks: &reports };
            say(&serde_json::to_string_pretty(&document).unwrap_or_default());
        } else {
            for report in &reports {
                say(&report.to_string());
            }
        }
        match worst {
            Outcome::Ok => ExitCode::SUCCESS,
            Outcome::Warning => ExitCode::from(1),
            Outcome::Failed => ExitCode::from(2),
        }
    }
}

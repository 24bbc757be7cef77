//! What `dailies-server check` looks at: a list of named checks, each of one thing.
//!
//! A new check is a function from [`Config`] to a [`Report`] and a line in [`all`]. Must not know:
//! how reports are printed. Changes nothing that it does not put back.

mod certificate;
mod folder;
mod network;
mod programs;
mod services;

use std::fmt;

use serde::Serialize;

use crate::config::Config;
use crate::config::file::nearest_variable;
use crate::config::settings::by_variable;

/// How a check ended, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// It would start, but something is to be looked at.
    Warning,
    /// It would not start, or not work.
    Failed,
}

/// What one check found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Its name, stable, for programs.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// For people; says what to do where something can be done. Never a secret.
    pub message: String,
}

impl Report {
    pub(crate) fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, outcome: Outcome::Ok, message: message.into() }
    }

    pub(crate) fn warning(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, outcome: Outcome::Warning, message: message.into() }
    }

    pub(crate) fn failed(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, outcome: Outcome::Failed, message: message.into() }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.outcome {
            Outcome::Ok => "ok",
            Outcome::Warning => "warning",
            Outcome::Failed => "FAILED",
        };
        write!(formatter, "{word:<8} {:<14} {}", self.name, self.message)
    }
}

/// Runs every check, in an order in which the first that failed is the one to look at first.
pub(crate) async fn all(config: &Config) -> Vec<Report> {
    let mut reports = vec![
        folder::writable(config),
        folder::space(config),
        network::ports(config),
        certificate::pair(config),
        programs::ffmpeg(config).await,
    ];
    reports.extend(Box::pin(services::storage(config)).await);
    reports.extend(services::media(config).await);
    reports.push(network::public_url(config).await);
    reports.push(network::proxies(config));
    reports
}

/// Variables that look like settings and are none. `names` are those of the environment.
pub(crate) fn unknown_variables(names: impl Iterator<Item = String>) -> Option<Report> {
    let is_known = |name: &str| {
        let plain = name.strip_suffix("_FILE").unwrap_or(name);
        name == "DAILIES_CONFIG" || [name, plain].iter().any(|name| by_variable(name).is_some())
    };
    let unknown = names
        .filter(|name| name.starts_with("DAILIES_") && !is_known(name))
        .map(|name| format!("{name} (did you mean {}?)", nearest_variable(&name)))
        .collect::<Vec<_>>();
    let message = || format!("no setting: {}", unknown.join(", "));
    (!unknown.is_empty()).then(|| Report::warning("environment", message()))
}

//! How fast uploads may go, and when.

use std::path::Path;

use dailies_engine::error::EngineError;
use dailies_engine::rules::RulesView;

use crate::control::{self, Request};
use crate::events::{self, Output};
use crate::exit::Exit;

/// Asks or sets, and prints what holds then: all of it as JSON, or in words what was asked for.
pub(crate) async fn set(
    folder: &Path,
    request: Request,
    output: Output,
    words: impl Fn(&RulesView) -> String,
) -> Result<Exit, EngineError> {
    let rules: RulesView = control::ask(folder, request).await?;
    match output {
        Output::Json => events::print(&rules),
        Output::Bars | Output::Lines => events::say(&words(&rules)),
    }
    Ok(Exit::Done)
}

pub(crate) fn limit(rules: &RulesView) -> String {
    rules.limit.map_or_else(|| "off".to_owned(), |rate| rate.to_string())
}

pub(crate) fn schedule(rules: &RulesView) -> String {
    if rules.schedule.is_empty() { "off".to_owned() } else { rules.schedule.join("\n") }
}

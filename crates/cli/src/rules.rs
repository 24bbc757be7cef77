//! How fast uploads may go, when, and where.

use std::path::Path;

use dailies_engine::error::EngineError;
use dailies_engine::rules::{RulesView, Switch};
use dailies_engine::view::AllowanceView;
use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::args::State;
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

/// Asks for a switch, or turns it.
pub(crate) async fn turn(
    folder: &Path,
    switch: Switch,
    state: Option<State>,
    output: Output,
) -> Result<Exit, EngineError> {
    let request =
        state.map_or(Request::Rules, |state| Request::Turn { switch, on: state == State::On });
    set(folder, request, output, |rules| {
        let on = match switch {
            Switch::PauseOnMetered => rules.pause_on_metered,
            Switch::PauseOnBattery => rules.pause_on_battery,
            Switch::KeepAwake => rules.keep_awake,
        };
        if on { "on" } else { "off" }.to_owned()
    })
    .await
}

/// What holds for the bytes of all uploads, in a sentence.
pub(crate) fn sentence(allowance: &AllowanceView) -> String {
    match allowance {
        AllowanceView::Full => "Going on  at full speed".to_owned(),
        AllowanceView::Limit { bytes_per_second } => {
            format!("Going on  with {bytes_per_second} bytes a second at the most")
        }
        AllowanceView::Schedule { until } => {
            let until = until.and_then(|until| jiff::Timestamp::from_millisecond(until.0).ok());
            let until = until.map(|until| Zoned::new(until, TimeZone::system()));
            let until = until.map(|until| format!(" until {}", until.strftime("%a %H:%M")));
            format!("Waiting   as the schedule says{}", until.unwrap_or_default())
        }
        AllowanceView::Metered => {
            "Waiting   because the network is metered: `dailies send-here` sends all the same"
                .to_owned()
        }
        AllowanceView::Battery => {
            "Waiting   while on battery: `dailies send-here` sends all the same".to_owned()
        }
    }
}

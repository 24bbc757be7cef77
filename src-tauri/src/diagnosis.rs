//! What somebody who helps needs to know: versions, settings and how it stands. No names of files, no
//! address beyond a server's own, nothing that opens anything.

use std::fmt::Write as _;

use dailies_engine::EngineHandle;
use dailies_engine::rules::RulesView;
use dailies_engine::view::{ConnectionView, Snapshot};

use crate::link::LinkHandle;
use crate::view::{ServerView, ShellView};

/// As text, in English whatever the page speaks.
pub(crate) async fn text(engine: &EngineHandle, link: &LinkHandle) -> String {
    let (snapshot, rules) = (engine.snapshot().await.ok(), engine.rules().await.ok());
    written(snapshot.as_ref(), rules.as_ref(), &link.view())
}

fn written(snapshot: Option<&Snapshot>, rules: Option<&RulesView>, shell: &ShellView) -> String {
    let mut lines = Lines::default();
    lines.add("Dailies", env!("CARGO_PKG_VERSION"));
    lines.add("System", format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
    lines.add("Web view", tauri::webview_version().unwrap_or_else(|_| "unknown".into()));
    lines.add("Engine", format!("{:?}", shell.engine));
    let server = match &shell.server {
        ServerView::Off => "off",
        ServerView::Starting => "starting",
        ServerView::Running { .. } => "running",
        ServerView::Failed { message } => message,
    };
    lines.add("Server on this computer", server);
    match snapshot {
        Some(Snapshot { queue, connections, allowance, rebuilt, .. }) => {
            for list in &queue.lists {
                lines.add(&format!("{:?}", list.list), list.count);
            }
            lines.add("To send", format!("{} bytes", queue.totals.unsent_bytes));
            lines.add("Speed", format!("{} bytes a second", queue.totals.bytes_per_second));
            lines.add("Allowance", format!("{allowance:?}"));
            lines.add("Queue made anew", rebuilt.is_some());
            for connection in connections {
                lines.add("Connection", connected(connection, shell));
            }
        }
        None => lines.add("Queue", "the engine does not answer"),
    }
    if let Some(rules) = rules {
        lines.add("Rules", format!("{rules:?}"));
    }
    lines.add("Preferences", format!("{:?}", shell.preferences));
    lines.add("Starts at login", format!("{:?}", shell.starts_at_login));
    lines.add("Newer version", format!("{:?}", shell.update.state));
    lines.0
}

fn connected(connection: &ConnectionView, shell: &ShellView) -> String {
    let (url, how) = match connection {
        ConnectionView::None => return "none".into(),
        ConnectionView::Connected { url, protocol, reachable, .. } => {
            let way = if *reachable { "" } else { ", no way to it now" };
            (url, format!("{}{way}", protocol.words()))
        }
        ConnectionView::Refused { url, code } => (url, format!("{code:?}")),
    };
    let opened_by = shell.teams.iter().find(|team| team.url == *url).map(|team| team.opened_by);
    match opened_by {
        Some(opened_by) => format!("{url} ({how}, {opened_by:?})"),
        None => format!("{url} ({how})"),
    }
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, name: &str, value: impl std::fmt::Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{name}: {value}");
    }
}

#[cfg(test)]
mod tests {
    use dailies_engine::error::Code;
    use dailies_engine::team::ProtocolKind;
    use dailies_engine::view::{AllowanceView, DestinationView, QueueView};

    use super::*;
    use crate::settings::Values;
    use crate::view::{OpenedBy, TeamView};

    #[test]
    fn it_says_how_it_stands_and_names_nobodys_work() {
        let url = String::from("https://team.example/");
        let destination = DestinationView {
            project_id: "secret-project".into(),
            project: "Secret film".into(),
            team: "Secret team".into(),
        };
        let connected = ConnectionView::Connected {
            url: url.clone(),
            protocol: ProtocolKind::VideoActions,
            reachable: false,
            destination: Some(destination),
        };
        let refused =
            ConnectionView::Refused { url: "https://b.example/".into(), code: Code::SignedOut };
        let snapshot = Snapshot {
            seq: 0,
            queue: QueueView::default(),
            connection: connected.clone(),
            connections: vec![connected, refused],
            allowance: AllowanceView::Full,
            rebuilt: None,
        };
        let mut shell = ShellView::of(&Values::default());
        shell.teams.push(TeamView { url, opened_by: OpenedBy::KeptKey });
        let text = written(Some(&snapshot), None, &shell);
        for line in [
            "Server on this computer: off",
            "Connection: https://team.example/ (video actions, no way to it now, KeptKey)",
            "Connection: https://b.example/ (SignedOut)",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert!(!text.to_lowercase().contains("secret"), "{text}");
    }
}

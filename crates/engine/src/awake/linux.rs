//! The session's portal, which desktops heed, and logind, which is there without one. Either keeps
//! the computer from going to sleep of itself; whoever closes the lid or chooses to suspend is obeyed.
//!
//! <https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.Inhibit.html>,
//! <https://www.freedesktop.org/software/systemd/man/latest/org.freedesktop.login1.html>

use std::collections::HashMap;
use std::time::Duration;

use zbus::connection::Builder;
use zbus::{Connection, OwnedFd, Variant};

use super::{WHO, WHY};

/// For an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Of the portal's flags: the screen may go dark.
const SUSPEND: u32 = 4;

/// Held by either, or by both. Closing the descriptor ends logind's, leaving the bus the portal's.
#[derive(Debug)]
pub(super) struct Lock {
    _logind: Option<OwnedFd>,
    _portal: Option<Connection>,
}

impl Lock {
    /// `None` where neither gives one.
    pub(super) async fn take() -> Option<Self> {
        let limited = tokio::join!(
            tokio::time::timeout(PATIENCE, logind()),
            tokio::time::timeout(PATIENCE, portal()),
        );
        let (logind, portal) = (limited.0.ok().and_then(heard), limited.1.ok().and_then(heard));
        (logind.is_some() || portal.is_some()).then_some(Self { _logind: logind, _portal: portal })
    }
}

fn heard<T>(answer: zbus::Result<T>) -> Option<T> {
    answer.inspect_err(|error| tracing::debug!(%error, "the computer is not kept awake")).ok()
}

async fn logind() -> zbus::Result<OwnedFd> {
    let bus = Builder::system().build().await?;
    let answer = bus
        .call_method(
            Some("org.freedesktop.login1"),
            "/org/freedesktop/login1",
            Some("org.freedesktop.login1.Manager"),
            "Inhibit",
            &("idle", WHO, WHY, "block"),
        )
        .await?;
    answer.body().deserialize()
}

async fn portal() -> zbus::Result<Connection> {
    let bus = Builder::session().build().await?;
    let options = HashMap::from([("reason", Variant::from(WHY))]);
    bus.call_method(
        Some("org.freedesktop.portal.Desktop"),
        "/org/freedesktop/portal/desktop",
        Some("org.freedesktop.portal.Inhibit"),
        "Inhibit",
        &("", SUSPEND, options),
    )
    .await?;
    Ok(bus)
}

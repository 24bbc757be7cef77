//! The colours that the desktop prefers, by its settings portal.
//!
//! <https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.Settings.html>

use std::time::Duration;

use futures_util::StreamExt as _;
use tauri::Theme;
use tokio::sync::watch;
use zbus::connection::Builder;
use zbus::{OwnedVariant, Proxy, Variant};

/// For an answer. A portal that has to be started first takes longer than one that runs.
const PATIENCE: Duration = Duration::from_secs(5);
/// Of the setting: its namespace and its key.
const COLOURS: (&str, &str) = ("org.freedesktop.appearance", "color-scheme");

/// Tells what it prefers, and when that changes. Where there is no portal, nothing is told.
pub(super) async fn follow(said: &watch::Sender<Option<Theme>>) {
    if let Err(error) = listen(said).await {
        tracing::debug!(%error, "the desktop prefers no colours");
    }
    // What was heard last still holds.
    std::future::pending::<()>().await;
}

async fn listen(said: &watch::Sender<Option<Theme>>) -> zbus::Result<()> {
    let connecting = Builder::session().method_timeout(PATIENCE).build();
    let Ok(bus) = tokio::time::timeout(PATIENCE, connecting).await else { return Ok(()) };
    let portal = Proxy::new(
        &bus?,
        "org.freedesktop.portal.Desktop",
        "/org/freedesktop/portal/desktop",
        "org.freedesktop.portal.Settings",
    )
    .await?;
    let mut changes = portal.receive_signal("SettingChanged").await?;
    // `ReadOne`, which newer portals want to be asked, is not known to older ones.
    let value: OwnedVariant = portal.call("Read", &COLOURS).await?;
    said.send_replace(preferred(&value));
    while let Some(change) = changes.next().await {
        let body = change.body();
        let (namespace, key, value): (&str, &str, Variant<'_>) = body.deserialize()?;
        if (namespace, key) == COLOURS {
            said.send_replace(preferred(&value));
        }
    }
    Ok(())
}

fn preferred(value: &Variant<'_>) -> Option<Theme> {
    match value {
        // `Read` wraps once more than it should.
        Variant::Variant(inner) => preferred(inner),
        Variant::U32(1) => Some(Theme::Dark),
        Variant::U32(2) => Some(Theme::Light),
        _ => None,
    }
}

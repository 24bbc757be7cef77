//! Whether the app starts when its user signs in to the system: without its window, then.

use dailies_engine::error::{Code, EngineError};
use tauri::plugin::TauriPlugin;
use tauri::{AppHandle, Manager as _, Runtime};
use tauri_plugin_autostart::ManagerExt as _;

use crate::link::LinkHandle;
use crate::window;

/// What asks the system for it.
#[must_use]
pub(crate) fn plugin<R: Runtime>() -> TauriPlugin<R> {
    tauri_plugin_autostart::Builder::new().arg(window::UNSEEN).build()
}

/// Says whether it does; asks the system, which somebody may have told otherwise.
pub(crate) fn look<R: Runtime>(app: &AppHandle<R>, link: &LinkHandle) {
    let starts = app.autolaunch().is_enabled();
    if let Err(error) = &starts {
        tracing::info!(%error, "the system does not say whether it starts us");
    }
    link.set_starts_at_login(starts.ok());
}

/// Lets the system start it from now on, or no more.
///
/// # Errors
/// [`Code::DesktopRefused`] in the system's words.
pub(crate) async fn set<R: Runtime>(
    app: &AppHandle<R>,
    link: &LinkHandle,
    on: bool,
) -> Result<(), EngineError> {
    let asked = app.clone();
    // Files of the system's, and on some systems other programs.
    let set = tokio::task::spawn_blocking(move || {
        let login = asked.state::<tauri_plugin_autostart::AutoLaunchManager>();
        if on { login.enable() } else { login.disable() }
    });
    let set = set.await.map_err(|error| error.to_string());
    let set = set.and_then(|done| done.map_err(|error| error.to_string()));
    look(app, link);
    set.map_err(|error| EngineError::new(Code::DesktopRefused, error))
}

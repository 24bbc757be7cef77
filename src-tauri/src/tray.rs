//! The icon in the tray: the app's face while its window is closed.

use dailies_engine::EngineHandle;
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{App, AppHandle, Manager as _};

use crate::tasks::Tasks;
use crate::window;

const OPEN: &str = "open";
const PAUSE_ALL: &str = "pause_all";
const RESUME_ALL: &str = "resume_all";
const QUIT: &str = "quit";

/// Puts it there.
///
/// # Errors
/// Where the system has no tray.
pub(crate) fn put(app: &App) -> tauri::Result<()> {
    let item = |id: &str, words: &str| MenuItem::with_id(app, id, words, true, None::<&str>);
    let menu = Menu::with_items(
        app,
        &[
            &item(OPEN, "Open Dailies")?,
            &PredefinedMenuItem::separator(app)?,
            &item(PAUSE_ALL, "Pause all")?,
            &item(RESUME_ALL, "Resume all")?,
            &PredefinedMenuItem::separator(app)?,
            &item(QUIT, "Quit")?,
        ],
    )?;
    let mut tray = TrayIconBuilder::with_id("dailies")
        .menu(&menu)
        .show_menu_on_left_click(false)
        .tooltip("Dailies")
        .on_menu_event(|app, event| on_menu(app, event.id().as_ref()))
        .on_tray_icon_event(|tray, event| on_click(tray, &event));
    if let Some(icon) = app.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    tray.build(app)?;
    Ok(())
}

fn on_menu(app: &AppHandle, item: &str) {
    match item {
        OPEN => window::show(app),
        QUIT => crate::quit(app),
        PAUSE_ALL | RESUME_ALL => {
            let (engine, pause) = (app.state::<EngineHandle>().inner().clone(), item == PAUSE_ALL);
            app.state::<Tasks>().spawn(async move {
                let done = if pause { engine.pause_all().await } else { engine.resume_all().await };
                if let Err(error) = done {
                    tracing::warn!(%error, "the uploads could not be steered from the tray");
                }
            });
        }
        _ => {}
    }
}

fn on_click(tray: &TrayIcon, event: &TrayIconEvent) {
    if let TrayIconEvent::Click {
        button: MouseButton::Left,
        button_state: MouseButtonState::Up,
        ..
    } = event
    {
        window::show(tray.app_handle());
    }
}

//! The window's colours: those that were chosen, else the system's.
//!
//! On Linux both are ours to put on. Tauri's own listener (its feature `dbus`, which we leave out) puts the
//! system's over the chosen ones when they change, and its "as the system" is light.

use tauri::{AppHandle, Theme as Colours};
use tokio::sync::watch;

use crate::link::LinkHandle;
use crate::settings::Theme;

#[cfg(target_os = "linux")]
mod portal;

/// Keeps them until the app ends.
pub(crate) async fn run(app: AppHandle, link: LinkHandle) {
    let (said, system) = watch::channel(None);
    tokio::select! {
        () = follow(&said) => {}
        () = wear(&app, &link, system) => {}
    }
}

/// Puts on what was chosen when the app ran last, before anything is seen of it.
pub(crate) fn start(app: &AppHandle, link: &LinkHandle) {
    if let Some(chosen) = chosen(link.view().preferences.theme) {
        put_on(app, Some(chosen));
    }
}

#[cfg(target_os = "linux")]
use portal::follow;

/// Elsewhere the window follows the system by itself.
#[cfg(not(target_os = "linux"))]
async fn follow(_: &watch::Sender<Option<Colours>>) {
    std::future::pending::<()>().await;
}

async fn wear(app: &AppHandle, link: &LinkHandle, mut system: watch::Receiver<Option<Colours>>) {
    let mut views = link.views();
    let mut worn = chosen(link.view().preferences.theme);
    loop {
        let theme = views.borrow_and_update().preferences.theme;
        let wanted = chosen(theme).or(*system.borrow_and_update());
        if wanted != worn {
            put_on(app, wanted);
            worn = wanted;
        }
        let goes_on = tokio::select! {
            changed = views.changed() => changed.is_ok(),
            changed = system.changed() => changed.is_ok(),
        };
        if !goes_on {
            return;
        }
    }
}

fn chosen(theme: Theme) -> Option<Colours> {
    match theme {
        Theme::System => None,
        Theme::Light => Some(Colours::Light),
        Theme::Dark => Some(Colours::Dark),
    }
}

/// `None`: as the system has it where nobody asks for others.
#[cfg(target_os = "linux")]
fn put_on(app: &AppHandle, colours: Option<Colours>) {
    use gtk::prelude::{GtkSettingsExt as _, ObjectExt as _};

    let put = app.run_on_main_thread(move || {
        let Some(settings) = gtk::Settings::default() else { return };
        // Told as one change.
        let _one = settings.freeze_notify();
        settings.reset_property("gtk-theme-name");
        settings.reset_property("gtk-application-prefer-dark-theme");
        if let Some(colours) = colours {
            settings.set_gtk_application_prefer_dark_theme(colours == Colours::Dark);
        }
        if colours == Some(Colours::Light)
            && let Some(name) = settings.gtk_theme_name()
            && let Some(light) = light_of(&name)
        {
            settings.set_gtk_theme_name(Some(light));
        }
    });
    if let Err(error) = put {
        tracing::warn!(%error, "the window keeps its colours");
    }
}

/// The theme beside one that is dark by its name: WebKit takes the page for dark then, whatever is preferred.
#[cfg(target_os = "linux")]
fn light_of(theme: &str) -> Option<&str> {
    theme.strip_suffix("-dark").or_else(|| theme.strip_suffix("-Dark"))
}

/// `None`: as the system.
#[cfg(not(target_os = "linux"))]
fn put_on(app: &AppHandle, colours: Option<Colours>) {
    app.set_theme(colours);
}

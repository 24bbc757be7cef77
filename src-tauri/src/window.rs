//! The window: what may be shown in it, and what closing it means.

use serde::Serialize;
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{
    App, AppHandle, DragDropEvent, Emitter as _, Manager as _, Runtime, Url, WebviewWindowBuilder,
    Window, WindowEvent,
};
use tauri_plugin_notification::NotificationExt as _;

use crate::intake::{Incoming, Intake};
use crate::link::LinkHandle;
use crate::tasks::Tasks;
use crate::words::Words;

/// Its label, which the capabilities name too.
pub(crate) const MAIN: &str = "main";
/// Said on the command line where the system starts the app by itself: nobody asked for its window.
pub(crate) const UNSEEN: &str = "--hidden";

/// Tells the page something. One that cannot be told is told the next thing.
pub(crate) fn tell(app: &AppHandle, event: &str, payload: impl Serialize + Clone) {
    if let Err(error) = app.emit_to(MAIN, event, payload) {
        tracing::warn!(event, %error, "the page could not be told");
    }
}

/// Opens it: in sight, or to be shown later.
///
/// # Errors
/// Where the system has no window for us.
pub(crate) fn open(app: &App, in_sight: bool) -> tauri::Result<()> {
    let config = app.config();
    let Some(window) = config.app.windows.iter().find(|window| window.label == MAIN) else {
        return Err(tauri::Error::WindowNotFound);
    };
    let dev = config.build.dev_url.clone().filter(|_| tauri::is_dev());
    WebviewWindowBuilder::from_config(app, window)?
        .on_navigation(move |url| is_ours(url, dev.as_ref()))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_page_load(move |window, page| {
            // Before, it would be an empty rectangle in the wrong colour.
            if page.event() == PageLoadEvent::Finished
                && in_sight
                && let Err(error) = window.show()
            {
                tracing::error!(%error, "the window cannot be shown");
            }
        })
        .build()?;
    Ok(())
}

/// Somebody looks at it.
#[must_use]
pub(crate) fn is_seen(app: &AppHandle) -> bool {
    let Some(window) = app.get_webview_window(MAIN) else { return false };
    window.is_visible().unwrap_or(false) && window.is_focused().unwrap_or(false)
}

/// Brings it to the front.
pub(crate) fn show<R: Runtime>(app: &AppHandle<R>) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    let shown = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(%error, "the window cannot be brought to the front");
    }
}

/// What the system says of it.
pub(crate) fn on_event(window: &Window, event: &WindowEvent) {
    match event {
        WindowEvent::CloseRequested { api, .. } => {
            api.prevent_close();
            hide(window);
        }
        WindowEvent::DragDrop(event) => {
            let incoming = match event {
                DragDropEvent::Enter { paths, .. } => Incoming::Held(paths.clone()),
                DragDropEvent::Drop { paths, .. } => Incoming::Dropped(paths.clone()),
                DragDropEvent::Leave => Incoming::Gone,
                // Where exactly they are held changes nothing.
                _ => return,
            };
            if let Some(intake) = window.try_state::<Intake>() {
                intake.offer(incoming);
            }
        }
        _ => {}
    }
}

/// Uploads go on without it, which is said the first time.
fn hide(window: &Window) {
    if let Err(error) = window.hide() {
        tracing::warn!(%error, "the window cannot be hidden");
    }
    let Some(link) = window.try_state::<LinkHandle>() else { return };
    let (app, link) = (window.app_handle().clone(), link.inner().clone());
    window.state::<Tasks>().spawn(async move {
        if link.tell_once().await {
            let (title, body) = Words::of(link.view().preferences.language).goes_on();
            let said = app.notification().builder().title(title).body(body).show();
            if let Err(error) = said {
                tracing::info!(%error, "there are no notifications here");
            }
        }
    });
}

/// Where our page comes from, in a browser's words.
pub(crate) fn origins<R: Runtime>(app: &App<R>) -> Vec<String> {
    let embedded: &[&str] = match cfg!(windows) {
        true => &["http://tauri.localhost", "https://tauri.localhost"],
        false => &["tauri://localhost"],
    };
    let dev = app.config().build.dev_url.as_ref().filter(|_| tauri::is_dev());
    let dev = dev.map(|dev| dev.origin().ascii_serialization());
    embedded.iter().map(|&origin| origin.to_owned()).chain(dev).collect()
}

/// Only the app's own page is ever shown, whatever a link or a server says.
fn is_ours(url: &Url, dev: Option<&Url>) -> bool {
    let embedded = match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        // What Windows makes of it.
        "http" | "https" => cfg!(windows) && url.host_str() == Some("tauri.localhost"),
        _ => false,
    };
    embedded || dev.is_some_and(|dev| dev.origin() == url.origin())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_page_is_shown() {
        let dev = Url::parse("http://localhost:1420").unwrap();
        let ours = |url: &str, dev: Option<&Url>| is_ours(&Url::parse(url).unwrap(), dev);
        assert!(ours("tauri://localhost/index.html", None));
        assert!(ours("http://localhost:1420/", Some(&dev)));
        for url in [
            "http://localhost:1420/",
            "http://127.0.0.1:7420/watch/x",
            "https://team.example/",
            "file:///etc/passwd",
            "data:text/html,x",
            "tauri://elsewhere/",
            "about:blank",
        ] {
            assert!(!ours(url, None), "{url}");
        }
    }
}

//! The system's dialogs for files and folders.

use std::path::PathBuf;

use dailies_engine::EngineHandle;
use dailies_engine::activity::Form;
use dailies_engine::error::EngineError;
use dailies_engine::view::Added;
use tauri::{AppHandle, Manager as _, Wry};
use tauri_plugin_dialog::{DialogExt as _, FileDialogBuilder};
use tokio::sync::oneshot;

use crate::window;

/// Endings of the files that a team takes; the dialog hides others.
const VIDEOS: [&str; 12] =
    ["mp4", "m4v", "mov", "qt", "webm", "mkv", "MP4", "M4V", "MOV", "QT", "WEBM", "MKV"];

/// Lets somebody choose files and adds them; `None` when they chose none.
pub(crate) async fn files(
    app: &AppHandle,
    engine: &EngineHandle,
) -> Result<Option<Added>, EngineError> {
    match chosen(app).await {
        Some(paths) => engine.add(paths, None).await.map(Some),
        None => Ok(None),
    }
}

/// Lets somebody choose a folder; `None` when they chose none.
pub(crate) async fn folder(app: &AppHandle) -> Option<PathBuf> {
    let (done, answer) = oneshot::channel();
    dialog(app).set_title("Watch a folder").pick_folder(move |folder| {
        let _ = done.send(folder);
    });
    answer.await.ok()??.into_path().ok()
}

/// Lets somebody choose where a file of what has ended is to be; `None` when they chose nothing. The
/// system asks before one that is there is replaced.
pub(crate) async fn place(app: &AppHandle, form: Form) -> Option<PathBuf> {
    let (kind, ending) = match form {
        Form::Csv => ("CSV", "csv"),
        Form::Json => ("JSON", "json"),
    };
    let (done, answer) = oneshot::channel();
    dialog(app).add_filter(kind, &[ending]).set_file_name(format!("dailies.{ending}")).save_file(
        move |file| {
            let _ = done.send(file);
        },
    );
    answer.await.ok()??.into_path().ok()
}

/// Lets somebody choose where an original is saved; `None` when they chose nothing. The system asks
/// before one that is there is replaced.
pub(crate) async fn original(app: &AppHandle, name: &str) -> Option<PathBuf> {
    let (done, answer) = oneshot::channel();
    dialog(app).set_file_name(name).save_file(move |file| {
        let _ = done.send(file);
    });
    answer.await.ok()??.into_path().ok()
}

fn dialog(app: &AppHandle) -> FileDialogBuilder<Wry> {
    let dialog = app.dialog().file();
    match app.get_webview_window(window::MAIN) {
        Some(window) => dialog.set_parent(&window),
        None => dialog,
    }
}

async fn chosen(app: &AppHandle) -> Option<Vec<PathBuf>> {
    let dialog = dialog(app).add_filter("Videos", &VIDEOS).add_filter("All files", &["*"]);
    let (done, answer) = oneshot::channel();
    dialog.pick_files(move |files| {
        let _ = done.send(files);
    });
    let files = answer.await.ok()??;
    Some(files.into_iter().filter_map(|file| file.into_path().ok()).collect())
}

//! The system's dialogs for files and folders.

use std::path::PathBuf;

use dailies_engine::EngineHandle;
use dailies_engine::activity::Form;
use dailies_engine::error::EngineError;
use dailies_engine::view::Added;
use tauri::{AppHandle, Manager as _, Runtime};
use tauri_plugin_dialog::{DialogExt as _, FileDialogBuilder};
use tokio::sync::oneshot;

use crate::link::LinkHandle;
use crate::window;
use crate::words::Words;

/// Endings of the files that a team takes; the dialog hides others.
const VIDEOS: [&str; 20] = [
    "mp4", "m4v", "mov", "qt", "webm", "mkv", "ts", "mts", "m2ts", "m2t", "MP4", "M4V", "MOV",
    "QT", "WEBM", "MKV", "TS", "MTS", "M2TS", "M2T",
];

/// Lets somebody choose files and adds them; `None` when they chose none.
pub(crate) async fn files<R: Runtime>(
    app: &AppHandle<R>,
    engine: &EngineHandle,
) -> Result<Option<Added>, EngineError> {
    match chosen(app).await {
        Some(paths) => engine.add(paths, None).await.map(Some),
        None => Ok(None),
    }
}

/// Lets somebody choose a folder; `None` when they chose none.
pub(crate) async fn folder<R: Runtime>(app: &AppHandle<R>) -> Option<PathBuf> {
    let (done, answer) = oneshot::channel();
    dialog(app).set_title(words(app).watch_a_folder()).pick_folder(move |folder| {
        let _ = done.send(folder);
    });
    answer.await.ok()??.into_path().ok()
}

/// Lets somebody choose where a file of what has ended is to be; `None` when they chose nothing. The
/// system asks before one that is there is replaced.
pub(crate) async fn place<R: Runtime>(app: &AppHandle<R>, form: Form) -> Option<PathBuf> {
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
pub(crate) async fn original<R: Runtime>(app: &AppHandle<R>, name: &str) -> Option<PathBuf> {
    let (done, answer) = oneshot::channel();
    dialog(app).set_file_name(name).save_file(move |file| {
        let _ = done.send(file);
    });
    answer.await.ok()??.into_path().ok()
}

fn words<R: Runtime>(app: &AppHandle<R>) -> Words {
    Words::of(app.state::<LinkHandle>().view().preferences.language)
}

fn dialog<R: Runtime>(app: &AppHandle<R>) -> FileDialogBuilder<R> {
    let dialog = app.dialog().file();
    match app.get_webview_window(window::MAIN) {
        Some(window) => dialog.set_parent(&window),
        None => dialog,
    }
}

async fn chosen<R: Runtime>(app: &AppHandle<R>) -> Option<Vec<PathBuf>> {
    let dialog =
        dialog(app).add_filter("Videos", &VIDEOS).add_filter(words(app).all_files(), &["*"]);
    let (done, answer) = oneshot::channel();
    dialog.pick_files(move |files| {
        let _ = done.send(files);
    });
    let files = answer.await.ok()??;
    Some(files.into_iter().filter_map(|file| file.into_path().ok()).collect())
}

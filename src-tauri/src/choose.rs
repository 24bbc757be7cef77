//! The system's dialog for files.

use std::path::PathBuf;

use dailies_engine::EngineHandle;
use dailies_engine::error::EngineError;
use dailies_engine::view::Added;
use tauri::{AppHandle, Manager as _};
use tauri_plugin_dialog::DialogExt as _;
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

async fn chosen(app: &AppHandle) -> Option<Vec<PathBuf>> {
    let mut dialog =
        app.dialog().file().add_filter("Videos", &VIDEOS).add_filter("All files", &["*"]);
    if let Some(window) = app.get_webview_window(window::MAIN) {
        dialog = dialog.set_parent(&window);
    }
    let (done, answer) = oneshot::channel();
    dialog.pick_files(move |files| {
        let _ = done.send(files);
    });
    let files = answer.await.ok()??;
    Some(files.into_iter().filter_map(|file| file.into_path().ok()).collect())
}

//! What the desktop around the app does for it: its clipboard and its file manager.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use dailies_engine::error::{Code, EngineError};
use url::Url;

/// The desktop.
#[derive(Clone, Default)]
pub(crate) struct Desk {
    /// Kept open: under X11 the program that copied is asked for the text when it is pasted.
    clipboard: Arc<Mutex<Option<arboard::Clipboard>>>,
}

impl Desk {
    /// Puts a text on the clipboard.
    ///
    /// # Errors
    /// [`Code::DesktopRefused`] in the system's words.
    pub(crate) async fn copy(&self, text: String) -> Result<(), EngineError> {
        let clipboard = Arc::clone(&self.clipboard);
        blocking(move || {
            let mut clipboard = clipboard.lock().unwrap_or_else(PoisonError::into_inner);
            let mut open = match clipboard.take() {
                Some(open) => open,
                None => arboard::Clipboard::new()?,
            };
            open.set_text(text)?;
            *clipboard = Some(open);
            Ok::<_, arboard::Error>(())
        })
        .await
    }

    /// The files that were copied in a file manager; none where something else was copied.
    ///
    /// # Errors
    /// [`Code::DesktopRefused`] in the system's words.
    pub(crate) async fn copied_files(&self) -> Result<Vec<PathBuf>, EngineError> {
        blocking(|| match arboard::Clipboard::new()?.get().file_list() {
            Err(arboard::Error::ContentNotAvailable) => Ok(Vec::new()),
            files => files,
        })
        .await
    }

    /// Opens the folder of a file and selects it there.
    ///
    /// # Errors
    /// [`Code::SourceMissing`], or [`Code::DesktopRefused`] in the system's words.
    pub(crate) async fn show_in_folder(&self, path: PathBuf) -> Result<(), EngineError> {
        let words = format!("{} is not there", path.display());
        if !tokio::fs::try_exists(&path).await.unwrap_or(false) {
            return Err(EngineError::new(Code::SourceMissing, words));
        }
        blocking(move || tauri_plugin_opener::reveal_item_in_dir(path)).await
    }

    /// Opens a folder of the app's own.
    ///
    /// # Errors
    /// [`Code::DesktopRefused`] in the system's words.
    pub(crate) async fn open_folder(&self, folder: PathBuf) -> Result<(), EngineError> {
        blocking(move || tauri_plugin_opener::open_path(folder, None::<&str>)).await
    }

    /// Opens a page in the system's browser.
    ///
    /// # Errors
    /// [`Code::DesktopRefused`] in the system's words.
    pub(crate) async fn open_page(&self, page: Url) -> Result<(), EngineError> {
        blocking(move || tauri_plugin_opener::open_url(page, None::<&str>)).await
    }
}

/// The desktop is reached by calls that wait for other programs.
async fn blocking<T: Send + 'static, E: ToString + Send + 'static>(
    call: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, EngineError> {
    match tokio::task::spawn_blocking(call).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(EngineError::new(Code::DesktopRefused, error.to_string())),
        Err(error) => Err(EngineError::new(Code::DesktopRefused, error.to_string())),
    }
}

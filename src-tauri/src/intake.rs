//! Files that come in from the system: dropped onto the window, pasted, or named on a command line.
//!
//! One loop takes them in order, so that the page never hears of a drag after its end.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use dailies_engine::EngineHandle;
use dailies_engine::candidates::{self, Count};
use dailies_engine::error::EngineError;
use dailies_engine::view::{Added, Change, ConnectionView, News, RefusedFile};
use tauri::AppHandle;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use url::Url;

use crate::view::DragView;
use crate::window;

/// Things that may wait to be taken in.
const WAITING: usize = 64;
/// Files of a drag that are looked at; who drags more sees at least this many.
const LOOKED_AT: usize = 2_000;

/// What comes in.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// Files are held over the window.
    Held(Vec<PathBuf>),
    /// They are not any more.
    Gone,
    /// They were let go, maybe before there is a connection.
    Dropped(Vec<PathBuf>),
    /// They were pasted or named on a command line, maybe before there is a connection.
    Named(Vec<PathBuf>),
}

/// Where it comes in.
#[derive(Clone, Debug)]
pub(crate) struct Intake(mpsc::Sender<Incoming>);

impl Intake {
    /// The intake, and what its loop takes from.
    #[must_use]
    pub(crate) fn new() -> (Self, mpsc::Receiver<Incoming>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), receiver)
    }

    /// Takes something in, without waiting: the system's events come on the window's thread.
    pub(crate) fn offer(&self, incoming: Incoming) {
        if let Err(error) = self.0.try_send(incoming) {
            tracing::error!(%error, "files that came in are lost");
        }
    }
}

/// The files among words of a command line, seen from the folder it was called in.
#[must_use]
pub(crate) fn named<Word: Into<OsString>>(
    arguments: impl IntoIterator<Item = Word>,
    folder: &Path,
) -> Vec<PathBuf> {
    let words = arguments.into_iter().map(Into::into);
    words
        .filter(|word| !word.as_encoded_bytes().starts_with(b"-"))
        .filter_map(|word| match word.to_str().map(Url::parse) {
            Some(Ok(url)) if url.scheme() == "file" => url.to_file_path().ok(),
            _ => Some(folder.join(word)),
        })
        .collect()
}

/// The loop.
pub(crate) async fn run(app: AppHandle, engine: EngineHandle, mut inbox: mpsc::Receiver<Incoming>) {
    let changes = engine.subscribe();
    let mut intake = Loop { app, engine, waiting: Vec::new(), changes, adding: JoinSet::new() };
    loop {
        tokio::select! {
            incoming = inbox.recv() => match incoming {
                Some(incoming) => intake.take(incoming).await,
                None => return,
            },
            connected = connected(&mut intake.changes), if !intake.waiting.is_empty() => {
                if connected { intake.add_waiting(); } else { return }
            }
            Some(_) = intake.adding.join_next() => {}
        }
    }
}

struct Loop {
    app: AppHandle,
    engine: EngineHandle,
    /// Came before there was a connection.
    waiting: Vec<PathBuf>,
    /// From when the first of them began to wait.
    changes: broadcast::Receiver<Change>,
    adding: JoinSet<()>,
}

impl Loop {
    async fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Held(paths) => {
                let count = move || candidates::count(&paths, LOOKED_AT);
                let counted = tokio::task::spawn_blocking(count).await.ok();
                let view = counted.map(|Count { videos, others, names }| DragView {
                    videos,
                    others,
                    names,
                });
                window::tell(&self.app, "drag", view);
            }
            Incoming::Gone => window::tell(&self.app, "drag", None::<DragView>),
            Incoming::Dropped(paths) => {
                window::tell(&self.app, "drag", None::<DragView>);
                self.add_when_connected(paths).await;
            }
            Incoming::Named(paths) => self.add_when_connected(paths).await,
        }
    }

    async fn add_when_connected(&mut self, paths: Vec<PathBuf>) {
        if self.waiting.is_empty() {
            self.changes = self.engine.subscribe();
        }
        self.waiting.extend(paths);
        let snapshot = self.engine.snapshot().await;
        let connection = snapshot.map(|snapshot| snapshot.connection);
        if matches!(connection, Ok(ConnectionView::Connected { .. })) {
            self.add_waiting();
        }
    }

    fn add_waiting(&mut self) {
        let paths = std::mem::take(&mut self.waiting);
        if !paths.is_empty() {
            self.add(paths);
        }
    }

    /// Beside the loop: a folder with many files takes its time.
    fn add(&mut self, paths: Vec<PathBuf>) {
        let (app, engine) = (self.app.clone(), self.engine.clone());
        self.adding.spawn(async move {
            let added = engine.add(paths.clone(), None).await;
            window::tell(&app, "added", added.unwrap_or_else(|error| none_of(&paths, &error)));
        });
    }
}

/// Waits until there is a connection; false when there will be none.
async fn connected(changes: &mut broadcast::Receiver<Change>) -> bool {
    loop {
        match changes.recv().await {
            Ok(Change { news: News::Connection { connection, .. }, .. }) => {
                if matches!(connection, ConnectionView::Connected { .. }) {
                    return true;
                }
            }
            Ok(_) => {}
            // It may have been among what was missed. Without one, each file is refused by name.
            Err(broadcast::error::RecvError::Lagged(_)) => return true,
            Err(broadcast::error::RecvError::Closed) => return false,
        }
    }
}

fn none_of(paths: &[PathBuf], error: &EngineError) -> Added {
    let refused = |path: &PathBuf| RefusedFile {
        path: path.to_string_lossy().into_owned(),
        code: error.code,
    };
    let refused = paths.iter().map(refused).collect();
    Added { uploads: Vec::new(), already: 0, refused, beside: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_names_files() {
        let words = ["--flag", "a.mov", "/b.mp4", "file:///c%20d.mkv"];
        let paths = named(words, Path::new("/home/x"));
        assert_eq!(paths, ["/home/x/a.mov", "/b.mp4", "/c d.mkv"].map(PathBuf::from));
    }
}

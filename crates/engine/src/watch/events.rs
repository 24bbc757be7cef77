//! The system's own events about files, as hints.

use std::path::Path;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Config, ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::watch::hints::{Hint, Hints};

/// Whether each folder needs a watch of its own, as with inotify. Elsewhere one watch has all that
/// is below it. Where each has its own, closes are told, too.
const EACH_FOLDER: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Why there are no events.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoEvents {
    /// The system watches only so many folders.
    Full,
    /// The folder is not there any more.
    Gone,
    /// For another reason.
    Refused(String),
}

/// Events of a folder and all that is in it, until it is dropped.
#[derive(Debug)]
pub(super) struct Events {
    watcher: RecommendedWatcher,
}

impl Events {
    /// Asks for the events of `root`. Blocks.
    pub(super) fn of(root: &Path, hints: Hints) -> Result<Self, NoEvents> {
        let take = move |event: notify::Result<Event>| hear(&hints, event);
        let mut watcher =
            RecommendedWatcher::new(take, Config::default().with_follow_symlinks(false))
                .map_err(|error| no_events(&error))?;
        let depth =
            if EACH_FOLDER { RecursiveMode::NonRecursive } else { RecursiveMode::Recursive };
        watcher.watch(root, depth).map_err(|error| no_events(&error))?;
        Ok(Self { watcher })
    }

    /// Asks for the events of a folder below. What is in it already is looked at after this: what
    /// comes then makes an event. Blocks.
    pub(super) fn enter(&mut self, folder: &Path) -> Result<(), NoEvents> {
        if !EACH_FOLDER {
            return Ok(());
        }
        self.watcher.watch(folder, RecursiveMode::NonRecursive).map_err(|error| no_events(&error))
    }
}

fn no_events(error: &notify::Error) -> NoEvents {
    match &error.kind {
        ErrorKind::MaxFilesWatch => NoEvents::Full,
        ErrorKind::PathNotFound | ErrorKind::WatchNotFound => NoEvents::Gone,
        ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::NotFound => NoEvents::Gone,
        // No more instances (EMFILE), or no more watches (ENOSPC).
        ErrorKind::Io(io) if matches!(io.raw_os_error(), Some(24 | 28)) => NoEvents::Full,
        _ => NoEvents::Refused(error.to_string()),
    }
}

fn hear(hints: &Hints, event: notify::Result<Event>) {
    let event = match event {
        Ok(event) => event,
        Err(error) => {
            tracing::warn!(%error, "events of a watched folder are not complete");
            if no_events(&error) == NoEvents::Full {
                hints.fill();
            }
            hints.lose();
            return;
        }
    };
    if event.need_rescan() {
        hints.lose();
        return;
    }
    let hint = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Hint::Closed,
        // Reading changes nothing, and the engine reads most of all.
        EventKind::Access(_) => return,
        EventKind::Modify(ModifyKind::Data(_)) if EACH_FOLDER => Hint::Written,
        _ => Hint::Look,
    };
    for path in event.paths {
        hints.add(path, hint);
    }
}

//! Looks at folders and files, which take their time: on threads of their own.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::source::video_type;
use crate::watch::events::{Events, NoEvents};
use crate::watch::scan::{Found, look};
use crate::watch::{Container, Entry, Filter, Unreadable, Version, inspect, scan};

/// Files that are looked at in one go.
pub(super) const BATCH: usize = 256;

/// Where a folder is: another one may take its place.
pub(super) type Place = (u64, u64);

/// A look at a file that may be finished.
pub(super) type Looked = (PathBuf, Option<(Version, Content)>);

/// What is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A video that a team takes, and how far its container is.
    Video(Container),
    /// Something else.
    Other,
}

/// What a scan brings.
pub(super) enum Scanned {
    Files(Vec<(PathBuf, Version)>),
    End {
        events: Option<Events>,
        no_events: Option<NoEvents>,
        unreadable: Unreadable,
        /// Files that the rules do not take; `None` where only a part was looked through.
        ignored: Option<usize>,
        took: Duration,
    },
    /// What was to be looked through is not there.
    Gone {
        events: Option<Events>,
        whole: bool,
    },
}

#[cfg(unix)]
pub(super) fn place(root: &Path) -> Option<Place> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(root).ok()?;
    metadata.is_dir().then(|| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
pub(super) fn place(root: &Path) -> Option<Place> {
    std::fs::metadata(root).ok()?.is_dir().then_some((0, 0))
}

/// What a scan that goes on brings next.
pub(super) async fn scanned(scanning: &mut Option<mpsc::Receiver<Scanned>>) -> Scanned {
    match scanning {
        // One that broke off without a word is taken for one that found nothing.
        Some(batches) => {
            batches.recv().await.unwrap_or(Scanned::Gone { events: None, whole: true })
        }
        None => std::future::pending().await,
    }
}

/// A scan, batch by batch. Every folder is watched before it is listed. Blocks.
pub(super) fn look_through(
    root: &Path,
    from: &Path,
    filter: &Filter,
    mut events: Option<Events>,
    batches: &mpsc::Sender<Scanned>,
) {
    use std::ops::ControlFlow::{Break, Continue};
    let began = Instant::now();
    let (mut files, mut no_events, mut ignored) = (Vec::new(), None, 0);
    let looked = scan(root, from, filter, |entry| {
        match entry {
            Entry::File(inside, Ok(version)) => files.push((inside, version)),
            Entry::File(_, Err(_)) => ignored += 1,
            Entry::Folder(folder) => {
                let entered = events.as_mut().map(|events| events.enter(&folder));
                if let Some(Err(NoEvents::Full)) = entered {
                    (events, no_events) = (None, Some(NoEvents::Full));
                }
            }
        }
        if files.len() >= BATCH
            && batches.blocking_send(Scanned::Files(std::mem::take(&mut files))).is_err()
        {
            return Break(());
        }
        Continue(())
    });
    let end = match looked {
        Ok(unreadable) => {
            // Nobody takes it any more where this fails.
            let _ = batches.blocking_send(Scanned::Files(files));
            let ignored = (from == root).then_some(ignored);
            Scanned::End { events, no_events, unreadable, ignored, took: began.elapsed() }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Scanned::Gone { events, whole: from == root }
        }
        Err(_) => {
            let unreadable = Unreadable { some: vec![from.to_owned()], count: 1 };
            let took = began.elapsed();
            Scanned::End { events, no_events, unreadable, ignored: None, took }
        }
    };
    let _ = batches.blocking_send(end);
}

/// A file as it is now, and what is in it; `None` where there is none that is taken. Blocks.
pub(super) fn look_into(path: &Path, root: &Path, filter: &Filter) -> Option<(Version, Content)> {
    let Ok(Found::File(Ok(version))) = look(root, path, filter) else { return None };
    // What cannot be read now may be later: it waits like one that is not finished.
    let content = content_of(path, version.size).unwrap_or(Content::Video(Container::Incomplete));
    Some((version, content))
}

/// What is in a file of `size` bytes. Blocks.
///
/// # Errors
/// Where it cannot be read.
pub fn content_of(path: &Path, size: u64) -> io::Result<Content> {
    let mut file = File::open(path)?;
    if video_type(&mut file)?.is_none() {
        return Ok(Content::Other);
    }
    inspect(&mut file, size).map(Content::Video)
}

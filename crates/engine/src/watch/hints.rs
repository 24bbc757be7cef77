//! What events say, gathered until somebody looks. However many come, what is kept of them is
//! bounded: past that, everything is looked at.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Paths that are remembered one by one.
const MOST: usize = 8192;

/// What an event says of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// Something.
    Look,
    /// Somebody wrote to it. Only said where closes are told, too.
    Written,
    /// Somebody who could write to it has closed it.
    Closed,
}

/// What is to be looked at.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) paths: HashMap<PathBuf, Hint>,
    /// Events were lost: what they would have said is found by a scan only.
    pub(super) lost: bool,
    /// No more folders can be watched by events.
    pub(super) full: bool,
}

/// Where hints come together. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Hints(Arc<(Mutex<Gathered>, Notify)>);

impl Hints {
    /// Adds what an event says of a path.
    pub(super) fn add(&self, path: PathBuf, hint: Hint) {
        let mut gathered = self.lock();
        if gathered.lost {
            return;
        }
        if gathered.paths.len() >= MOST && !gathered.paths.contains_key(&path) {
            gathered.paths.clear();
            gathered.lost = true;
        } else {
            let last = gathered.paths.entry(path).or_insert(hint);
            // Of what was written and closed, the last one counts; a look changes neither.
            if hint != Hint::Look {
                *last = hint;
            }
        }
        drop(gathered);
        self.0.1.notify_one();
    }

    /// Says that events were lost.
    pub(super) fn lose(&self) {
        let mut gathered = self.lock();
        gathered.paths.clear();
        gathered.lost = true;
        drop(gathered);
        self.0.1.notify_one();
    }

    /// Says that the system watches no more folders.
    pub(super) fn fill(&self) {
        self.lock().full = true;
        self.0.1.notify_one();
    }

    /// Waits until there is something.
    pub(super) async fn wait(&self) {
        self.0.1.notified().await;
    }

    /// Everything since the last time.
    pub(super) fn take(&self) -> Gathered {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_about_a_file_counts() {
        let hints = Hints::default();
        let said = |hints: &Hints| hints.take().paths.get(&PathBuf::from("a")).copied();
        for hint in [Hint::Look, Hint::Written, Hint::Look] {
            hints.add("a".into(), hint);
        }
        assert_eq!(said(&hints), Some(Hint::Written));
        assert_eq!(said(&hints), None);
        for hint in [Hint::Closed, Hint::Written, Hint::Closed, Hint::Look] {
            hints.add("a".into(), hint);
        }
        assert_eq!(said(&hints), Some(Hint::Closed));
    }

    #[test]
    fn a_storm_is_bounded() {
        let hints = Hints::default();
        for nth in 0..200_000 {
            hints.add(format!("{nth}").into(), Hint::Look);
        }
        let gathered = hints.take();
        assert!(gathered.lost && gathered.paths.is_empty());
        hints.add("a".into(), Hint::Look);
        assert!(!hints.take().lost);
    }
}

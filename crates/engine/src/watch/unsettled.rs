//! Files that may be written to, in the order in which they are looked at.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::watch::{Senses, Settle, Version};

/// All of a folder's. There may be very many at once, when a card is copied.
#[derive(Debug, Default)]
pub(super) struct Unsettled {
    files: HashMap<Arc<Path>, Unfinished>,
    /// Those that have a time at which they are looked at.
    due: BTreeSet<(Duration, Arc<Path>)>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Unfinished {
    pub(super) settle: Settle,
    /// From when on it is offered as one that grows; `None` for one that was, or that does not.
    pub(super) grows: Option<Duration>,
    /// When it is looked at next; `None` as long as only a change can finish it.
    next: Option<Duration>,
}

impl Unsettled {
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    pub(super) fn get(&self, path: &Path) -> Option<&Unfinished> {
        self.files.get(path)
    }

    pub(super) fn get_mut(&mut self, path: &Path) -> Option<&mut Unfinished> {
        self.files.get_mut(path)
    }

    /// A file was seen; whether for the first time.
    pub(super) fn see(
        &mut self,
        path: &Path,
        version: Version,
        senses: Senses,
        now: Duration,
    ) -> bool {
        if self.files.contains_key(path) {
            return false;
        }
        let settle = Settle::new(version, now);
        let next = settle.due(senses);
        let file = Unfinished { settle, grows: Some(now), next: None };
        self.files.insert(Arc::from(path), file);
        self.look_at(path, Some(next));
        true
    }

    pub(super) fn remove(&mut self, path: &Path) {
        self.look_at(path, None);
        self.files.remove(path);
    }

    /// Says when a file is looked at next.
    pub(super) fn look_at(&mut self, path: &Path, next: Option<Duration>) {
        let Some((name, _)) = self.files.get_key_value(path) else { return };
        let name = Arc::clone(name);
        let Some(file) = self.files.get_mut(path) else { return };
        if let Some(before) = std::mem::replace(&mut file.next, next) {
            self.due.remove(&(before, Arc::clone(&name)));
        }
        self.due.extend(next.map(|next| (next, name)));
    }

    /// Who writes is not known any more.
    pub(super) fn doubt(&mut self, senses: Senses) {
        self.due.clear();
        for (path, file) in &mut self.files {
            file.settle.doubt();
            let next = file.settle.due(senses);
            file.next = Some(next);
            self.due.insert((next, Arc::clone(path)));
        }
    }

    /// When the next one is due that is not `busy`.
    pub(super) fn next(&self, busy: &HashSet<PathBuf>) -> Option<Duration> {
        self.idle(busy).next().map(|(next, _)| *next)
    }

    /// Up to `most` that are due and not `busy`.
    pub(super) fn due(&self, now: Duration, busy: &HashSet<PathBuf>, most: usize) -> Vec<PathBuf> {
        let due = self.idle(busy).take_while(|(next, _)| *next <= now);
        due.take(most).map(|(_, path)| path.to_path_buf()).collect()
    }

    fn idle(&self, busy: &HashSet<PathBuf>) -> impl Iterator<Item = &(Duration, Arc<Path>)> {
        self.due.iter().filter(|(_, path)| !busy.contains(&**path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_one_time_and_what_is_busy_is_passed_over() {
        let version = Version { size: 1, modified_ns: 0, file: None };
        let mut files = Unsettled::default();
        let path = |name: &str| PathBuf::from(name);
        for name in ["a", "b", "c"] {
            assert!(files.see(&path(name), version, Senses::Events, Duration::ZERO));
        }
        assert!(!files.see(&path("a"), version, Senses::Events, Duration::ZERO));
        let second = Duration::from_secs;
        files.look_at(&path("a"), Some(second(9)));
        files.look_at(&path("b"), Some(second(7)));
        files.look_at(&path("a"), Some(second(8)));
        files.look_at(&path("c"), None);
        let (nobody, b) = (HashSet::new(), HashSet::from([path("b")]));
        assert_eq!((files.next(&nobody), files.next(&b)), (Some(second(7)), Some(second(8))));
        assert_eq!(files.due(second(8), &nobody, 9), [path("b"), path("a")]);
        assert_eq!(files.due(second(8), &nobody, 1), [path("b")]);
        files.remove(&path("b"));
        assert_eq!(files.due(second(9), &nobody, 9), [path("a")]);
        files.doubt(Senses::Events);
        assert_eq!((files.len(), files.due(second(3600), &nobody, 9).len()), (2, 2));
    }
}

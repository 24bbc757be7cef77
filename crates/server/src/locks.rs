//! One at a time, by name: two calls for one video must not both begin its upload.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OwnedMutexGuard;

type Lock = tokio::sync::Mutex<()>;

/// Locks that exist while somebody holds or awaits them.
#[derive(Default)]
pub(crate) struct NamedLocks {
    locks: Mutex<HashMap<String, Weak<Lock>>>,
}

impl NamedLocks {
    /// Waits for its turn. Callers are limited in time, so the wait is.
    pub(crate) async fn hold(&self, name: &str) -> OwnedMutexGuard<()> {
        self.lock(name).lock_owned().await
    }

    fn lock(&self, name: &str) -> Arc<Lock> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(name).and_then(Weak::upgrade) {
            return lock;
        }
        locks.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::new(Lock::default());
        locks.insert(name.to_owned(), Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_held_by_one() {
        let locks = NamedLocks::default();
        let held = locks.hold("a").await;
        assert!(locks.lock("a").try_lock().is_err());
        assert!(locks.lock("b").try_lock().is_ok());
        drop(held);
        assert!(locks.lock("a").try_lock().is_ok());
    }
}

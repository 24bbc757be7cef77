//! Removing everything under a prefix.

use super::{OriginalStorage, StorageError, unavailable};

impl OriginalStorage {
    /// Aborts every multipart upload and deletes every object whose key begins with `prefix`.
    pub(crate) async fn empty(&self, prefix: &str) -> Result<(), StorageError> {
        // Uploads first: one that is completed meanwhile is then found as an object.
        self.abort_others(prefix, None).await?;
        let mut pages = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .into_paginator()
            .send();
        while let Some(page) = Box::pin(pages.next()).await {
            let page = page.map_err(|error| unavailable(&error))?;
            for key in page.contents().iter().filter_map(|object| object.key()) {
                self.delete(key).await?;
            }
        }
        Ok(())
    }
}

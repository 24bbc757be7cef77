//! What lies in the bucket, a page at a time: for finding what no row names.

use super::{OriginalStorage, StorageError, unavailable};

/// Things of one page at the most.
const PAGE: i32 = 1000;

/// An object, or an open multipart upload.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) key: String,
    /// Of a multipart upload.
    pub(crate) upload_id: Option<String>,
    /// Milliseconds since 1970, by the storage's clock: written last, or begun.
    pub(crate) since: i64,
}

/// Some of what there is.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) stored: Vec<Stored>,
    /// Where the next page begins; `None` after the last one.
    pub(crate) next: Option<String>,
}

impl OriginalStorage {
    /// Objects whose key begins like this, in order.
    pub(crate) async fn objects(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Page, StorageError> {
        let list = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .max_keys(PAGE)
            .set_start_after(after.map(str::to_owned));
        let listed = Box::pin(list.send()).await.map_err(|error| unavailable(&error))?;
        let stored: Vec<Stored> = listed
            .contents()
            .iter()
            .filter_map(|object| {
                let since = object.last_modified()?.to_millis().ok()?;
                Some(Stored { key: object.key()?.to_owned(), upload_id: None, since })
            })
            .collect();
        let more = listed.is_truncated().unwrap_or_default();
        let next = stored.last().filter(|_| more).map(|object| object.key.clone());
        Ok(Page { stored, next })
    }

    /// Open multipart uploads of keys that begin like this, in order.
    pub(crate) async fn open_uploads(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Page, StorageError> {
        // Neither a key nor an upload's id holds a line break.
        let (key_marker, id_marker) = match after.map(|after| after.split_once('\n')) {
            Some(Some((key, id))) => (Some(key), Some(id)),
            Some(None) | None => (None, None),
        };
        let list = self
            .client
            .list_multipart_uploads()
            .bucket(&self.bucket)
            .prefix(prefix)
            .max_uploads(PAGE)
            .set_key_marker(key_marker.map(str::to_owned))
            .set_upload_id_marker(id_marker.map(str::to_owned));
        let listed = Box::pin(list.send()).await.map_err(|error| unavailable(&error))?;
        let stored = listed
            .uploads()
            .iter()
            .filter_map(|upload| {
                let since = upload.initiated()?.to_millis().ok()?;
                let upload_id = upload.upload_id()?.to_owned();
                Some(Stored { key: upload.key()?.to_owned(), upload_id: Some(upload_id), since })
            })
            .collect();
        let next = match (listed.next_key_marker(), listed.next_upload_id_marker()) {
            (Some(key), Some(id)) if listed.is_truncated().unwrap_or_default() => {
                Some(format!("{key}\n{id}"))
            }
            _ => None,
        };
        Ok(Page { stored, next })
    }
}

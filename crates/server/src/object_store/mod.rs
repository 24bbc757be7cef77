//! The embedded S3 endpoint: objects as plain files, their names in a table.
//!
//! Owns: buckets, objects, multipart uploads and their bytes, below one folder (`index.db` and
//! `data/`). Must not know: the team API and the media engine; they come in by S3 like anybody.
//!
//! What holds here:
//! - Bytes are on disk before the row that mentions them, and the row before the answer.
//! - A part is written once, where it stays: completing an upload moves no byte.
//! - A part that is sent again never touches the bytes of the one that is held.
//! - No name of a file is made from anything a client said.

mod block;
mod checksums;
mod direct;
mod files;
mod gate;
mod in_place;
mod index;
mod intake;
mod operations;
mod outlet;
mod positioned;
mod refusal;
mod store;
mod values;
mod whole;

use std::path::Path;

use dailies_database::DatabaseError;
use secrecy::SecretString;

use self::refusal::Refusal;
use self::store::Store;

/// The target of every log line of this room.
const LOG: &str = "dailies_server::object_store";

/// Who may use the store: for now one owner, who may do everything.
#[derive(Debug, Clone)]
pub struct Owner {
    /// The access key id requests are signed with.
    pub access_key_id: String,
    /// The secret requests are signed with.
    pub secret_access_key: SecretString,
    /// The region the store says it is in.
    pub region: String,
}

/// Why the store cannot be opened or set up.
#[derive(Debug, thiserror::Error)]
pub enum ObjectStoreError {
    /// The file system refused.
    #[error("the folder of the object store cannot be used")]
    Folder(#[source] std::io::Error),
    /// The index could not be opened or written.
    #[error("the index of the object store cannot be used")]
    Index(#[source] DatabaseError),
    /// The name breaks the rules of
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>.
    #[error("`{0}` is not a name for a bucket")]
    BucketName(String),
}

/// The embedded object store. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct ObjectStore {
    store: Store,
    owner: Owner,
}

impl ObjectStore {
    /// Opens or creates the store in `folder`, and sweeps what a crash left in the background.
    ///
    /// # Errors
    /// [`ObjectStoreError`] if the folder or the index cannot be used.
    pub async fn open(folder: &Path, owner: Owner) -> Result<Self, ObjectStoreError> {
        let store = Store::open(folder, &owner.region).await?;
        Ok(Self { store, owner })
    }

    /// Makes the bucket if it is not there.
    ///
    /// # Errors
    /// [`ObjectStoreError::BucketName`] for a name S3 does not take.
    pub async fn ensure_bucket(&self, name: &str) -> Result<(), ObjectStoreError> {
        if !s3s::path::check_bucket_name(name) {
            return Err(ObjectStoreError::BucketName(name.to_owned()));
        }
        let name = name.to_owned();
        let made =
            self.store.commit(move |connection, _| index::buckets::create(connection, &name));
        made.await.map(drop).map_err(|refusal| match refusal {
            Refusal::Index(error) => ObjectStoreError::Index(error),
            other => ObjectStoreError::Folder(std::io::Error::other(other)),
        })
    }

    /// The S3 service, to be served on a listener of its own: it answers every path.
    ///
    /// Requests are of path style (`/bucket/key`), signed with signature version 4 in the headers
    /// or in the query. Header read timeouts are the listener's business.
    pub fn router(&self) -> axum::Router {
        gate::router(self.store.clone(), &self.owner)
    }
}

#[cfg(test)]
mod tests;

//! All SQL of the engine: the queue, the receipts, the settings. One file per table.
//!
//! Must not know: the network, policy.

mod columns;
mod parts;
mod settings;
mod uploads;

use std::path::Path;

use dailies_database::{Database, DatabaseError, M, Migrations};

pub use parts::{Proof, Receipt};
pub use settings::Setting;
pub use uploads::{Before, Destination, Registration, Session, SessionKind, Upload};

use crate::transfer::{PartNumber, UploadId};

/// The queue on disk. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
}

impl Store {
    /// Opens or creates the queue's file.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        Ok(Self { database: Database::open(path, &migrations())? })
    }

    /// Every upload, in queue order, with the bytes that are confirmed of it.
    ///
    /// # Errors
    /// Of the database.
    pub async fn uploads(&self) -> Result<Vec<(Upload, u64)>, DatabaseError> {
        self.database.read(uploads::all).await
    }

    /// Adds uploads at the end of the queue, all or none.
    ///
    /// # Errors
    /// Of the database.
    pub async fn insert(&self, rows: Vec<Upload>) -> Result<(), DatabaseError> {
        self.database.write(move |c| rows.iter().try_for_each(|row| uploads::insert(c, row))).await
    }

    /// Writes an upload's changed row, if it is still the one that was read, and gives it its new
    /// revision.
    ///
    /// # Errors
    /// [`DatabaseError::Stale`] where somebody else changed it.
    pub async fn update(&self, row: &Upload) -> Result<(), DatabaseError> {
        let row = row.clone();
        self.database.write(move |c| uploads::update(c, &row)).await
    }

    /// The same for a row with another session: what was confirmed of the old one is forgotten.
    ///
    /// # Errors
    /// [`DatabaseError::Stale`] where somebody else changed it.
    pub async fn update_session(&self, row: &Upload) -> Result<(), DatabaseError> {
        let row = row.clone();
        self.database
            .write(move |c| {
                parts::forget_all(c, row.id)?;
                uploads::update(c, &row)
            })
            .await
    }

    /// Takes uploads off the list, with all that is known of them.
    ///
    /// # Errors
    /// Of the database.
    pub async fn remove(&self, ids: Vec<UploadId>) -> Result<(), DatabaseError> {
        self.database.write(move |c| ids.iter().try_for_each(|id| uploads::remove(c, *id))).await
    }

    /// What is confirmed of an upload, in order.
    ///
    /// # Errors
    /// Of the database.
    pub async fn receipts(&self, id: UploadId) -> Result<Vec<Receipt>, DatabaseError> {
        self.database.read(move |c| parts::all(c, id)).await
    }

    /// Keeps a part's receipt, in place of an older one. Returns once it is on disk.
    ///
    /// # Errors
    /// Of the database.
    pub async fn keep(&self, id: UploadId, receipt: Receipt) -> Result<(), DatabaseError> {
        self.database.write(move |c| parts::keep(c, id, &receipt)).await
    }

    /// Forgets parts that the other side has lost.
    ///
    /// # Errors
    /// Of the database.
    pub async fn forget(&self, id: UploadId, lost: Vec<PartNumber>) -> Result<(), DatabaseError> {
        self.database
            .write(move |c| lost.iter().try_for_each(|part| parts::forget(c, id, *part)))
            .await
    }

    /// A setting's value.
    ///
    /// # Errors
    /// Of the database.
    pub async fn setting(&self, setting: Setting) -> Result<Option<String>, DatabaseError> {
        self.database.read(move |c| settings::get(c, setting)).await
    }

    /// Sets or, with `None`, unsets.
    ///
    /// # Errors
    /// Of the database.
    pub async fn set(&self, setting: Setting, value: Option<String>) -> Result<(), DatabaseError> {
        self.database.write(move |c| settings::set(c, setting, value.as_deref())).await
    }
}

/// Every schema that was released, oldest first. One that was released is never edited.
fn migrations() -> Migrations<'static> {
    Migrations::new(vec![
        M::up(include_str!("schema/0001_queue.sql")),
        M::up(include_str!("schema/0002_protocols.sql")),
    ])
}

#[cfg(test)]
mod tests;

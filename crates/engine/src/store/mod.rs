//! All SQL of the engine: the queue, the receipts, the settings. One file per table.
//!
//! Must not know: the network, policy.

mod backup;
mod care;
mod columns;
mod connections;
mod downloads;
mod ended;
mod folder_files;
mod folders;
mod growing;
mod history;
mod lists;
mod parts;
mod rebuild;
mod receipts;
mod reserve;
mod settings;
mod under_way;
mod uploads;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dailies_database::{Database, DatabaseError, M, Migrations};
use tokio::sync::Notify;

pub(crate) use backup::sync_folder;
pub use connections::Remembered;
pub use downloads::{Arrived, Download, Stands, Wanted};
pub use ended::{Before as EndedBefore, Ended, Search};
pub use folder_files::{Fate, Fates, FoundFile, Seen};
pub use folders::Folder;
pub use history::{Episode, Happened};
pub use lists::{Confirmed, Reordered, Shelf, Spot, Tally};
pub use parts::{Proof, Receipt};
pub use rebuild::Rebuilt;
pub use receipts::{Compared, UploadReceipt};
pub use settings::Setting;
pub use uploads::{Before, Destination, Registration, Session, SessionKind, Upload};

use self::reserve::Reserve;
use crate::source::Crc64;
use crate::transfer::{Event, List, PartNumber, Timestamp, UploadId};

/// The queue on disk. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
    path: Arc<Path>,
    damage: Arc<Notify>,
    reserve: Reserve,
}

/// A row to be written.
#[derive(Clone, Debug)]
pub struct Written {
    /// As it is to be.
    pub row: Upload,
    /// What is confirmed of it belongs to an earlier session.
    pub forgets: bool,
    /// When this happens.
    pub at: Timestamp,
    /// What is told of it in the upload's history.
    pub happened: Vec<Happened>,
    /// The receipt of its only part, which was sent with this.
    pub only: Option<Receipt>,
    /// Of one whose bytes are with its team from now on: it gets its receipt.
    pub finished: Option<Compared>,
}

impl Written {
    /// Nothing but the row.
    #[must_use]
    pub fn only(row: Upload, at: Timestamp) -> Self {
        Self { row, forgets: false, at, happened: Vec::new(), only: None, finished: None }
    }
}

impl Store {
    /// Some uploads, each with the bytes that are confirmed of it. One that there is not is left
    /// out.
    ///
    /// # Errors
    /// Of the database.
    pub async fn uploads(&self, ids: Vec<UploadId>) -> Result<Vec<(Upload, u64)>, DatabaseError> {
        self.read(move |c| {
            let one = |id: &UploadId| uploads::some(c, "WHERE id = ?1", [id.to_string()]);
            let rows = ids.iter().map(one).collect::<Result<Vec<_>, _>>()?;
            Ok(rows.into_iter().flatten().collect())
        })
        .await
    }

    /// Uploads that go on by themselves at a start.
    ///
    /// # Errors
    /// Of the database.
    pub async fn begun(&self) -> Result<Vec<(Upload, u64)>, DatabaseError> {
        self.read(lists::begun).await
    }

    /// Up to `limit` uploads to `server` that may start, in the order in which they will.
    ///
    /// # Errors
    /// Of the database.
    pub async fn next(
        &self,
        server: String,
        limit: u64,
    ) -> Result<Vec<(Upload, u64)>, DatabaseError> {
        self.read(move |c| lists::next(c, &server, limit)).await
    }

    /// Up to `limit` uploads of a list, from a shelf on, after the first `skip` of it.
    ///
    /// # Errors
    /// Of the database.
    pub async fn page(
        &self,
        list: List,
        from: Shelf,
        skip: u64,
        limit: u64,
    ) -> Result<Vec<(Upload, u64)>, DatabaseError> {
        self.read(move |c| lists::page(c, list, from, skip, limit)).await
    }

    /// How many uploads of a list come before a place on its shelf.
    ///
    /// # Errors
    /// Of the database.
    pub async fn before_on_shelf(&self, list: List, place: i64) -> Result<u64, DatabaseError> {
        self.read(move |c| lists::before_on_shelf(c, list, place)).await
    }

    /// Every upload of a list, in order.
    ///
    /// # Errors
    /// Of the database.
    pub async fn ids(&self, list: List) -> Result<Vec<UploadId>, DatabaseError> {
        self.read(move |c| lists::ids(c, list)).await
    }

    /// The whole queue in numbers, and the bytes that are confirmed of it by state.
    ///
    /// # Errors
    /// Of the database.
    pub async fn tallies(&self) -> Result<(Vec<Tally>, Vec<Confirmed>), DatabaseError> {
        self.read(|c| Ok((lists::tallies(c)?, lists::confirmed(c)?))).await
    }

    /// Up to `limit` uploads after `after` whose files are missing, and where those were.
    ///
    /// # Errors
    /// Of the database.
    pub async fn missing(
        &self,
        after: Option<UploadId>,
        limit: u64,
    ) -> Result<Vec<(UploadId, PathBuf)>, DatabaseError> {
        self.read(move |c| lists::missing(c, after, limit)).await
    }

    /// Up to `limit` uploads after `after` that have not ended.
    ///
    /// # Errors
    /// Of the database.
    pub async fn after(
        &self,
        after: Option<UploadId>,
        limit: u64,
    ) -> Result<Vec<(Upload, u64)>, DatabaseError> {
        self.read(move |c| lists::after(c, after, limit)).await
    }

    /// Uploads of files to a place that have not ended.
    ///
    /// # Errors
    /// Of the database.
    pub async fn unfinished(
        &self,
        paths: Vec<PathBuf>,
        to: Destination,
    ) -> Result<Vec<(Upload, u64)>, DatabaseError> {
        self.read(move |c| lists::unfinished(c, &paths, &to)).await
    }

    /// Videos of other uploads that could be taken for this one's.
    ///
    /// # Errors
    /// Of the database.
    pub async fn taken(&self, row: &Upload) -> Result<Vec<String>, DatabaseError> {
        let row = row.clone();
        self.read(move |c| lists::taken(c, &row)).await
    }

    /// The team's names for the videos of other uploads of files with the same name; `None` for one
    /// that has been begun and has no name yet.
    ///
    /// # Errors
    /// Of the database.
    pub async fn namesakes(&self, row: &Upload) -> Result<Vec<Option<String>>, DatabaseError> {
        let row = row.clone();
        self.read(move |c| lists::namesakes(c, &row)).await
    }

    /// Adds uploads at the end of the queue, all or none, and returns their places.
    ///
    /// # Errors
    /// Of the database; while the disk has room only for what is under way, too.
    pub async fn insert(&self, rows: Vec<Upload>) -> Result<Vec<i64>, DatabaseError> {
        self.insert_after(rows, Vec::new()).await
    }

    /// The same, of uploads to which something has happened already.
    ///
    /// # Errors
    /// As [`Self::insert`].
    pub async fn insert_after(
        &self,
        rows: Vec<Upload>,
        happened: Vec<Happened>,
    ) -> Result<Vec<i64>, DatabaseError> {
        self.has_room()?;
        self.write(move |c| {
            let one = |row: &Upload| {
                let place = uploads::insert(c, row)?;
                history::remember(c, row.id, row.added_at, &happened)?;
                Ok(place)
            };
            rows.iter().map(one).collect()
        })
        .await
    }

    /// Finished uploads that could be of the same content and went to the same project, and the
    /// checksums of their files; none where somebody wants this one sent all the same.
    ///
    /// # Errors
    /// Of the database.
    pub async fn doubles(&self, row: &Upload) -> Result<Vec<(UploadId, Crc64)>, DatabaseError> {
        let row = row.clone();
        self.read(move |c| receipts::doubles_of(c, &row)).await
    }

    /// Those of some uploads that have none.
    ///
    /// # Errors
    /// Of the database.
    pub async fn without_doubles(
        &self,
        rows: Vec<Upload>,
    ) -> Result<HashSet<UploadId>, DatabaseError> {
        self.read(move |c| {
            let mut without = HashSet::new();
            for row in rows {
                if receipts::doubles_of(c, &row)?.is_empty() {
                    without.insert(row.id);
                }
            }
            Ok(without)
        })
        .await
    }

    /// Whether this has happened to an upload.
    ///
    /// # Errors
    /// Of the database.
    pub async fn has_happened(&self, id: UploadId, event: Event) -> Result<bool, DatabaseError> {
        self.read(move |c| history::has(c, id, &event)).await
    }

    /// The upload that this one was begun in place of, because its file had changed.
    ///
    /// # Errors
    /// Of the database.
    pub async fn in_place_of(&self, id: UploadId) -> Result<Option<UploadId>, DatabaseError> {
        self.read(move |c| history::in_place_of(c, id)).await
    }

    /// Writes changed rows, all or none, if each is still the one that was read, and gives them
    /// their new revisions; with each what happened to it. Of one with another session, what was
    /// confirmed of the old is forgotten. Returns their places.
    ///
    /// # Errors
    /// [`DatabaseError::Stale`] where somebody else changed one.
    pub async fn update(&self, rows: Vec<Written>) -> Result<Vec<i64>, DatabaseError> {
        self.write(move |c| {
            let one = |written: &Written| {
                let Written { row, forgets, at, happened, only, finished } = written;
                // Of what has ended nothing is ever sent again.
                if *forgets || row.list() == List::Done {
                    parts::forget_all(c, row.id)?;
                    under_way::forget(c, row.id)?;
                }
                let place = uploads::update(c, row)?;
                history::remember(c, row.id, *at, happened)?;
                if let Some(only) = only {
                    parts::keep(c, row.id, only)?;
                }
                if let Some(compared) = finished {
                    receipts::keep(c, row, compared, *at)?;
                }
                Ok(place)
            };
            rows.iter().map(one).collect()
        })
        .await
    }

    /// Writes down that an upload is about to be registered for the first time.
    ///
    /// # Errors
    /// Of the database; for one that was tried before, too.
    pub async fn intend(&self, id: UploadId) -> Result<(), DatabaseError> {
        self.write(move |c| uploads::intend(c, id)).await
    }

    /// Gives uploads that wait new places, in the order in which they are named.
    ///
    /// # Errors
    /// Of the database.
    pub async fn put(&self, ids: Vec<UploadId>, spot: Spot) -> Result<Reordered, DatabaseError> {
        self.write(move |c| lists::put(c, &ids, spot)).await
    }

    /// Lets uploads go before all others, and stand there as far as they wait; or no longer go before
    /// them.
    ///
    /// # Errors
    /// Of the database.
    pub async fn set_first(
        &self,
        ids: Vec<UploadId>,
        first: bool,
    ) -> Result<Reordered, DatabaseError> {
        self.write(move |c| lists::set_first(c, &ids, first)).await
    }

    /// Takes uploads off the list, with all that is known of them but for their receipts.
    ///
    /// # Errors
    /// Of the database.
    pub async fn remove(&self, ids: Vec<UploadId>) -> Result<(), DatabaseError> {
        self.write(move |c| ids.iter().try_for_each(|id| uploads::remove(c, *id))).await
    }

    /// What is confirmed of an upload, in order.
    ///
    /// # Errors
    /// Of the database.
    pub async fn receipts(&self, id: UploadId) -> Result<Vec<Receipt>, DatabaseError> {
        self.read(move |c| parts::all(c, id)).await
    }

    /// How many parts of an upload are confirmed in each of `runs` runs that a plan of `count` parts
    /// is cut into; a run of which there is none is left out.
    ///
    /// # Errors
    /// Of the database.
    pub async fn parts_by_run(
        &self,
        id: UploadId,
        count: u32,
        runs: u32,
    ) -> Result<Vec<(u32, u32)>, DatabaseError> {
        self.read(move |c| parts::by_run(c, id, count, runs)).await
    }

    /// Keeps a part's receipt, in place of an older one. Returns once it is on disk.
    ///
    /// # Errors
    /// Of the database.
    pub async fn keep(&self, id: UploadId, receipt: Receipt) -> Result<(), DatabaseError> {
        self.write(move |c| parts::keep(c, id, &receipt)).await
    }

    /// Forgets parts that the other side has lost.
    ///
    /// # Errors
    /// Of the database.
    pub async fn forget(&self, id: UploadId, lost: Vec<PartNumber>) -> Result<(), DatabaseError> {
        self.write(move |c| lost.iter().try_for_each(|part| parts::forget(c, id, *part))).await
    }

    /// What happened to an upload after number `after`, oldest first, at most `limit` rows.
    ///
    /// # Errors
    /// Of the database.
    pub async fn history(
        &self,
        id: UploadId,
        after: u64,
        limit: u64,
    ) -> Result<Vec<Episode>, DatabaseError> {
        self.read(move |c| history::page(c, id, after, limit)).await
    }

    /// The receipt of a finished upload.
    ///
    /// # Errors
    /// Of the database.
    pub async fn upload_receipt(
        &self,
        id: UploadId,
    ) -> Result<Option<UploadReceipt>, DatabaseError> {
        self.read(move |c| receipts::of(c, id)).await
    }

    /// Up to `limit` receipts of uploads after `after`, oldest upload first.
    ///
    /// # Errors
    /// Of the database.
    pub async fn upload_receipts(
        &self,
        after: Option<UploadId>,
        limit: u64,
    ) -> Result<Vec<UploadReceipt>, DatabaseError> {
        self.read(move |c| receipts::page(c, after, limit)).await
    }

    /// Up to `limit` uploads that have ended and that `search` finds, newest end first, before `before`.
    ///
    /// # Errors
    /// Of the database.
    pub async fn ended(
        &self,
        search: Search,
        before: Option<EndedBefore>,
        limit: usize,
    ) -> Result<Vec<Ended>, DatabaseError> {
        self.read(move |c| ended::page(c, &search, before, limit)).await
    }

    /// What is remembered of a team server; nothing of one that was never connected.
    ///
    /// # Errors
    /// Of the database.
    pub async fn remembered(&self, server: String) -> Result<Remembered, DatabaseError> {
        self.read(move |c| connections::get(c, &server)).await
    }

    /// Remembers what a team server says of itself.
    ///
    /// # Errors
    /// Of the database.
    pub async fn know(&self, server: String, known: String) -> Result<(), DatabaseError> {
        self.write(move |c| connections::know(c, &server, &known)).await
    }

    /// Remembers the project of a team server that new files go to.
    ///
    /// # Errors
    /// Of the database.
    pub async fn choose(&self, server: String, project_id: String) -> Result<(), DatabaseError> {
        self.write(move |c| connections::choose(c, &server, &project_id)).await
    }

    /// Uploads to a server that their team waits for the bytes of.
    ///
    /// # Errors
    /// Of the database.
    pub async fn begun_for(&self, server: String) -> Result<Vec<UploadId>, DatabaseError> {
        self.read(move |c| lists::begun_for(c, &server)).await
    }

    /// The team servers to which uploads go that have not ended.
    ///
    /// # Errors
    /// Of the database.
    pub async fn servers(&self) -> Result<Vec<String>, DatabaseError> {
        self.read(connections::needed).await
    }

    /// A setting's value.
    ///
    /// # Errors
    /// Of the database.
    pub async fn setting(&self, setting: Setting) -> Result<Option<String>, DatabaseError> {
        self.read(move |c| settings::get(c, setting)).await
    }

    /// Sets or, with `None`, unsets.
    ///
    /// # Errors
    /// Of the database.
    pub async fn set(&self, setting: Setting, value: Option<String>) -> Result<(), DatabaseError> {
        self.write(move |c| settings::set(c, setting, value.as_deref())).await
    }
}

/// Every schema that was released, oldest first. One that was released is never edited. A new value
/// of an old column is a new schema, too, if only an empty one: what a program does not know there,
/// it takes for damage.
const SCHEMAS: [&str; 12] = [
    include_str!("schema/0001_queue.sql"),
    include_str!("schema/0002_protocols.sql"),
    include_str!("schema/0003_ledger.sql"),
    include_str!("schema/0004_connections.sql"),
    include_str!("schema/0005_folders.sql"),
    include_str!("schema/0006_growing.sql"),
    include_str!("schema/0007_folder_rules.sql"),
    include_str!("schema/0008_activity.sql"),
    include_str!("schema/0009_under_way.sql"),
    include_str!("schema/0010_unsent.sql"),
    include_str!("schema/0011_downloads.sql"),
    include_str!("schema/0012_conditions.sql"),
];

fn migrations() -> Migrations<'static> {
    Migrations::new(SCHEMAS.map(M::up).into())
}

#[cfg(test)]
pub(crate) mod ended_tests;
#[cfg(test)]
mod folder_tests;
#[cfg(test)]
mod ledger_tests;
#[cfg(test)]
mod list_tests;
#[cfg(test)]
pub(crate) mod tests;

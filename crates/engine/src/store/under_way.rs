//! The table of bytes that are under way of files that grow. It proves what a request has brought
//! of which nobody has heard the answer.

use dailies_database::DatabaseError;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::source::Crc64;
use crate::store::Store;
use crate::transfer::{ByteRange, UploadId};

impl Store {
    /// Writes down which bytes go up next, in place of those that went before. Returns once it is on
    /// disk.
    ///
    /// # Errors
    /// Of the database.
    pub async fn set_out(
        &self,
        id: UploadId,
        range: ByteRange,
        checksum: Crc64,
    ) -> Result<(), DatabaseError> {
        self.write(move |c| set(c, id, range, checksum)).await
    }

    /// The bytes that went up last, and their checksum then.
    ///
    /// # Errors
    /// Of the database.
    pub async fn under_way(
        &self,
        id: UploadId,
    ) -> Result<Option<(ByteRange, Crc64)>, DatabaseError> {
        self.read(move |c| get(c, id)).await
    }
}

fn set(
    connection: &Connection,
    id: UploadId,
    range: ByteRange,
    checksum: Crc64,
) -> Result<(), DatabaseError> {
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO under_way (upload_id, start, length, crc64) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let (start, length) = (range.offset.cast_signed(), range.length.cast_signed());
    statement.execute(params![id.to_string(), start, length, checksum.to_column()])?;
    Ok(())
}

fn get(connection: &Connection, id: UploadId) -> Result<Option<(ByteRange, Crc64)>, DatabaseError> {
    let sql = "SELECT start, length, crc64 FROM under_way WHERE upload_id = ?1";
    let row = connection.prepare_cached(sql)?.query_row([id.to_string()], |row| {
        let bytes = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.cast_unsigned());
        let range = ByteRange { offset: bytes(0)?, length: bytes(1)? };
        Ok((range, Crc64::from_column(row.get(2)?)))
    });
    Ok(row.optional()?)
}

/// What belongs to an earlier session proves nothing of another.
pub(super) fn forget(connection: &Connection, id: UploadId) -> Result<(), DatabaseError> {
    let mut statement = connection.prepare_cached("DELETE FROM under_way WHERE upload_id = ?1")?;
    statement.execute([id.to_string()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::source::Crc64;
    use crate::store::tests::upload;
    use crate::store::{Store, Upload, Written};
    use crate::transfer::{ByteRange, Phase, State, Timestamp};

    #[tokio::test]
    async fn the_last_bytes_that_set_out_are_known_until_their_session_ends() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("queue.db")).unwrap();
        let row = upload(folder.path());
        store.insert(vec![row.clone()]).await.unwrap();
        assert_eq!(store.under_way(row.id).await.unwrap(), None);
        let range = |offset| ByteRange { offset, length: 8 };
        for offset in [0, 8] {
            store.set_out(row.id, range(offset), Crc64::EMPTY).await.unwrap();
        }
        let known = store.under_way(row.id).await.unwrap();
        assert_eq!(known, Some((range(8), Crc64::EMPTY)));

        let state = State { phase: Phase::Beginning, ..State::NEW };
        let row = Upload { state, ..row };
        let same = Written::only(row.clone(), Timestamp(2));
        store.update(vec![same.clone()]).await.unwrap();
        assert_eq!(store.under_way(row.id).await.unwrap(), known);
        let row = Upload { rev: 1, ..row.clone() };
        store.update(vec![Written { row: row.clone(), forgets: true, ..same }]).await.unwrap();
        assert_eq!(store.under_way(row.id).await.unwrap(), None);
    }
}
